"""The step types' semantics, beyond their examples: names, NULLs, types, overflow, and words for what does not fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import duckdb
import ibis
import pytest

from flows.graph.expression import compile_expression
from node_catalog.palette import registry
from node_catalog.sdk.errors import SettingsError
from node_catalog.sdk.ports import Schema, from_ibis, to_ibis
from node_catalog.sdk.schema import parse
from node_catalog.sdk.testing import PlainContext, StepProblem, arrow_table

Table = tuple[dict[str, str], Sequence[Sequence[Any]]]


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with closing(duckdb.connect()) as connection:
        yield connection


def build(step: str, settings: dict[str, Any], **tables: Table | list[Table]) -> tuple[Any, dict[str, Table]]:
    """The step's relation over unbound tables, and the rows behind their names."""
    kind = registry().transforms[step]
    inputs: dict[str, list[Any]] = {}
    named: dict[str, Table] = {}
    for port, given in tables.items():
        port = "in" if port == "rows" else port
        for index, table in enumerate(given if isinstance(given, list) else [given]):
            name = f"{port}_{index}"
            named[name] = table
            inputs.setdefault(port, []).append(ibis.table(to_ibis(Schema.of(list(table[0].items()))), name=name))
    context = PlainContext(lambda source, over, pointer: compile_expression(source, over, {}, pointer))
    return kind.apply(inputs, parse(kind.Settings, settings), context), named


def run(
    connection: duckdb.DuckDBPyConnection, step: str, settings: dict[str, Any], **tables: Table | list[Table]
) -> tuple[list[tuple[str, str]], list[tuple[Any, ...]]]:
    """Declared schema and rows."""
    relation, named = build(step, settings, **tables)
    for name, (columns, rows) in named.items():
        connection.register(name, arrow_table(columns, rows))
    schema = [(field.name, field.type) for field in from_ibis(relation.schema()).fields]
    return schema, connection.sql(ibis.to_sql(relation, dialect="duckdb")).fetchall()


def problem(step: str, settings: dict[str, Any], **tables: Table | list[Table]) -> StepProblem:
    """The problem that the type check raises."""
    with pytest.raises(StepProblem) as caught:
        build(step, settings, **tables)
    return caught.value


ONE: Table = ({"k": "integer", "a": "text"}, [[1, "x"], [2, "y"], [None, "z"]])


def test_names_that_differ_only_in_case() -> None:
    wide: Table = ({"a": "integer", "A": "integer", "b": "text"}, [])
    assert problem("read", {"dataset": "d"}, dataset=wide).code == "column.case"
    build("read", {"dataset": "d", "columns": ["a", "b"]}, dataset=wide)
    assert problem("select", {"columns": [{"column": "k"}, {"column": "a", "as": "K"}]}, rows=ONE).code == "column.case"
    assert problem("derive", {"columns": [{"name": "K", "expression": "1"}]}, rows=ONE).code == "column.case"
    assert problem("select", {"columns": [{"column": "k"}, {"column": "k"}]}, rows=ONE).code == "column.twice"
    assert problem("output", {"name": "o"}, rows=wide).code == "column.case"


def test_unknown_columns_come_with_a_suggestion() -> None:
    found = problem("select", {"columns": [{"column": "kk"}]}, rows=({"Kk": "text"}, []))
    assert (found.code, found.pointer) == ("column.unknown", "/columns/0/column")
    assert found.fix == {"pointer": "/columns/0/column", "value": "Kk"}
    assert "“Kk”" in found.message["zh-CN"]


def test_derive_sees_only_incoming_columns(connection: duckdb.DuckDBPyConnection) -> None:
    settings = {"columns": [{"name": "k", "expression": "k + 1"}, {"name": "b", "expression": "k * 10"}]}
    schema, rows = run(connection, "derive", settings, rows=ONE)
    assert schema == [("k", "integer"), ("a", "text"), ("b", "integer")]
    assert rows[0] == (2, "x", 10)


def test_select_may_swap_names(connection: duckdb.DuckDBPyConnection) -> None:
    settings = {"columns": [{"column": "a", "as": "k"}, {"column": "k", "as": "a"}]}
    schema, rows = run(connection, "select", settings, rows=ONE)
    assert schema == [("k", "text"), ("a", "integer")]
    assert rows[0] == ("x", 1)


@pytest.mark.parametrize(
    "kind, target, allowed",
    [("date", "integer", False), ("text", "date", True), ("binary", "number", False), ("time", "timestamp", False),
     ("timestamp", "date", True), ("boolean", "decimal(5,2)", True), ("number", "timestamp", False)],
)  # fmt: skip
def test_casts_that_have_no_meaning(kind: str, target: str, allowed: bool) -> None:
    settings = {"columns": [{"column": "v", "type": target}]}
    if allowed:
        build("cast", settings, rows=({"v": kind}, []))
    else:
        assert problem("cast", settings, rows=({"v": kind}, [])).code == "cast.impossible"


