"""A filter that runs in PostgreSQL keeps exactly the rows that the engine would keep, whatever the collation."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import duckdb
import psycopg
import pytest

from flows.graph.planner import make_plan
from flows.graph.relation_text import with_relation
from node_catalog.sdk.grant import GrantSpec
from tests.services import PostgresServer
from tests.unit.graph.support import AIR_COLUMNS, REMOTE, arrow, catalogue, flow, load, nodes, registry, step

pytestmark = pytest.mark.services
TEXTS = ["a", "A", "ab", "B", "b", "_x", "é", "e", "E", "z", "Z", "", " a", "北京", "北", None, "it's", "a%", "\\"]
ROWS = [
    {
        "station": TEXTS[index % len(TEXTS)],
        "ts": dt.datetime.fromisoformat("2024-01-01") + dt.timedelta(hours=index * 7),
        "pm25": None if index % 7 == 0 else index / 8,
        "pm10": index - 20,
        "cost": Decimal(index) / 100,
        "day": dt.date(2024, 1, 1) + dt.timedelta(days=index % 40),
        "valid": [True, False, None][index % 3],
        "code": TEXTS[(index * 5) % len(TEXTS)],
    }
    for index in range(95)
]
WHERE = [
    "station < 'b'",
    "station >= 'Z' and station <= 'é'",
    "station = 'a'",
    "station <> 'a'",
    "station in ('e', 'B', '北京')",
    "not station in ('e', 'B')",
    "station is null or station > code",
    "station = code",
    "station = 'it''s' or station = '\\'",
    "station between 'A' and 'a'",
    "pm25 > 3 and pm10 <= 10",
    "pm10 / 2 > 3 or pm10 > 0",
    "pm10 > 2.5",
    "cost = 0.25",
    "cost >= 0.5 and cost < pm10",
    "ts >= '2024-01-05' and ts < timestamp '2024-01-10 07:00:00'",
    "day = date '2024-01-09'",
    "day <= ts",
    "valid",
    "valid is not true",
    "not valid or pm25 is null",
    "pm25 = 1.125",
    "day in (date '2024-01-02', date '2024-02-01')",
    "upper(station) = 'A' and pm10 > 0",
]


@pytest.fixture(scope="module", params=["default", "case_insensitive"])
def connection(postgres_server: PostgresServer, request: Any) -> Iterator[Any]:
    """A table whose texts compare by a language's rules, once with a collation for which a equals A."""
    with psycopg.connect(postgres_server.url("postgres"), autocommit=True) as connection:
        name = f"graph_{request.param}"
        connection.execute(f"drop schema if exists {name} cascade")
        connection.execute(f"create schema {name}")
        connection.execute(f"set search_path = {name}")
        connection.execute("create collation ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false)")
        connection.execute("create collation english (provider = icu, locale = 'en')")
        rule = "ci" if request.param == "case_insensitive" else "english"
        connection.execute(
            f"create table air (station text collate {rule}, ts timestamp, pm25 double precision, pm10 bigint, "
            f"cost numeric(10,2), day date, valid boolean, code text collate {rule})"
        )
        with connection.cursor() as cursor:
            cursor.executemany(
                "insert into air values (%s, %s, %s, %s, %s, %s, %s, %s)", [tuple(row.values()) for row in ROWS]
            )
        yield connection


def answer(rows: list[tuple[Any, ...]]) -> list[str]:
    return sorted(map(repr, rows))


@pytest.mark.parametrize("where", WHERE)
def test_the_source_keeps_the_rows_that_the_engine_keeps(connection: Any, where: str) -> None:
    document = flow(
        {"r": step("read", dataset="remote"), "f": step("filter", where=where), "o": step("output", name="x")},
        "r > f",
        "f > o",
    )
    known = catalogue()
    rights = {REMOTE: GrantSpec(REMOTE, known[REMOTE].schema.names)}
    plan = make_plan(load(document), registry(), known, rights, nodes())
    (binding,) = plan.stages[0].bindings
    text = with_relation(binding.text, binding.dialect, '"air"')
    engine = duckdb.connect()
    remote = connection.execute(text).fetchall()
    engine.register("b_r", arrow(AIR_COLUMNS, [dict(zip(binding.schema.names, row)) for row in remote]))
    found = engine.sql(plan.stages[0].text).fetchall()
    engine.register("everything", arrow(AIR_COLUMNS, ROWS))
    wanted = engine.sql(f"select * from everything where {where}").fetchall()
    engine.close()
    assert answer(found) == answer(wanted)


def test_row_filters_of_grants_compare_by_code_point_too(connection: Any) -> None:
    known = catalogue()
    rights = {
        REMOTE: GrantSpec(REMOTE, ("station",), row_filter={"op": "=", "column": "station", "value": "a"}),
    }
    document = flow({"r": step("read", dataset="remote"), "o": step("output", name="x")}, "r > o")
    (binding,) = make_plan(load(document), registry(), known, rights, nodes()).stages[0].bindings
    rows = connection.execute(with_relation(binding.text, binding.dialect, '"air"')).fetchall()
    assert {row[0] for row in rows} == {"a"}
