"""Bindings become streams: every source ends as a counted Arrow reader with exactly the planned columns.

By what the connector says (see its contract): ``Attach`` (a locked source connection scans it), ``Stream`` (the
connector's batches, what is left of the text runs over them in a source connection), ``Remote`` (the text runs in the
source itself), ``Through`` (likewise, fetched by the engine). An exchange is read from our own Parquet file.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import msgspec
import pyarrow as pa

from flows.graph.plan import Binding
from flows.graph.relation_text import quoted, with_relation
from node_catalog.sdk.access import Access, Attach, DatasetRef, Given, Remote, Span, Stream, Through
from node_catalog.sdk.contract import ConnectContext, Connector
from node_catalog.sdk.contract import Settings as ConnectorSettings
from node_catalog.sdk.failpoint import failpoint
from node_catalog.sdk.kept import Kept, shared
from node_catalog.sdk.ports import Schema
from node_catalog.sdk.registry import Registry
from node_catalog.sdk.schema import parse
from node_catalog.sdk.text import text
from runtime.engine.cancel import Cancel
from runtime.engine.duck import open_source
from runtime.engine.errors import ColumnsMovedError, WorkError
from runtime.engine.events import Reporter
from runtime.engine.exchange import exchange_scan
from runtime.engine.folders import make_folder
from runtime.engine.held import held_batches
from runtime.engine.pacing import Pacing, before_request
from runtime.engine.scans import SOURCE, Scan
from runtime.engine.streams import Batches, Flow, cast, reader_of, rechunk
from runtime.engine.work import Limits, Load, SourceSpec
from security.outgoing import OutgoingGuard

SMALLEST_BATCH = 500
MARGIN_SECONDS = 3.0
"""Beyond the longest statement: whoever is silent for so long will not answer any more."""


def connect_context(
    limits: Limits,
    connector: str,
    kept: Kept | None = None,
    described: Collection[tuple[str, ...]] = (),
    load: Load | None = None,
) -> ConnectContext:
    """What the platform lets the connector of this key use; ``kept`` and ``described`` as ConnectContext has them.

    ``load``: what its node may be asked.
    """
    if limits.temp_folder:
        make_folder(limits.temp_folder)
    seconds = (load.statement_seconds if load else 0.0) or limits.statement_seconds
    opened = (network for key, network in limits.openings if key in ("", connector))
    return ConnectContext(
        file_roots=limits.file_roots,
        guard=OutgoingGuard((*limits.allowed_networks, *opened)),
        connect_timeout=limits.connect_seconds,
        statement_timeout=min(seconds, limits.most_seconds or seconds),
        batch_rows=limits.batch_rows,
        before_request=before_request(load),
        work_folder=limits.temp_folder,
        kept=kept,
        described=frozenset(described),
    )


def connector_of(registry: Registry, key: str) -> type[Connector]:
    """The connector of a node type; WorkError when this worker does not have it."""
    found = registry.connectors.get(key)
    if found is None:
        raise WorkError(
            "engine.no_connector",
            text(
                f'This worker does not know the node type "{key}". Install the package it comes from on every worker.',
                f"当前工作进程不认识节点类型“{key}”。请在所有工作进程上安装提供该类型的软件包。",
            ),
            key,
        )
    return found


@dataclass(frozen=True)
class Reach:
    """How a dataset is reached: its connector with settings and context, and the access that it offers."""

    connector: type[Connector]
    settings: ConnectorSettings
    dataset: DatasetRef
    context: ConnectContext
    access: Access


def reach(
    spec: SourceSpec, limits: Limits, registry: Registry, kept: Kept | None = None, span: Span | None = None
) -> Reach:
    """Ask the connector of a dataset (or of a ``span`` of it) how it is best read; what it opens goes into ``kept``."""
    connector = connector_of(registry, spec.connector)
    settings = parse(connector.Settings, spec.settings)
    context = connect_context(in_portions(limits, spec.load), spec.connector, kept, load=spec.load)
    dataset = DatasetRef(spec.path, spec.schema, spec.dataset_settings, span, frozenset(spec.compared), spec.bounds)
    return Reach(connector, settings, dataset, context, connector.access(settings, dataset, context))


def in_portions(limits: Limits, load: Load | None) -> Limits:
    """Limits with batches of about half a second of what the node may be read at."""
    if load is None or not load.rows_per_second:
        return limits
    rows = min(limits.batch_rows, max(SMALLEST_BATCH, load.rows_per_second // 2))
    return msgspec.structs.replace(limits, batch_rows=rows)


def scan_of(binding: Binding, spec: SourceSpec, reached: Reach | None) -> Scan | None:
    """How the stage's own connection may scan a binding; None when its rows must come as a stream."""
    if spec.kind == "exchange":
        if not spec.exchange_path:
            return None
        columns = ", ".join(quoted(name) for name in binding.schema.names)
        return Scan(binding.alias, exchange_scan(spec.exchange_path), f"SELECT {columns} FROM {SOURCE}", binding.schema)
    if reached is None or not isinstance(reached.access, Attach) or reached.access.extensions or reached.access.files:
        # What needs an extension, or has views of its own to be kept to its files, is read in its own connection.
        return None
    return Scan(binding.alias, reached.access, binding.text, binding.schema)