def test_cast_failures_stop_or_become_empty(connection: duckdb.DuckDBPyConnection) -> None:
    table: Table = ({"v": "text"}, [["1.5"], ["x"], [None]])
    schema, rows = run(
        connection, "cast", {"columns": [{"column": "v", "type": "number", "on_error": "null"}]}, rows=table
    )
    assert (schema, rows) == ([("v", "number")], [(1.5,), (None,), (None,)])
    with pytest.raises(duckdb.ConversionException):
        run(connection, "cast", {"columns": [{"column": "v", "type": "number"}]}, rows=table)


LEFT: Table = ({"k": "integer", "v": "text"}, [[1, "a"], [1, "b"], [None, "c"], [9, "d"]])
RIGHT: Table = ({"k": "integer", "v": "text", "w": "number"}, [[1, "r", 1.0], [None, "s", 2.0], [5, "t", 3.0]])
ON = [{"left": "k", "right": "k"}]


@pytest.mark.parametrize(
    "settings, wanted",
    [
        ({"how": "inner", "on": ON}, [(1, "a", "r", 1.0), (1, "b", "r", 1.0)]),
        ({"how": "inner", "on": ON, "nulls_equal": True},
         [(1, "a", "r", 1.0), (1, "b", "r", 1.0), (None, "c", "s", 2.0)]),
        ({"how": "semi", "on": ON}, [(1, "a"), (1, "b")]),
        ({"how": "anti", "on": ON}, [(9, "d"), (None, "c")]),
        ({"how": "anti", "on": ON, "nulls_equal": True}, [(9, "d")]),
        ({"how": "semi", "on": ON, "where": "v = 'b' and w > 0.5"}, [(1, "b")]),
        ({"how": "left", "on": ON, "where": "v = 'b' and v_right = 'r'"},
         [(1, "a", None, None), (1, "b", "r", 1.0), (9, "d", None, None), (None, "c", None, None)]),
        ({"how": "right", "on": ON},
         [(1, "a", "r", 1.0), (1, "b", "r", 1.0), (5, None, "t", 3.0), (None, None, "s", 2.0)]),
    ],
)  # fmt: skip
def test_joins(connection: duckdb.DuckDBPyConnection, settings: dict[str, Any], wanted: list[tuple[Any, ...]]) -> None:
    schema, rows = run(connection, "join", settings, left=LEFT, right=RIGHT)
    assert sorted(rows, key=repr) == sorted(wanted, key=repr)
    assert [name for name, _ in schema] == ["k", "v", "v_right", "w"][: len(wanted[0])]


def test_a_self_join_of_one_relation(connection: duckdb.DuckDBPyConnection) -> None:
    kind = registry().transforms["join"]
    table = ibis.table(to_ibis(Schema.of([("id", "integer"), ("parent", "integer")])), name="tree")
    settings = parse(kind.Settings, {"how": "left", "on": [{"left": "parent", "right": "id"}]})
    relation = kind.apply({"left": [table], "right": [table]}, settings, PlainContext())
    connection.register("tree", arrow_table({"id": "integer", "parent": "integer"}, [[1, None], [2, 1]]))
    assert [field.name for field in from_ibis(relation.schema()).fields] == ["id", "parent", "id_right", "parent_right"]
    rows = connection.sql(ibis.to_sql(relation, dialect="duckdb")).fetchall()
    assert sorted(rows, key=repr) == sorted([(1, None, None, None), (2, 1, 1, None)], key=repr)


def test_join_names_that_clash_even_with_the_suffix() -> None:
    left: Table = ({"k": "integer", "v": "text", "v_right": "text"}, [])
    assert problem("join", {"on": ON}, left=left, right=RIGHT).code == "join.suffix_clash"
    build("join", {"on": ON, "suffix": "_2"}, left=left, right=RIGHT)


def test_join_keys_of_types_that_never_meet() -> None:
    found = problem("join", {"on": [{"left": "k", "right": "v"}]}, left=LEFT, right=RIGHT)
    assert (found.code, found.pointer) == ("join.key_types", "/on/0/right")
    assert found.fix == {"cast": {"column": "v", "type": "integer"}}


def test_full_join_of_mixed_numbers_keeps_the_wider_type(connection: duckdb.DuckDBPyConnection) -> None:
    right: Table = ({"k": "number"}, [[1.0], [2.5]])
    schema, rows = run(connection, "join", {"how": "full", "on": ON}, left=LEFT, right=right)
    assert schema == [("k", "number"), ("v", "text")]
    assert (2.5, None) in rows


