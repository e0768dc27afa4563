"""A stage that a cluster does: all that it reads goes there first, then its text runs there and its rows come back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pyarrow as pa

from flows.graph.plan import Binding
from node_catalog.sdk.failpoint import failpoint
from runtime.engine.cancel import Cancel
from runtime.engine.cluster_errors import no_cluster
from runtime.engine.remote import open_cluster
from runtime.engine.streams import Flow
from runtime.engine.work import StageWork

Open = Callable[[Binding], AbstractContextManager[tuple[pa.RecordBatchReader, Flow]]]


@contextmanager
def rows_of_cluster(work: StageWork, cancel: Cancel, open_binding: Open) -> Iterator[Iterator[pa.RecordBatch]]:
    """The rows of the stage, streamed; ``open_binding`` gives the rows of one of its bindings, counted."""
    stage, specs = work.stage, {spec.alias: spec for spec in work.sources}
    where = stage.sink.step or stage.key
    if work.cluster is None:
        raise no_cluster(where)
    with open_cluster(work.cluster, cancel, where, work.limits.connect_seconds) as session:
        for binding in stage.bindings:
            spec = specs[binding.alias]
            is_whole = spec.kind == "exchange" and bool(spec.exchange_path)
            if is_whole and session.give_file(binding.alias, spec.exchange_path, binding.schema.names):
                continue
            with open_binding(binding) as (reader, flow):
                session.give(binding.alias, reader, binding.schema)
            if flow.failure is not None:
                raise flow.failure
        failpoint("engine.sources_open")
        with session.run(stage.text) as rows:
            yield rows
