"""D2: copy seven columns from one PostgreSQL database to another; beside psql's COPY piped into psql's COPY.

``D2_ROWS`` scales it (several sizes by comma). The target is a new table each time, logged, on both sides.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Iterator
from typing import Any

import psycopg

from tests.bench.data import fill_postgres
from tests.bench.measure import Comparison, Cost, measure, medians
from tests.bench.ours import Ours
from tests.bench.ours import ours as our_studio
from tests.services import PostgresServer, postgres_server

ROWS = [int(rows) for rows in os.environ.get("D2_ROWS", "1000000,10000000").split(",")]
PAIRS = int(os.environ.get("D2_PAIRS", "5"))
COLUMNS = "id bigint, station int, ts timestamp, pm25 float8, pm10 float8, so2 float8, district text"


def document(observations: str, target: str) -> dict[str, Any]:
    """Read and write."""
    place = {"node": target, "path": ["public", "d2_ours"], "mode": "replace", "create": True}
    return {
        "kind": "flow", "spec": "1", "title": {"en": "D2", "zh-CN": "D2"}, "datasets": {"obs": observations},
        "steps": {
            "obs": {"type": "read", "version": 1, "settings": {"dataset": "obs"}},
            "out": {"type": "write", "version": 1, "settings": place},
        },
        "wires": [{"from": "obs.out", "to": "out.in"}],
    }  # fmt: skip


def run() -> list[Comparison]:
    """Both figures of each size."""
    server = postgres_server()
    target = server.create_database("d2_target")
    with our_studio() as studio:
        there = studio.add_node("postgresql", "D2 target", server.settings("d2_target"))
        return [line for rows in ROWS for line in _of(studio, server, target, there, rows)]


def _of(studio: Ours, server: PostgresServer, target: str, there: str, rows: int) -> Iterator[Comparison]:
    name = f"d2_{rows}"
    source = server.create_database(name)
    fill_postgres(source, rows)
    node = studio.add_node("postgresql", name, server.settings(name))
    flow = studio.add_flow(name, document(studio.dataset(node, "obs"), there))
    assert server.process is not None
    servers, limit, own = [server.process.pid], [], []

    def fresh(*statements: str) -> None:
        with psycopg.connect(target, autocommit=True) as connection:
            for statement in ("drop table if exists d2_limit, d2_ours", *statements, "checkpoint"):
                connection.execute(statement.encode())

    print(f"{name}: {PAIRS} pairs", flush=True)
    for _ in range(PAIRS):
        fresh(f"create table d2_limit ({COLUMNS})")
        limit.append(_pipe(server, source, target))
        _check(target, "d2_limit", source)
        fresh()
        own.append(measure(lambda: studio.run(flow), lambda: [studio.pid, *servers], lambda: [studio.pid]))
        _check(target, "d2_ours", source)
        print(f"{name}: pipe {limit[-1]}, ours {own[-1]}", flush=True)
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)".encode())
    mine, theirs = medians(own), medians(limit)
    raw = {
        "ours_wall": [c.wall for c in own], "limit_wall": [c.wall for c in limit],
        "ours_cpu": [c.cpu for c in own], "limit_cpu": [c.cpu for c in limit],
    }  # fmt: skip
    work, pipe = f"d2 {rows // 1_000_000} M rows", "psql COPY | psql COPY"
    yield Comparison(work, "wall", mine.wall, theirs.wall, pipe, 1.3, "at_most", runs=raw)
    yield Comparison(
        work, "peak memory MiB", mine.peak_rss / 2**20, 250, "goal", 1.0, "at_most", unit="MiB",
        doubts="largest single process, shared pages counted", runs={"ours": [c.peak_rss / 2**20 for c in own]},
    )  # fmt: skip


def _pipe(server: PostgresServer, source: str, target: str) -> Cost:
    psql = shlex.quote(str(server.binaries / "psql"))
    command = (
        f"{psql} -qX {shlex.quote(source)} -c 'copy obs to stdout (format binary)' | "
        f"{psql} -qX {shlex.quote(target)} -c 'copy d2_limit from stdin (format binary)'"
    )
    assert server.process is not None
    roots = [server.process.pid, os.getpid()]
    return measure(lambda: subprocess.run(command, shell=True, check=True), lambda: roots, lambda: roots[:1])


def _check(target: str, table: str, source: str) -> None:
    """The same rows on both sides; a fast wrong answer is no result."""
    sums = "select count(*), sum(id), sum(station), min(ts), max(ts), round(sum(pm25)::numeric, 2), min(district) from "
    found = []
    for url, name in ((source, "obs"), (target, table)):
        with psycopg.connect(url) as connection:
            found.append(connection.execute((sums + name).encode()).fetchone())
    assert found[0] == found[1], found