@contextmanager
def open_binding(
    binding: Binding,
    spec: SourceSpec,
    limits: Limits,
    registry: Registry,
    cancel: Cancel,
    reporter: Reporter | None,
    reached: Reach | None = None,
    others: Mapping[str, Reach | Given] | None = None,
) -> Iterator[tuple[pa.RecordBatchReader, Flow]]:
    """The rows of a binding, streamed, cast to its schema and counted for ``binding.counts_step``.

    ``others``: how further datasets in its text are reached, by their names there; all are in one node, or sent there.
    Without a ``reporter`` nobody is told of the rows.
    """
    flow = Flow(binding.alias, binding.counts_step)
    limits = in_portions(limits, spec.load)
    if spec.kind == "dataset" and reached is None:
        reached = reach(spec, limits, registry)
    # A server ends statements that take too long itself, a little earlier.
    seconds = reached.context.statement_timeout if reached is not None else limits.statement_seconds
    where, patience = binding.step or binding.alias, seconds + MARGIN_SECONDS
    with ExitStack() as stack:
        with cancel.waiting(where, patience):
            batches = stack.enter_context(_batches(binding, spec, limits, reached, cancel, others or {}))
        failpoint("engine.source_open")
        coming: Batches = _awaited(batches, cancel, where, patience)
        if reached is not None and spec.load is not None:
            pacing = Pacing(spec.load, reached.connector, reached.settings, reached.context)
            coming = pacing.pace(coming, flow, cancel)
        sized = rechunk(coming, limits.batch_rows)
        fitting = cast(sized, binding.schema, binding.step or binding.alias)
        tell = reporter.read if reporter is not None else None
        yield reader_of(flow.count(fitting, cancel, tell), binding.schema), flow


def _awaited(batches: Batches, cancel: Cancel, where: str, patience: float) -> Iterator[pa.RecordBatch]:
    """Pass batches on, each of which must come in time, through the failpoint that breaks a source in its middle."""
    coming = iter(batches)
    while True:
        with cancel.waiting(where, patience):
            batch = next(coming, None)
        if batch is None:
            return
        failpoint("engine.source_batch")
        yield batch


@contextmanager
def _batches(
    binding: Binding,
    spec: SourceSpec,
    limits: Limits,
    reached: Reach | None,
    cancel: Cancel,
    others: Mapping[str, Reach | Given],
) -> Iterator[Batches]:
    if reached is None:
        with held_batches(binding, spec, limits, cancel) as held:
            yield held
        return
    connector, settings, dataset = reached.connector, reached.settings, reached.dataset
    context, access = reached.context, reached.access
    where = binding.step or binding.alias
    if isinstance(access, Remote):
        sql = with_relation(binding.text, access.dialect, relations(access, others))
        values = {**access.values, **given_values(others)}
        remote = connector.run_sql(settings, sql, context, **({"values": values} if values else {}))
        try:
            yield remote
        finally:
            _close(remote)
        return
    if isinstance(access, Through):
        sql = with_relation(binding.text, access.dialect, relations(access, others))
        attached = (access.statements, access.extensions)
        with (
            shared(context.kept, attached, lambda: open_source(limits, cancel, access, where=where)) as connection,
            connection.run_there(access, sql, limits.batch_rows) as reader,
        ):
            yield reader
        return
    rows: Iterator[pa.RecordBatch] = iter(())
    try:
        with open_source(limits, cancel, access if isinstance(access, Attach) else None, where=where) as connection:
            if isinstance(access, Stream):
                schema = _read_schema(binding, spec)
                rows = _read(connector, settings, dataset, schema, context)
                flow = Flow(binding.alias)
                counted = flow.count(cast(rows, schema, where), cancel)
                connection.register(SOURCE, reader_of(counted, schema), flow)
            with connection.run(binding.text, (SOURCE,), limits.batch_rows) as reader:
                yield reader
    finally:
        # Only now: until the connection is closed its threads may still be pulling rows ahead of a LIMIT.
        _close(rows)


def relations(access: Remote | Through, others: Mapping[str, Reach | Given]) -> dict[str, str]:
    """What stands for each name in a text that runs in the source."""
    further = {name: one if isinstance(one, Given) else one.access for name, one in others.items()}
    return {
        SOURCE: access.relation,
        **{name: one.relation for name, one in further.items() if isinstance(one, Remote | Through | Given)},
    }


def given_values(others: Mapping[str, Reach | Given]) -> dict[str, str]:
    """What must be bound for the rows that are sent along."""
    sent = (one.values for one in others.values() if isinstance(one, Given))
    return {name: value for values in sent for name, value in values.items()}


def _read(
    connector: type[Connector],
    settings: ConnectorSettings,
    dataset: DatasetRef,
    schema: Schema,
    context: ConnectContext,
) -> Iterator[pa.RecordBatch]:
    yield from connector.read(settings, dataset, schema.names, context)


def _read_schema(binding: Binding, spec: SourceSpec) -> Schema:
    """The promised columns that the binding's text needs."""
    names = binding.columns or spec.schema.names
    fields = tuple(spec.schema.get(name) for name in names)
    missing = [name for name, field in zip(names, fields) if field is None]
    if missing:
        raise ColumnsMovedError(
            "source.columns_moved",
            text(
                f'The dataset has no column "{missing[0]}" any more. Correct the steps that use it.',
                f"数据集已没有列“{missing[0]}”。请修正用到它的步骤。",
            ),
            binding.step or binding.alias,
        )
    return Schema(tuple(field for field in fields if field is not None))


def _close(batches: object, patience: float = 5.0) -> None:
    """Close a generator of batches; a thread of DuckDB may still be inside it for the rest of one batch."""
    close = getattr(batches, "close", None)
    deadline = time.monotonic() + patience
    while close is not None:
        try:
            close()
            return
        except ValueError:  # "generator already executing"
            if time.monotonic() > deadline:
                raise
            time.sleep(0.005)
