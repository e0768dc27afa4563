"""D1 over Parquet: filter, join with 300 stations, group by district and hour; beside the engine's bare scan.

``PARQUET_ROWS`` scales it (100 million unless set). The bare scan reads the same five columns in DuckDB with the same
two threads and adds them up. Ours is a run through the studio whose engine may use 512 MiB; its rows are a result.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import duckdb

from tests.bench.copying import lines, millions, pairs
from tests.bench.d1 import document as d1_document
from tests.bench.data import DISTRICTS, stations
from tests.bench.measure import Comparison, Cost, measure
from tests.bench.ours import ours as our_studio

ROWS = int(os.environ.get("PARQUET_ROWS", "100000000"))
PAIRS = int(os.environ.get("PARQUET_PAIRS", "5"))
WORK = f"parquet d1 {millions(ROWS)}"
LIMIT_MB, MOST_MIB = 512, 256
SCAN = "select sum(station), max(ts), sum(pm25), sum(pm10), sum(so2) from read_parquet({})"
ANSWER = """
select s.district, date_trunc('hour', o.ts) as hour, count(*) as hours, avg(o.pm25), avg(o.pm10), avg(o.so2)
from {} o join station s on o.station = s.id where o.pm25 > 35 group by all
"""


def document(observations: str, small: str) -> dict[str, Any]:
    """The flow of D1, ending in a result."""
    made = d1_document(observations, small, "")
    made["steps"]["out"] = {"type": "output", "version": 1, "settings": {"name": "hourly"}}
    return made


def fill(folder: Path, rows: int, most: int = 10_000_000) -> str:
    """The observations in files of at most ``most`` rows, and the stations."""
    (folder / "obs").mkdir()
    names = ", ".join(f"'{name}'" for name in DISTRICTS)
    with duckdb.connect() as connection:
        connection.execute("select setseed(0.42)")
        for at in range(0, rows, most):
            connection.execute(
                f"copy (select i as id, (1 + (i * 7919) % 300)::integer as station,"
                f" timestamp '2025-01-01' + to_microseconds((i * 315360000.0 / {rows} * 100000)::bigint) as ts,"
                f" round(-ln(1 - random()) * 35, 2) as pm25, round(200 * random(), 1) as pm10,"
                f" round(40 * random(), 1) as so2, ([{names}])[1 + (1 + (i * 7919) % 300) % 10] as district"
                f" from range({at}, {min(at + most, rows)}) t(i))"
                f" to '{folder}/obs/{at // most:03}.parquet' (format parquet)"
            )
        connection.execute("create table station (id integer, name text, district text, lon double, lat double)")
        connection.executemany("insert into station values (?, ?, ?, ?, ?)", stations())
        connection.execute(f"copy station to '{folder}/station.parquet' (format parquet)")
    return f"'{folder}/obs/*.parquet'"


def run() -> list[Comparison]:
    """Wall, CPU and memory."""
    with our_studio(CHILD_MEMORY_MB=str(LIMIT_MB)) as studio, tempfile.TemporaryDirectory() as spill:
        files = fill(studio.folder, ROWS)
        nodes = [
            studio.add_node("files", pattern, {"folder": str(studio.folder), "patterns": [pattern]})
            for pattern in ("obs/*.parquet", "station.parquet")
        ]
        flow = studio.add_flow("Parquet D1", document(*(studio.dataset(node, "") for node in nodes)))
        own_roots, limit_roots = [studio.pid], [os.getpid()]
        config: Any = {"threads": 2, "memory_limit": f"{LIMIT_MB}MiB", "temp_directory": spill}

        def scan() -> None:
            with duckdb.connect(config=config) as connection:
                connection.execute(SCAN.format(files)).fetchall()

        def limit() -> Cost:
            return measure(scan, lambda: limit_roots, lambda: limit_roots)

        def own() -> Cost:
            return measure(lambda: runs.append(studio.run(flow)), lambda: own_roots, lambda: own_roots)

        runs: list[dict[str, Any]] = []
        found = lines(WORK, *pairs(WORK, PAIRS, limit, own), "bare scan", 2.0, MOST_MIB)
        with duckdb.connect() as connection:
            connection.execute(f"create table station as from '{studio.folder}/station.parquet'")
            groups = connection.execute(f"select count(*), sum(hours) from ({ANSWER.format(files)})").fetchone()
        rows = studio.rows(runs[-1], "hourly") if groups and groups[0] <= 100_000 else []
        assert not rows or (len(rows), sum(row[2] for row in rows)) == groups, "wrong answer"
        return found
