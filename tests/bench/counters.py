"""What counts cost: the same stage with all counters and with none, in interleaved pairs, CPU of the process.

A Parquet file (COUNTERS_ROWS rows, 20 million unless set) is filtered, grouped and kept: as a stream, whose rows are
counted while they are read, and as the engine scans it, where they are counted at the end. The product scans it.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

import duckdb

from flows.graph.plan import Binding, Probe, Sink, Stage
from node_catalog.sdk.ports import Schema
from node_catalog.sdk.registry import load_registry
from runtime.engine import scans
from runtime.engine.events import Reporter
from runtime.engine.stage import run_stage
from runtime.engine.streams import Flow
from runtime.engine.work import DeliverySpec, Limits, Report, SinkSpec, SourceSpec, StageOutcome, StageWork
from tests.bench.measure import Comparison

ROWS = int(os.environ.get("COUNTERS_ROWS", "20000000"))
WORK = f"counters, {ROWS // 1_000_000} M rows"
PAIRS = int(os.environ.get("COUNTERS_PAIRS", "7"))
READ = Schema.of([("station", "integer"), ("pm25", "number"), ("pm10", "number")])
DONE = Schema.of([("station", "integer"), ("n", "integer"), ("mean", "number")])
TEXT = 'select "station", count(*) as "n", avg("pm10") as "mean" from "obs" where "pm25" > 35 group by "station"'


def write_rows(file: Path) -> None:
    """Observations as the design's D1 has them, in one Parquet file."""
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select i as id, (1 + (i * 7919) % 300)::bigint as station, -ln(1 - random()) * 35 as pm25,"
            f" 200 * random() as pm10 from range({ROWS}) numbers(i)) to '{file}' (format parquet)"
        )


def work_of(folder: Path) -> StageWork:
    """Read, filter and group, kept as a result."""
    text = 'SELECT "station", "pm25", "pm10" FROM "src"'
    read = Binding(
        alias="obs", kind="dataset", schema=READ, step="read", counts_step="read", columns=READ.names, text=text
    )
    stage = Stage(
        key="stage1", steps=("read", "some", "sum", "out"), bindings=(read,), text=TEXT, schema=DONE,
        sink=Sink(kind="result", step="out", schema=DONE),
        probes=(Probe("some", ("FILTER",)), Probe("sum", ("HASH_GROUP_BY", "PERFECT_HASH_GROUP_BY"))),
    )  # fmt: skip
    source = SourceSpec(
        alias="obs", connector="files", settings={"folder": str(folder)}, path=("obs.parquet",), schema=READ
    )
    delivery = DeliverySpec(sink="out", run="run", task="task")
    sink = SinkSpec(kind="result", path=str(folder / "out" / "out.parquet"), delivery=delivery)
    limits = Limits(temp_folder=str(folder / "spill"), file_roots=(str(folder),))
    return StageWork(stage=stage, sources=(source,), sink=sink, limits=limits)


class Silent(Reporter):
    """Counts nothing and tells nothing."""

    def count(self, step: str, rows: int, size: int = 0, seconds: float = 0.0) -> None: ...
    def read(self, step: str, rows: int, size: int, seconds: float) -> None: ...
    def spend(self, step: str, seconds: float) -> None: ...
    def _run(self) -> None: ...
    def _flush(self) -> None: ...


def unseen(flow: Flow, batches: Iterator[object], *_: object) -> Iterator[object]:
    """A stream without an account."""
    yield from batches
    flow.is_exhausted = True


def without_counters(once: Callable[[], StageOutcome]) -> StageOutcome:
    with patch("runtime.engine.stage.Reporter", Silent), patch.object(Flow, "count", unseen):
        return once()


def streamed(once: Callable[[], StageOutcome]) -> StageOutcome:
    """The rows pass as batches, as those of servers and small files do."""
    with patch.object(scans, "LEAST_SCANNED", ROWS + 1):
        return once()


def run() -> list[Comparison]:
    """CPU with counters beside CPU without, and the price of a stream beside a scan."""
    registry = load_registry()
    said: list[Report] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cg-counters-")))
        (folder / "out").mkdir()
        write_rows(folder / "obs.parquet")
        work = work_of(folder)

        def once() -> StageOutcome:
            return run_stage(work, said.append, registry)

        variants: dict[str, Callable[[], StageOutcome]] = {
            "streamed": lambda: streamed(once),
            "streamed, without": lambda: streamed(lambda: without_counters(once)),
            "scanned": once,
            "scanned, without": lambda: without_counters(once),
        }
        for variant in variants.values():
            variant()
        spent: dict[str, list[float]] = {name: [] for name in variants}
        for _ in range(PAIRS):
            for name, variant in variants.items():
                said.clear()
                before = time.process_time()
                outcome = variant()
                spent[name].append(time.process_time() - before)
                check(name, outcome, said)
    middle = {name: statistics.median(times) for name, times in spent.items()}
    lines = [("streamed", "streamed, without"), ("scanned", "scanned, without"), ("streamed", "scanned")]
    return [
        Comparison(WORK, f"CPU, {ours}", middle[ours], middle[peer], peer, 1.05, "at_most", runs=spent)
        for ours, peer in lines
    ]


def check(name: str, outcome: StageOutcome, said: list[Report]) -> None:
    """Counts are right, and something was seen while the stage worked."""
    if name.endswith("without"):
        return
    assert outcome.counts["read"] == ROWS
    assert outcome.counted["read"] == ("live" if name == "streamed" else "at_end")
    seen = sum(bool(0 < one.counts.get("read", 0) < ROWS or one.shares) for one in said)
    assert seen > 0, "nothing was seen while the stage worked"
