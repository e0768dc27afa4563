"""Window: frames, NULLs, exact sums, and what does not fit."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

from tests.unit.sdk.step_runs import Table, code_of, hour, in_order, run

ROWS: Table = (
    {"组": "text", "t": "timestamp", "v": "integer"},
    [["a", hour(0), 1], ["a", hour(1), None], ["a", hour(3), 4], [None, hour(0), 7], [None, hour(1), 8]],
)


def column(settings: dict[str, Any], table: Table = ROWS, **column: Any) -> list[Any]:
    """The new column in the order of the rows."""
    rows = run("window", {**settings, "columns": [{"name": "w", **column}]}, table)
    return [row[-1] for row in sorted(rows, key=lambda row: (row[0] is None, str(row[0]), row[1]))]


BY: dict[str, Any] = {"partition_by": ["组"], "order_by": [{"column": "t"}]}
DOWN: dict[str, Any] = {"partition_by": ["组"], "order_by": [{"column": "t", "descending": True}]}


@pytest.mark.parametrize(
    "frame, wanted",
    [
        ({"unit": "rows", "from": None, "to": 0}, [1, 1, 5, 7, 15]),
        ({"unit": "rows", "from": -1, "to": -1}, [None, 1, None, None, 7]),
        ({"unit": "rows", "from": 1, "to": 2}, [4, 4, None, 8, None]),
        ({"unit": "rows", "from": -1, "to": 1}, [1, 5, 4, 15, 15]),
        ({"unit": "rows"}, [5, 5, 5, 15, 15]),
        ({"unit": "range", "from": "-PT1H", "to": 0}, [1, 1, 4, 7, 15]),
        ({"unit": "range", "from": "-PT2H", "to": "-PT1H"}, [None, 1, None, None, 7]),
        ({"unit": "range", "from": 0, "to": "PT2H"}, [1, 4, 4, 15, 8]),
        ({"unit": "range", "from": "-P1M", "to": 0}, [1, 1, 5, 7, 15]),
        ({"unit": "range", "from": "PT0S", "to": None}, [5, 4, 4, 15, 8]),
        ({"unit": "range", "from": None, "to": None}, [5, 5, 5, 15, 15]),
    ],
)
def test_frames(frame: dict[str, Any], wanted: list[Any]) -> None:
    assert column(BY, function="sum", column="v", frame=frame) == wanted


def test_before_means_before_in_the_order() -> None:
    frame = {"unit": "range", "from": "-PT2H", "to": 0}
    assert column(DOWN, function="sum", column="v", frame=frame) == [1, 4, 4, 15, 8]
    assert column(DOWN, function="lag", column="v") == [None, 4, None, 8, None]


def test_a_range_over_numbers_and_dates() -> None:
    numbers: Table = ({"g": "integer", "x": "number"}, [[1, 1.0], [1, 1.4], [1, 2.0], [1, None]])
    frame = {"unit": "range", "from": -0.5, "to": 0}
    assert column({"order_by": [{"column": "x"}]}, ({"x": "number"}, [[1.0]]), function="count", frame=frame) == [1]
    rows = run(
        "window",
        {"order_by": [{"column": "x"}], "columns": [{"name": "n", "function": "count", "frame": frame}]},
        numbers,
    )
    assert in_order([(row[1], row[2]) for row in rows]) == in_order([(1.0, 1), (1.4, 2), (2.0, 1), (None, 1)])
    days: Table = ({"d": "date"}, [["2024-01-31"], ["2024-02-29"], ["2024-03-01"]])
    frame = {"unit": "range", "from": "-P1M", "to": 0}
    rows = run(
        "window", {"order_by": [{"column": "d"}], "columns": [{"name": "n", "function": "count", "frame": frame}]}, days
    )
    assert sorted(n for _, n in rows) == [1, 2, 2]


def test_figures_and_values() -> None:
    assert column(BY, function="count", column="v", frame={"unit": "rows"}) == [2, 2, 2, 2, 2]
    assert column(BY, function="mean", column="v", frame={"unit": "rows", "to": 0}) == [1.0, 1.0, 2.5, 7.0, 7.5]
    assert column(BY, function="last", column="v") == [4, 4, 4, 8, 8]
    assert column(BY, function="last", column="v", frame={"unit": "rows", "to": 0}) == [1, None, 4, 7, 8]
    assert column(BY, function="lag", column="v", offset=2, default=0) == [0, 0, 1, 0, 0]
    assert column(BY, function="lead", column="v", default=-1) == [None, 4, -1, 8, -1]
    assert column(BY, function="lag", column="v", offset=0) == [1, None, 4, 7, 8]
    assert column(BY, function="ntile", offset=2) == [1, 1, 2, 1, 2]
    assert column({"partition_by": ["组"]}, function="sum", column="v") == [5, 5, 5, 15, 15]


def test_sums_are_exact_and_overflow_loudly() -> None:
    big = 2**63 - 1
    table: Table = ({"a": "integer", "p": "decimal(5,2)"}, [[big, "0.10"], [-1, "0.20"]])
    settings = {"columns": [{"name": n, "function": "sum", "column": n} for n in ("a", "p")]}
    assert [tuple(map(str, row)) for row in run("window", settings, table)] == [(str(big - 1), "0.30")] * 2
    with pytest.raises((duckdb.ConversionException, duckdb.OutOfRangeException)):
        run("window", settings, ({"a": "integer", "p": "decimal(5,2)"}, [[big, None], [1, None]]))


def test_nothing_in_nothing_out() -> None:
    settings = {
        **BY,
        "columns": [{"name": "v", "function": "row_number"}, {"name": "l", "function": "last", "column": "v"}],
    }
    assert run("window", settings, (ROWS[0], [])) == []
    assert in_order(run("window", settings, ROWS))[0][2:] == (1, 4), "a new column replaces one of the same name"


@pytest.mark.parametrize(
    "settings, given, code",
    [
        (BY, {"function": "sum", "column": "v"}, "window.frame_missing"),
        (BY, {"function": "sum"}, "window.column_missing"),
        (BY, {"function": "sum", "column": "组", "frame": {}}, "window.not_number"),
        (BY, {"function": "ntile"}, "window.parts_missing"),
        (BY, {"function": "ntile", "offset": 0}, "window.parts_missing"),
        (BY, {"function": "rank", "frame": {}}, "window.frame_unused"),
        (BY, {"function": "rank", "column": "v"}, "window.column_unused"),
        ({}, {"function": "rank"}, "window.order_missing"),
        ({}, {"function": "first", "column": "v"}, "window.order_missing"),
        ({}, {"function": "sum", "column": "v", "frame": {"to": 0}}, "window.order_missing"),
        (BY, {"function": "count", "frame": {"from": 1, "to": 0}}, "window.frame_order"),
        (BY, {"function": "count", "frame": {"unit": "range", "from": "PT1H", "to": 0}}, "window.frame_order"),
        (BY, {"function": "count", "frame": {"from": "-PT1H"}}, "window.frame_rows"),
        (BY, {"function": "count", "frame": {"unit": "range", "from": "-P1MT1H"}}, "window.frame_mixed"),
        (BY, {"function": "count", "frame": {"unit": "range", "from": "-P1M", "to": "P1D"}}, "window.frame_mixed"),
        (BY, {"function": "count", "frame": {"unit": "range", "from": "soon"}}, "duration.invalid"),
        (BY, {"function": "count", "frame": {"unit": "range", "from": -5}}, "window.range_type"),
        (BY, {"function": "lag", "column": "v", "default": "x"}, "constant.type"),
        (BY, {"function": "max", "column": "v", "default": 1, "frame": {}}, "window.default_unused"),
        (BY, {"function": "max", "column": "v", "offset": 1, "frame": {}}, "window.offset_unused"),
        (BY, {"function": "max", "column": "nope", "frame": {}}, "column.unknown"),
    ],
)
def test_what_does_not_fit(settings: dict[str, Any], given: dict[str, Any], code: str) -> None:
    assert code_of("window", {**settings, "columns": [{"name": "w", **given}]}, ROWS) == code
