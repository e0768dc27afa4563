"""Where a stage's rows go: a file of ours, a node's writer, or back to the caller. Nothing shows before ``commit``."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol, cast

import pyarrow as pa
import pyarrow.compute as pc

from node_catalog.sdk.contract import (
    FACTS,
    Committed,
    ConnectContext,
    DeliveryLabel,
    FillingWriter,
    Output,
    ResumableWriter,
    SealedPart,
    Settings,
    Target,
    Writer,
)
from node_catalog.sdk.failpoint import failpoint
from node_catalog.sdk.kept import Kept
from node_catalog.sdk.ports import to_arrow
from node_catalog.sdk.registry import Registry
from node_catalog.sdk.schema import parse
from node_catalog.sdk.target_words import no_such_mode
from node_catalog.sdk.text import text
from runtime.engine.cancel import Cancel
from runtime.engine.errors import WorkError
from runtime.engine.events import Reporter
from runtime.engine.exchange import exchange_file
from runtime.engine.parquet_file import ParquetFile
from runtime.engine.results import result_file
from runtime.engine.sources import MARGIN_SECONDS, connect_context, connector_of
from runtime.engine.work import DeliverySpec, Sealed, SourceSpec, StageWork, outlet_path


class Sink(Protocol):
    """One attempt's way out. ``abort`` leaves no trace and is safe at any time before ``commit`` has returned."""

    def write(self, batch: pa.RecordBatch) -> None:
        """Take one batch of the stage's schema."""

    def commit(self) -> Committed:
        """Make all rows visible at once; what was delivered, by whichever attempt won."""

    def abort(self) -> None:
        """Forget everything."""


class FileSink:
    """A result or exchange file."""

    def __init__(self, work: StageWork) -> None:
        make = result_file if work.sink.kind == "result" else exchange_file
        attempt = work.sink.delivery.attempt if work.sink.delivery else 0
        self._path = work.sink.path
        self._attempt = attempt
        self._file = make(self._path, work.stage.schema, attempt, is_synced=work.sink.is_synced)

    def write(self, batch: pa.RecordBatch) -> None:
        self._file.write(batch)

    def commit(self) -> Committed:
        size = self._file.finish()
        return Committed(self._file.rows, self._attempt, size, self._path)

    def abort(self) -> None:
        self._file.abort()


class SplitSink:
    """An exchange of several kinds of rows: one file for each outlet, all of them or none; facts stay in memory."""

    def __init__(self, work: StageWork, reporter: Reporter) -> None:
        self._step, self._path, self._reporter = work.stage.sink.step, work.sink.path, reporter
        self._attempt = work.sink.delivery.attempt if work.sink.delivery else 0
        self._outlets = [(outlet, to_arrow(outlet.schema)) for outlet in work.stage.outlets]
        self.facts: dict[str, Any] = {}
        """The one row of a step that judges."""
        rows = [outlet for outlet in work.stage.outlets if outlet.port != FACTS]
        has_usual = any(outlet.port == "out" for outlet in rows)
        self._main = {outlet.port for outlet in rows if outlet.port == "out" or not has_usual}
        """The ports whose rows are the step's own count: the usual one, or all of them."""
        self._files: dict[str, ParquetFile] = {}
        try:
            for outlet in rows:
                path = outlet_path(self._path, outlet.port)
                self._files[outlet.port] = exchange_file(
                    path, outlet.schema, self._attempt, is_synced=work.sink.is_synced
                )
                self._count(outlet.port, 0)
        except BaseException:
            self.abort()
            raise

    def write(self, batch: pa.RecordBatch) -> None:
        for number, (outlet, schema) in enumerate(self._outlets):
            mine = batch.filter(pc.equal(batch.column(0), number))
            if not mine.num_rows:
                continue
            part = pa.RecordBatch.from_arrays([mine.column(place) for place in outlet.columns], schema=schema)
            if outlet.port == FACTS:
                self.facts = part.to_pylist()[0]
            else:
                self._files[outlet.port].write(part)
                self._count(outlet.port, part.num_rows, part.nbytes)

    def commit(self) -> Committed:
        size = sum(file.finish() for file in self._files.values())
        return Committed(sum(file.rows for file in self._files.values()), self._attempt, size, self._path)

    def abort(self) -> None:
        for file in self._files.values():
            file.abort()

    def _count(self, port: str, rows: int, size: int = 0) -> None:
        self._reporter.count(f"{self._step}.{port}", rows, size)
        if port in self._main:
            self._reporter.count(self._step, rows, size)


