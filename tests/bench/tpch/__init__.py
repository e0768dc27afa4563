"""TPC-H: each query drawn as a flow (no ``sql`` step) beside DuckDB's own SQL over the same Parquet files.

Both start with nothing open and end with the last row; same threads, same memory; pairs are interleaved. The flow's
plan is made before, as a saved version's is. Every answer must equal the published one. TPCH_SCALE is 1 (0.01, 0.1).
"""

from __future__ import annotations

import math
import os
import statistics
import tempfile
import time
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from runtime.engine.work import Limits
from tests.bench.measure import Comparison, compared
from tests.bench.tpch.data import (
    NUMBERS,
    TABLES,
    Tables,
    answers,
    different,
    file_tables,
    queries,
    run_works,
    write_tables,
)

SCALE = float(os.environ.get("TPCH_SCALE", "1"))
PAIRS = 5
GOAL = 1.15
THREADS, MEMORY_MB = 2, 4096
FOLDER = Path(__file__).parent.parent / "work" / f"tpch-{SCALE:g}"


def run_peer(number: int, spill: Path) -> float:
    """Seconds of DuckDB's own SQL, from connecting to the last row."""
    query = queries()[number]
    started = time.perf_counter()
    config = {"threads": THREADS, "memory_limit": f"{MEMORY_MB}MiB", "temp_directory": str(spill)}
    with duckdb.connect(config=config) as connection:
        for name in TABLES:
            connection.execute(f"create view {name} as from read_parquet('{FOLDER}/{name}.parquet')")
        connection.execute(query).to_arrow_table()
    return time.perf_counter() - started


def run_query(tables: Tables, number: int) -> tuple[list[float], list[float]]:
    """Seconds of our flow and of DuckDB's SQL, pair by pair, after one of each to warm the files."""
    own: list[float] = []
    peer: list[float] = []
    with tempfile.TemporaryDirectory(prefix="cg-tpch-") as name:
        folder = Path(name)
        limits = Limits(
            memory_mb=MEMORY_MB, threads=THREADS, temp_folder=str(folder / "spill"), file_roots=tables.roots
        )
        works = tables.works(tables.plan(number), folder, limits)
        for _ in range(PAIRS + 1):
            peer.append(run_peer(number, folder / "peer"))
            started = time.perf_counter()
            run_works(works)
            own.append(time.perf_counter() - started)
        wrong = different(pq.read_table(works[-1].sink.path), answers(SCALE)[number])
        assert not wrong, f"query {number}: {wrong}"
    return own[1:], peer[1:]


def run() -> list[Comparison]:
    """One line per query, and the geometric mean."""
    write_tables(FOLDER, SCALE)
    tables = file_tables(FOLDER)
    rows = []
    for number in NUMBERS:
        own, peer = run_query(tables, number)
        runs = {"ours": own, "peer": peer}
        rows.append(compared(f"tpch SF{SCALE:g}", f"q{number:02d} wall", runs, "DuckDB's own SQL", GOAL))
    mean = math.exp(statistics.fmean(math.log(row.ratio) for row in rows))
    rows.append(
        Comparison(f"tpch SF{SCALE:g}", "geometric mean", mean, 1.0, "DuckDB's own SQL", GOAL, "at_most", unit="")
    )
    return rows
