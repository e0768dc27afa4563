"""One stage of a run: sources → SQL → sink, with live counts at both ends. In the process it is called in."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import pyarrow as pa

from node_catalog.sdk.contract import Committed
from node_catalog.sdk.kept import Kept
from node_catalog.sdk.ports import Schema
from node_catalog.sdk.registry import Registry, load_registry
from node_catalog.sdk.schema import parse
from runtime.engine.cancel import Cancel
from runtime.engine.errors import CheckFailedError
from runtime.engine.events import Reporter
from runtime.engine.limits import resident_bytes
from runtime.engine.plain import columns_of, rows_of
from runtime.engine.returned import ReturnSink
from runtime.engine.shipping import Sent, prepared
from runtime.engine.sinks import FileSink, NodeSink, Sink, SplitSink, settle, take
from runtime.engine.stage_rows import StageRows
from runtime.engine.statistics import Statistics, describe
from runtime.engine.widen import WideSink, is_open, widened
from runtime.engine.work import Report, StageOutcome, StageWork

SAMPLE_BYTES = 1024 * 1024
"""Most bytes of Arrow that a collected sample may have: it travels to a browser."""


def run_stage(
    work: StageWork,
    report: Callable[[Report], None],
    registry: Registry | None = None,
    cancel: Cancel | None = None,
) -> StageOutcome:
    """Run a stage to its end and deliver its rows, once.

    ``report`` is called from another thread, at most about four times a second. Raises EngineError or
    NodeTypeError; then nothing has become visible at the sink, except when a FencedError says that a newer attempt
    owns the delivery.
    """
    started = time.monotonic()
    types = registry or load_registry()
    stop = cancel or Cancel()
    is_ahead = not work.sink.is_synced
    with Reporter(report, is_brief=is_ahead) as reporter, Kept() as kept:
        ready = prepared(work, types, stop, reporter)
        work = ready.work
        run = _StageRun(work, types, stop, reporter, ready.sent, kept)
        done, sample = run.collect() if work.sink.kind == "collect" else (run.deliver(), None)
        reporter.phase("done")
    return StageOutcome(
        rows=done.rows,
        size_bytes=done.size_bytes,
        counts=run.counts.counts,
        counted=run.counts.counted(),
        inexact=run.counts.inexact(),
        sizes=reporter.sizes,
        step_seconds=run.counts.step_seconds | reporter.seconds,
        reference=done.reference,
        seconds=time.monotonic() - started,
        rows_sample=sample,
        adopted=run.is_adopted,
        attempt=done.attempt,
        delivery_label=run.delivery_label,
        bytes_read=reporter.bytes,
        memory_bytes=resident_bytes("VmHWM"),
        verdict=run.verdict,
        columns=run.columns,
        answer=run.answer,
    )


class _StageRun:
    """What one execution of a stage knows while it goes on."""

    def __init__(
        self, work: StageWork, registry: Registry, cancel: Cancel, reporter: Reporter, sent: Sent, kept: Kept
    ) -> None:
        self._work = work
        self._stage = work.stage
        self._registry = registry
        self._cancel = cancel
        self._reporter = reporter
        self._kept = kept
        self._rows = StageRows(work, registry, cancel, reporter, sent, kept)
        self.counts = self._rows.counts
        self.is_adopted = False
        self.delivery_label = ""
        self.verdict: dict[str, Any] = {}
        self.answer = b""
        self.columns: Schema | None = None
        """What came out, when the data decided the columns."""

    def deliver(self) -> Committed:
        """Write all rows to the sink and commit them."""
        sink: Sink
        if self._work.sink.kind == "write":
            sink = target = NodeSink(self._work, self._registry, self._cancel, self._kept)
            self.delivery_label = target.label
            with self._rows.reaching(target):
                earlier = target.committed()
                if earlier is not None:
                    self.is_adopted = True
                    return earlier
                try:
                    target.open()
                except BaseException:
                    target.abort()
                    raise
        else:
            sink = self._file_sink()
        try:
            node = sink if isinstance(sink, NodeSink) else None
            if node is None or not self._rows.fill_there(node, self._spent_by_sink):
                self._rows.hand_to(lambda batches: self._fill(sink, batches), node)
            self._cancel.check()
            if isinstance(sink, SplitSink):
                self._judge(sink.facts)
            self._reporter.phase("committing")
            with self._spent_by_sink():
                done = settle(sink)
            self.columns = sink.schema if isinstance(sink, WideSink) else None
            self.answer = sink.answer if isinstance(sink, ReturnSink) else b""
            return done
        except BaseException:
            sink.abort()
            raise

    def _file_sink(self) -> Sink:
        stage, spec = self._stage, self._work.sink
        if spec.kind == "return":
            return ReturnSink(self._work)
        if stage.outlets:
            return SplitSink(self._work, self._reporter)
        if spec.kind == "result" and is_open(stage.schema):
            attempt = spec.delivery.attempt if spec.delivery else 0
            return WideSink(spec.path, stage.schema, attempt, stage.sink.step)
        return FileSink(self._work)

    def _judge(self, facts: Mapping[str, Any]) -> None:
        """Let the step's type look at the facts; raises CheckFailedError when it says that the run must stop."""
        if self._stage.judge is None:
            return
        kind = self._registry.transforms[self._stage.judge.type]
        found = kind.judge(parse(kind.Settings, self._stage.judge.settings), facts)
        if found.failure is not None:
            raise CheckFailedError("check.failed", found.failure, self._stage.sink.step, report=dict(found.report))
        self.verdict = {"report": dict(found.report), "taken": None if found.taken is None else list(found.taken)}

    def collect(self) -> tuple[Committed, dict[str, Any]]:
        """The first rows and the statistics of all, for a preview or a sample."""
        limit, wants_statistics = self._work.sink.limit, self._work.sink.statistics
        found: list[Statistics] = []

        def read(batches: Iterator[pa.RecordBatch]) -> None:
            schema, limits = self._stage.schema, self._work.limits
            first = _first(batches, limit) if not wants_statistics else batches
            with ExitStack() as stack:
                if is_open(schema):
                    where = self._stage.sink.step
                    schema, first = stack.enter_context(widened(first, schema, limits.temp_folder, where))
                found.append(describe(first, schema, limits, self._cancel, first=limit))

        self._rows.hand_to(read)
        seen = found[0]
        return Committed(seen.rows, 0), _sample(seen, wants_statistics=wants_statistics)

    @contextmanager
    def _spent_by_sink(self) -> Iterator[None]:
        """The time in here is the last step's: its rows are being written."""
        started = time.perf_counter()
        yield
        if self._stage.sink.step:
            self._reporter.spend(self._stage.sink.step, time.perf_counter() - started)

    def _fill(self, sink: Sink, batches: Iterator[pa.RecordBatch]) -> None:
        for batch in batches:
            with self._spent_by_sink():
                take(sink, batch)


def _first(batches: Iterable[pa.RecordBatch], limit: int) -> Iterator[pa.RecordBatch]:
    left = limit
    for batch in batches:
        if left > 0:
            part = batch.slice(0, left)
            left -= part.num_rows
            yield part
        if left <= 0:
            return


def _sample(seen: Statistics, *, wants_statistics: bool) -> dict[str, Any]:
    table, is_cut = seen.beginning, False
    while table.num_rows > 1 and table.nbytes > SAMPLE_BYTES:
        table, is_cut = pa.concat_tables([table.slice(0, table.num_rows // 2)]).combine_chunks(), True
    return {
        "columns": columns_of(table.schema),
        "rows": rows_of(table),
        "statistics": seen.columns if wants_statistics else {},
        "rows_total_seen": seen.rows,
        "truncated": is_cut or seen.rows > table.num_rows,
    }
