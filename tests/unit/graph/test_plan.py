"""Plans: what runs where, what a source is asked, and that nothing outside a grant leaves it."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from typing import Any

import msgspec
import pyarrow as pa
import pytest
import sqlglot

from flows.graph.errors import PlanError
from flows.graph.plan import Plan
from flows.graph.planner import plan_digest
from flows.graph.relation_text import with_relation
from tests.unit.graph.plan_support import FAR, OUT, READ, ROWS, TABLES, fields, only_binding
from tests.unit.graph.support import (
    AIR,
    STATIONS,
    Runner,
    all_rights,
    catalogue,
    flow,
    load,
    planned,
    registry,
    rows_of,
    step,
)

# ── stages ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_chain_is_one_stage() -> None:
    document = flow(
        {"air": READ, "f": step("filter", where="pm25 > 3"), "s": step("sort", by=[{"column": "pm25"}]), "out": OUT},
        "air > f",
        "f > s",
        "s > out",
    )
    (stage,) = planned(document).stages
    assert stage.steps == ("air", "f", "s", "out")
    assert stage.sink.kind == "result"
    assert stage.sink.name == "x"
    assert stage.ordered
    assert "NULLS LAST" in stage.text
    assert stage.text.count('"b_air"') == 1
    result = Runner(TABLES).stage(stage)
    assert result.column("pm25").to_pylist() == sorted(float(i) for i in range(40) if i % 5 and i > 3)


def test_wires_that_end_in_one_stage_need_no_stage_of_their_own() -> None:
    plan = planned(
        flow(
            {
                "air": step("read", dataset="air"),
                "worst": step(
                    "aggregate", by=["station"], measures=[{"name": "w", "function": "max", "column": "pm25"}]
                ),
                "both": step("join", how="inner", on=[{"left": "station", "right": "station"}]),
                "out": step("output", name="x"),
            },
            "air > worst",
            "air > both.left",
            "worst > both.right",
            "both > out",
        )
    )
    (stage,) = plan.stages
    assert len(stage.bindings) == 1 and " AS MATERIALIZED" in stage.text


def test_a_step_with_several_wires_is_computed_once() -> None:
    document = flow(
        {
            "air": READ,
            "g": step("aggregate", by=["station"], measures=[{"name": "n", "function": "sum", "column": "pm25"}]),
            "l": step("filter", where="n > 1"),
            "j": step("join", how="left", on=[{"left": "station", "right": "station"}]),
            "o1": step("output", name="one"),
            "o2": step("output", name="two"),
        },
        "air > g",
        "g > l",
        "g > j.left",
        "l > j.right",
        "j > o1",
        "g > o2",
    )
    plan = planned(document)
    assert [(stage.key, stage.sink.kind) for stage in plan.stages] == [
        ("g", "exchange"),
        ("o2", "result"),
        ("o1", "result"),
    ]
    last = plan.stage("o1")
    assert last.after == ("g",)
    assert len({binding.alias for binding in last.bindings}) == len(last.bindings) == 2
    assert set(Runner(TABLES).run(plan)) == {"g", "o1", "o2"}


def test_a_handed_on_file_holds_only_what_is_used() -> None:
    document = flow(
        {
            "air": READ,
            "a": step("aggregate", by=["station"], measures=[]),
            "b": step("select", columns=[{"column": "pm25"}]),
            "o1": step("output", name="one"),
            "o2": step("output", name="two"),
        },
        "air > a",
        "air > b",
        "a > o1",
        "b > o2",
    )
    plan = planned(document)
    assert plan.stage("air").schema.names == ("station", "pm25")
    assert plan.stage("air").bindings[0].schema.names == ("station", "pm25")
    Runner(TABLES).run(plan)


def test_steps_that_lead_nowhere_do_not_run() -> None:
    document = flow({"air": READ, "spare": step("sort", by=[{"column": "ts"}]), "out": OUT}, "air > spare", "air > out")
    (stage,) = planned(document).stages
    assert stage.steps == ("air", "out")


def test_long_chains_are_cut() -> None:
    steps = {f"d{i}": step("derive", columns=[{"name": "pm10", "expression": "pm10 + 1"}]) for i in range(250)}
    wires = [f"d{i} > d{i + 1}" for i in range(249)]
    document = flow({"air": READ, **steps, "out": OUT}, "air > d0", *wires, "d249 > out")
    plan = planned(document)
    assert len(plan.stages) == 3
    found = Runner(TABLES).run(plan)["out"]
    assert sorted(found.column("pm10").to_pylist()) == [i + 250 for i in range(40)]


def test_without_an_output_there_is_nothing_to_run() -> None:
    with pytest.raises(PlanError, match="no_output"):
        planned(flow({"air": READ}))


def test_findings_stand_in_the_way() -> None:
    with pytest.raises(PlanError) as caught:
        planned(flow({"air": READ, "f": step("filter", where="nope"), "out": OUT}, "air > f", "f > out"))
    assert caught.value.findings[0].step == "f"
    with pytest.raises(PlanError, match="missing"):
        planned(flow({"air": READ, "out": OUT}, "air > out"), grants={})


def test_a_preview_collects_one_step_from_samples() -> None:
    document = flow(
        {
            "air": READ,
            "f": step("filter", where="pm10 >= 0"),
            "g": step("aggregate", by=[], measures=[{"name": "n", "function": "count"}]),
            "bad": step("filter", where="x"),
            "out": OUT,
        },
        "air > f",
        "f > g",
        "g > bad",
        "bad > out",
    )
    plan = planned(document, until="g", sample_rows=7, limit=5)
    (stage,) = plan.stages
    assert (stage.sink.kind, stage.sink.limit, stage.sink.step) == ("collect", 5, "g")
    assert Runner(TABLES).stage(stage).to_pylist() == [{"n": 7}]


# ── push-down ─────────────────────────────────────────────────────────────────────────────────────────────


def test_filters_and_columns_go_to_the_source() -> None:
    document = flow(
        {
            "air": READ,
            "f": step("filter", where="pm25 > 3 and upper(station) = 'A'"),
            "g": step("aggregate", by=["day"], measures=[{"name": "n", "function": "count"}]),
            "out": OUT,
        },
        "air > f",
        "f > g",
        "g > out",
    )
    plan = planned(document)
    binding = only_binding(plan)
    assert binding.pushed == ("air", "f")
    assert binding.counts_step == "f"
    assert binding.schema.names == ("day",)
    assert binding.columns == ("station", "pm25", "day")
    assert "WHERE" in binding.text
    assert "UPPER" not in plan.stages[0].text
    wanted = Counter(row["day"] for row in ROWS if (row["pm25"] or 0) > 3 and row["station"] == "a")
    assert rows_of(Runner(TABLES).stage(plan.stages[0])) == sorted(wanted.items(), key=repr)


def test_only_the_number_of_rows_needs_one_column() -> None:
    document = flow(
        {"air": READ, "g": step("aggregate", by=[], measures=[{"name": "n", "function": "count"}]), "out": OUT},
        "air > g",
        "g > out",
    )
    plan = planned(document)
    assert len(fields(plan)) == 1
    assert Runner(TABLES).stage(plan.stages[0]).to_pylist() == [{"n": 40}]


def test_another_system_gets_plain_comparisons_only() -> None:
    where = (
        "pm25 > 3 and station < 'b' and code like 'C%' and ts >= '2024-01-01' and valid and day in (date '2024-01-02')"
    )
    document = flow({"air": FAR, "f": step("filter", where=where), "out": OUT}, "air > f", "f > out")
    plan = planned(document)
    binding = only_binding(plan)
    assert binding.dialect == "postgres"
    assert binding.pushed == ("air",)
    assert 'COLLATE "C" <' in binding.text
    assert "LIKE" not in binding.text
    assert "LIKE" in plan.stages[0].text
    assert plan.notes
    sqlglot.parse_one(binding.text, dialect="postgres")


def test_text_is_compared_by_code_point_in_postgresql() -> None:
    document = flow(
        {"air": FAR, "f": step("filter", where="station = 'a' or station in ('b', 'c') or station <> 'z'"), "out": OUT},
        "air > f",
        "f > out",
    )
    text = only_binding(planned(document)).text
    assert text.count('COLLATE "C"') == 3
    assert only_binding(planned(document)).pushed == ("air", "f")


def test_what_changes_from_run_to_run_stays_in_the_engine() -> None:
    document = flow({"air": READ, "f": step("filter", where="day < today()"), "out": OUT}, "air > f", "f > out")
    assert only_binding(planned(document)).pushed == ("air",)


def test_a_limit_is_pushed_and_kept() -> None:
    document = flow({"air": READ, "l": step("limit", rows=3, offset=2), "out": OUT}, "air > l", "l > out")
    plan = planned(document)
    assert "LIMIT 5" in only_binding(plan).text
    assert Runner(TABLES).stage(plan.stages[0]).num_rows == 3


def test_filters_are_not_pushed_below_a_shared_read() -> None:
    document = flow(
        {
            "air": READ,
            "f": step("filter", where="pm25 > 3"),
            "o1": step("output", name="a"),
            "o2": step("output", name="b"),
        },
        "air > f",
        "f > o1",
        "air > o2",
    )
    plan = planned(document)
    assert plan.stage("air").bindings[0].pushed == ("air",)
    assert Runner(TABLES).run(plan)["o2"].num_rows == 40


# ── text and digest ───────────────────────────────────────────────────────────────────────────────────────


def test_the_real_relation_is_put_in() -> None:
    text = only_binding(
        planned(
            flow(
                {"air": FAR, "f": step("filter", where="station = 'src' and code = 'FROM \"src\"'"), "out": OUT},
                "air > f",
                "f > out",
            )
        )
    ).text
    there = with_relation(text, "postgres", '"city"."src data"')
    assert 'FROM "city"."src data" AS' in there
    assert "'src'" in there
    assert "'FROM \"src\"'" in there


def test_parameters_are_in_the_text_as_literals() -> None:
    inputs = {"type": "object", "properties": {"s": {"type": "string"}, "n": {"type": "integer"}}}
    document = flow(
        {"air": READ, "f": step("filter", where="station = :s"), "l": step("limit", rows={"input": "n"}), "out": OUT},
        "air > f",
        "f > l",
        "l > out",
        inputs=inputs,
    )
    plan = planned(document, parameters={"s": "a'; drop table x; --", "n": 2})
    assert "'a''; drop table x; --'" in only_binding(plan).text
    assert Runner(TABLES).stage(plan.stages[0]).num_rows == 0
    with pytest.raises(PlanError, match="missing"):
        planned(document, parameters={"s": "a"})


def test_the_digest_follows_everything_a_plan_depends_on() -> None:
    document = flow({"air": READ, "out": OUT}, "air > out")
    known = catalogue()
    rights = all_rights(known)

    def digest(**changes: Any) -> str:
        given = {"document": document, "datasets": known, "grants": rights, "parameters": {}, **changes}
        return plan_digest(load(given["document"]), given["datasets"], given["grants"], registry(), given["parameters"])

    moved = {**known, AIR: msgspec.structs.replace(known[AIR], schema=known[STATIONS].schema)}
    other = [
        digest(document=flow({"air": step("read", dataset="stations"), "out": OUT}, "air > out")),
        digest(datasets=moved),
        digest(grants={**rights, AIR: msgspec.structs.replace(rights[AIR], epoch=1)}),
        digest(parameters={"t": 1}),
    ]
    assert digest() == digest()
    assert len({digest(), *other}) == 5
    assert digest() == planned(document).digest


def test_a_plan_is_plain_data() -> None:
    plan = planned(flow({"air": READ, "f": step("filter", where="pm25 > 3"), "out": OUT}, "air > f", "f > out"))
    assert msgspec.convert(msgspec.to_builtins(plan), Plan) == plan
    assert msgspec.json.decode(msgspec.json.encode(plan), type=Plan) == plan


def test_written_targets() -> None:
    document = flow(
        {"air": READ, "w": step("write", node="33A017/DB00000001-A", path=["t"], mode="replace", create=True)},
        "air > w",
    )
    sink = planned(document).stages[0].sink
    assert (sink.kind, sink.node, sink.path, sink.mode, sink.create) == (
        "write",
        "33A017/DB00000001-A",
        ("t",),
        "replace",
        True,
    )


def test_probes_name_operators_and_equal_steps() -> None:
    document = flow(
        {
            "air": READ,
            "d": step("derive", columns=[{"name": "z", "expression": "pm25 + 1"}]),
            "f": step("filter", where="z > 3"),
            "out": OUT,
        },
        "air > d",
        "d > f",
        "f > out",
    )
    probes = {probe.step: probe for probe in planned(document).stages[0].probes}
    assert probes["d"].same_as == "air"
    assert probes["f"].operators == ("FILTER",)
    assert probes["out"].same_as == "f"


def test_planning_imports_no_engine_and_no_driver() -> None:
    code = """
