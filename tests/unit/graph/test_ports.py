"""Steps with several out ports: schemas, stages and rows per port; ports that the settings name."""

from __future__ import annotations

import pytest

from flows.graph.errors import PlanError
from node_catalog.sdk.ports import PortList
from tests.unit.graph.support import AIR, AIR_COLUMNS, Json, Runner, arrow, checked, flow, planned, step

ROWS = [{"station": f"s{n % 3}", "pm25": float(n), "pm10": n} for n in range(100)]
TABLES = {AIR: arrow(AIR_COLUMNS, ROWS)}
WAYS = [
    {"port": "high", "name": "High", "where": "pm25 >= 75"},
    {"port": "middle", "name": "Middle", "where": "pm25 >= 35"},
]


def routed(*wires: str, **more: Json) -> Json:
    steps = {
        "air": step("read", dataset="air", columns=["station", "pm25", "pm10"]),
        "way": step("switch", ways=WAYS),
        "one": step("output", name="one"),
        "two": step("output", name="two"),
        "three": step("output", name="three"),
        **more,
    }
    used = {end.strip().partition(".")[0] for wire in wires for end in wire.split(">")}
    return flow({name: value for name, value in steps.items() if name in used}, *wires)


def test_every_port_has_a_schema() -> None:
    document = routed("air > way", "way.high > one", "way.middle > two", "way.rest > three")
    found = checked(document)
    assert found.ok("L5"), found.findings
    for port in ("high", "middle", "rest"):
        assert found.schemas[f"way.{port}"].names == ("station", "pm25", "pm10")


def test_a_step_with_several_used_ports_is_one_stage_and_every_row_leaves_once() -> None:
    document = routed("air > way", "way.high > one", "way.middle > two", "way.rest > three")
    made = planned(document)
    stage = made.stages[0]
    assert (stage.key, [outlet.port for outlet in stage.outlets]) == ("way", ["high", "middle", "rest"])
    assert {(b.stage, b.port) for later in made.stages[1:] for b in later.bindings} == {
        ("way", "high"), ("way", "middle"), ("way", "rest"),
    }  # fmt: skip
    rows = Runner(TABLES).run(made)
    assert [rows[name].num_rows for name in ("one", "two", "three")] == [25, 40, 35]
    assert sorted(rows["one"].column("pm10").to_pylist()) == list(range(75, 100))


def test_only_the_needed_columns_of_each_port_are_handed_on() -> None:
    document = routed(
        "air > way", "way.high > count", "count > one", "way.rest > short", "short > two",
        count=step("aggregate", measures=[{"name": "n", "function": "count"}]),
        short=step("select", columns=[{"column": "pm10"}]),
    )  # fmt: skip
    stage = planned(document).stages[0]
    assert [outlet.schema.names for outlet in stage.outlets] == [("pm25",), ("pm10",)]
    assert stage.schema.names == ("port", "c1", "c2")
    rows = Runner(TABLES).run(planned(document))
    assert rows["one"].to_pylist() == [{"n": 25}]
    assert sorted(rows["two"].column("pm10").to_pylist()) == list(range(35))


def test_one_used_port_fuses_like_any_step() -> None:
    document = routed("air > way", "way.middle > one")
    made = planned(document)
    assert [(stage.key, stage.outlets) for stage in made.stages] == [("one", ())]
    assert Runner(TABLES).run(made)["one"].num_rows == 40


def test_one_port_that_two_steps_read_is_handed_on_as_one_kind() -> None:
    document = routed("air > way", "way.rest > one", "way.rest > two")
    made = planned(document)
    assert (made.stages[0].key, made.stages[0].outlets) == ("way", ())
    assert all(binding.port == "" for stage in made.stages for binding in stage.bindings)
    rows = Runner(TABLES).run(made)
    assert rows["one"].num_rows == rows["two"].num_rows == 35


def test_ports_may_meet_again() -> None:
    document = routed(
        "air > way", "way.high > all", "way.middle > all", "way.rest > all", "all > one", all=step("union")
    )
    rows = Runner(TABLES).run(planned(document))["one"]
    assert sorted(rows.column("pm10").to_pylist()) == list(range(100))


@pytest.mark.parametrize(("until", "rows"), [("way", 25), ("way.high", 25), ("way.middle", 40), ("way.rest", 35)])
def test_a_preview_shows_one_port(until: str, rows: int) -> None:
    document = routed("air > way", "way.high > one", "way.rest > two")
    made = planned(document, until=until, limit=1000)
    assert Runner(TABLES).stage(made.stages[0]).num_rows == rows


def test_a_preview_behind_ports_that_meet_again_reads_the_source_once() -> None:
    document = routed("air > way", "way.high > all", "way.rest > all", "all > one", all=step("union"))
    made = planned(document, until="all", limit=1000)
    assert len(made.stages[0].bindings) == 1
    assert Runner(TABLES).stage(made.stages[0]).num_rows == 60


def test_no_such_port() -> None:
    document = routed("air > way", "way.high > one")
    with pytest.raises(PlanError, match=r"plan\.no_such_port"):
        planned(document, until="way.low")
    found = checked(routed("air > way", "way.low > one")).findings
    assert any(f.code == "wire.no_port" and f.port == "low" for f in found)


def test_ports_named_by_settings_bear_anything() -> None:
    rule = PortList("ways", "out", name="port", title="name", otherwise=("a", "b"))
    for settings in ({}, {"ways": None}, {"ways": [1, {}, {"port": "Ä"}, {"port": None}]}):
        assert [port.name for port in rule.ports(settings)] == ["a", "b"]
    ports = rule.ports({"ways": [{"port": "x", "name": "重点"}, {"port": "x"}, {"port": "y", "name": 3}]})
    assert [(port.name, port.title) for port in ports] == [("x", {"en": "重点", "zh-CN": "重点"}), ("y", {})]
    assert [port.name for port in PortList("inputs", "in").ports({"inputs": ["in1", "in2"]})] == ["in1", "in2"]
