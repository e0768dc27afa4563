"""A stage's rows: its sources are opened, its text runs over them, and who takes the rows gets them counted.

Where the engine would only hand rows on, it is left out: the source's batches go to the target as they come, a long
read in parts that are kept, and rows of the target's own server never leave it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from functools import partial
from itertools import takewhile

import msgspec
import pyarrow as pa

from flows.graph.plan import HERE, Binding
from flows.graph.relation_text import with_relation
from node_catalog.sdk.access import Given, Remote, Span
from node_catalog.sdk.failpoint import failpoint
from node_catalog.sdk.geometry import has_geometry
from node_catalog.sdk.kept import Kept
from node_catalog.sdk.ports import to_arrow
from node_catalog.sdk.registry import Registry
from runtime.engine.cancel import Cancel
from runtime.engine.duck import open_main
from runtime.engine.events import Reporter
from runtime.engine.keeper import KEEPER
from runtime.engine.light_texts import is_handed_on
from runtime.engine.on_cluster import rows_of_cluster
from runtime.engine.scans import Scan, certain_probes, is_scanned
from runtime.engine.shipping import Sent
from runtime.engine.sinks import NodeSink
from runtime.engine.sources import Reach, given_values, open_binding, reach, relations, scan_of
from runtime.engine.spans import spans_of
from runtime.engine.spool import read_first, read_whole
from runtime.engine.stage_counts import StageCounts
from runtime.engine.streams import Flow, ahead, cast, raise_failures, rechunk, stop_all, straight
from runtime.engine.text_check import LONGEST
from runtime.engine.texts import SEEN
from runtime.engine.work import Sealed, SourceSpec, StageWork, source_alias

LIGHT_ROWS = 50_000

Consume = Callable[[Iterator[pa.RecordBatch]], None]
"""Takes the rows of a stage, or of a part of it."""


class StageRows:
    """The rows of one execution of a stage; ``counts`` says afterwards how many there were at each step."""

    def __init__(
        self, work: StageWork, registry: Registry, cancel: Cancel, reporter: Reporter, sent: Sent, kept: Kept
    ) -> None:
        self._work, self._stage, self._sent = work, work.stage, sent
        self._registry, self._cancel, self._reporter = registry, cancel, reporter
        self._kept = kept
        self._specs: Mapping[str, SourceSpec] = {spec.alias: spec for spec in work.sources}
        self._own = {spec.alias: spec for spec in work.sources if spec.kind == "dataset" and spec.alias not in sent}
        """What is read from nodes in here."""
        self._is_reaching: Future[dict[str, Reach]] | None = None
        self._reached: Mapping[str, Reach] = {}
        self._is_light = False
        """So few rows that more than one thread costs more than it brings."""
        self.counts = StageCounts(work.stage, reporter)

    @contextmanager
    def reaching(self, node: NodeSink) -> Iterator[None]:
        """Reach the sources while the target is made ready in here: each waits for a server most of the time."""
        if not self._own or self._may_be_filled_there(node):
            yield
            return
        with ThreadPoolExecutor(1, "reach") as beside:
            self._is_reaching = beside.submit(self._reach_all, gets_ready=True)
            yield

    def hand_to(self, consume: Consume, node: NodeSink | None = None) -> None:
        """Open the sources, run the text, hand its rows to ``consume``, and read the inner counts afterwards.

        ``node`` is the target when that is a node's. A sample keeps its sources' order, so that the same preview shows
        the same rows.
        """
        self._reporter.phase("reading")
        self._reached = self._is_reaching.result() if self._is_reaching else self._reach_all()
        failpoint("engine.sources_reached")
        if self._stage.engine != HERE:
            self._run_on_cluster(consume)
            return
        scans = self._scans()
        if scans or self._work.sink.kind == "collect" or not is_handed_on(self._stage):
            self._run(scans, consume)
            return
        spans = spans_of(self._work, self._reached, node)
        if node is not None and spans is not None:
            self._hand_on_spans(spans, consume, node)
        else:
            self._hand_on(consume)
        raise_failures(self.counts.flows)
        failpoint("engine.rows_read")
        self.counts.take()

    def fill_there(self, node: NodeSink, spent: Callable[[], AbstractContextManager[None]]) -> bool:
        """Let the target's server make the rows when they come from its own tables alone, and the engine would only
        hand them on: then they never leave it. ``spent`` measures the time of the target.
        """
        if not self._may_be_filled_there(node):
            return False
        stage, binding = self._stage, self._stage.bindings[0]
        self._reporter.phase("reading")
        # Every column is compared: what is stored must be what a reader would have got.
        specs = {name: msgspec.structs.replace(spec, compared=spec.schema.names) for name, spec in self._own.items()}
        self._reached = {name: self._reach(spec) for name, spec in specs.items()}
        access = self._reached[binding.alias].access
        if not isinstance(access, Remote):
            return False
        others = self._others(binding)
        self._reporter.phase("writing")
        with spent():
            select = with_relation(binding.text, access.dialect, relations(access, others))
            rows = node.fill(select, given_values(others))
        for step in {binding.counts_step, stage.sink.step} - {""}:
            self._reporter.count(step, rows)
        failpoint("engine.rows_read")
        self.counts.take()
        return True

    def _may_be_filled_there(self, node: NodeSink) -> bool:
        own = {name: spec for name, spec in self._specs.items() if name not in self._sent}
        return is_handed_on(self._stage) and all(map(node.is_same_node, own.values()))

    def _reach_all(self, *, gets_ready: bool = False) -> dict[str, Reach]:
        found = {alias: self._reach(spec) for alias, spec in self._own.items()}
        read_there = [found[one.alias] for one in self._stage.bindings if one.alias in found]
        for reached in read_there if gets_ready else ():
            if isinstance(reached.access, Remote):
                reached.connector.get_ready(reached.settings, reached.context)
        return found

    def _reach(self, spec: SourceSpec, span: Span | None = None) -> Reach:
        return reach(spec, self._work.limits, self._registry, self._kept, span)

    # ── Through the engine ────────────────────────────────────────────────────────────────────────────────

    def _run(self, scans: Mapping[str, Scan], consume: Consume) -> None:
        """Run the text over streams and scans."""
        limits, stage = self._work.limits, self._stage
        aliases = tuple(binding.alias for binding in stage.bindings)
        if self._is_light:
            limits = msgspec.structs.replace(limits, threads=1)
        is_profiled = bool(scans) or self.counts.asks_engine
        with ExitStack() as stack:
            opens = partial(
                open_main,
                limits,
                self._cancel,
                ordered=stage.ordered or self._work.sink.kind == "collect",
                where=stage.sink.step or stage.key,
                is_profiled=is_profiled,
            )
            inputs, is_prepared = self._comes_again(scans), False
            if inputs is not None:
                main = stack.enter_context(opens(again=KEEPER.word))
                is_prepared = main.prepare(stage.text, inputs)
            if not is_prepared:
                main = stack.enter_context(opens(scans=tuple(scans.values()), extensions=stage.extensions))
            streams: list[tuple[str, pa.RecordBatchReader, Flow]] = []
            streamed = [binding for binding in stage.bindings if binding.alias not in scans]
            first = read_first(streamed, self._specs)
            for binding in sorted(streamed, key=lambda one: one.alias not in first):
                opened = self._open(binding)
                if binding.alias in first:
                    opened = read_whole(opened, limits.temp_folder, binding.alias)
                reader, flow = stack.enter_context(opened)
                streams.append((binding.alias, reader, flow))
                if not is_prepared:
                    main.register(binding.alias, reader, flow)
            failpoint("engine.sources_open")
            watched = [binding.step for binding in stage.bindings if binding.alias in scans and binding.step]
            with (
                self._reporter.watch(watched, main.share),
                (
                    main.run_again(stage.text, streams, self._cancel, limits.batch_rows)
                    if is_prepared
                    else main.run(stage.text, aliases, limits.batch_rows, self._work.values)
                ) as rows,
                closing(self._sink_rows(rows)) as outgoing,
            ):
                consume(outgoing)
            raise_failures(self.counts.flows)
            failpoint("engine.rows_read")
            if is_profiled:
                self.counts.take_inner(main, stage.text, aliases)
            else:
                self.counts.take()

    def _comes_again(self, scans: Mapping[str, Scan]) -> Mapping[str, pa.Schema] | None:
        """The inputs of a text that works of this word have run before, when nothing but streams meets in it: then it
        is worth preparing, and the next work finds it prepared. None otherwise.
        """
        stage = self._stage
        if not KEEPER.word or scans or stage.extensions or self._work.values or len(stage.text) > LONGEST:
            return None
        this = hash((KEEPER.word, stage.text))
        if SEEN.find(this) is None:
            SEEN.keep(this, value=True)
            return None
        inputs = {binding.alias: to_arrow(binding.schema) for binding in stage.bindings}
        return None if any(map(has_geometry, inputs.values())) else inputs

    def _run_on_cluster(self, consume: Consume) -> None:
        """The same with the text run by the cluster."""
        rows_there = rows_of_cluster(self._work, self._cancel, self._open)
        with rows_there as rows, closing(self._sink_rows(rows)) as outgoing:
            consume(outgoing)
        failpoint("engine.rows_read")
        self.counts.take()

    def _scans(self) -> dict[str, Scan]:
        """The bindings that the main connection scans itself, by alias; see ``is_scanned``."""
        bindings = self._stage.bindings
        if self._work.sink.kind == "collect":
            return {}
        if not bindings:
            self._is_light = True  # rows that were typed by hand
            return {}
        found = {b.alias: scan_of(b, self._specs[b.alias], self._reached.get(b.alias)) for b in bindings}
        scans = {alias: scan for alias, scan in found.items() if scan is not None}
        if not is_scanned(bindings, scans):
            rows = scans[bindings[0].alias].attach.rows if len(bindings) == len(scans) == 1 else None
            self._is_light = rows is not None and rows < LIGHT_ROWS
            return {}
        if len(bindings) == 1:
            self.counts.scanned_step = bindings[0].counts_step
        for binding in bindings:
            is_known = binding.alias in scans and scans[binding.alias].rows is not None
            if binding.kind == "dataset" and binding.counts_step and is_known:
                self.counts.know(binding.counts_step, scans[binding.alias].rows or 0)
        self.counts.probes = certain_probes(self._stage.probes, scans.values())
        return scans

    # ── Handed on ─────────────────────────────────────────────────────────────────────────────────────────

    def _hand_on(self, consume: Consume) -> None:
        """The rows of the only source, without a detour through the engine."""
        with self._open(self._stage.bindings[0]) as (rows, _):
            failpoint("engine.sources_open")
            with closing(self._sink_rows(rows)) as outgoing:
                consume(outgoing)

    def _hand_on_spans(self, spans: Sequence[Span], consume: Consume, node: NodeSink) -> None:
        """The same, a span of the source after the other; what a finished one has brought is never read again.

        The source is read on while a span is sealed.
        """
        before = node.sealed_before()
        earlier = sum(one.part.rows for one in before if one.part is not None)
        for step in {self._stage.bindings[0].counts_step, self._stage.sink.step} - {""}:
            self._reporter.count(step, earlier)
        with (
            closing(self._span_rows(spans)) as rows,
            closing(ahead(rows, self._stop_sources)) as pulled,
        ):
            for span in spans:
                consume(self._counted(takewhile(lambda one: not isinstance(one, Span), pulled)))
                if span.high is not None:
                    part = node.seal()
                    failpoint("engine.sealed")
                    self._reporter.part(Sealed(high=span.high, part=part, is_first=span is spans[0] and not before))

    def _span_rows(self, spans: Sequence[Span]) -> Generator[pa.RecordBatch | Span]:
        """The rows of all spans over the same connections, and behind those of each the span itself."""
        binding = self._stage.bindings[0]
        for span in spans:
            with self._open(binding, self._reach(self._specs[binding.alias], span)) as (rows, _):
                failpoint("engine.sources_open")
                yield from rows
            yield span

    # ── What all of them share ────────────────────────────────────────────────────────────────────────────

    @contextmanager
    def _open(self, binding: Binding, reached: Reach | None = None) -> Iterator[tuple[pa.RecordBatchReader, Flow]]:
        with open_binding(
            binding,
            self._specs[binding.alias],
            self._work.limits,
            self._registry,
            self._cancel,
            self._reporter,
            reached or self._reached.get(binding.alias),
            self._others(binding),
        ) as (reader, flow):
            self.counts.flows.append(flow)
            yield reader, flow

    def _others(self, binding: Binding) -> dict[str, Reach | Given]:
        """How the further datasets in a binding's text are reached, or sent along with it."""
        aliases = {read.name: source_alias(binding, read) for read in binding.sources[1:]}
        return {name: self._sent.get(alias) or self._reached[alias] for name, alias in aliases.items()}

    def _sink_rows(self, rows: Iterable[pa.RecordBatch]) -> Generator[pa.RecordBatch]:
        """The stage's rows, cast to its schema and counted for the sink's step, read ahead of who takes them.

        Those that stay in memory, or are few, need no thread beside that which makes them.
        """
        pull = straight if self._is_light or self._work.sink.kind == "return" else ahead
        with closing(pull(rows, self._stop_sources)) as pulled:
            yield from self._counted(pulled)

    def _counted(self, rows: Iterable[pa.RecordBatch]) -> Generator[pa.RecordBatch]:
        step, counts = self._stage.sink.step, self.counts
        for batch in rechunk(cast(rows, self._stage.schema, step), self._work.limits.batch_rows):
            self._cancel.check()
            self._reporter.phase("writing")
            if not counts.is_counted_elsewhere():
                self._reporter.count(step, batch.num_rows, batch.nbytes)
            yield batch
        if not counts.is_counted_elsewhere():
            self._reporter.count(step, 0)

    def _stop_sources(self) -> None:
        stop_all(self.counts.flows, self._cancel)