@pytest.mark.parametrize("how", ["inner", "left", "full", "semi"])
def test_a_join_needs_keys(how: str) -> None:
    with pytest.raises(SettingsError):
        build("join", {"how": how}, left=LEFT, right=RIGHT)


def test_union_by_name_in_the_order_and_case_of_the_first(connection: duckdb.DuckDBPyConnection) -> None:
    first: Table = ({"Station": "text", "v": "decimal(5,2)"}, [["a", "1.25"]])
    second: Table = ({"v": "integer", "station": "text"}, [[7, "b"]])
    schema, rows = run(connection, "union", {}, rows=[first, second])
    assert schema == [("Station", "text"), ("v", "decimal(21,2)")]
    assert [str(value) for _, value in sorted(rows)] == ["1.25", "7.00"]
    assert problem("union", {}, rows=[first, ({"v": "integer"}, [])]).code == "union.columns"
    assert problem("union", {}, rows=[first, ({"Station": "text", "v": "text"}, [])]).code == "union.type"


def test_integer_sums_overflow_loudly(connection: duckdb.DuckDBPyConnection) -> None:
    settings = {"measures": [{"name": "s", "function": "sum", "column": "a"}]}
    big = 2**63 - 1
    assert run(connection, "aggregate", settings, rows=({"a": "integer"}, [[big], [-1]]))[1] == [(big - 1,)]
    with pytest.raises((duckdb.ConversionException, duckdb.OutOfRangeException)):
        run(connection, "aggregate", settings, rows=({"a": "integer"}, [[big], [1]]))


@pytest.mark.parametrize(
    "measure, code",
    [
        ({"function": "sum", "column": "a"}, "measure.not_number"),
        ({"function": "mean", "expression": "a"}, "measure.not_number"),
        ({"function": "count", "where": "k"}, "measure.not_condition"),
        ({"function": "max", "column": "zzz"}, "column.unknown"),
    ],
)
def test_measures_that_do_not_fit(measure: dict[str, Any], code: str) -> None:
    assert problem("aggregate", {"measures": [{"name": "m", **measure}]}, rows=ONE).code == code


def test_first_and_last_take_the_row_also_when_its_value_is_empty(connection: duckdb.DuckDBPyConnection) -> None:
    table: Table = ({"v": "text", "o": "integer"}, [["b", 2], [None, 1], ["c", None]])
    order = [{"column": "o"}]
    settings = {
        "measures": [
            {"name": "f", "function": "first", "column": "v", "order_by": order},
            {"name": "l", "function": "last", "column": "v", "order_by": order},
            {"name": "w", "function": "last", "column": "v", "order_by": order, "where": "o > 0"},
        ]
    }
    assert run(connection, "aggregate", settings, rows=table)[1] == [(None, "c", "b")]


def test_grouping_without_figures_lists_the_groups(connection: duckdb.DuckDBPyConnection) -> None:
    table: Table = ({"a": "text"}, [["x"], ["x"], [None], [None]])
    assert sorted(run(connection, "aggregate", {"by": ["a"]}, rows=table)[1], key=repr) == sorted(
        [("x",), (None,)], key=repr
    )


def test_sort_puts_empty_values_where_it_is_told(connection: duckdb.DuckDBPyConnection) -> None:
    table: Table = ({"a": "text"}, [["b"], [None], ["Z"], ["中"], ["a"]])
    for key, wanted in (
        ({}, ["Z", "a", "b", "中", None]),
        ({"descending": True}, ["中", "b", "a", "Z", None]),
        ({"nulls": "first"}, [None, "Z", "a", "b", "中"]),
    ):
        rows = run(connection, "sort", {"by": [{"column": "a", **key}]}, rows=table)[1]
        assert [row[0] for row in rows] == wanted


def test_limit_of_nothing(connection: duckdb.DuckDBPyConnection) -> None:
    assert run(connection, "limit", {"rows": 0}, rows=ONE)[1] == []
    assert run(connection, "limit", {"rows": 5, "offset": 2}, rows=ONE)[1] == [(None, "z")]


@pytest.mark.parametrize(
    "settings, pointers",
    [
        ({}, ["/dataset"]),
        ({"dataset": "d", "node": "n", "path": ["p"]}, ["/dataset"]),
        ({"node": "n"}, ["/path"]),
        ({"node": "n", "path": [""]}, ["/path"]),
        ({"node": "n", "path": ["p"]}, []),
    ],
)
def test_write_has_exactly_one_target(settings: dict[str, Any], pointers: list[str]) -> None:
    kind = registry().transforms["write"]
    try:
        parse(kind.Settings, settings)
        found = []
    except SettingsError as error:
        found = [item.pointer for item in error.problems]
    assert found == pointers
