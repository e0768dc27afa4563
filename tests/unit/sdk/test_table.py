"""The step “table”: what cells mean, what does not fit, and that the rows come as they were typed."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from flows.graph.render import render
from node_catalog.palette import registry
from node_catalog.sdk.errors import SettingsError
from node_catalog.sdk.schema import parse
from node_catalog.sdk.typed_rows import parameter_in, read_cell, rows_made
from tests.unit.sdk.step_runs import build, code_of, run

LAST = dt.datetime.max  # noqa: DTZ901
KINDS = ("text", "integer", "number", "decimal(10,2)", "boolean", "date", "time", "timestamp")


def table(*rows: Any, **columns: str) -> dict[str, Any]:
    return {"columns": [{"name": name, "type": kind} for name, kind in columns.items()], "rows": list(rows)}


def problems_of(settings: dict[str, Any]) -> list[tuple[str, str, dict[str, str]]]:
    with pytest.raises(SettingsError) as caught:
        parse(registry().transforms["table"].Settings, settings)
    return [(one.pointer, one.code, dict(one.message)) for one in caught.value.problems]


@pytest.mark.parametrize(
    "kind, cell, value",
    [
        ("text", "  as it is ", "  as it is "),
        ("text", "", ""),
        ("text", "::name", ":name"),
        ("text", ":-)", ":-)"),
        ("text", ":8", ":8"),
        ("integer", " -12 ", -12),
        ("integer", 7.0, 7),
        ("integer", "9223372036854775807", 2**63 - 1),
        ("number", "0.1", 0.1),
        ("number", "1e-3", 0.001),
        ("number", 2, 2.0),
        ("decimal(10,2)", "12.5", Decimal("12.5")),
        ("decimal(10,2)", 0.1, Decimal("0.1")),
        ("decimal(38,0)", "9" * 38, Decimal("9" * 38)),
        ("boolean", True, True),
        ("boolean", "FALSE", False),
        ("boolean", "是", True),
        ("boolean", "0", False),
        ("date", "2024-01-31", dt.date(2024, 1, 31)),
        ("date", "2024/1/3", dt.date(2024, 1, 3)),
        ("time", "8:05", dt.time(8, 5)),
        ("time", "23:59:59.5", dt.time(23, 59, 59, 500_000)),
        ("timestamp", "2024-01-31 8:05", dt.datetime(2024, 1, 31, 8, 5)),  # noqa: DTZ001
        ("timestamp", "2024/1/31", dt.datetime(2024, 1, 31)),  # noqa: DTZ001
        ("timestamp", "2024-01-31T08:00:00+08:00", dt.datetime(2024, 1, 31)),  # noqa: DTZ001
    ],
)
def test_a_cell_means(kind: str, cell: Any, value: Any) -> None:
    assert read_cell(cell, kind) == value
    assert type(read_cell(cell, kind)) is type(value)


@pytest.mark.parametrize(
    "kind, cell",
    [
        ("text", 5),
        ("text", "a\0b"),
        ("text", "\ud800"),
        ("integer", "1.0"),
        ("integer", "1_000"),
        ("integer", "１２"),
        ("integer", 2**63),
        ("integer", True),
        ("number", "nan"),
        ("number", "1,5"),
        ("number", "1e999"),
        ("decimal(10,2)", "1.005"),
        ("decimal(4,2)", "100"),
        ("decimal(10,2)", "NaN"),
        ("boolean", "perhaps"),
        ("boolean", 1),
        ("date", "2023-02-29"),
        ("date", "31.01.2024"),
        ("date", "2024-01-31 08:00"),
        ("date", 20240131),
        ("time", "25:00"),
        ("time", "08:00+01:00"),
        ("timestamp", "yesterday"),
    ],
)
def test_a_cell_that_does_not_fit(kind: str, cell: Any) -> None:
    with pytest.raises(ValueError):
        read_cell(cell, kind)


@pytest.mark.parametrize("kind", KINDS)
def test_empty_cells(kind: str) -> None:
    assert read_cell(None, kind) is None
    assert read_cell("  ", kind) == ("  " if kind == "text" else None)


def test_which_cells_are_parameters() -> None:
    cells = [":name", ":_n2", "::name", ":a b", ":", "a:name", ":8", 5, None, " :name"]
    assert [parameter_in(cell) for cell in cells] == ["name", "_n2", *[None] * 8]


def test_every_misfit_is_told_at_its_cell_in_both_languages() -> None:
    settings = table(["a", "12"], ["b", "twelve"], [5, "x" * 60], name="text", price="decimal(10,2)")
    found = problems_of(settings)
    assert [(pointer, code) for pointer, code, _ in found] == [
        ("/rows/1/1", "table.cell"), ("/rows/2/0", "table.cell"), ("/rows/2/1", "table.cell"),
    ]  # fmt: skip
    assert found[0][2] == {
        "en": "Row 2, column “price”: “twelve” does not fit the type exact decimal (10,2). Write it like 12.50.",
        "zh-CN": "第 2 行“price”列：“twelve”不符合类型“定点小数 (10,2)”。请写成 12.50 的形式。",
    }
    assert "…" in found[2][2]["en"] and len(found[2][2]["en"]) < 150


def test_not_more_is_told_than_can_be_read() -> None:
    assert len(problems_of(table(*[["x"]] * 1_000, n="integer"))) == 50


def test_shapes() -> None:
    assert [pointer for pointer, _, _ in problems_of(table(["a"], ["a", "b"], n="text"))] == ["/rows/1"]
    assert run("table", table(["a"], [], a="text", b="integer")) == [("a", None), (None, None)]
    assert problems_of({"columns": []})[0][0] == "/columns"
    assert problems_of(table(*[[]] * 1_001, n="text"))[0][0] == "/rows"
    assert problems_of({"columns": [{"name": f"c{n}"} for n in range(51)]})[0][0] == "/columns"
    assert problems_of({"columns": [{"name": "a", "type": "geometry"}]})[0][0] == "/columns/0/type"
    assert code_of("table", {"columns": [{"name": "a"}, {"name": "A"}]}) == "column.case"
    assert code_of("table", table(["1"], a="decimal(10,12)")) == "table.type"


def test_the_rows_are_those_that_were_typed_in_their_order() -> None:
    texts = ["a|b", "", None, "~;|", "it's", "北京", '"q"', "\\n", "line\nline", "\ue000", "\t", " x "]
    assert run("table", table(*([text] for text in texts), t="text")) == [(text,) for text in texts]
    assert run("table", table(*([text] for text in ["", ""]), t="text")) == [("",), ("",)]
    assert run("table", table(*[[None]] * 3, t="text", n="integer")) == [(None, None)] * 3
    numbers = [(place * 7919 % 1000, place / 7) for place in range(1_000)]
    assert run("table", table(*map(list, numbers), n="integer", f="number")) == numbers


@pytest.mark.parametrize("times", [1, 2])
def test_values_are_exact_alone_and_among_others(times: int) -> None:
    row = ["x", -(2**63), 0.1, "99999999.99", "no", "0001-01-01", "00:00:00.000001", "9999-12-31 23:59:59.999999"]
    values = ("x", -(2**63), 0.1, Decimal("99999999.99"), False, dt.date(1, 1, 1), dt.time(microsecond=1),
              LAST)  # fmt: skip
    columns = {f"c{place}": kind for place, kind in enumerate(KINDS)}
    assert run("table", table(*[row] * times, **columns)) == [values] * times
    empty = [None] * len(KINDS)
    assert run("table", table(*[empty] * times, **columns)) == [tuple(empty)] * times


@pytest.mark.parametrize("count", [0, 1, 2, 1_000])
def test_how_many_rows_there_are_is_known_before(count: int) -> None:
    relation, _ = build("table", table(*[["a", 1]] * count, t="text", n="integer"))
    assert rows_made(relation.op()) == count == len(run("table", table(*[["a", 1]] * count, t="text", n="integer")))


def test_a_full_table_is_a_short_text() -> None:
    columns = {f"c{place}": "number" for place in range(50)}
    relation, _ = build("table", table(*[[0.5] * 50] * 1_000, **columns))
    assert len(render(relation)) < 300_000
