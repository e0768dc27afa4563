"""Rows that previews may use instead of computing them: pinned samples, and what runs to here have left.

Both are guarded like results: whoever looks must hold today the grants with which the rows were read. A pin that is
not open to the asker is not used, and the preview says nothing of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from flows.checking import draft_document
from flows.graph.document import Document
from flows.graph.held import Held, upstream_digest
from flows.models import Flow
from node_catalog.sdk.ports import Field, Schema
from node_catalog.sdk.text import text
from runtime import places
from runtime.bindings import GivenRows
from runtime.errors import StalePlanError
from runtime.guarding import is_open, policy_of, require_open
from runtime.models import PinnedSample, Result, Task
from runtime.pinned import write_pin
from runtime.plans import plan_of
from security.models import User

KEPT_LOOKED_AT = 50
"""Newest temporary results of a flow that are looked at."""


@dataclass(frozen=True)
class Kept:
    """Rows for previews of one port: where they are, and under which policy they were read."""

    held: Held
    kind: str
    id: str
    policy: Mapping[str, str]
    facts: Mapping[str, Any]


def held_for(flow: Flow, user: User) -> dict[str, Kept]:
    """Everything that previews of ``flow`` may use today, by ``step.port``; a pin wins over a kept result."""
    document = draft_document(flow.draft.document)
    found = {kept.held.end: kept for kept in _results(flow, document) if is_open(kept.policy, user)}
    for pin in PinnedSample.objects.filter(flow=flow, expires_at__gt=timezone.now()):
        if pin.step in document.steps and is_open(pin.policy, user):
            found[pin.end] = _of_pin(pin)
    return found


def _of_pin(pin: PinnedSample) -> Kept:
    facts = {"rows": len(pin.rows), "is_edited": pin.is_edited, "at": pin.updated_at.isoformat()}
    held = Held(pin.end, schema_of(pin.columns), len(pin.rows))
    return Kept(held, "pin", str(pin.pk), pin.policy, facts)


def _results(flow: Flow, document: Document) -> list[Kept]:
    """The newest temporary result of every port whose step, and all before it, is still as it was then."""
    rows = (
        Result.objects.filter(run__flow=flow, removed_at=None)
        .exclude(run__until="")
        .select_related("run__version", "task")
        .order_by("-created_at")[:KEPT_LOOKED_AT]
    )
    found: dict[str, Kept] = {}
    for result in rows:
        end, step = result.run.until, result.run.until.partition(".")[0]
        if end in found or step not in document.steps:
            continue
        then = draft_document(result.run.version.document["flows"][flow.key]["document"])
        if step not in then.steps or upstream_digest(then, step) != upstream_digest(document, step):
            continue
        policy = policy_of(plan_of(result.run.plan_id), result.task.stage)
        facts = {"rows": result.rows, "run": str(result.run_id), "number": result.run.number,
                 "at": result.created_at.isoformat()}  # fmt: skip
        held = Held(end, schema_of(result.schema), result.rows)
        found[end] = Kept(held, "result", str(result.pk), policy, facts)
    return list(found.values())


def schema_of(columns: Any) -> Schema:
    """A stored list of columns as a schema."""
    return Schema(tuple(Field(column["name"], column["type"]) for column in columns))


def as_payload(kept: Kept) -> dict[str, Any]:
    """What a preview's task keeps: ids, never rows."""
    return {"kind": kept.kind, "id": kept.id, "end": kept.held.end, **kept.facts}


def opened(task: Task, reader: User) -> dict[str, GivenRows]:
    """The files behind a preview's held rows, with the rights looked at again. Raises StalePlanError, WithheldError."""
    return {use["end"]: _opened(task, use, reader) for use in task.payload.get("held", [])}


def _opened(task: Task, use: Mapping[str, Any], reader: User) -> GivenRows:
    if use["kind"] == "pin":
        pin = PinnedSample.objects.filter(pk=use["id"], expires_at__gt=timezone.now()).first()
        if pin is None:
            raise _gone()
        require_open(pin.policy, reader)
        path = places.temporary_folder(task.pk, task.attempt) / f"{pin.pk}.parquet"
        write_pin(path, schema_of(pin.columns), pin.rows)
        return GivenRows(str(path))
    result = Result.objects.filter(pk=use["id"], removed_at=None).select_related("run", "task").first()
    if result is None or not places.absolute(result.reference).exists():
        raise _gone()
    require_open(policy_of(plan_of(result.run.plan_id), result.task.stage), reader)
    return GivenRows(str(places.absolute(result.reference)))


def _gone() -> StalePlanError:
    return StalePlanError(
        "held.gone",
        text(
            "The pinned or kept rows that this preview used are gone. Ask for the preview again.",
            "该预览所用的固定样例或保留结果已不存在，请重新预览。",
        ),
    )
