"""Sub-flows: expanded at plan time, fused with the caller, their problems told at the call, their version pinned."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from flows.graph.document import Document
from flows.graph.errors import PlanError
from flows.graph.plan import Plan
from flows.graph.planner import make_plan
from flows.graph.subflows import SubFlow, flow_settings
from flows.graph.validate import Checked, check
from node_catalog.sdk.grant import GrantSpec
from node_catalog.sdk.text import LANGUAGES
from tests.unit.graph.support import (
    AIR,
    AIR_COLUMNS,
    STATION_COLUMNS,
    STATIONS,
    Json,
    Runner,
    all_rights,
    arrow,
    catalogue,
    flow,
    load,
    nodes,
    registry,
    rows_of,
    step,
)

READ = step("read", dataset="air", columns=["station", "pm25"])
ROWS = [
    {
        "station": ["a", "b", "c"][index % 3],
        "ts": dt.datetime.fromisoformat("2024-01-01"),
        "pm25": float(index),
        "pm10": index,
    }
    for index in range(30)
]
TABLES = {
    AIR: arrow(AIR_COLUMNS, ROWS),
    STATIONS: arrow(STATION_COLUMNS, [{"id": "a", "district": "东城", "people": 1}]),
}
LIMIT = {"type": "object", "properties": {"limit": {"type": "number", "default": 10}}}
HIGH = flow(
    {
        "read": READ,
        "high": step("filter", where="pm25 > :limit"),
        "sum": step("aggregate", by=["station"], measures=[{"name": "n", "function": "count"}]),
        "rows": step("output", name="高值"),
        "counts": step("output", name="counts"),
    },
    "read > high", "high > rows", "high > sum", "sum > counts",
    inputs=LIMIT,
)  # fmt: skip


def saved(document: Json, app: str = "high", version: int = 1, newest: int = 0) -> SubFlow:
    """A flow of a saved version."""
    title = {"en": f"Flow {app}", "zh-CN": f"流程 {app}"}
    return SubFlow(app, version, "main", f"{app}-{version}", load(document), title, newest or version)


def call(flow: SubFlow, kind: str = "call", **settings: Any) -> Json:
    named = flow_settings(flow.app, flow.version, flow.flow, flow.digest, flow.document, registry().transforms)
    return step(kind, flow=named, **settings)


def known(*flows: SubFlow) -> dict[Any, SubFlow]:
    return {one.key: one for one in flows}


def checked(document: Json, *flows: SubFlow, grants: Any = None, upto: str = "L5") -> Checked:
    datasets = catalogue()
    rights = all_rights(datasets) if grants is None else grants
    result = check(load(document), registry(), datasets, rights, nodes(), upto=upto, subflows=known(*flows))
    for finding in result.findings:
        assert all(finding.message[language] for language in LANGUAGES), finding
        assert finding.step == "" or finding.step in document["steps"], finding
    return result


def errors(document: Json, *flows: SubFlow, **more: Any) -> dict[str, str]:
    return {f.code: f.pointer for f in checked(document, *flows, **more).findings if f.severity == "error"}


def planned(document: Json, *flows: SubFlow, **more: Any) -> Plan:
    datasets = catalogue()
    return make_plan(
        load(document), registry(), datasets, all_rights(datasets), nodes(), subflows=known(*flows), **more
    )


def run(plan: Plan) -> dict[str, list[tuple[Any, ...]]]:
    return {name: sorted(rows_of(table)) for name, table in Runner(TABLES).run(plan).items()}


def test_a_call_is_fused_with_its_caller() -> None:
    high = saved(HIGH)
    document = flow({"c": call(high, parameters={"limit": 20}), "out": step("output", name="x")}, "c.counts > out")
    plan = planned(document, high)
    (stage,) = plan.stages
    assert stage.steps == ("c:read", "c:high", "c:sum", "out")
    assert stage.bindings[0].pushed == ("c:read", "c:high")
    assert plan.inside["c:high"] == ("c", "high")
    assert run(plan)["out"] == [("a", 3), ("b", 3), ("c", 3)]


def test_two_results_are_two_ports() -> None:
    high = saved(HIGH)
    document = flow(
        {"c": call(high), "rows": step("output", name="x"), "sums": step("output", name="y")},
        "c.rows > rows", "c.counts > sums",
    )  # fmt: skip
    result = checked(document, high)
    assert not [f for f in result.findings if f.severity == "error"]
    assert result.schemas["c.rows"].names == ("station", "pm25")
    assert result.schemas["c.counts"].names == ("station", "n")
    assert set(result.schemas) == {"c.rows", "c.counts", "rows.in", "sums.in"}
    rows = run(planned(document, high))
    assert len(rows["rows"]) == 19
    assert rows["sums"] == [("a", 6), ("b", 6), ("c", 7)] or sum(n for _, n in rows["sums"]) == 19


def test_a_wire_takes_the_place_of_a_dataset() -> None:
    high = saved(HIGH)
    document = flow(
        {
            "mine": step("read", dataset="air"),
            "few": step("filter", where="pm10 < 25"),
            "c": call(high),
            "out": step("output", name="x"),
        },
        "mine > few", "few > c.air", "c.rows > out",
    )  # fmt: skip
    plan = planned(document, high)
    assert [binding.dataset for stage in plan.stages for binding in stage.bindings] == [AIR]
    assert len(run(plan)["out"]) == 14
    lacking = flow(
        {"mine": step("read", dataset="stations"), "c": call(high), "out": step("output", name="x")},
        "mine > c.air", "c.rows > out",
    )  # fmt: skip
    found = [f for f in checked(lacking, high).findings if f.severity == "error"]
    assert {f.step for f in found} == {"c"}
    assert "Flow high" in found[0].message["en"]


def test_parameters_come_from_the_caller() -> None:
    high = saved(HIGH)
    inputs = {"type": "object", "properties": {"limit": {"type": "integer", "default": 27}, "name": {"type": "string"}}}
    steps = {"c": call(high, parameters={"limit": {"input": "limit"}}), "out": step("output", name="x")}
    document = flow(steps, "c.rows > out", inputs=inputs)
    assert len(run(planned(document, high))["out"]) == 2
    assert len(run(planned(document, high, parameters={"limit": 25}))["out"]) == 4
    for value, code in (({"input": "name"}, "call.parameter_type"), ("x", "call.parameter_value"),
                        ({"input": "none"}, "input.unknown")):  # fmt: skip
        steps["c"] = call(high, parameters={"limit": value})
        found = errors(flow(steps, "c.rows > out", inputs=inputs), high)
        assert found[code] == "/steps/c/settings/parameters/limit"
    steps["c"] = call(high, parameters={"old": 1})
    assert "call.parameter_unknown" in errors(flow(steps, "c.rows > out", inputs=inputs), high)


def test_a_parameter_without_a_default_needs_a_value() -> None:
    bare = saved({**HIGH, "inputs": {"type": "object", "properties": {"limit": {"type": "number"}}}})
    document = flow({"c": call(bare), "out": step("output", name="x")}, "c.rows > out")
    assert errors(document, bare) == {"call.parameter_missing": "/steps/c/settings/parameters/limit"}


def test_the_same_flow_may_be_called_twice_and_in_a_flow_that_is_called() -> None:
    high = saved(HIGH)
    outer = saved(
        flow(
            {"one": call(high, parameters={"limit": 20}), "two": call(high, parameters={"limit": 25}),
             "all": step("union"), "out": step("output", name="both")},
            "one.rows > all", "two.rows > all", "all > out",
        ),
        "outer",
    )  # fmt: skip
    document = flow({"c": call(outer), "o": step("output", name="x")}, "c.out > o")
    plan = planned(document, high, outer)
    assert plan.inside["c:one:high"] == ("c", "one", "high")
    assert len(run(plan)["o"]) == 9 + 4


def test_rights_are_those_of_the_caller() -> None:
    high = saved(HIGH)
    document = flow({"c": call(high), "out": step("output", name="x")}, "c.rows > out")
    grants = {AIR: GrantSpec(AIR, ("station",))}
    (finding,) = [f for f in checked(document, high, grants=grants).findings if f.code == "grant.columns"]
    assert (finding.step, finding.level, finding.pointer) == ("c", "L4", "/steps/c/settings/flow")
    assert "grant.missing" in errors(document, high, grants={})
    with pytest.raises(PlanError):
        make_plan(load(document), registry(), catalogue(), {}, nodes(), subflows=known(high))


def test_what_cannot_be_followed_is_said_at_the_call() -> None:
    high = saved(HIGH)
    document = flow({"c": call(high), "out": step("output", name="x")}, "c.rows > out")
    assert errors(document) == {"call.unknown": "/steps/c/settings/flow"}
    assert "call.digest" in errors(document, saved(HIGH, "high", 1).__class__(*_with_digest(high, "other")))
    writing = saved({**HIGH, "steps": {**HIGH["steps"], "w": step("write", node="n", path=["t"], mode="append")}})
    assert errors(document, writing) == {"call.writes": "/steps/c/settings/flow"}
    assert set(errors(flow({"c": step("call"), "out": step("output", name="x")}))) >= {"port.unconnected"}


def _with_digest(flow: SubFlow, digest: str) -> tuple[Any, ...]:
    return flow.app, flow.version, flow.flow, digest, flow.document


def test_a_circle_of_flows_and_too_many_levels_are_refused() -> None:
    placeholder = saved(HIGH, "a")
    b = saved(flow({"c": call(placeholder), "o": step("output", name="x")}, "c.rows > o"), "b")
    a = saved(flow({"c": call(b), "o": step("output", name="x")}, "c.o > o"), "a")
    document = flow({"c": call(b), "out": step("output", name="x")}, "c.o > out")
    assert errors(document, a, b) == {"call.cycle": "/steps/c/settings/flow"}
    chain = [saved(HIGH, "f0")]
    for depth in range(1, 7):
        port = "rows" if depth == 1 else "o"
        chain.append(saved(flow({"c": call(chain[-1]), "o": step("output", name="x")}, f"c.{port} > o"), f"f{depth}"))
    deep = flow({"c": call(chain[-1]), "out": step("output", name="x")}, "c.o > out")
    assert errors(deep, *chain) == {"call.too_deep": "/steps/c/settings/flow"}
    fine = flow({"c": call(chain[4]), "out": step("output", name="x")}, "c.o > out")
    assert not errors(fine, *chain)


def test_flows_that_multiply_are_bounded() -> None:
    chain = [saved(HIGH, "g0")]
    for depth in range(1, 5):
        port = "rows" if depth == 1 else "o"
        steps: Json = {f"c{n}": call(chain[-1]) for n in range(12)}
        wires = [f"c{n}.{port} > u" for n in range(12)]
        chain.append(
            saved(flow({**steps, "u": step("union"), "o": step("output", name="x")}, *wires, "u > o"), f"g{depth}")
        )
    document = flow({"c": call(chain[-1]), "out": step("output", name="x")}, "c.o > out")
    assert "call.too_large" in errors(document, *chain, upto="L2")


def test_a_newer_version_is_offered() -> None:
    old = saved(HIGH, newest=4)
    document = flow({"c": call(old), "out": step("output", name="x")}, "c.rows > out")
    newer = {"app": "high", "version": 4, "flow": "main", "digest": "high-4", "takes": ["air"], "gives": []}
    offered = SubFlow(*_with_digest(old, old.digest), old.title, 4, newer)
    (finding,) = [f for f in checked(document, offered).findings if f.code == "call.update"]
    assert finding.fix is not None
    assert finding.fix["operations"][0]["settings"]["flow"] == newer


# ── for each ──────────────────────────────────────────────────────────────────────────────────────────────

BY_STATION = saved(
    flow(
        {"read": READ, "one": step("filter", where="station = :station"), "o": step("output", name="x")},
        "read > one", "one > o",
        inputs={"type": "object", "properties": {"station": {"type": "string"}}},
    ),
    "by",
)  # fmt: skip


def each(used: SubFlow = BY_STATION, **settings: Any) -> Json:
    steps = {
        "list": step("read", dataset="stations"),
        "e": call(used, "for_each", **{"keys": ["district"], **settings}),
        "sum": step("aggregate", by=["district"], measures=[{"name": "n", "function": "count"}]),
        "out": step("output", name="x"),
    }
    return flow(steps, "list > e", "e > sum", "sum > out")


def test_a_for_each_makes_items_and_describes_its_iterations() -> None:
    document = each(parameters={"station": {"column": "id"}}, keys=["district"], concurrency=2, on_error="continue")
    result = checked(document, BY_STATION)
    assert not [f for f in result.findings if f.severity == "error"]
    assert result.schemas["e.out"].names == ("district", "station", "pm25")
    plan = planned(document, BY_STATION)
    items, after = plan.stages
    assert (items.key, items.sink.kind, items.schema.names) == ("e:items", "exchange", ("district", "id"))
    assert after.after == ("e",)
    (loop,) = plan.loops
    assert (loop.key, loop.items, loop.columns, loop.keys) == ("e", "e:items", {"station": "id"}, ("district",))
    assert (loop.concurrency, loop.on_error, loop.output) == (2, "continue", "o")


def test_a_for_each_says_what_does_not_fit() -> None:
    assert errors(each(parameters={"station": {"column": "people"}}), BY_STATION) == {
        "for_each.type": "/steps/e/settings/parameters/station"
    }
    assert set(errors(each(parameters={"station": {"column": "none"}}), BY_STATION).values()) == {
        "/steps/e/settings/parameters/station"
    }
    assert set(errors(each(parameters={"station": "a"}, keys=["none"]), BY_STATION).values()) == {
        "/steps/e/settings/keys/0"
    }
    inner = saved(each(parameters={"station": {"column": "id"}}), "inner")
    nested = flow(
        {"list": step("read", dataset="stations"), "n": call(inner, "for_each"), "out": step("output", name="y")},
        "list > n", "n > out",
    )  # fmt: skip
    assert errors(nested, inner, BY_STATION) == {"for_each.nested": "/steps/n/settings/flow"}
    called = flow({"c": call(inner), "out": step("output", name="y")}, "c.out > out")
    assert [loop.key for loop in planned(called, inner, BY_STATION).loops] == ["c:e"]


def test_no_iteration_may_pass_a_verdict_by() -> None:
    """An iteration is one statement: a check that shall stop the run would not be heard."""

    def checked_by(**settings: Any) -> SubFlow:
        rules = [{"name": "not negative", "expression": "pm25 >= 0"}]
        steps = {"read": READ, "check": step("check", rules=rules, **settings), "o": step("output", name="rows")}
        return saved(flow(steps, "read > check", "check.out > o"))

    assert errors(each(checked_by()), checked_by()) == {"for_each.decides": "/steps/e/settings/flow"}
    called = saved(flow({"c": call(checked_by()), "o": step("output", name="rows")}, "c.o > o"), "around")
    assert errors(each(called), called, checked_by()) == {"for_each.decides": "/steps/e/settings/flow"}
    assert not errors(each(checked_by(on_fail="report")), checked_by(on_fail="report"))


def test_a_preview_of_a_for_each_points_to_run_to_here() -> None:
    document = each(parameters={"station": {"column": "id"}})
    for step_id in ("e", "sum"):
        with pytest.raises(PlanError) as told:
            planned(document, BY_STATION, until=step_id)
        assert told.value.code == "preview.for_each"


def test_an_empty_document_costs_no_expansion() -> None:
    assert isinstance(load(HIGH), Document)
    assert checked(HIGH).expanded is not None
    assert checked(HIGH).expanded.inside == {}  # type: ignore[union-attr]
