"""Rows that previews may use instead of computing them: pinned samples, and what runs to here have left.

Both are guarded like results: whoever looks must hold today the grants with which the rows were read. What is not open
to the asker is not used by their previews, and the canvas says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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
from security import clock
from security.models import User

KEPT_LOOKED_AT = 50
"""Newest temporary results of a flow that are looked at."""


@dataclass(frozen=True)
class Kept:
    """Rows for previews of one port: where they are, and under which policy they were read.

    ``is_old``: the step, or something before it, is not as it was when the rows were taken. A pin is used all the same,
    since somebody wants these very rows; a kept result is not. ``is_open``: the asker may see the rows today.
    """

    held: Held
    kind: str
    id: str
    policy: Mapping[str, str]
    facts: Mapping[str, Any]
    is_old: bool
    is_open: bool

    @property
    def is_used(self) -> bool:
        """Whether the asker's previews start from these rows."""
        return self.is_open and (self.kind == "pin" or not self.is_old)


def held_for(flow: Flow, user: User) -> dict[str, Kept]:
    """Everything that previews of ``flow`` use today for ``user``, by ``step.port``."""
    return {kept.held.end: kept for kept in all_held(flow, user) if kept.is_used}


def all_held(flow: Flow, user: User) -> list[Kept]:
    """Every pin and the newest temporary result of the ports of ``flow``, used or not.

    A pin that is used hides the result of its port.
    """
    document = draft_document(flow.draft.document)
    pins = [
        _of_pin(pin, document, user)
        for pin in PinnedSample.objects.filter(flow=flow, expires_at__gt=clock.now()).order_by("step", "port")
        if pin.step in document.steps
    ]
    pinned = {pin.held.end for pin in pins if pin.is_used}
    return [*(kept for kept in _results(flow, document, user) if kept.held.end not in pinned), *pins]


def _of_pin(pin: PinnedSample, document: Document, user: User) -> Kept:
    facts = {
        "rows": len(pin.rows),
        "is_edited": pin.is_edited,
        "at": pin.updated_at.isoformat(),
        "by": pin.updated_by.name if pin.updated_by else None,
    }
    held = Held(pin.end, schema_of(pin.columns), len(pin.rows))
    is_old = bool(pin.upstream) and pin.upstream != upstream_digest(document, pin.step)
    return Kept(held, "pin", str(pin.pk), pin.policy, facts, is_old, is_open(pin.policy, user))


def _results(flow: Flow, document: Document, user: User) -> list[Kept]:
    """The newest temporary result of every port; old when its step, or one before it, has changed since."""
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
        is_old = step not in then.steps or upstream_digest(then, step) != upstream_digest(document, step)
        policy = policy_of(plan_of(result.run.plan_id), result.task.stage)
        facts = {"rows": result.rows, "run": str(result.run_id), "number": result.run.number,
                 "at": result.created_at.isoformat()}  # fmt: skip
        held = Held(end, schema_of(result.schema), result.rows)
        found[end] = Kept(held, "result", str(result.pk), policy, facts, is_old, is_open(policy, user))
    return list(found.values())


def schema_of(columns: Any) -> Schema:
    """A stored list of columns as a schema."""
    return Schema(tuple(Field(column["name"], column["type"]) for column in columns))


def as_payload(kept: Kept) -> dict[str, Any]:
    """What a preview's task keeps: ids, never rows."""
    return {"kind": kept.kind, "id": kept.id, "end": kept.held.end, "is_old": kept.is_old, **kept.facts}


def as_line(kept: Kept) -> dict[str, Any]:
    """What the canvas shows at the step; of rows that are closed to the asker it tells that and no more."""
    state = "used" if kept.is_used else "old" if kept.is_open else "closed"
    facts = as_payload(kept) if kept.is_open else {"kind": kept.kind, "id": kept.id, "end": kept.held.end}
    return {**facts, "state": state}


def opened(task: Task, reader: User) -> dict[str, GivenRows]:
    """The files behind a preview's held rows, with the rights looked at again. Raises StalePlanError, WithheldError."""
    return {use["end"]: _opened(task, use, reader) for use in task.payload.get("held", [])}


def _opened(task: Task, use: Mapping[str, Any], reader: User) -> GivenRows:
    if use["kind"] == "pin":
        pin = PinnedSample.objects.filter(pk=use["id"], expires_at__gt=clock.now()).first()
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
