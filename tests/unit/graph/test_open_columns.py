"""Columns that only the data knows: what the check promises, what steps behind may do, and the rows that come out."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from flows.graph.cell_rows import conditions_as_json
from flows.graph.lineage import Lineage, step_relations
from flows.graph.provenance import trace_row
from node_catalog.sdk.ports import to_arrow
from runtime.engine.widen import Widener
from tests.unit.graph.support import (
    AIR,
    AIR_COLUMNS,
    Json,
    Runner,
    all_rights,
    arrow,
    catalogue,
    checked,
    flow,
    load,
    planned,
    registry,
    step,
)
from tests.unit.sdk.step_runs import code_of

READ = step("read", dataset="air", columns=["station", "code", "pm25"])
PIVOT = step("pivot", names="code", values="pm25", function="mean")
OUT = step("output", name="x")
ROWS = [
    {"station": "a", "code": "o3", "pm25": 1.0},
    {"station": "a", "code": "o3", "pm25": 3.0},
    {"station": "a", "code": "no2", "pm25": 5.0},
    {"station": "b", "code": "PM2.5", "pm25": None},
    {"station": "c", "code": None, "pm25": 9.0},
]
ALL = ["PM2.5", "no2", "o3", "(empty)"]


def behind(*steps: Json) -> Json:
    """A pivot without a list of values, ``steps`` behind it, and an output."""
    named = {f"s{index}": one for index, one in enumerate(steps)}
    chain = ["read", "pivot", *named, "out"]
    wires = [f"{one} > {other}" for one, other in pairwise(chain)]
    return flow({"read": READ, "pivot": PIVOT, **named, "out": OUT}, *wires)


def findings(document: Json) -> list[tuple[str, str, str, str]]:
    return [(one.code, one.level, one.severity, one.step) for one in checked(document).findings]


def rows(document: Json, given: list[Json] = ROWS) -> list[Json]:
    """The rows of the output with real columns, as a result has them."""
    plan = planned(document)
    stage = plan.stages[-1]
    found = Runner({AIR: arrow(AIR_COLUMNS, given)}).run(plan)[stage.sink.step]
    widener = Widener(stage.schema)
    for batch in found.to_batches():
        widener.note(batch)
    wide = to_arrow(widener.schema())
    return [row for batch in found.to_batches() for row in widener.widen(batch, wide).to_pylist()]


def by_station(found: list[Json]) -> dict[Any, Json]:
    return {row.pop("station"): row for row in found}


def test_a_pivot_without_a_list_is_a_warning_and_promises_the_other_columns() -> None:
    seen = checked(behind())
    assert [one.code for one in seen.findings if one.severity != "info"] == ["pivot.open"]
    assert [(one.name, one.type) for one in seen.schemas["pivot.out"].fields] == [
        ("station", "text"), ("code …", "columns(number)"),
    ]  # fmt: skip
    assert seen.ok("L5")


def test_every_value_becomes_a_column() -> None:
    found = by_station(rows(behind()))
    assert list(found["a"]) == ALL
    empty = dict.fromkeys(ALL)
    assert found == {
        "a": {**empty, "o3": 2.0, "no2": 5.0}, "b": empty, "c": {**empty, "(empty)": 9.0},
    }  # fmt: skip


def test_steps_that_name_only_known_columns_pass_the_others_on() -> None:
    document = behind(
        step("filter", where="station <> 'c'"),
        step("derive", columns=[{"name": "twice", "expression": "station || station"}]),
        step("sort", by=[{"column": "station", "descending": True}]),
    )
    assert [code for code, _, severity, _ in findings(document) if severity != "info"] == ["pivot.open"]
    found = rows(document)
    assert [row["station"] for row in found] == ["b", "a"]
    assert list(found[0]) == ["station", *ALL, "twice"], "a filter takes rows away, no columns"


def test_a_step_that_names_another_column_takes_it_out_with_a_warning() -> None:
    document = behind(step("filter", where="o3 > 1"), step("select", columns=[{"column": "o3", "as": "ozone"}]))
    assert ("column.from_data", "L3", "warning", "s0") in findings(document)
    assert ("column.from_data", "L3", "warning", "s1") not in findings(document), "it is promised from then on"
    assert rows(document) == [{"ozone": 2.0}]
    missing = behind(step("derive", columns=[{"name": "so2", "expression": "so2 + 1"}]))
    assert {row["so2"] for row in rows(missing)} == {None}
    kept = rows(behind(step("derive", columns=[{"name": "o3", "expression": "o3 * 2"}])))
    assert [row["o3"] for row in kept if row["station"] == "a"] == [4.0]


def test_joins_and_unions_carry_them() -> None:
    steps = {"read": READ, "pivot": PIVOT, "few": step("filter", where="station = 'a'"), "out": OUT}
    both = flow(
        {**steps, "all": step("union")},
        "read > pivot",
        "read > few",
        "few > two",
        "pivot > all",
        "two > all",
        "all > out",
    )
    both["steps"]["two"] = PIVOT
    assert sorted(row["station"] for row in rows(both)) == ["a", "a", "b", "c"]
    assert list(rows(both)[0]) == ["station", *ALL]
    join = step("join", how="left", on=[{"left": "station", "right": "station"}])
    joined = flow(
        {**steps, "join": join}, "read > pivot", "read > few", "few > join.left", "pivot > join.right", "join > out"
    )
    assert {row["o3"] for row in rows(joined)} == {2.0}


def test_two_that_meet_are_not_guessed_at() -> None:
    join = step("join", how="inner", on=[{"left": "station", "right": "station"}])
    steps = {"read": READ, "a": PIVOT, "b": PIVOT, "join": join, "f": step("filter", where="o3 > 1"), "out": OUT}
    document = flow(steps, "read > a", "read > b", "a > join.left", "b > join.right", "join > f", "f > out")
    assert ("expression.unknown_column", "L3", "error", "f") in findings(document)


def test_a_write_must_know_its_columns() -> None:
    write = step("write", node="33A017/DB00000001-A", path=["t"], create=True)
    document = flow({"read": READ, "pivot": PIVOT, "last": write}, "read > pivot", "pivot > last")
    assert ("columns.open", "L3", "error", "last") in findings(document)


def test_batches_for_another_flow_must_know_their_columns() -> None:
    called = {"app": "0190c2a4-0000-7000-8000-000000000001", "version": 1, "flow": "m", "digest": "0"}
    settings = {"flow": {**called, "gives": [{"port": "out", "name": "r"}]}, "batch": "rows"}
    assert code_of("for_each", settings, ({"k": "text", "v …": "columns(number)"}, [])) == "columns.open"


def test_without_rows_only_the_promised_columns_are_there() -> None:
    assert rows(behind(), []) == []


def test_a_cell_is_traced_to_the_rows_of_its_row() -> None:
    known, document = catalogue(), behind(step("filter", where="station <> 'c'"))
    rights = all_rights(known)
    relations = step_relations(load(document), registry(), known, rights, checked(document).schemas)
    found = Lineage(relations).of("out.in", "o3")
    assert {name for _, _, name in found.computed_from} >= {"code", "pm25"}
    assert {name for _, _, name in found.rows_from} >= {"station"}
    row = {"station": "a", **dict.fromkeys(ALL), "o3": 2.0, "no2": 5.0}
    (traced,) = trace_row(relations, "out.in", row, "o3")
    assert [reason.code for demand in traced.demands for reason in demand.reasons] == ["group"], "wider, and said"
    (conditions,) = [conditions_as_json(demand) for demand in traced.demands]
    assert {"text": "station = 'a'"} in conditions
