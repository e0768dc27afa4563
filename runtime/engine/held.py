"""Rows that the platform holds already: pinned samples, kept results, batches, and what iterations have left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.parquet as pq

from flows.graph.plan import Binding
from node_catalog.sdk.ports import Schema, to_arrow
from runtime.engine.cancel import Cancel
from runtime.engine.duck import open_source
from runtime.engine.exchange import read_exchange
from runtime.engine.scans import SOURCE
from runtime.engine.streams import Batches, Flow
from runtime.engine.work import Limits, SourceSpec


@contextmanager
def held_batches(binding: Binding, spec: SourceSpec, limits: Limits, cancel: Cancel) -> Iterator[Batches]:
    """The rows of a binding that is no dataset."""
    if spec.kind == "iterations":
        yield read_iterations(spec, binding.schema, limits.batch_rows)
    elif spec.kind == "given":
        with open_source(limits, cancel, None, where=binding.step or binding.alias) as connection:
            connection.register(SOURCE, read_given(spec, binding.columns, limits.batch_rows), Flow(binding.alias))
            with connection.run(binding.text, (SOURCE,), limits.batch_rows) as reader:
                yield reader
    else:
        yield read_exchange(spec.exchange_path, binding.schema.names, limits.batch_rows)


def read_given(spec: SourceSpec, columns: Sequence[str], batch_rows: int) -> pa.RecordBatchReader:
    """The rows ``spec.skip`` … ``spec.skip + spec.take`` of a file, only ``columns``."""
    schema = pa.schema([pq.read_schema(spec.exchange_path).field(name) for name in columns])
    batches = _slice(read_exchange(spec.exchange_path, columns, batch_rows), spec.skip, spec.take)
    return pa.RecordBatchReader.from_batches(schema, (batch.cast(schema) for batch in batches))


def _slice(batches: Iterator[pa.RecordBatch], skip: int, take: int | None) -> Iterator[pa.RecordBatch]:
    left = take
    for batch in batches:
        part = batch.slice(min(skip, batch.num_rows), left)
        skip = max(0, skip - batch.num_rows)
        if part.num_rows:
            yield part
        if left is not None:
            left -= part.num_rows
            if left <= 0:
                return


def read_iterations(spec: SourceSpec, schema: Schema, batch_rows: int) -> Iterator[pa.RecordBatch]:
    """The rows of all iterations in the order of the items; key columns have the item's values, whole and typed."""
    keys = [name for name in spec.keys if name in schema.names]
    others = [name for name in schema.names if name not in keys]
    items = pq.read_table(spec.exchange_path, columns=keys) if keys and spec.parts else None
    wanted = to_arrow(schema)
    for index, path in spec.parts:
        values = {name: items.column(name)[index] for name in keys} if items is not None else {}
        for batch in read_exchange(path, others, batch_rows):
            columns = [
                pa.repeat(values[name], batch.num_rows) if name in values else batch.column(name)
                for name in schema.names
            ]
            arrays = [column.cast(field.type) for column, field in zip(columns, wanted, strict=True)]
            yield pa.RecordBatch.from_arrays(arrays, schema=wanted)
