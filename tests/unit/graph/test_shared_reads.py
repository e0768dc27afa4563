"""One dataset read by several steps of a stage: asked once for what any of them needs, unless apart is less work."""

from __future__ import annotations

from typing import Any

import pytest

from flows.graph.plan import Plan
from node_catalog.sdk.grant import GrantSpec
from tests.unit.graph.plan_support import OUT, ROWS
from tests.unit.graph.support import AIR_COLUMNS, REMOTE, Json, Runner, all_rights, arrow, flow, rows_of, step
from tests.unit.graph.test_parts import catalogue, planned

TABLES = {REMOTE: arrow(AIR_COLUMNS, ROWS)}


def twice(few: str = "pm10 < 9", many: str = "pm10 > 5", picked: str = "station day2") -> Json:
    """What two reads of one dataset leave, side by side."""
    steps = {
        "low": step("read", dataset="remote"),
        "few": step("filter", where=few),
        "high": step("read", dataset="remote", columns=["station", "day", "pm10"]),
        "many": step("filter", where=many),
        "both": step("join", how="inner", on=[{"left": "station", "right": "station"}], suffix="2", nulls_equal=True),
        "pick": step("select", columns=[{"column": name} for name in picked.split()]),
        "out": OUT,
    }
    wires = ["low > few", "high > many", "few > both.left", "many > both.right", "both > pick", "pick > out"]
    return flow(steps, *wires)


def apart(plan: Plan) -> int:
    return len(plan.stages[0].bindings)


def test_both_steps_take_their_rows_from_one_read() -> None:
    plan = planned(twice())
    (binding,) = plan.stages[0].bindings
    assert binding.pushed == ("low", "high") and binding.thinned == ("low", "high") and not binding.counts_step
    assert binding.schema.names == ("station", "pm10", "day")
    assert binding.text.endswith('WHERE ("t0"."pm10" < 9) OR ("t0"."pm10" > 5)')
    (note,) = (one for one in plan.notes if one["step"] == "low")
    assert note["code"] == "plan.read_once" and "read once" in note["message"]["en"] and note["message"]["zh-CN"]
    wanted = [
        (a["station"], b["day"])
        for a in ROWS
        for b in ROWS
        if a["station"] == b["station"] and a["pm10"] < 9 and b["pm10"] > 5
    ]
    assert rows_of(Runner(TABLES).run(plan)["out"]) == sorted(wanted, key=repr)


def test_without_a_condition_on_each_the_read_is_whole_and_counts_for_both() -> None:
    (stage,) = planned(twice(many="upper(station) = 'A'")).stages
    (binding,) = stage.bindings
    assert "WHERE" not in binding.text and binding.counts_step == "low" and not binding.thinned
    assert [(probe.step, probe.same_as) for probe in stage.probes if probe.same_as == "low"] == [("high", "low")]


@pytest.mark.parametrize(
    ("document", "known"),
    [
        # a few narrow rows here, a few wide ones there: all columns of either would be more
        (twice("station = 'a'", picked="code cost ts pm25 valid day2"), None),
        (twice(), {"node_type": "files"}),
        ({**twice(), "steps": {**twice()["steps"], "many": step("limit", rows=3)}}, None),
    ],
    ids=["many narrow rows and few wide ones", "files are scanned by the engine", "the first rows only"],
)
def test_reads_that_are_better_apart_stay_apart(document: Json, known: Any) -> None:
    assert apart(planned(document, catalogue(**known) if known else None)) == 2


def test_a_preview_samples_each_read() -> None:
    assert apart(planned(twice(), until="both", sample_rows=10)) == 2


def test_rights_hold_for_both() -> None:
    rights = all_rights(catalogue())
    hidden = {"op": "=", "column": "code", "value": "CANARY1"}
    rights[REMOTE] = GrantSpec(REMOTE, ("station", "day", "pm10"), row_filter=hidden, masks={"station": "constant"})
    plan = planned(twice(), rights=rights)
    (binding,) = plan.stages[0].bindings
    assert binding.grant_digest == rights[REMOTE].digest and "'***' AS" in binding.text
    ours = [row for row in ROWS if row["code"] == "CANARY1"]
    assert not rows_of(Runner(TABLES).run(plan)["out"]) and all(row["pm10"] < 5 for row in ours)
    plan = planned(twice(few="pm10 > 0", many="pm10 < 9"), rights=rights)
    assert rows_of(Runner(TABLES).run(plan)["out"]) == [("***", ours[0]["day"])]
