"""Fill and grid: gaps, groups, NULLs, order, months, and what does not fit."""

from __future__ import annotations

import datetime
from typing import Any

import duckdb
import pytest

from runtime.engine.translate import translate
from tests.unit.sdk.step_runs import Table, code_of, hour, in_order, run

COLUMNS = {"组": "text", "t": "integer", "v": "number"}
ORDER = [{"column": "t"}]


def filled(values: list[Any], way: str = "forward", times: list[Any] | None = None, **more: Any) -> list[Any]:
    """One group of values at 0, 1, 2 … (or ``times``), filled."""
    rows = [["a", at, value] for at, value in zip(times or range(len(values)), values, strict=True)]
    settings = {"columns": [{"column": "v", "with": way, **more}], "order_by": ORDER, "partition_by": ["组"]}
    return [row[2] for row in run("fill", settings, (COLUMNS, rows))]


N = None


@pytest.mark.parametrize(
    "values, more, wanted",
    [
        ([N, 1, N, N, 4, N], {}, [N, 1, 1, 1, 4, 4]),
        ([N, 1, N, N, 4, N], {"max_gap": 1}, [N, 1, N, N, 4, 4]),
        ([N, 1, N, N, 4, N], {"max_gap": 2}, [N, 1, 1, 1, 4, 4]),
        ([N, N], {}, [N, N]),
        ([N, N, 1, N], {"way": "constant", "value": 9.5, "max_gap": 1}, [N, N, 1, 9.5]),
        ([N, N, 1], {"way": "constant", "value": 0, "max_gap": 2}, [0, 0, 1]),
        ([N, N], {"way": "constant", "value": 0, "max_gap": 2}, [0, 0]),
        ([N, 1, N, N, 7, N], {"way": "linear"}, [N, 1, 3, 5, 7, N]),
        ([N, 1, N, N, 7, N, 9], {"way": "linear", "max_gap": 1}, [N, 1, N, N, 7, 8, 9]),
        ([0, N, 10], {"way": "linear", "times": [0, 1, 10]}, [0, 1, 10]),
        ([0, N, 10], {"way": "linear", "times": [5, 5, 5]}, [0, 0, 10]),
        ([0, 10, N, 99], {"way": "linear", "times": [0, 2, 1, N]}, [0, 10, 5, 99]),
        ([1, N, 3], {"way": "mean"}, [1, 2, 3]),
        ([1, N, 4, N, N], {"way": "mean", "max_gap": 1}, [1, 2.5, 4, N, N]),
        ([N], {"way": "mean"}, [N]),
    ],
)  # fmt: skip
def test_one_group(values: list[Any], more: dict[str, Any], wanted: list[Any]) -> None:
    assert filled(values, **more) == wanted


def test_groups_are_apart_and_empty_keys_are_one_group() -> None:
    rows = [["a", 0, 1.0], [N, 0, 2.0], ["b", 1, N], [N, 1, N], ["a", 1, N]]
    settings = {"columns": [{"column": "v", "with": "forward"}], "order_by": ORDER, "partition_by": ["组"]}
    assert [row[2] for row in run("fill", settings, (COLUMNS, rows))] == [1.0, 2.0, N, 2.0, 1.0]
    assert run("fill", settings, (COLUMNS, [])) == []


def test_the_rows_keep_their_order() -> None:
    rows = [["ab"[index % 2], (index * 37) % 1000, float(index) if index % 3 else N] for index in range(1000)]
    settings = {"columns": [{"column": "v", "with": "linear"}], "order_by": ORDER, "partition_by": ["组"]}
    assert [(row[0], row[1]) for row in run("fill", settings, (COLUMNS, rows))] == [(row[0], row[1]) for row in rows]


def test_backwards_is_forward_in_the_other_order() -> None:
    settings = {
        "columns": [{"column": "v", "with": "forward"}],
        "order_by": [{"column": "t", "descending": True}],
    }
    assert [row[2] for row in run("fill", settings, (COLUMNS, [["a", 0, N], ["a", 1, 5.0]]))] == [5.0, 5.0]


def test_every_type_of_value() -> None:
    kinds = {
        "b": ("boolean", True, True), "s": ("text", "缺", "缺"), "p": ("decimal(5,2)", "1.50", None),
        "d": ("date", "2024-02-29", datetime.date(2024, 2, 29)), "z": ("time", "10:30", datetime.time(10, 30)),
        "t": ("timestamp", "2024-02-29T01:00:00+01:00", datetime.datetime.fromisoformat("2024-02-29")),
        "n": ("number", 1, 1.0),
    }  # fmt: skip
    settings = {"columns": [{"column": key, "with": "constant", "value": kind[1]} for key, kind in kinds.items()]}
    row = run("fill", settings, ({key: kind[0] for key, kind in kinds.items()}, [[N] * len(kinds)]))[0]
    assert [value for key, value in zip(kinds, row, strict=True) if key != "p"] == [
        kind[2] for key, kind in kinds.items() if key != "p"
    ]
    assert str(row[2]) == "1.50"
    forward = {"columns": [{"column": key, "with": "forward"} for key in kinds], "order_by": [{"column": "o"}]}
    values: Table = (
        {**{key: kind[0] for key, kind in kinds.items()}, "o": "integer"},
        [[True, "缺", "1.50", "2024-02-29", "10:30:00", "2024-02-29T00:00:00", 1.0, 0], [N] * 7 + [1]],
    )
    first, second = run("fill", forward, values)
    assert first[:7] == second[:7]


