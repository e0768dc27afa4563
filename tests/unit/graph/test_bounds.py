"""What a flow's conditions imply of single columns where they are read, and what they do not."""

from __future__ import annotations

import msgspec
import pytest

from flows.graph.bounds import MOST_VALUES
from flows.graph.plan import Binding
from node_catalog.sdk.bounds import Bound
from node_catalog.sdk.grant import GrantSpec
from tests.unit.graph.plan_support import FAR, OUT, READ, only_binding
from tests.unit.graph.support import REMOTE, all_rights, catalogue, flow, planned, step
from tests.unit.graph.test_parts import grouped
from tests.unit.graph.test_parts import planned as planned_there


def bounds(where: str) -> list[tuple[str, ...]]:
    steps = {"a": FAR, "f": step("filter", where=where), "out": OUT}
    return plain(only_binding(planned(flow(steps, "a > f", "f > out"))))


def plain(binding: Binding) -> list[tuple[str, ...]]:
    return [(bound.column, bound.sign, *bound.values) for bound in binding.bounds]


@pytest.mark.parametrize(
    ("where", "wanted"),
    [
        ("pm25 > 35", [("pm25", ">", "35.0")]),
        ("35.5 >= pm25", [("pm25", "<=", "35.5")]),
        ("pm25 = -1e-7", [("pm25", "=", "-1e-07")]),
        ("pm25 between 1 and 2.5", [("pm25", ">=", "1.0"), ("pm25", "<=", "2.5")]),
        ("pm25 in (1, 2.5)", [("pm25", "in", "1.0", "2.5")]),
        ("pm25 is not null", [("pm25", "is not null")]),
        ("not (pm25 is null)", [("pm25", "is not null")]),
        ("cost >= 3.25", [("cost", ">=", "3.25")]),
        ("cost in (1, 2.25)", [("cost", "in", "1.00", "2.25")]),
        ("day < '2024-01-02'", [("day", "<", "2024-01-02")]),
        ("ts > date '2024-01-02'", [("ts", ">", "2024-01-02 00:00:00")]),
        ("ts = timestamp '2024-01-02 03:04:05.5'", [("ts", "=", "2024-01-02 03:04:05.500000")]),
        ("pm25 > 1 and (day = '2024-01-02' and pm25 > 1)", [("pm25", ">", "1.0"), ("day", "=", "2024-01-02")]),
        ("pm25 > 1 and (pm25 < 5 or cost > 3)", [("pm25", ">", "1.0")]),
    ],
)
def test_a_comparison_with_a_constant_is_a_bound(where: str, wanted: list[tuple[str, ...]]) -> None:
    assert bounds(where) == wanted


@pytest.mark.parametrize(
    "where",
    [
        "pm25 > 3 or cost > 3",
        "not (pm25 > 3)",
        "pm25 is null",
        "pm25 <> 3",
        "pm25 > pm10",
        "pm25 + 1 > 3",
        "abs(pm25) > 3",
        "day < ts",
        "ts < now()",
        "pm10 > 3",
        "pm10 > 2.5",
        "station = 'a'",
        "valid",
        "coalesce(pm25, 5) > 3",
        f"pm25 in ({', '.join(map(str, range(MOST_VALUES + 1)))})",
    ],
)
def test_nothing_else_is_one(where: str) -> None:
    assert bounds(where) == []


def test_conditions_of_later_steps_are_bounds_where_they_are_tested_early() -> None:
    steps = {
        "a": FAR,
        "s": step("derive", columns=[{"name": "double", "expression": "pm10 * 2"}]),
        "f": step("filter", where="pm25 > 3 and double > 1"),
        "out": OUT,
    }
    binding = only_binding(planned(flow(steps, "a > s", "s > f", "f > out")))
    assert plain(binding) == [("pm25", ">", "3.0")]
    assert """WHERE "t0"."pm25" > CAST('3.0' AS DOUBLE PRECISION)""" in binding.text


def test_what_follows_the_first_rows_implies_nothing_of_those() -> None:
    steps = {"a": FAR, "l": step("limit", rows=5), "f": step("filter", where="pm25 > 3"), "out": OUT}
    assert only_binding(planned(flow(steps, "a > l", "l > f", "f > out"))).bounds == ()
    steps = {"a": FAR, "f": step("filter", where="pm25 > 3"), "l": step("limit", rows=5), "out": OUT}
    binding = only_binding(planned(flow(steps, "a > f", "f > l", "l > out")))
    assert plain(binding) == [("pm25", ">", "3.0")]


def test_a_row_filter_is_one_too_and_what_stands_for_a_hidden_value_is_not() -> None:
    known = catalogue()
    rights = all_rights(known)
    tested = {"op": ">", "column": "pm25", "value": 10.0}
    rights[REMOTE] = GrantSpec(REMOTE, known[REMOTE].schema.names, row_filter=tested, masks={"ts": "year"})
    steps = {"a": FAR, "f": step("filter", where="ts > 2020 and day > '2024-01-01'"), "out": OUT}
    binding = only_binding(planned(flow(steps, "a > f", "f > out"), rights))
    assert sorted(plain(binding)) == [("day", ">", "2024-01-01"), ("pm25", ">", "10.0")]


def test_each_table_of_a_part_has_its_own() -> None:
    plan = planned_there(grouped(["station"], before=step("filter", where="pm25 > 3 and pm10 > 1")))
    (read,) = plan.stages[0].bindings[0].sources
    assert read.bounds == (Bound("pm25", ">", ("3.0",)),)
    assert plan.stages[0].bindings[0].bounds == ()


def test_they_travel_with_the_plan() -> None:
    steps = {"a": READ, "f": step("filter", where="pm25 > 3"), "out": OUT}
    binding = only_binding(planned(flow(steps, "a > f", "f > out")))
    again = msgspec.json.decode(msgspec.json.encode(binding), type=Binding)
    assert again == binding and again.reads[0].bounds == binding.bounds != ()
