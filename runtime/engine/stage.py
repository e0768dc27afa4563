"""One stage of a run: sources → SQL → sink, with live counts at both ends. In the process it is called in."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from itertools import takewhile
from typing import Any

import msgspec
import pyarrow as pa

from flows.graph.plan import HERE, Binding, Probe
from flows.graph.relation_text import with_relation
from node_catalog.sdk.access import Given, Remote, Span
from node_catalog.sdk.contract import Committed
from node_catalog.sdk.failpoint import failpoint
from node_catalog.sdk.kept import Kept
from node_catalog.sdk.ports import Schema
from node_catalog.sdk.registry import Registry, load_registry
from node_catalog.sdk.schema import parse
from runtime.engine.cancel import Cancel
from runtime.engine.duck import Connection, open_main
from runtime.engine.errors import CheckFailedError
from runtime.engine.events import Reporter
from runtime.engine.light_texts import is_handed_on
from runtime.engine.limits import resident_bytes
from runtime.engine.on_cluster import rows_of_cluster
from runtime.engine.plain import columns_of, rows_of
from runtime.engine.profile_counts import inner_counts, inner_seconds, scanned_rows
from runtime.engine.returned import ReturnSink
from runtime.engine.scans import Scan, certain_probes, is_scanned
from runtime.engine.shipping import Sent, prepared
from runtime.engine.sinks import FileSink, NodeSink, Sink, SplitSink, settle, take
from runtime.engine.sources import Reach, given_values, open_binding, reach, relations, scan_of
from runtime.engine.spans import spans_of
from runtime.engine.spool import read_first, read_whole
from runtime.engine.statistics import Statistics, describe
from runtime.engine.streams import Flow, ahead, cast, rechunk, straight
from runtime.engine.widen import WideSink, is_open, widened
from runtime.engine.work import Counted, Report, Sealed, SourceSpec, StageOutcome, StageWork, source_alias

LIGHT_ROWS = 50_000
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
    with Reporter(report) as reporter:
        ready = prepared(work, types, stop, reporter)
        work = ready.work
        run = _StageRun(work, types, stop, reporter, ready.sent)
        done, sample = run.collect() if work.sink.kind == "collect" else (run.deliver(), None)
        reporter.phase("done")
    return StageOutcome(
        rows=done.rows,
        size_bytes=done.size_bytes,
        counts=run.counts,
        counted=run.counted(),
        inexact=run.inexact(),
        sizes=reporter.sizes,
        step_seconds=run.step_seconds | reporter.seconds,
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
        table=run.table,
    )


class _StageRun:
    """What one execution of a stage knows while it goes on."""

    def __init__(self, work: StageWork, registry: Registry, cancel: Cancel, reporter: Reporter, sent: Sent) -> None:
        self._sent = sent
        self._work = work
        self._stage = work.stage
        self._registry = registry
        self._cancel = cancel
        self._reporter = reporter
        self._flows: list[Flow] = []
        self._at_end: dict[str, int] = {}
        self._probes: Sequence[Probe] = work.stage.probes
        self._scanned_step = ""
        """The step whose rows the only scan gives."""
        self._is_light = False
        """So few rows that more than one thread costs more than it brings."""
        self.counts: dict[str, int] = {}
        self.step_seconds: dict[str, float] = {}
        """Of steps inside of the engine; the others' are the reporter's."""
        self.is_adopted = False
        self.delivery_label = ""
        self.verdict: dict[str, Any] = {}
        self.table = b""
        self.columns: Schema | None = None
        """What came out, when the data decided the columns."""

    def deliver(self) -> Committed:
        """Write all rows to the sink and commit them."""
        sink: Sink
        if self._work.sink.kind == "write":
            sink = node = NodeSink(self._work, self._registry, self._cancel)
            self.delivery_label = node.label
            earlier = node.committed()
            if earlier is not None:
                self.is_adopted = True
                return earlier
            try:
                node.open()
            except BaseException:
                node.abort()
                raise
        else:
            sink = self._file_sink()
        try:
            if not (isinstance(sink, NodeSink) and self._is_filled_there(sink)):
                self._run(lambda batches: self._fill(sink, batches), sink if isinstance(sink, NodeSink) else None)
            self._cancel.check()
            if isinstance(sink, SplitSink):
                self._judge(sink.facts)
            self._reporter.phase("committing")
            with self._spent_by_sink():
                done = settle(sink)
            self.columns = sink.schema if isinstance(sink, WideSink) else None
            self.table = sink.table if isinstance(sink, ReturnSink) else b""
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

        self._run(read)
        seen = found[0]
        return Committed(seen.rows, 0), _sample(seen, wants_statistics=wants_statistics)

    def counted(self) -> dict[str, Counted]:
        """How each step of the stage was counted."""
        pushed = {step for binding in self._stage.bindings for step in (*binding.pushed, *binding.thinned)}
        return {step: self._how(step, pushed) for step in self._stage.steps}

    def inexact(self) -> tuple[str, ...]:
        """Steps whose count is of what was read before a limit downstream was full."""
        cut = {flow.step for flow in self._flows if flow.step and not flow.is_exhausted}
        return tuple(step for step in self._stage.steps if step in cut and step in self.counts)

    def _how(self, step: str, pushed: set[str]) -> Counted:
        if step in self._at_end:
            return "at_end"
        if step in self.counts:
            return "live"
        return "pushed" if step in pushed else "unknown"

    def _run(self, consume: Callable[[Iterator[pa.RecordBatch]], None], node: NodeSink | None = None) -> None:
        """Open the sources, run the text, hand its rows to ``consume``, and read the inner counts afterwards.

        A sample keeps its sources' order, so that the same preview shows the same rows.
        """
        limits, stage = self._work.limits, self._stage
        ordered = stage.ordered or self._work.sink.kind == "collect"
        specs = {spec.alias: spec for spec in self._work.sources}
        aliases = tuple(binding.alias for binding in stage.bindings)
        self._reporter.phase("reading")
        reached = {
            alias: reach(spec, limits, self._registry)
            for alias, spec in specs.items()
            if spec.kind == "dataset" and alias not in self._sent
        }
        if stage.engine != HERE:
            self._run_on_cluster(specs, reached, consume)
            return
        scans = self._scans(specs, reached)
        if not scans and self._work.sink.kind != "collect" and is_handed_on(stage):
            spans = spans_of(self._work, reached, node)
            if node is not None and spans is not None:
                self._hand_on_spans(spans, specs[stage.bindings[0].alias], consume, node)
            else:
                self._hand_on(specs, reached, consume)
            self._raise_failures()
            failpoint("engine.rows_read")
            self._take_counts(inner_counts({}, {}, self._probes, self._reporter.counts))
            return
        if self._is_light:
            limits = msgspec.structs.replace(limits, threads=1)
        with ExitStack() as stack:
            main = stack.enter_context(
                open_main(
                    limits,
                    self._cancel,
                    ordered=ordered,
                    where=stage.sink.step or stage.key,
                    scans=tuple(scans.values()),
                    extensions=stage.extensions,
                )
            )
            streamed = [binding for binding in stage.bindings if binding.alias not in scans]
            first = read_first(streamed, specs)
            for binding in sorted(streamed, key=lambda one: one.alias not in first):
                opened = self._open(binding, specs, reached)
                if binding.alias in first:
                    opened = read_whole(opened, limits.temp_folder, binding.alias)
                reader, flow = stack.enter_context(opened)
                main.register(binding.alias, reader, flow)
            failpoint("engine.sources_open")
            watched = [binding.step for binding in stage.bindings if binding.alias in scans and binding.step]
            with (
                self._reporter.watch(watched, main.share),
                main.run(stage.text, aliases, limits.batch_rows) as rows,
                closing(self._sink_rows(rows)) as outgoing,
            ):
                consume(outgoing)
            self._raise_failures()
            failpoint("engine.rows_read")
            self._count_inner(main, aliases)

    def _run_on_cluster(
        self,
        specs: Mapping[str, SourceSpec],
        reached: Mapping[str, Reach],
        consume: Callable[[Iterator[pa.RecordBatch]], None],
    ) -> None:
        """The same with the text run by the cluster."""
        rows_there = rows_of_cluster(self._work, self._cancel, lambda binding: self._open(binding, specs, reached))
        with rows_there as rows, closing(self._sink_rows(rows)) as outgoing:
            consume(outgoing)
        failpoint("engine.rows_read")
        self._take_counts(inner_counts({}, {}, self._probes, self._reporter.counts))

    def _is_filled_there(self, sink: NodeSink) -> bool:
        """Let the target's server make the rows when they come from its own tables alone, and the engine would only
        hand them on: then they never leave it.
        """
        stage, alias = self._stage, self._stage.bindings[0].alias
        own = {spec.alias: spec for spec in self._work.sources if spec.alias not in self._sent}
        if not is_handed_on(stage) or not all(map(sink.is_same_node, own.values())):
            return False
        self._reporter.phase("reading")
        # Every column is compared: what is stored must be what a reader would have got.
        specs = {name: msgspec.structs.replace(spec, compared=spec.schema.names) for name, spec in own.items()}
        reached = {name: reach(spec, self._work.limits, self._registry) for name, spec in specs.items()}
        access, binding = reached[alias].access, stage.bindings[0]
        if not isinstance(access, Remote):
            return False
        others = self._others(binding, reached)
        self._reporter.phase("writing")
        with self._spent_by_sink():
            select = with_relation(binding.text, access.dialect, relations(access, others))
            rows = sink.fill(select, given_values(others))
        for step in {binding.counts_step, stage.sink.step} - {""}:
            self._reporter.count(step, rows)
        failpoint("engine.rows_read")
        self._take_counts(inner_counts({}, {}, self._probes, self._reporter.counts))
        return True

    def _hand_on(
        self,
        specs: Mapping[str, SourceSpec],
        reached: Mapping[str, Reach],
        consume: Callable[[Iterator[pa.RecordBatch]], None],
    ) -> None:
        """The rows of the only source, without a detour through the engine."""
        with self._open(self._stage.bindings[0], specs, reached) as (rows, _):
            failpoint("engine.sources_open")
            with closing(self._sink_rows(rows)) as outgoing:
                consume(outgoing)

    def _hand_on_spans(
        self,
        spans: Sequence[Span],
        spec: SourceSpec,
        consume: Callable[[Iterator[pa.RecordBatch]], None],
        node: NodeSink,
    ) -> None:
        """The same, a span of the source after the other; what a finished one has brought is never read again.

        The source is read on while a span is sealed.
        """
        before = node.sealed_before()
        earlier = sum(one.part.rows for one in before if one.part is not None)
        for step in {self._stage.bindings[0].counts_step, self._stage.sink.step} - {""}:
            self._reporter.count(step, earlier)
        with (
            closing(self._span_rows(spans, spec)) as rows,
            closing(ahead(rows, self._stop_sources)) as pulled,
        ):
            for span in spans:
                consume(self._counted(takewhile(lambda one: not isinstance(one, Span), pulled)))
                if span.high is not None:
                    part = node.seal()
                    failpoint("engine.sealed")
                    self._reporter.part(Sealed(high=span.high, part=part, is_first=span is spans[0] and not before))

    def _span_rows(self, spans: Sequence[Span], spec: SourceSpec) -> Generator[pa.RecordBatch | Span]:
        """The rows of all spans over the same connections, and behind those of each the span itself."""
        with Kept() as kept:
            for span in spans:
                reached = {spec.alias: reach(spec, self._work.limits, self._registry, kept, span)}
                with self._open(self._stage.bindings[0], {spec.alias: spec}, reached) as (rows, _):
                    failpoint("engine.sources_open")
                    yield from rows
                yield span

    @contextmanager
    def _open(
        self, binding: Binding, specs: Mapping[str, SourceSpec], reached: Mapping[str, Reach]
    ) -> Iterator[tuple[pa.RecordBatchReader, Flow]]:
        alias = binding.alias
        with open_binding(
            binding,
            specs[alias],
            self._work.limits,
            self._registry,
            self._cancel,
            self._reporter,
            reached.get(alias),
            self._others(binding, reached),
        ) as (reader, flow):
            self._flows.append(flow)
            yield reader, flow

    def _others(self, binding: Binding, reached: Mapping[str, Reach]) -> dict[str, Reach | Given]:
        """How the further datasets in a binding's text are reached, or sent along with it."""
        aliases = {read.name: source_alias(binding, read) for read in binding.sources[1:]}
        return {name: self._sent.get(alias) or reached[alias] for name, alias in aliases.items()}

    def _scans(self, specs: Mapping[str, SourceSpec], reached: Mapping[str, Reach]) -> dict[str, Scan]:
        """The bindings that the main connection scans itself, by alias; see ``is_scanned``."""
        bindings = self._stage.bindings
        if self._work.sink.kind == "collect":
            return {}
        found = {b.alias: scan_of(b, specs[b.alias], reached.get(b.alias)) for b in bindings}
        scans = {alias: scan for alias, scan in found.items() if scan is not None}
        if not is_scanned(bindings, scans):
            rows = scans[bindings[0].alias].attach.rows if len(bindings) == len(scans) == 1 else None
            self._is_light = rows is not None and rows < LIGHT_ROWS
            return {}
        if len(bindings) == 1:
            self._scanned_step = bindings[0].counts_step
        for binding in bindings:
            is_known = binding.alias in scans and scans[binding.alias].rows is not None
            if binding.kind == "dataset" and binding.counts_step and is_known:
                self._at_end[binding.counts_step] = scans[binding.alias].rows or 0
        self._probes = certain_probes(self._stage.probes, scans.values())
        return scans

    def _sink_rows(self, rows: Iterable[pa.RecordBatch]) -> Generator[pa.RecordBatch]:
        """The stage's rows, cast to its schema and counted for the sink's step, read ahead of who takes them.

        Those that stay in memory, or are few, need no thread beside that which makes them.
        """
        pull = straight if self._is_light or self._work.sink.kind == "return" else ahead
        with closing(pull(rows, self._stop_sources)) as pulled:
            yield from self._counted(pulled)

    def _counted(self, rows: Iterable[pa.RecordBatch]) -> Generator[pa.RecordBatch]:
        step = self._stage.sink.step
        for batch in rechunk(cast(rows, self._stage.schema, step), self._work.limits.batch_rows):
            self._cancel.check()
            self._reporter.phase("writing")
            if not self._is_counted_elsewhere():
                self._reporter.count(step, batch.num_rows, batch.nbytes)
            yield batch
        if not self._is_counted_elsewhere():
            self._reporter.count(step, 0)

    def _is_counted_elsewhere(self) -> bool:
        """Whether the sink's step has no rows of its own, or an open source counts them for it."""
        step = self._stage.sink.step
        return not step or bool(self._stage.outlets) or any(flow.step == step for flow in self._flows)

    @contextmanager
    def _spent_by_sink(self) -> Iterator[None]:
        """The time in here is the last step's: its rows are being written."""
        started = time.perf_counter()
        yield
        if self._stage.sink.step:
            self._reporter.spend(self._stage.sink.step, time.perf_counter() - started)

    def _stop_sources(self) -> None:
        """Nobody wants more rows: end the streams, and interrupt whatever computes their next batch."""
        for flow in self._flows:
            flow.is_stopped = True
        self._cancel.interrupt()

    def _fill(self, sink: Sink, batches: Iterator[pa.RecordBatch]) -> None:
        for batch in batches:
            with self._spent_by_sink():
                take(sink, batch)

    def _raise_failures(self) -> None:
        """An error in a stream that the engine had no need to read to its end is an error all the same."""
        for flow in self._flows:
            if flow.failure is not None:
                raise flow.failure

    def _count_inner(self, main: Connection, aliases: tuple[str, ...]) -> None:
        live: Mapping[str, int] = self._reporter.counts
        operators = main.operators()
        tree = main.check(self._stage.text, aliases)
        if self._scanned_step and self._scanned_step not in self._at_end:
            rows = scanned_rows(operators, tree)
            if rows is not None:
                self._at_end[self._scanned_step] = rows
        self._take_counts(inner_counts(operators, tree, self._probes, {**live, **self._at_end}))
        self.step_seconds = inner_seconds(operators, tree, self._probes)

    def _take_counts(self, at_end: Mapping[str, int]) -> None:
        self._at_end |= at_end
        self.counts = {**self._reporter.counts, **self._at_end}
        for step, rows in self._at_end.items():
            self._reporter.count(step, rows)


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
