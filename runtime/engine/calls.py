"""Calls that come again: what one has made ready in this process, the next one only sets going.

A call that is done for the first time is a stage like any other. When the very same work comes again it *stands*: its
text is prepared in a connection of its own, and each time the inputs are read anew and fed to it. Nobody looks at the
steps of a call, so nothing is counted on the way, and no thread is needed beside the one that works. The sources, the
checks of what they give, the text and the bounds of the answer are a stage's own: the same code.
"""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import pyarrow as pa

from flows.graph.plan import HERE
from node_catalog.sdk.failpoint import failpoint
from node_catalog.sdk.geometry import has_geometry
from node_catalog.sdk.ports import Schema, to_arrow
from node_catalog.sdk.registry import Registry
from runtime.engine.cancel import Cancel
from runtime.engine.duck import Connection, open_standing
from runtime.engine.given import Values
from runtime.engine.keeper import KEEPER
from runtime.engine.light_texts import is_handed_on
from runtime.engine.pipe import unpack
from runtime.engine.plain import columns_of, plain
from runtime.engine.returned import WHOLE, ReturnSink, as_json
from runtime.engine.scans import is_scanned
from runtime.engine.sinks import take
from runtime.engine.sources import open_binding, reach, scan_of
from runtime.engine.spool import read_first
from runtime.engine.stage import run_stage
from runtime.engine.streams import Flow, cast, raise_failures, rechunk, stop_all
from runtime.engine.widen import is_open
from runtime.engine.work import PackedWork, StageOutcome, StageWork

MOST_STANDING = 8
"""Each has a connection of its own; of more, the one that was called longest ago is let go."""
MOST_KNOWN = 256
FEW = 100
"""Rows that an answer may have to be made without Arrow, which costs more than such an answer itself."""
PLAIN = frozenset({"boolean", "integer", "number", "decimal", "text"})
"""Types whose values are the same in Python whichever way they come."""
LEFT_SECONDS = 60.0
"""Without a call for so long, all are let go, and the settings of nodes with them."""
OLDEST_SECONDS = 300.0
"""A connection older than that is replaced: whatever its allocator has gathered goes."""


class Calls:
    """The works that come again in this process. Used by one thread."""

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, StandingCall | None] = OrderedDict()

    def perform(self, packed: PackedWork, registry: Registry, cancel: Cancel) -> StageOutcome:
        """Do the work. Raises EngineError or NodeTypeError; what was ready for it is then made anew."""
        key = hashlib.blake2b(packed.work).digest()
        is_known = key in self._known
        standing = self._known.pop(key, None)
        if standing is not None and standing.is_worn:
            standing.close()
            standing = None
        work = standing.work if standing is not None else unpack(packed)
        KEEPER.begin(work.keep)
        if standing is None and is_known and may_stand(work, registry):
            standing = StandingCall(work, registry)
        try:
            if standing is not None:
                outcome = standing.run(cancel, packed.values)
            else:
                outcome = run_stage(work, lambda report: None, registry, cancel)
        except BaseException:
            if standing is not None:
                standing.close()
            raise
        self._keep(key, standing)
        return outcome

    @property
    def are_standing(self) -> bool:
        """Whether any call is held ready."""
        return any(standing is not None for standing in self._known.values())

    def close(self) -> None:
        """Let go of everything."""
        while self._known:
            _, standing = self._known.popitem()
            if standing is not None:
                standing.close()

    def _keep(self, key: bytes, standing: StandingCall | None) -> None:
        self._known[key] = standing
        while len(self._known) > MOST_KNOWN:
            self._close(next(iter(self._known)))
        ready = [one for one, found in self._known.items() if found is not None]
        for oldest in ready[:-MOST_STANDING]:
            self._close(oldest)

    def _close(self, key: bytes) -> None:
        standing = self._known.pop(key)
        if standing is not None:
            standing.close()


def may_stand(work: StageWork, registry: Registry) -> bool:
    """Whether nothing but streams of rows meets in the engine, whose columns are known before.

    Files that the engine scans itself, what is sent from node to node, geometries and other engines stay a stage's.
    """
    stage, specs = work.stage, {spec.alias: spec for spec in work.sources}
    if stage.engine != HERE or stage.outlets or stage.judge or stage.extensions or is_open(stage.schema):
        return False
    if any(binding.kind != "dataset" or binding.sources for binding in stage.bindings):
        return False
    if any(has_geometry(to_arrow(schema)) for schema in (stage.schema, *(one.schema for one in stage.bindings))):
        return False
    if read_first(stage.bindings, specs):
        return False
    found = {
        one.alias: scan_of(one, specs[one.alias], reach(specs[one.alias], work.limits, registry))
        for one in stage.bindings
    }
    return not is_scanned(stage.bindings, {alias: scan for alias, scan in found.items() if scan is not None})


