"""The 22 TPC-H flows over tables in a real PostgreSQL give the published answers; what pays is done in the server.

The planner is told what the catalogue tells it of profiled tables: row counts, distinct values, keys.
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

import duckdb
import psycopg
import pyarrow.parquet as pq
import pytest

from flows.graph.plan import Binding, Plan
from node_catalog.sdk.contract import ConnectContext
from runtime.engine.work import Limits
from security.outgoing import OutgoingGuard
from tests.bench.tpch.data import NUMBERS, TABLES, Known, Tables, answers, different, run_works, with_generator
from tests.services import PostgresServer

SCALE = float(os.environ.get("TPCH_SCALE", "0.01"))
LOOPBACK = ("127.0.0.0/8", "::1/128")
KEYS = {
    "customer": ("c_custkey",), "lineitem": ("l_orderkey", "l_linenumber"), "nation": ("n_nationkey",),
    "orders": ("o_orderkey",), "part": ("p_partkey",), "partsupp": ("ps_partkey", "ps_suppkey"),
    "region": ("r_regionkey",), "supplier": ("s_suppkey",),
}  # fmt: skip
"""The primary keys that the benchmark's text names."""

pytestmark = pytest.mark.services


def fill(source: duckdb.DuckDBPyConnection, target: psycopg.Connection, name: str) -> Known:
    """The table with its key, analysed; what a profile would count of it."""
    columns = [
        (column, kind.replace("VARCHAR", "TEXT")) for column, kind, *_ in source.sql(f"describe {name}").fetchall()
    ]
    defined = ", ".join(f"{column} {kind} not null" for column, kind in columns)
    target.execute(f"create table {name} ({defined}, primary key ({', '.join(KEYS[name])}))".encode())
    with target.cursor().copy(f"copy {name} from stdin".encode()) as copy:
        rows = source.execute(f"select * from {name}")
        while part := rows.fetchmany(10_000):
            for row in part:
                copy.write_row(row)
    target.execute(f"analyze {name}".encode())
    counts = ", ".join(f"count(distinct {column})" for column, _ in columns)
    counted = source.sql(f"select {counts} from {name}").fetchone() or ()
    distinct = {column: float(count) for (column, _), count in zip(columns, counted, strict=True)}
    return Known(distinct, KEYS[name] if len(KEYS[name]) == 1 else ())


@pytest.fixture(scope="module")
def tables(postgres_server: PostgresServer) -> Tables:
    url = postgres_server.create_database("tpch")
    source = with_generator()
    source.execute(f"call dbgen(sf = {SCALE})")
    with psycopg.connect(url) as target:
        known = {name: fill(source, target, name) for name in TABLES}
    source.close()
    parts = urlsplit(url)
    settings = {
        "host": parts.hostname, "port": parts.port, "user": parts.username, "password": parts.password,
        "database": parts.path[1:], "sslmode": "disable",
    }  # fmt: skip
    return Tables("postgresql", settings, ConnectContext(guard=OutgoingGuard(LOOPBACK)), known)


@pytest.mark.parametrize("number", NUMBERS)
def test_the_flow_gives_the_published_answer(tables: Tables, tmp_path: Path, number: int) -> None:
    limits = Limits(memory_mb=512, threads=2, temp_folder=str(tmp_path / "spill"), allowed_networks=LOOPBACK)
    works = tables.works(tables.plan(number), tmp_path, limits)
    run_works(works)
    assert different(pq.read_table(works[-1].sink.path), answers(SCALE)[number]) == ""


def test_the_server_does_what_pays(tables: Tables) -> None:
    plans = [tables.plan(number) for number in NUMBERS]
    filtered = sum(any(len(one.pushed) > 1 for one in bindings(plan)) for plan in plans)
    joined = sum(any(len(one.sources) > 1 for one in bindings(plan)) for plan in plans)
    grouped = sum(any("GROUP BY" in one.text for one in bindings(plan)) for plan in plans)
    # Sums of decimals and computed columns stay in the engine, which says so in the plan: servers round differently.
    assert filtered >= 18 and joined >= 12 and grouped >= 1, (filtered, joined, grouped)


def bindings(plan: Plan) -> list[Binding]:
    return [binding for stage in plan.stages for binding in stage.bindings]