@pytest.mark.parametrize(
    "column, more, code",
    [
        ({"column": "v", "with": "constant"}, {}, "fill.value_missing"),
        ({"column": "v", "with": "mean", "value": 1}, {}, "fill.value_unused"),
        ({"column": "v", "with": "forward"}, {}, "fill.order_missing"),
        ({"column": "v", "with": "mean", "max_gap": 1}, {}, "fill.order_missing"),
        ({"column": "v", "with": "linear"}, {"order_by": [{"column": "t"}, {"column": "组"}]}, "fill.linear_order"),
        ({"column": "v", "with": "linear"}, {"order_by": [{"column": "组"}]}, "fill.linear_axis"),
        ({"column": "组", "with": "mean"}, {}, "fill.not_number"),
        ({"column": "v", "with": "constant", "value": "x"}, {}, "constant.type"),
        ({"column": "t", "with": "constant", "value": 1.5}, {}, "constant.type"),
        ({"column": "v", "with": "mean"}, {"partition_by": ["v"]}, "fill.partition"),
        ({"column": "w", "with": "mean"}, {}, "column.unknown"),
    ],
)
def test_fills_that_do_not_fit(column: dict[str, Any], more: dict[str, Any], code: str) -> None:
    assert code_of("fill", {"columns": [column], **more}, (COLUMNS, [])) == code


# ── grid ──────────────────────────────────────────────────────────────────────────────────────────────────


def grid(every: str, times: list[str | None], kind: str = "timestamp") -> list[str | None]:
    rows = run("grid", {"column": "t", "every": every}, ({"t": kind}, [[time] for time in times]))
    return sorted((row[0].isoformat() if row[0] else None for row in rows), key=str)


def test_steps_of_fixed_length() -> None:
    assert grid("PT30M", [hour(0), hour(1.5)]) == [hour(0), hour(0.5), hour(1), hour(1.5)]
    assert grid("PT1H", [hour(0), hour(1.5)]) == [hour(0), hour(1), hour(1.5)]
    assert grid("P1D", [hour(0)]) == [hour(0)]
    assert grid("PT1H", []) == []
    assert grid("PT1H", [None, None]) == [None, None]
    assert grid("PT1H", [hour(0), hour(0), hour(1)]) == [hour(0), hour(0), hour(1)], "doubled rows stay"
    assert grid("P1W", ["2024-01-01", "2024-01-15"], "date") == ["2024-01-01", "2024-01-08", "2024-01-15"]


def test_months_do_not_drift() -> None:
    assert grid("P1M", ["2023-12-31", "2024-04-01"], "date") == [
        "2023-12-31", "2024-01-31", "2024-02-29", "2024-03-31", "2024-04-01",
    ]  # fmt: skip
    assert grid("P1Y", ["2024-02-29", "2028-02-29"], "date") == [
        "2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29",
    ]  # fmt: skip
    assert grid("P1MT1H", ["2024-01-01T00:00:00", "2024-03-01T02:00:00"]) == [
        "2024-01-01T00:00:00", "2024-02-01T01:00:00", "2024-03-01T02:00:00",
    ]  # fmt: skip


def test_groups_have_their_own_ends() -> None:
    columns = {"v": "integer", "组": "text", "t": "timestamp"}
    rows = [[1, "a", hour(0)], [2, "a", hour(2)], [3, None, hour(5)], [4, None, hour(7)]]
    settings = {"column": "t", "every": "PT1H", "partition_by": ["组"]}
    found = [(v, k, at.isoformat()) for v, k, at in run("grid", settings, (columns, rows))]
    added = [(None, "a", hour(1)), (None, None, hour(6))]
    assert in_order(found) == in_order([*(tuple(row) for row in rows), *added])


def test_a_grid_stops_before_it_makes_too_many_rows() -> None:
    columns = {"k": "text", "t": "timestamp"}
    rows = [["a", "1900-01-01T00:00:00"], ["a", "2024-01-01T00:00:00"], ["b", hour(0)], ["b", hour(1)]]
    settings = {"column": "t", "every": "PT1S", "partition_by": ["k"]}
    with pytest.raises(duckdb.Error) as caught:
        run("grid", settings, (columns, rows))
    error = translate(str(caught.value), "step1")
    assert (error.code, error.retry) == ("engine.too_many_rows", "fatal")
    assert "1,000,000" in error.message["en"] and "1,000,000" in error.message["zh-CN"]
    assert len(run("grid", {**settings, "every": "PT1H", "most": 4}, (columns, [*rows[2:], ["c", hour(5)]]))) == 3
    with pytest.raises(duckdb.Error):
        run("grid", {**settings, "every": "PT30M", "most": 3}, (columns, [*rows[2:], ["c", hour(5)]]))


@pytest.mark.parametrize(
    "settings, kind, code",
    [
        ({"every": "hourly"}, "timestamp", "duration.invalid"),
        ({"every": "PT0S"}, "timestamp", "grid.every"),
        ({"every": "-PT1H"}, "timestamp", "grid.every"),
        ({"every": "PT1H"}, "date", "grid.every_date"),
        ({"every": "PT1H"}, "text", "grid.type"),
        ({"every": "PT1H", "partition_by": ["t"]}, "timestamp", "grid.same_column"),
        ({"every": "PT1H", "partition_by": ["zzz"]}, "timestamp", "column.unknown"),
    ],
)
def test_grids_that_do_not_fit(settings: dict[str, Any], kind: str, code: str) -> None:
    assert code_of("grid", {"column": "t", **settings}, ({"t": kind}, [])) == code
