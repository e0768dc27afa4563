"""Rows of one node on their way into another one's server: read first, in whole, and never more than may be sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from flows.graph.plan import Binding, SourceRead
from node_catalog.sdk.access import Given
from node_catalog.sdk.failpoint import failpoint
from node_catalog.sdk.ports import to_arrow
from node_catalog.sdk.registry import Registry
from node_catalog.sdk.text import text
from runtime.engine.cancel import Cancel
from runtime.engine.events import Reporter
from runtime.engine.sources import connector_of, open_binding
from runtime.engine.work import SourceSpec, StageWork, source_alias

MOST_BYTES = 16 << 20
"""Beyond so many, when they are read, nothing is sent, and the stage is done in the engine."""

Sent = Mapping[str, Given]
"""Alias of a SourceSpec → its rows, as the server of its binding takes them."""


@dataclass(frozen=True)
class Ready:
    """What is to be run: the stage as planned with what it sends, or the same without sending anything."""

    work: StageWork
    sent: Sent


def prepared(work: StageWork, registry: Registry, cancel: Cancel, reporter: Reporter) -> Ready:
    """Read what the stage sends to its servers; where that is too much, the stage is done in the engine instead."""
    specs = {spec.alias: spec for spec in work.sources}
    sent: dict[str, Given] = {}
    for binding in work.stage.bindings:
        for read in binding.sources:
            if read.shipped is None:
                continue
            alias = source_alias(binding, read)
            given = _given(binding, read, specs[alias], specs[binding.alias], work, registry, cancel, reporter)
            if given is None:
                assert work.instead is not None, "a stage that sends rows can be done without"
                reporter.log(_too_much(), "info", read.step)
                return Ready(work.instead, {})
            sent[alias] = given
    return Ready(work, sent)


def _given(
    binding: Binding,
    read: SourceRead,
    spec: SourceSpec,
    target: SourceSpec,
    work: StageWork,
    registry: Registry,
    cancel: Cancel,
    reporter: Reporter,
) -> Given | None:
    shipped = read.shipped
    assert shipped is not None
    batches: list[pa.RecordBatch] = []
    size = 0
    with open_binding(shipped.binding, spec, work.limits, registry, cancel, reporter) as (rows, flow):
        for batch in rows:
            batches.append(batch)
            size += batch.nbytes
            if size > MOST_BYTES:
                flow.is_stopped = True
                break
    if flow.failure is not None:
        raise flow.failure
    failpoint("engine.shipped_read")
    if size > MOST_BYTES:
        return None
    table = pa.Table.from_batches(batches, schema=to_arrow(shipped.binding.schema))
    return connector_of(registry, target.connector).give(read.name, shipped.schema, table, read.compared)


def _too_much() -> dict[str, str]:
    return text(
        "More rows came than may be sent into another server (or values that it does not write alike), so the tables "
        "are joined in the engine.",
        "实际数据超出可发送到其他服务器的上限（或含有对方写法不同的取值），因此改为在引擎中连接。",
    )
