"""Flows that begin with a table typed by hand: plans without a source, parameters, lineage, estimates, counts."""

from __future__ import annotations

from typing import Any

import pytest

from flows.graph.engines import Cluster
from flows.graph.errors import PlanError
from flows.graph.estimate import estimate_ports
from flows.graph.lineage import Lineage, step_relations
from flows.graph.plan import HERE
from tests.unit.graph.support import (
    AIR,
    AIR_COLUMNS,
    Json,
    Runner,
    arrow,
    checked,
    flow,
    load,
    planned,
    registry,
    rows_of,
    step,
)
from tests.unit.graph.test_provenance import Bench

OUT = step("output", name="rows")
LIMITS = step("table", columns=[{"name": "id"}, {"name": "most", "type": "number"}], rows=[["a", 1.5], ["b", "3"]])
INPUTS = {"type": "object", "properties": {"n": {"type": "integer"}, "day": {"type": "string", "format": "date"}}}


def one_row(*cells: Any, kind: str = "integer") -> Json:
    return step("table", columns=[{"name": f"c{place}", "type": kind} for place in range(len(cells))], rows=[cells])


def test_a_table_is_a_stage_without_any_source() -> None:
    plan = planned(flow({"t": LIMITS, "out": OUT}, "t > out"))
    (stage,) = plan.stages
    assert (stage.bindings, plan.datasets, plan.grants) == ((), (), {})
    assert stage.ordered
    assert Runner({}).stage(stage).to_pylist() == [{"id": "a", "most": 1.5}, {"id": "b", "most": 3.0}]


def test_steps_behind_it_are_in_the_same_stage_and_counts_are_known() -> None:
    steps = {
        "t": LIMITS,
        "d": step("derive", columns=[{"name": "twice", "expression": "most * 2"}]),
        "f": step("filter", where="twice > 4"),
        "out": OUT,
    }
    (stage,) = planned(flow(steps, "t > d", "d > f", "f > out")).stages
    assert rows_of(Runner({}).stage(stage)) == [("b", 3.0, 6.0)]
    probes = {probe.step: probe for probe in stage.probes}
    assert (probes["t"].rows, probes["d"].same_as) == (2, "t")


def test_a_preview_shows_its_rows() -> None:
    plan = planned(flow({"t": LIMITS, "out": OUT}, "t > out"), until="t", sample_rows=1, limit=100)
    assert Runner({}).stage(plan.stages[0]).num_rows == 2, "nothing of it is sampled"


def test_the_first_rows_are_those_that_were_typed_first() -> None:
    document = flow({"t": LIMITS, "l": step("limit", rows=1), "out": OUT}, "t > l", "l > out")
    assert not [one for one in checked(document).findings if one.code == "limit.no_sort"]
    (stage,) = planned(document).stages
    assert stage.ordered and Runner({}).stage(stage).to_pylist() == [{"id": "a", "most": 1.5}]


def test_it_meets_what_is_read() -> None:
    steps = {
        "air": step("read", dataset="air", columns=["station", "pm25"]),
        "t": LIMITS,
        "both": step("join", how="inner", on=[{"left": "station", "right": "id"}]),
        "bad": step("filter", where="pm25 > most"),
        "out": OUT,
    }
    rows = [{"station": name, "pm25": value} for name, value in [("a", 1.0), ("a", 2.0), ("b", 4.0), ("c", 9.0)]]
    document = flow(steps, "air > both.left", "t > both.right", "both > bad", "bad > out")
    (stage,) = planned(document).stages
    assert [binding.step for binding in stage.bindings] == ["air"]
    assert not stage.ordered, "a join keeps no order, so many rows need not be kept in theirs"
    found = Runner({AIR: arrow(AIR_COLUMNS, rows)}).stage(stage)
    assert sorted(found.column("pm25").to_pylist()) == [2.0, 4.0]


def test_a_server_is_not_asked_to_join_with_it() -> None:
    steps = {
        "far": step("read", dataset="remote", columns=["station", "pm25"]),
        "t": LIMITS,
        "both": step("join", how="inner", on=[{"left": "station", "right": "id"}]),
        "sum": step("aggregate", by=["station"], measures=[{"name": "n", "function": "count"}]),
        "out": OUT,
    }
    plan = planned(flow(steps, "far > both.left", "t > both.right", "both > sum", "sum > out"))
    assert [one["message"]["en"] for one in plan.notes if "typed by hand" in one["message"]["en"]]


