"""D2: copy seven columns from one PostgreSQL database to another; beside psql's COPY piped into psql's COPY.

``D2_ROWS`` scales it (several sizes by comma). The target is a new table each time, logged, on both sides. The source
has a primary key, so that a long copy is read in parts and goes on after a crash.
"""

from __future__ import annotations

import os
import subprocess

import psycopg

from tests.bench.copying import document, lines, millions, pairs, psql
from tests.bench.data import fill_postgres
from tests.bench.measure import Comparison, Cost, measure
from tests.bench.ours import Ours
from tests.bench.ours import ours as our_studio
from tests.services import PostgresServer, postgres_server

ROWS = [int(rows) for rows in os.environ.get("D2_ROWS", "1000000,10000000").split(",")]
PAIRS = int(os.environ.get("D2_PAIRS", "5"))
COLUMNS = "id bigint, station int, ts timestamp, pm25 float8, pm10 float8, so2 float8, district text"
MOST_MIB = 250


def run() -> list[Comparison]:
    """All figures of each size."""
    server = postgres_server()
    target = server.create_database("d2_target")
    with our_studio() as studio:
        there = studio.add_node("postgresql", "D2 target", server.settings("d2_target"))
        return [line for rows in ROWS for line in _of(studio, server, target, there, rows)]


def _of(studio: Ours, server: PostgresServer, target: str, there: str, rows: int) -> list[Comparison]:
    name, work = f"d2_{rows}", f"d2 {millions(rows)}"
    source = server.create_database(name)
    fill_postgres(source, rows, key="id")
    node = studio.add_node("postgresql", name, server.settings(name))
    place = {"node": there, "path": ["public", "d2_ours"]}
    flow = studio.add_flow(name, document("D2", studio.dataset(node, "obs"), place))
    assert server.process is not None
    servers = [server.process.pid]
    pipe = f"{psql(server, source, 'copy obs to stdout (format binary)')} | " + psql(
        server, target, "copy d2_limit from stdin (format binary)"
    )

    def fresh(*statements: str) -> None:
        with psycopg.connect(target, autocommit=True) as connection:
            for statement in ("drop table if exists d2_limit, d2_ours", *statements, "checkpoint"):
                connection.execute(statement.encode())

    def limit() -> Cost:
        fresh(f"create table d2_limit ({COLUMNS})")
        roots = [*servers, os.getpid()]
        found = measure(lambda: subprocess.run(pipe, shell=True, check=True), lambda: roots, lambda: servers)
        same_rows(source, "obs", target, "d2_limit")
        return found

    def own() -> Cost:
        fresh()
        found = measure(lambda: studio.run(flow), lambda: [studio.pid, *servers], lambda: [studio.pid])
        same_rows(source, "obs", target, "d2_ours")
        return found

    found = lines(work, *pairs(work, PAIRS, limit, own), "psql COPY | psql COPY", 1.3, MOST_MIB)
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)".encode())
    return found


def same_rows(source: str, first: str, target: str, second: str) -> None:
    """The same rows in two tables; a fast wrong answer is no result."""
    sums = "select count(*), sum(id), sum(station), min(ts), max(ts), round(sum(pm25)::numeric, 2), min(district) from "
    found = []
    for url, name in ((source, first), (target, second)):
        with psycopg.connect(url) as connection:
            found.append(connection.execute((sums + name).encode()).fetchone())
    assert found[0] == found[1], found
