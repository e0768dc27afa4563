"""When a stage runs at all: what the planner says of branches, and how the runtime reads it."""

from __future__ import annotations

import pytest

from flows.graph.plan import Plan
from runtime.states import is_needed
from tests.unit.graph.support import Json, flow, planned, step


def plan_of(*wires: str, **steps: Json) -> Plan:
    return planned(flow({"air": step("read", dataset="air"), **steps}, *wires))


def test_needs_follow_the_ways() -> None:
    plan = plan_of(
        "air > b", "b.then > one", "b.else > c", "c.then > two", "c.else > u", "b.then > u", "u > three",
        b=step("branch", when="count(*) > 1"), c=step("branch", when="max(pm25) > 1"), u=step("union"),
        one=step("output", name="one"), two=step("output", name="two"), three=step("output", name="three"),
    )  # fmt: skip
    assert {stage.key: stage.needs for stage in plan.stages} == {
        "b": None,
        "one": ["b", "then"],
        "c": ["b", "else"],
        "two": ["c", "then"],
        "three": {"any": [["c", "else"], ["b", "then"]]},
    }
    assert [stage.judge.type for stage in plan.stages if stage.judge] == ["branch", "branch"]


def test_a_flow_without_branches_needs_nothing() -> None:
    plan = plan_of("air > f", "f > one", "f > two", f=step("filter", where="pm25 > 1"),
                   one=step("output", name="one"), two=step("output", name="two"))  # fmt: skip
    assert {stage.needs for stage in plan.stages} == {None}


@pytest.mark.parametrize(
    ("needs", "holds"),
    [
        (None, True),
        (["b", "then"], True),
        (["b", "else"], False),
        (["gone", "out"], False),
        (["plain", "out"], True),
        ({"any": [["b", "else"], ["b", "then"]]}, True),
        ({"all": [["b", "else"], ["b", "then"]]}, False),
        ({"all": [["plain", "out"], {"any": [["gone", "out"], ["b", "then"]]}]}, True),
    ],
)
def test_needs_are_read(needs: object, holds: bool) -> None:
    assert is_needed(needs, {"gone"}, {"b": ["then"]}) is holds