import sys
from tests.unit.graph import plan_without_engine
engines = ("duckdb", "_duckdb", "pandas", "psycopg", "sqlite3", "django")
loaded = [name for name in sys.modules if name.split(".")[0] in engines]
loaded += [name for name in sys.modules if name.startswith("ibis.backends.") and name.split(".")[2] != "sql"]
assert not loaded, loaded
print(plan_without_engine.text())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "SELECT" in done.stdout


def test_self_joins_read_the_stream_once() -> None:
    document = flow(
        {"air": READ, "two": READ, "j": step("join", how="inner", on=[{"left": "pm10", "right": "pm10"}]), "out": OUT},
        "air > j.left",
        "two > j.right",
        "j > out",
    )
    plan = planned(document)
    assert len(plan.stages[0].bindings) == 2
    assert Runner(TABLES).stage(plan.stages[0]).num_rows == 40
    assert isinstance(TABLES[AIR], pa.Table)


def test_counting_the_rows_of_a_shared_step_needs_a_column_that_is_handed_on() -> None:
    total = step("aggregate", by=[], measures=[{"name": "n", "function": "count"}])
    document = flow(
        {
            "air": READ,
            "f": step("filter", where="pm10 >= 0"),
            "a": total,
            "b": step("select", columns=[{"column": "code"}]),
            "o1": step("output", name="one"),
            "o2": step("output", name="two"),
        },
        "air > f",
        "f > a",
        "f > b",
        "a > o1",
        "b > o2",
    )
    found = Runner(TABLES).run(planned(document))
    assert found["o1"].to_pylist() == [{"n": 40}]
    assert found["o2"].num_rows == 40
