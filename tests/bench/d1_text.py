"""D1's text as the planner makes it beside DuckDB's SQL as a person would write it, in one process with two threads.

*text*: both over the same tables of one open connection. *whole*: the flow's stage beside the query, both over the same
two Parquet files, with nothing open at the beginning; the stage also brings the columns to our types (no NaN) and
writes its rows. D1_TEXT_ROWS is 10 million unless set.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from flows.graph.load import read_document
from flows.graph.plan import Stage
from runtime.engine.work import Limits, StageWork
from tests.bench import parquet_d1
from tests.bench.copying import millions
from tests.bench.measure import Comparison, compared
from tests.bench.tpch.data import file_tables, registry, run_works

ROWS = int(os.environ.get("D1_TEXT_ROWS", "10000000"))
PAIRS = 5
GOAL = 1.15
THREADS, MEMORY_MB = 2, 1024


def works(folder: Path) -> list[StageWork]:
    """The flow's stages over the files in ``folder``."""
    loaded = read_document(parquet_d1.document("obs", "station"), registry())
    assert loaded.document is not None, loaded.findings
    limits = Limits(memory_mb=MEMORY_MB, threads=THREADS, temp_folder=f"{folder}/spill", file_roots=(str(folder),))
    tables = file_tables(folder)
    return tables.works(tables.plan_flow(loaded.document), folder, limits)


def by_hand(folder: Path) -> Any:
    """The same rows by DuckDB's own SQL."""
    config: Any = {"threads": THREADS, "memory_limit": f"{MEMORY_MB}MiB", "temp_directory": f"{folder}/peer"}
    with duckdb.connect(config=config) as connection:
        connection.execute(f"create view station as from '{folder}/station.parquet'")
        return connection.execute(parquet_d1.ANSWER.format(f"'{folder}/obs.parquet'")).to_arrow_table()


def run() -> list[Comparison]:
    """Wall and CPU of both."""
    with tempfile.TemporaryDirectory(prefix="cg-d1-text-") as name:
        folder = Path(name)
        parquet_d1.fill(folder, ROWS, most=ROWS)
        (folder / "obs" / "000.parquet").rename(folder / "obs.parquet")
        own = works(folder)
        found = _texts(folder, own[0].stage)
        found += _pairs("whole", lambda: run_works(own), lambda: by_hand(folder))
        groups, rows = by_hand(folder).num_rows, pq.read_metadata(own[-1].sink.path).num_rows
    assert groups == rows, f"{rows} groups instead of {groups}"
    return found


def _texts(folder: Path, stage: Stage) -> list[Comparison]:
    """Ours is what the planner makes: a text for each source, and the stage's over them."""
    with duckdb.connect(config={"threads": THREADS}) as connection:
        for table in ("obs", "station"):
            connection.execute(f"create table {table} as from '{folder}/{table}.parquet'")
        for binding in stage.bindings:
            connection.execute(f"create schema {binding.alias}_there")
            connection.execute(f"set schema = '{binding.alias}_there'")
            connection.execute(f"create view src as from main.{binding.dataset}")
            connection.execute(f"create view of_source as {binding.text}")
            connection.execute("set schema = 'main'")
            connection.execute(f"create view {binding.alias} as from {binding.alias}_there.of_source")
        by_hand = parquet_d1.ANSWER.format("obs")
        own, peer = (partial(_rows, connection, query) for query in (stage.text, by_hand))
        assert own().num_rows == peer().num_rows
        return _pairs("text", own, peer)


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> Any:
    return connection.execute(query).to_arrow_table()


def _pairs(name: str, own: Callable[[], Any], peer: Callable[[], Any]) -> list[Comparison]:
    """Interleaved, after one of each to warm what can be warmed."""
    walls: dict[str, list[float]] = {"ours": [], "peer": []}
    cpus: dict[str, list[float]] = {"ours": [], "peer": []}
    for pair in range(PAIRS + 1):
        for who, work in (("peer", peer), ("ours", own)):
            wall, cpu = time.perf_counter(), time.process_time()
            work()
            if pair:
                walls[who].append(time.perf_counter() - wall)
                cpus[who].append(time.process_time() - cpu)
    work = f"d1 {name}, {millions(ROWS)}"
    return [
        compared(work, figure, runs, "DuckDB's SQL by hand", GOAL) for figure, runs in (("wall", walls), ("cpu", cpus))
    ]