LONG_STATEMENTS = 4
"""As many of one call to an output may take as long as a statement may: a copy, an exchange, its index, the ledger."""


class NodeSink:
    """A node's Output. Knows whether an earlier attempt has delivered already (``committed``)."""

    def __init__(self, work: StageWork, registry: Registry, cancel: Cancel, kept: Kept | None = None) -> None:
        self._work = work
        self._cancel = cancel
        connector = connector_of(registry, work.sink.connector)
        if connector.output is None:
            raise _cannot_write(connector.key)
        self._output: type[Output] = connector.output
        self._settings: Settings = parse(connector.Settings, work.sink.settings)
        self._context: ConnectContext = connect_context(work.limits, work.sink.connector, kept)
        self._delivery = _delivery(work).delivery()
        self._writer: Writer | None = None

    @property
    def resumes(self) -> bool:
        """Whether the next attempt can go on where this one breaks off."""
        return self._output.resumes

    @property
    def label(self) -> DeliveryLabel:
        """What the output promises."""
        return self._output.delivery_label

    def committed(self) -> Committed | None:
        """What an earlier attempt of this delivery has written, if one has."""
        with self._answering():
            return self._output.committed(self._settings, self._delivery, self._context)

    def open(self) -> None:
        """Raise the fence and make the staging area; what older attempts left behind goes."""
        sink = self._work.sink
        if sink.mode not in self._output.modes:
            raise no_such_mode("/".join(sink.target_path), sink.mode)
        target = Target(
            path=sink.target_path,
            schema=self._work.stage.schema,
            mode=sink.mode,
            create=sink.create,
            settings=sink.target_settings,
            key=sink.key,
            sealed=tuple(one.part for one in self._work.sealed if one.part is not None),
        )
        with self._answering():
            self._writer = self._output.open(self._settings, target, self._delivery, self._context)
            self._output.clean(self._settings, self._delivery, self._context)

    def sealed_before(self) -> tuple[Sealed, ...]:
        """What earlier attempts have sealed, unless something of it is gone: then all rows are read again."""
        has_rows = any(one.part is not None for one in self._work.sealed)
        is_resumed = has_rows and cast(ResumableWriter, self._writer).is_resumed
        return self._work.sealed if is_resumed else ()

    def seal(self) -> SealedPart | None:
        """Make the rows since the last call durable, so that another attempt can take them over."""
        with self._answering():
            return cast(ResumableWriter, self._writer).seal()

    def is_same_node(self, spec: SourceSpec) -> bool:
        """Whether a source is the very node that is written to, reached as the same user: its server can do it all."""
        sink = self._work.sink
        return self._output.fills and spec.connector == sink.connector and spec.settings == sink.settings

    def fill(self, select: str, values: Mapping[str, str]) -> int:
        """Let the target's server make the rows by a SELECT over its own tables; how many they are."""
        writer = cast(FillingWriter, self._writer)
        with self._cancel.interrupts(writer.cancel), self._answering():
            return writer.fill(select, values)

    def write(self, batch: pa.RecordBatch) -> None:
        assert self._writer is not None
        with self._answering():
            self._writer.write(batch)

    def commit(self) -> Committed:
        assert self._writer is not None
        with self._answering():
            return self._writer.commit()

    def _answering(self) -> AbstractContextManager[None]:
        """The target has to answer in here, or it will not any more; it ends long statements itself."""
        seconds = LONG_STATEMENTS * self._context.statement_timeout + MARGIN_SECONDS
        return self._cancel.waiting(self._work.stage.sink.step, seconds)

    def abort(self) -> None:
        if self._writer is not None:
            with contextlib.suppress(Exception):
                self._writer.abort()


def take(sink: Sink, batch: pa.RecordBatch) -> None:
    """Write one batch, with the failpoint that every sink shares."""
    failpoint("engine.sink_write")
    sink.write(batch)


def settle(sink: Sink) -> Committed:
    """Commit, between the two failpoints at which a crash must neither lose nor double a row."""
    failpoint("engine.before_commit")
    done = sink.commit()
    failpoint("engine.after_commit")
    return done


def _delivery(work: StageWork) -> DeliverySpec:
    if work.sink.delivery is None:
        raise ValueError("a write needs a delivery: who writes, in which attempt")
    return work.sink.delivery


def _cannot_write(key: Any) -> WorkError:
    return WorkError(
        "engine.no_output",
        text(
            f'Nodes of type "{key}" can be read but not written. Choose another target in the write step.',
            f"“{key}”类型的节点只能读取，不能写入。请在“写入”步骤中选择其他目标。",
        ),
        str(key),
    )