def test_parameters_become_values_of_the_columns_type() -> None:
    row = step(
        "table",
        columns=[{"name": "n", "type": "decimal(10,2)"}, {"name": "at", "type": "timestamp"}, {"name": "again"}],
        rows=[[":n", ":day", "::n"], [":n", None, "b"]],
    )
    document = flow({"t": row, "out": OUT}, "t > out", inputs=INPUTS)
    assert not [one for one in checked(document).findings if one.severity == "error"], "no value is known while drawing"
    (stage,) = planned(document, parameters={"n": 7, "day": "2024-01-31"}).stages
    assert [tuple(map(str, one.values())) for one in Runner({}).stage(stage).to_pylist()] == [
        ("7.00", "2024-01-31 00:00:00", ":n"), ("7.00", "None", "b"),
    ]  # fmt: skip
    with pytest.raises(PlanError, match="missing"):
        planned(document, parameters={"n": 7})


def test_a_text_of_a_parameter_stays_a_text() -> None:
    inputs = {"type": "object", "properties": {"s": {"type": "string"}}}
    document = flow({"t": one_row(":s", kind="text"), "out": OUT}, "t > out", inputs=inputs)
    value = "a'); drop table x; --"
    (stage,) = planned(document, parameters={"s": value}).stages
    assert Runner({}).stage(stage).to_pylist() == [{"c0": value}]


@pytest.mark.parametrize(
    "row, code",
    [
        (one_row(":nobody"), "expression.unknown_parameter"),
        (one_row(":n", kind="text"), "table.parameter"),
        (one_row(":n", kind="date"), "table.parameter"),
        (one_row(":list"), "expression.no_type"),
    ],
)
def test_what_a_cell_cannot_take_is_told_at_the_cell(row: Json, code: str) -> None:
    inputs = {"properties": {"n": {"type": "integer"}, "list": {"type": "array", "items": {"type": "integer"}}}}
    found = [
        one for one in checked(flow({"t": row, "out": OUT}, "t > out", inputs=inputs)).findings if one.code == code
    ]
    assert [(one.pointer, one.level) for one in found] == [("/steps/t/settings/rows/0/0", "L3")]
    assert found[0].message["zh-CN"]


def test_a_cell_that_does_not_fit_is_told_at_the_cell() -> None:
    findings = checked(flow({"t": one_row(1, "x"), "out": OUT}, "t > out")).findings
    (found,) = [one for one in findings if one.code == "table.cell"]
    assert (found.pointer, found.level, found.severity) == ("/steps/t/settings/rows/0/1", "L2", "error")
    assert "column “c1”" in found.message["en"] and "第 1 行" in found.message["zh-CN"]


def test_its_columns_come_from_no_dataset() -> None:
    document = flow({"t": LIMITS, "s": step("sort", by=[{"column": "most"}]), "out": OUT}, "t > s", "s > out")
    relations = step_relations(load(document), registry(), {}, {}, checked(document, {}, {}).schemas)
    lineage = Lineage(relations).of("out.in", "most")
    assert (lineage.sources, lineage.computing, lineage.choosing) == (frozenset(), ("t",), ())
    assert estimate_ports(relations, {})["t.out"] == {"rows": 2, "bytes": 64}


def test_the_rows_behind_a_cell_are_found_on_its_other_side() -> None:
    steps = {
        "air": step("read", dataset="air", columns=["station", "pm25"]),
        "t": LIMITS,
        "both": step("join", how="inner", on=[{"left": "station", "right": "id"}]),
        "sum": step("aggregate", by=["station"], measures=[{"name": "most", "function": "max", "column": "most"}]),
        "out": OUT,
    }
    bench = Bench(flow(steps, "air > both.left", "t > both.right", "both > sum", "sum > out"))
    row = next(one for one in bench.run() if one["station"] == "b")
    traced = bench.trace(row, "most")
    assert set(traced) == {"air"}
    assert {one["station"] for one in bench.shown(traced["air"])} == {"b"}


def test_spark_is_told_why_it_does_not_make_them() -> None:
    steps = {
        "t": LIMITS,
        "sum": step("aggregate", by=["id"], measures=[{"name": "n", "function": "count"}]),
        "out": OUT,
    }
    plan = planned(flow(steps, "t > sum", "sum > out"), cluster=Cluster(1, "cluster"))
    assert plan.stages[0].engine == HERE
    assert any("typed by hand" in one["message"]["en"] for one in plan.notes)
