"""A long read: a PostgreSQL table into a folder of Parquet files; beside the server's own COPY to nowhere.

``PG_PARQUET_ROWS`` scales it (100 million unless set). It is read in parts by its primary key, each of which is kept
when the work breaks off. After the pairs one more run is killed PG_PARQUET_KILLS times: every row must be there once.
"""

from __future__ import annotations

import os
import shutil
import time

import duckdb
import psycopg

from node_catalog.sdk.manifest import read_manifest
from tests.bench.copying import document, lines, millions, pairs
from tests.bench.data import fill_postgres
from tests.bench.measure import Comparison, Cost, measure
from tests.bench.ours import Ours
from tests.bench.ours import ours as our_studio
from tests.bench.recovery import kill_child
from tests.services import postgres_server

ROWS = int(os.environ.get("PG_PARQUET_ROWS", "100000000"))
PAIRS = int(os.environ.get("PG_PARQUET_PAIRS", "3"))
KILLS = int(os.environ.get("PG_PARQUET_KILLS", "3"))
WORK = f"pg to parquet {millions(ROWS)}"
MOST_MIB = 200e6 / 2**20


def run() -> list[Comparison]:
    """Wall, CPU and memory, and that kills cost time only."""
    server = postgres_server()
    source = server.create_database("pg_parquet")
    fill_postgres(source, ROWS, key="id")
    assert server.process is not None
    servers = [server.process.pid]

    def limit() -> Cost:
        def work() -> None:
            with psycopg.connect(source, autocommit=True) as connection:
                connection.execute("copy obs to '/dev/null' (format binary)")

        return measure(work, lambda: servers, lambda: servers)

    with our_studio(STATEMENT_SECONDS="3600") as studio:
        node = studio.add_node("postgresql", "PG Parquet", server.settings("pg_parquet"))
        there = studio.add_node("files", "PG Parquet lake", {"folder": str(studio.folder)})
        place = {"node": there, "path": ["obs"]}
        flow = studio.add_flow("PG Parquet", document("PG Parquet", studio.dataset(node, "obs"), place))

        def own() -> Cost:
            shutil.rmtree(studio.folder / "obs", ignore_errors=True)
            found = measure(lambda: studio.run(flow), lambda: [studio.pid, *servers], lambda: [studio.pid])
            _check(studio)
            return found

        found = lines(WORK, *pairs(WORK, PAIRS, limit, own), "COPY to /dev/null", 1.3, MOST_MIB)
        if KILLS:
            _survive(studio, flow, seconds=found[0].ours)
        return found


def _survive(studio: Ours, flow: str, seconds: float) -> None:
    """Kill the process at work again and again, evenly over the ``seconds`` that an undisturbed run takes."""
    shutil.rmtree(studio.folder / "obs", ignore_errors=True)
    started = time.perf_counter()
    run = studio.post(f"flows/{flow}/runs")
    for _ in range(KILLS):
        time.sleep(seconds / (KILLS + 1))
        kill_child(studio.pid)
    done = studio.await_run(dict(run))
    assert done["state"] == "done", done["error"]
    _check(studio)
    print(f"{WORK}: {KILLS} kills, {time.perf_counter() - started:.1f} s, every row once", flush=True)


def _check(studio: Ours) -> None:
    """Every id is there once, and only in files that the manifest names."""
    folder = studio.folder / "obs"
    manifest = read_manifest(folder)
    assert manifest is not None
    files = [str(folder / part.name) for part in manifest.parts]
    with duckdb.connect() as connection:
        seen = connection.execute(
            "select count(*), min(id), max(id), sum(id::hugeint) from read_parquet(?)", [files]
        ).fetchone()
    assert seen == (ROWS, 0, ROWS - 1, ROWS * (ROWS - 1) // 2), seen
