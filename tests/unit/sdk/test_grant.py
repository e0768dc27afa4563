"""narrow: the one function that decides what a reader sees."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import duckdb
import ibis
import pytest

from node_catalog.sdk.errors import SourceError
from node_catalog.sdk.grant import GrantSpec, narrow, narrow_schema, visible_values
from node_catalog.sdk.ports import Schema, from_ibis, to_ibis
from node_catalog.sdk.row_filter import columns_of

SCHEMA = Schema.of(
    [
        ("id", "integer"), ("name", "text"), ("day", "date"), ("at", "timestamp"), ("x", "number"),
        ("p", "decimal(10,2)"), ("flag", "boolean"), ("clock", "time"), ("raw", "binary"), ("hidden", "text"),
    ]
)  # fmt: skip
ALL = SCHEMA.names
CANARY = "CANARY-5417"


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with closing(duckdb.connect()) as connection:
        connection.execute(
            """create table src (id bigint, name varchar, day date, "at" timestamp, x double, p decimal(10,2),
            flag boolean, clock time, raw blob, hidden varchar)"""
        )
        connection.execute(
            f"""insert into src values
            (1234567, '张三丰', '2024-02-01', '2024-02-01 10:00:00', 1.5, 2.50, true, '09:00', 'x', '{CANARY}'),
            (12, 'ab', '2023-12-31', '2023-12-31 23:59:59.999999', -1, 0.01, false, '23:00', null, '{CANARY}'),
            (null, null, null, null, null, null, null, null, null, null)"""
        )
        yield connection


def rows(connection: duckdb.DuckDBPyConnection, grant: GrantSpec) -> list[tuple[Any, ...]]:
    relation = narrow(ibis.table(to_ibis(SCHEMA), name="src"), grant)
    assert from_ibis(relation.schema()) == narrow_schema(SCHEMA, grant)
    return connection.sql(ibis.to_sql(relation, dialect="duckdb")).fetchall()


def test_columns_come_in_the_datasets_order_and_unknown_ones_are_ignored(connection: duckdb.DuckDBPyConnection) -> None:
    grant = GrantSpec("d", ("name", "gone", "id"))
    assert rows(connection, grant)[0] == (1234567, "张三丰")
    assert CANARY not in str(rows(connection, grant))


def test_a_grant_of_nothing_shows_nothing(connection: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(SourceError, match="granted columns"):
        rows(connection, GrantSpec("d", ("gone",)))


@pytest.mark.parametrize(
    "column, mask, wanted",
    [
        ("id", "keep_last:4", ["***4567", "***", None]),
        ("id", "keep_first:3", ["123***", "***", None]),
        ("name", "keep_first:1", ["张***", "a***", None]),
        ("name", "keep_last:3", ["***", "***", None]),
        ("name", "keep_last:0", ["***", "***", "***"]),
        ("name", "constant", ["***", "***", "***"]),
        ("x", "null", [None, None, None]),
        ("day", "year", [2024, 2023, None]),
        ("at", "year", [2024, 2023, None]),
        ("name", "year", [None, None, None]),
        ("raw", "keep_last:1", ["***", "***", "***"]),
        ("p", "keep_first:1", ["2***", "0***", None]),
    ],
)
def test_masks(connection: duckdb.DuckDBPyConnection, column: str, mask: str, wanted: list[Any]) -> None:
    grant = GrantSpec("d", (column,), masks={column: mask})
    assert [row[0] for row in rows(connection, grant)] == wanted
    assert visible_values(grant) == set()


def test_a_mask_that_nobody_knows_stops(connection: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(SourceError):
        rows(connection, GrantSpec("d", ("id",), masks={"id": "rot13"}))


FILTERS: list[tuple[dict[str, Any], int]] = [
    ({"op": "=", "column": "id", "value": 12}, 1),
    ({"op": "=", "column": "id", "value": 12.5}, 0),
    ({"op": "!=", "column": "id", "value": 12}, 1),
    ({"op": ">=", "column": "day", "value": "2024-01-01"}, 1),
    ({"op": "<", "column": "at", "value": "2024-01-01T00:00:00"}, 1),
    ({"op": "<", "column": "clock", "value": "10:00:00"}, 1),
    ({"op": ">", "column": "p", "value": "0.0100000001"}, 1),
    ({"op": "=", "column": "p", "value": "0.01"}, 1),
    ({"op": ">", "column": "x", "value": 0}, 1),
    ({"op": "=", "column": "flag", "value": False}, 1),
    ({"op": "in", "column": "id", "value": [12, 1234567]}, 2),
    ({"op": "is_null", "column": "hidden"}, 1),
    ({"op": "not", "args": [{"op": "is_null", "column": "hidden"}]}, 2),
    ({"op": "starts_with", "column": "hidden", "value": "CANARY"}, 2),
    ({"op": "contains", "column": "hidden", "value": "%"}, 0),
    ({"op": "ends_with", "column": "name", "value": "丰"}, 1),
    ({"op": "and", "args": [{"op": ">", "column": "x", "value": -5}, {"op": "=", "column": "id", "value": 12}]}, 1),
    ({"op": "or", "args": [{"op": ">", "column": "x", "value": 0}, {"op": "=", "column": "id", "value": 12}]}, 2),
]


@pytest.mark.parametrize("row_filter, count", FILTERS)
def test_row_filters(connection: duckdb.DuckDBPyConnection, row_filter: dict[str, Any], count: int) -> None:
    grant = GrantSpec("d", ("id",), row_filter=row_filter)
    assert len(rows(connection, grant)) == count
    assert visible_values(grant) == set()
    assert columns_of(row_filter) <= set(ALL)


@pytest.mark.parametrize(
    "row_filter",
    [
        {}, {"op": "sql", "value": "1=1"}, {"op": "=", "column": "gone", "value": 1}, {"op": "=", "column": "id"},
        {"op": "=", "column": "id", "value": "x' or 1=1"}, {"op": "=", "column": "day", "value": "soon"},
        {"op": "and", "args": []}, {"op": "not", "args": []}, {"op": "in", "column": "id", "value": []},
        {"op": "contains", "column": "id", "value": "1"}, {"op": "=", "column": "flag", "value": "maybe"},
        {"op": "=", "column": ["id"], "value": 1}, {"op": "=", "column": "x", "value": None},
    ],
)  # fmt: skip
def test_a_row_filter_that_cannot_be_applied_shows_nothing(
    connection: duckdb.DuckDBPyConnection, row_filter: dict[str, Any]
) -> None:
    with pytest.raises(SourceError) as caught:
        rows(connection, GrantSpec("d", ALL, row_filter=row_filter))
    assert caught.value.message["zh-CN"]


def test_a_deep_filter_is_refused(connection: duckdb.DuckDBPyConnection) -> None:
    deep: dict[str, Any] = {"op": "is_null", "column": "id"}
    for _ in range(100):
        deep = {"op": "not", "args": [deep]}
    with pytest.raises(SourceError, match="deeply"):
        rows(connection, GrantSpec("d", ALL, row_filter=deep))


def test_visible_values_and_digest() -> None:
    plain = GrantSpec("d", ("a", "b"), masks={"b": "null"})
    assert visible_values(plain) == {"a"}
    assert plain.digest != GrantSpec("d", ("a", "b")).digest
    assert plain.digest == GrantSpec("d", ("b", "a"), masks={"b": "null"}).digest
