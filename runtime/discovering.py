"""Discovery: a child process walks the node; each portion of what it finds goes into the catalogue at once.

A walk that breaks off is resumed: datasets described since it ``began`` are not asked for again, and what it has
changed so far is kept as the task's result.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from node_catalog.catalogue import Difference, Walk, known_settings
from node_catalog.models import Node
from node_catalog.sdk.text import text
from node_catalog.selectors import reading_settings
from runtime import states
from runtime.bindings import limits_for
from runtime.claims import Claim, write_if_held
from runtime.endings import Ending
from runtime.engine.work import DiscoverOutcome, DiscoverWork, FoundDatasets, Part
from runtime.errors import PostponedError, StalePlanError
from runtime.handling import Handler
from runtime.loads import load_of
from runtime.models import Task
from security import clock


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
    if "began" not in claim.task.payload:
        claim.task.payload["began"] = clock.now().isoformat()
        write_if_held(claim, payload=claim.task.payload)
    return DiscoverWork(
        connector=node.type,
        settings=reading_settings(node),
        known=tuple((path, dict(kept)) for path, kept in known_settings(node).items()),
        described=tuple(_walk(claim, node).described()),
        limits=limits_for(claim.task),
        load=load_of(node),
    )


def _walk(claim: Claim, node: Node) -> Walk:
    began = datetime.fromisoformat(claim.task.payload["began"])
    return Walk(node, began, Difference((claim.task.result or {}).get("difference")))


def keep(claim: Claim, part: Part) -> Mapping[str, int]:
    """Take a portion over into the catalogue, and note what it has changed."""
    assert isinstance(part, FoundDatasets)
    walk = _walk(claim, node_of(claim.task))
    with transaction.atomic():
        walk.apply(part.datasets)
        result = {"difference": walk.difference.as_json()}
        write_if_held(claim, result=result)
    claim.task.result = result
    return {"datasets": walk.difference.seen}


def finish(claim: Claim, outcome: DiscoverOutcome) -> Ending:
    """What the whole walk has not seen is gone. Doing it twice (after a crash in between) changes nothing more."""
    node = node_of(claim.task)
    difference = _walk(claim, node).finish()
    result: dict[str, Any] = {
        "node": str(node.pk),
        "datasets": difference["seen"],
        "seconds": round(outcome.seconds, 3),
        "difference": difference,
    }
    return Ending(result=result)


HANDLER = Handler(prepare=prepare, finish=finish, keep=keep)
