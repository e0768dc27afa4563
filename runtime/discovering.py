"""Discovery: a child process walks the node; what it found goes into the catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from node_catalog.catalogue import apply_discovery, known_settings
from node_catalog.models import Node
from node_catalog.sdk.contract import DiscoveredDataset
from node_catalog.sdk.text import text
from node_catalog.selectors import connector_settings
from runtime import states
from runtime.bindings import limits_for
from runtime.claims import Claim
from runtime.engine.work import DiscoverOutcome, DiscoverWork
from runtime.errors import LeaseLostError, PostponedError, StalePlanError
from runtime.handling import Ending, Handler
from runtime.models import Task


def node_of(task: Task) -> Node:
    """The node that the task is about; raises StalePlanError when it has gone meanwhile."""
    node = Node.objects.filter(pk=task.payload["node"], is_active=True).first()
    if node is None:
        raise StalePlanError("node.gone", text("This node has been removed.", "该节点已被删除。"))
    return node


def _wait_for_others(claim: Claim, node: Node) -> None:
    """One walk over a node at a time, the oldest first: an older walk must not have the last word."""
    at_work = Task.objects.filter(kind=Task.Kind.DISCOVER, state__in=states.ACTIVE, payload__node=str(node.pk))
    if at_work.filter(created_at__lt=claim.task.created_at).exists():
        raise PostponedError(1.0)


def prepare(claim: Claim) -> DiscoverWork:
    """Dataset settings that people have corrected win over what discovery would infer."""
    node = node_of(claim.task)
    _wait_for_others(claim, node)
    return DiscoverWork(
        connector=node.type,
        settings=connector_settings(node),
        known=tuple((path, dict(kept)) for path, kept in known_settings(node).items()),
        limits=limits_for(claim.task),
    )


def finish(claim: Claim, outcome: DiscoverOutcome) -> Ending:
    """The catalogue takes over what was found, in batches of its own, and says what differs.

    Doing it twice (after a crash in between) changes nothing more.
    """
    node = node_of(claim.task)
    difference = apply_discovery(node, _while_held(claim, outcome))
    result: dict[str, Any] = {
        "node": str(node.pk),
        "datasets": len(outcome.datasets),
        "seconds": round(outcome.seconds, 3),
        "difference": difference,
    }
    return Ending(result=result)


def _while_held(claim: Claim, outcome: DiscoverOutcome) -> Iterator[DiscoveredDataset]:
    for dataset in outcome.datasets:
        if claim.stop.is_set():
            raise LeaseLostError()
        yield dataset


HANDLER = Handler(prepare=prepare, finish=finish)
