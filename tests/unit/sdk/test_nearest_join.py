"""Nearest join against the plain definition: every left row once, inclusive tolerance, ties to the earlier."""

from __future__ import annotations

import datetime
import random
from typing import Any

import pytest

from tests.unit.sdk.step_runs import Table, code_of, hour, in_order, run

LEFT = {"id": "integer", "k": "text", "时间": "timestamp"}
RIGHT = {"k": "text", "时间": "timestamp", "值": "integer"}
ON = [{"left": "k", "right": "k"}]
BY = {"left": "时间", "right": "时间"}


def expected(left: list[list[Any]], right: list[list[Any]], direction: str, tolerance: float | None) -> list[Any]:
    """The definition, row by row."""
    answer = []
    for key, k, at in left:
        near = []
        for rk, rat, value in right:
            if None in (k, at, rk, rat) or k != rk:
                continue
            distance = (datetime.datetime.fromisoformat(at) - datetime.datetime.fromisoformat(rat)).total_seconds()
            if (direction == "backward" and distance < 0) or (direction == "forward" and distance > 0):
                continue
            if tolerance is None or abs(distance) <= tolerance:
                near.append((abs(distance), rat, value))
        answer.append((key, *(min(near, key=lambda one: (one[0], one[1], one[2]))[1:] if near else (None, None))))
    return answer


@pytest.mark.parametrize("size", [8, 40, 400])
@pytest.mark.parametrize("direction", ["backward", "forward", "nearest"])
@pytest.mark.parametrize("tolerance, seconds", [("", None), ("PT2H", 7200), ("PT0S", 0)])
def test_as_defined(size: int, direction: str, tolerance: str, seconds: float | None) -> None:
    chance = random.Random(f"{size}{direction}{tolerance}")

    def moment() -> str | None:
        return None if chance.random() < 0.1 else hour(chance.randrange(0, size) / 2)

    left = [[index, chance.choice(["a", "b", "é", None]), moment()] for index in range(size)]
    right = [[chance.choice(["a", "b", "é", None]), moment(), index] for index in range(size)]
    settings = {"on": ON, "by": BY, "direction": direction, "tolerance": tolerance}
    rows = run("nearest_join", settings, (LEFT, left), (RIGHT, right))
    found = [(row[0], row[3].isoformat() if row[3] else None, row[4]) for row in rows]
    assert in_order(found) == in_order(expected(left, right, direction, seconds))


def test_nothing_on_one_side() -> None:
    settings = {"by": BY, "direction": "nearest", "tolerance": "P1M"}
    left = [[1, "a", hour(0)], [2, None, None]]
    assert run("nearest_join", settings, (LEFT, []), (RIGHT, [["a", hour(0), 1]])) == []
    rows = run("nearest_join", settings, (LEFT, left), (RIGHT, []))
    assert in_order([(row[0], *row[3:]) for row in rows]) == [(1, None, None, None), (2, None, None, None)]


def test_months_are_calendar_months() -> None:
    left: Table = ({"d": "date"}, [["2024-03-31"]])
    settings = {"by": {"left": "d", "right": "d"}, "tolerance": "P1M"}
    for day, is_near in (("2024-02-29", True), ("2024-02-28", False)):
        rows = run("nearest_join", settings, left, ({"d": "date"}, [[day]]))
        assert (rows[0][1] is not None) == is_near


def test_numbers_of_different_types() -> None:
    left: Table = ({"x": "integer"}, [[-(2**63)], [0], [2**63 - 1]])
    right: Table = ({"y": "number", "x": "text"}, [[0.5, "half"], [-0.5, "minus"]])
    rows = run("nearest_join", {"by": {"left": "x", "right": "y"}, "direction": "nearest"}, left, right)
    assert in_order(rows) == in_order([(-(2**63), -0.5, "minus"), (0, -0.5, "minus"), (2**63 - 1, 0.5, "half")])
    same: Table = ({"x": "integer"}, [[-(2**63)], [2**63 - 1]])
    rows = run("nearest_join", {"by": {"left": "x", "right": "x"}, "direction": "nearest"}, left, same)
    assert (0, 2**63 - 1) in rows


@pytest.mark.parametrize(
    "settings, code",
    [
        ({"by": BY, "tolerance": "1 hour"}, "duration.invalid"),
        ({"by": BY, "tolerance": "-PT1H"}, "duration.invalid"),
        ({"by": {"left": "k", "right": "k"}}, "nearest_join.types"),
        ({"by": {"left": "id", "right": "值"}, "tolerance": "PT1H"}, "nearest_join.tolerance_numbers"),
        ({"by": BY, "on": [{"left": "id", "right": "k"}]}, "join.key_types"),
        ({"by": {"left": "nope", "right": "时间"}}, "column.unknown"),
    ],
)
def test_what_does_not_fit(settings: dict[str, Any], code: str) -> None:
    assert code_of("nearest_join", settings, (LEFT, []), (RIGHT, [])) == code
