"""Pivot, unpivot, intersect and except: NULLs, doubled rows, names, and what does not fit."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.sdk.step_runs import Table, code_of, in_order, run

LONG: Table = (
    {"站点": "text", "项": "text", "v": "integer"},
    [["a", "x", 1], ["a", "x", 2], ["a", "y", None], [None, "x", 5], [None, "x", 6], ["b", None, 9]],
)
INTO = [{"value": "x", "name": "PM2.5"}, {"value": "y", "name": 'a "b"'}]
NAMES = {"names": "项", "values": "v"}


@pytest.mark.parametrize(
    "function, wanted",
    [
        ("sum", [("a", 3, None), (None, 11, None), ("b", None, None)]),
        ("mean", [("a", 1.5, None), (None, 5.5, None), ("b", None, None)]),
        ("count", [("a", 2, 0), (None, 2, None), ("b", None, None)]),
        ("max", [("a", 2, None), (None, 6, None), ("b", None, None)]),
    ],
)
def test_pivot(function: str, wanted: list[Any]) -> None:
    rows = run("pivot", {**NAMES, "function": function, "into": INTO}, LONG)
    assert in_order(rows) == in_order(wanted)


def test_a_pivot_over_nothing_and_without_keys() -> None:
    settings = {**NAMES, "function": "sum", "into": INTO}
    assert run("pivot", settings, (LONG[0], [])) == []
    assert run("pivot", settings, ({"项": "text", "v": "integer"}, [["x", 1], ["y", 2], ["z", 4]])) == [(1, 2)]


@pytest.mark.parametrize(
    "more, code",
    [
        ({"function": "sum", "into": [*INTO, INTO[0]]}, "pivot.value_twice"),
        ({"function": "sum", "into": [{"value": "x", "name": "站点"}]}, "column.twice"),
        ({"function": "sum", "into": [{"value": 1, "name": "n"}]}, "constant.type"),
        ({"function": "sum", "into": INTO, "values": "站点"}, "pivot.not_number"),
        ({"function": "sum", "into": INTO, "values": "项"}, "pivot.same_column"),
        ({"function": "sum", "into": INTO, "names": "zzz"}, "column.unknown"),
    ],
)
def test_pivots_that_do_not_fit(more: dict[str, Any], code: str) -> None:
    assert code_of("pivot", {**NAMES, **more}, LONG) == code


def test_unpivot_keeps_rows_without_a_value() -> None:
    wide: Table = (
        {"a": "decimal(5,2)", "k": "text", "日均 b": "decimal(5,2)"},
        [["1.50", "x", None], [None, None, None]],
    )
    rows = run("unpivot", {"columns": ["日均 b", "a"]}, wide)
    assert in_order([(k, name, str(v)) for k, name, v in rows]) == in_order(
        [("x", "日均 b", "None"), ("x", "a", "1.50"), (None, "日均 b", "None"), (None, "a", "None")]
    )
    assert run("unpivot", {"columns": ["a"]}, (wide[0], [])) == []


@pytest.mark.parametrize(
    "settings, code",
    [
        ({"columns": ["v", "项"]}, "unpivot.types"),
        ({"columns": ["v", "v"]}, "column.twice"),
        ({"columns": ["v"], "name": "站点"}, "column.twice"),
        ({"columns": ["v"], "name": "n", "value": "N"}, "column.case"),
        ({"columns": ["zzz"]}, "column.unknown"),
    ],
)
def test_unpivots_that_do_not_fit(settings: dict[str, Any], code: str) -> None:
    assert code_of("unpivot", settings, LONG) == code


def one(*values: Any) -> Table:
    return {"a": "text"}, [[value] for value in values]


@pytest.mark.parametrize(
    "step, distinct, tables, wanted",
    [
        ("intersect", False, (one("x", "x", None, None), one("x", None, None), one("x", "x", None)), ["x", None]),
        ("intersect", True, (one("x", "x", None, None), one("x", "x", None, None)), ["x", None]),
        ("intersect", False, (one("x"), one()), []),
        ("except", False, (one("x", "x", "x", None, None), one("x", None), one("x")), ["x", None]),
        ("except", False, (one("x"), one("x", "x"), one("y")), []),
        ("except", True, (one("x", "x", "y", "y", None), one("x"), one(None)), ["y"]),
        ("except", True, (one("x", "x"),), ["x"]),
        ("except", False, (one(), one("x")), []),
    ],
)
def test_sets(step: str, distinct: bool, tables: tuple[Table, ...], wanted: list[Any]) -> None:
    rows = run(step, {"distinct": distinct}, *tables)
    assert in_order(rows) == in_order([(value,) for value in wanted])


@pytest.mark.parametrize("step", ["intersect", "except"])
def test_inputs_of_a_set_must_be_alike(step: str) -> None:
    assert code_of(step, {}, one(), ({"b": "text"}, [])) == "union.columns"
    assert code_of(step, {}, one(), ({"a": "integer"}, [])) == "union.type"
    assert run(step, {}, ({"a": "number"}, []), ({"A": "integer"}, [])) == []
