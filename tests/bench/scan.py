"""A source with 3,000 tables: how long until the catalogue knows its schema, and until every table has a profile.

SQLite and PostgreSQL, through the running studio with its workers, as a data admin would: register, discover, profile.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg

from tests.bench.measure import Comparison
from tests.bench.ours import Ours
from tests.bench.ours import ours as our_studio
from tests.services import postgres_server, wait_until

TABLES = int(os.environ.get("SCAN_TABLES", "3000"))
ROWS = 500
WORKS = os.environ.get("SCAN_WORKS", "schema,profile").split(",")
"""Profiles of 3,000 tables take minutes: ``SCAN_WORKS=schema`` leaves them out."""
SCHEMA_SECONDS, PROFILE_SECONDS = 60.0, 900.0
COLUMNS = (
    "id integer primary key, code text not null, name text, day date, at timestamp, amount numeric(12,2), "
    "score double precision, flag boolean, district text, note text"
)
_VALUES = "i, 'C' || i % 97, 'name ' || i, {day}, {at}, i * 1.25, i / 7.0, {flag}, 'D' || i % 9, null"


def run() -> list[Comparison]:
    """Both sources; four figures."""
    with our_studio() as studio:
        return [*_of(studio, "sqlite", _sqlite(studio.folder)), *_of(studio, "postgresql", _postgres())]


def _of(studio: Ours, kind: str, settings: dict[str, object]) -> Iterator[Comparison]:
    name = {"en": f"Wide {kind}", "zh-CN": f"大库 {kind}"}
    node = studio.post("nodes", {"type": kind, "name": name, "settings": settings})
    began = time.monotonic()
    found = studio.await_task(studio.post(f"nodes/{node['id']}/discover")["task"])
    discovered = time.monotonic() - began
    assert found["result"]["datasets"] == TABLES, found
    yield _line(kind, "schema", discovered, SCHEMA_SECONDS)
    if "profile" not in WORKS:
        return
    began = time.monotonic()
    asked = studio.post(f"nodes/{node['id']}/profile")["tasks"]
    assert asked == TABLES, asked
    wait_until(studio.is_idle, PROFILE_SECONDS * 4, f"{TABLES} profiles are made")
    profiled = time.monotonic() - began
    assert studio.post(f"nodes/{node['id']}/profile")["tasks"] == 0, "some tables have no profile"
    yield _line(kind, "profile", profiled, PROFILE_SECONDS)


def _line(kind: str, figure: str, seconds: float, goal: float) -> Comparison:
    work, limit = f"scan of {TABLES} tables, {kind}", f"{ROWS} rows and 10 columns each"
    return Comparison(work, figure, seconds, goal, "goal", 1.0, "at_most", limit=limit)


def _sqlite(folder: Path) -> dict[str, object]:
    path = folder / "wide.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma journal_mode = off")
        connection.execute("pragma synchronous = off")
        series = f"with recursive s(i) as (select 1 union all select i + 1 from s where i < {ROWS}) "
        values = _VALUES.format(
            day="date('2024-01-01', '+' || i || ' days')",
            at="datetime('2024-01-01', '+' || i || ' hours')",
            flag="i % 2",
        )
        for number in range(TABLES):
            connection.execute(f"create table t{number:04d} ({COLUMNS})")
            connection.execute(f"insert into t{number:04d} {series} select {values} from s")
        connection.commit()
    return {"path": str(path)}


def _postgres() -> dict[str, object]:
    server = postgres_server()
    values = _VALUES.format(
        day="date '2024-01-01' + i", at="timestamp '2024-01-01' + i * interval '1 hour'", flag="i % 2 = 0"
    )
    with psycopg.connect(server.create_database("wide"), autocommit=True) as connection:
        for start in range(0, TABLES, 100):
            statements = [
                f"create table t{number:04d} ({COLUMNS}); "
                f"insert into t{number:04d} select {values} from generate_series(1, {ROWS}) as s(i);"
                for number in range(start, min(start + 100, TABLES))
            ]
            connection.execute("begin; " + " ".join(statements) + " commit;")
        connection.execute("analyze")
    return server.settings("wide")
