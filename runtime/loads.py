"""A node's load limits, and who else reads it now, as the engine gets them."""

from __future__ import annotations

from django.conf import settings

from node_catalog.models import Node
from node_catalog.sdk.load_limits import DAY, NONE
from node_catalog.selectors import load_limits
from runtime.engine.work import Load
from runtime.node_slots import readers_of


def load_of(node: Node, rows: int | None = None) -> Load | None:
    """What a work may ask of a node, of a dataset with so many rows; None when its data are files of ours.

    A statement whose rows may only be fetched slowly has the time that this takes, however many others read as well.
    """
    limits = load_limits(node)
    if limits == NONE:
        return None
    seconds = limits.statement_seconds or settings.OPTIONS["STATEMENT_SECONDS"]
    if limits.rows_per_second:
        fetched = DAY if rows is None else rows * max(1, limits.background_reads) / limits.rows_per_second
        seconds = min(DAY, seconds + fetched)
    is_shared = bool(limits.rows_per_second or limits.requests_per_second)
    return Load(
        node=node.number,
        reads=limits.background_reads,
        rows_per_second=limits.rows_per_second,
        requests_per_second=limits.requests_per_second,
        readers=readers_of([node.number])[node.number] if is_shared else 1,
        statement_seconds=seconds,
        yields=limits.when_busy == "yield",
    )