class StandingCall:
    """One work, made ready: its text prepared over inputs that are given anew each time."""

    def __init__(self, work: StageWork, registry: Registry) -> None:
        self.work = work
        self._registry = registry
        self._specs = {spec.alias: spec for spec in work.sources}
        self._opened_at = time.monotonic()
        self._main: Connection | None = None
        self._columns = columns_of(to_arrow(work.stage.schema))
        self._may_be_few = not work.stage.bindings and work.sink.form == "json" and _are_plain(work.stage.schema)
        self._is_as_promised = False
        """Whether the engine has been seen to give the very columns of the plan, so that nothing is cast."""
        self._stack = ExitStack()
        stage = work.stage
        if is_handed_on(stage):
            return
        inputs = {binding.alias: to_arrow(binding.schema) for binding in stage.bindings}
        where = stage.sink.step or stage.key
        self._main = self._stack.enter_context(
            open_standing(work.limits, stage.text, inputs, ordered=stage.ordered, where=where)
        )

    @property
    def is_worn(self) -> bool:
        """Whether it should rather be made anew."""
        return time.monotonic() - self._opened_at > OLDEST_SECONDS

    def close(self) -> None:
        """Let go of the connection."""
        self._stack.close()

    def run(self, cancel: Cancel, values: Values) -> StageOutcome:
        """The rows of this moment, for these values of the flow's inputs: whole or not at all."""
        started = time.monotonic()
        few = self._few(cancel, values) if self._may_be_few and self._is_as_promised else None
        if few is not None:
            count, answer = few
            seconds = time.monotonic() - started
            return StageOutcome(rows=count, size_bytes=len(answer), answer=answer, seconds=seconds)
        stage, sink = self.work.stage, ReturnSink(self.work)
        flows: list[Flow] = []
        with ExitStack() as stack:
            try:
                rows = stack.enter_context(self._rows(cancel, flows, values))
                failpoint("engine.sources_open")
                for batch in rechunk(cast(rows, stage.schema, stage.sink.step), self.work.limits.batch_rows):
                    cancel.check()
                    take(sink, batch)
            except BaseException:
                _stop(flows, cancel)
                raise
            raise_failures(flows)
            _stop(flows, cancel)
        failpoint("engine.rows_read")
        done = sink.commit()
        seconds = time.monotonic() - started
        return StageOutcome(rows=done.rows, size_bytes=done.size_bytes, answer=sink.answer, seconds=seconds)

    def _few(self, cancel: Cancel, values: Values) -> tuple[int, bytes] | None:
        """The rows and the answer when nothing is read and there are a few rows; None: there is too much of them."""
        assert self._main is not None, "who reads nothing has a text"
        sink = self.work.sink
        rows = self._main.few_again(self.work.stage.text, cancel, FEW + 1, values)
        if len(rows) > min(FEW, sink.limit):
            self._may_be_few = len(rows) <= FEW
            return None
        failpoint("engine.rows_read")
        answer = as_json(self._columns, ([plain(value, WHOLE) for value in row] for row in rows))
        # A value with its name is hardly shorter than in Arrow: far below the bound nothing need be measured.
        return (len(rows), answer) if len(answer) < sink.most_bytes // 4 else None

    @contextmanager
    def _rows(self, cancel: Cancel, flows: list[Flow], values: Values) -> Iterator[Iterator[pa.RecordBatch]]:
        with ExitStack() as stack:
            readers: list[pa.RecordBatchReader] = []
            for binding in self.work.stage.bindings:
                spec = self._specs[binding.alias]
                reached = reach(spec, self.work.limits, self._registry)
                opened = open_binding(binding, spec, self.work.limits, self._registry, cancel, None, reached)
                reader, flow = stack.enter_context(opened)
                readers.append(reader)
                flows.append(flow)
            if self._main is None:
                yield iter(readers[0])
                return
            streams = zip((flow.alias for flow in flows), readers, flows, strict=True)
            text, batch_rows = self.work.stage.text, self.work.limits.batch_rows
            rows = stack.enter_context(self._main.run_again(text, streams, cancel, batch_rows, values))
            self._is_as_promised = rows.schema.equals(to_arrow(self.work.stage.schema))
            yield iter(rows)


def _are_plain(schema: Schema) -> bool:
    return all(field.type.partition("(")[0] in PLAIN for field in schema.fields)


def _stop(flows: Sequence[Flow], cancel: Cancel) -> None:
    if not all(flow.is_exhausted for flow in flows):
        stop_all(flows, cancel)


CALLS = Calls()
"""This process's calls."""
