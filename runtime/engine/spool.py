"""Reads that wait for each other: a stage with more reads of a node than it may have there at once fetches the first
ones to disk, one after the other, before it opens the rest.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager

import pyarrow as pa

from flows.graph.plan import Binding
from runtime.engine.folders import make_folder
from runtime.engine.streams import Flow
from runtime.engine.work import SourceSpec


def read_first(bindings: Sequence[Binding], specs: Mapping[str, SourceSpec]) -> frozenset[str]:
    """Aliases of the bindings that have to be read before the others are opened."""
    loads = {binding.alias: specs[binding.alias].load for binding in bindings}
    left = Counter(load.node for load in loads.values() if load is not None)
    first = set()
    for alias, load in loads.items():
        if load is not None and 0 < load.reads < left[load.node]:
            left[load.node] -= 1
            first.add(alias)
    return frozenset(first)


@contextmanager
def read_whole(
    opened: AbstractContextManager[tuple[pa.RecordBatchReader, Flow]], folder: str, alias: str
) -> Iterator[tuple[pa.RecordBatchReader, Flow]]:
    """The same rows, fetched to their end at once: the node's connection is free before any other is opened."""
    with ExitStack() as kept:
        with opened as (rows, flow):
            whole = kept.enter_context(spooled(rows, folder, alias))
        yield whole, flow


@contextmanager
def spooled(rows: pa.RecordBatchReader, folder: str, alias: str) -> Iterator[pa.RecordBatchReader]:
    """All of ``rows``, read now and given from a file in ``folder`` (from memory without one)."""
    if not folder:
        yield rows.read_all().to_reader()
        return
    make_folder(folder)
    path = os.path.join(folder, f"first-{alias}.arrow")
    try:
        with pa.OSFile(path, "wb") as file, pa.ipc.new_stream(file, rows.schema) as writer:
            for batch in rows:
                writer.write_batch(batch)
        with pa.OSFile(path, "rb") as file, pa.ipc.open_stream(file) as reader:
            yield reader
    finally:
        if os.path.exists(path):
            os.remove(path)
