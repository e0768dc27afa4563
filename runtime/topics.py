"""Topics of the live socket: who may follow which, and the snapshot that each begins with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flows.comments import newest_comments
from flows.models import DraftOperation, Flow
from flows.operation_log import batches_after, newest_revisions
from flows.presence import people_at
from runtime.models import Run, Task
from runtime.monitor import monitor_snapshot, run_snapshot, task_snapshot
from runtime.reporting import event_as_json, events_after
from security.access import Principal
from security.models import Notice

MOST_REPLAYED = 500
"""A client further behind than that gets a snapshot instead of events."""


@dataclass(frozen=True)
class Opening:
    """What a subscriber is sent first: a snapshot, or the events since the number it has."""

    seq: int | None
    snapshot: Mapping[str, Any] | None = None
    events: Sequence[Mapping[str, Any]] = ()


def is_numbered(topic: str) -> bool:
    """Whether the topic's events are stored with gapless numbers."""
    return topic.startswith(("run:", "task:", "flow:"))


def is_visible(principal: Principal, topic: str) -> bool:
    """Whether ``principal`` may follow ``topic``; unknown and forbidden look the same."""
    kind, _, name = topic.partition(":")
    if topic == "notices":
        return True
    if topic == "monitor":
        return principal.may("monitor.read")
    model: Any = {"run": Run, "task": Task, "flow": Flow}.get(kind)
    if model is None or not _is_id(name):
        return False
    return bool(model.objects.visible_to(principal).filter(pk=name).exists())


def _is_id(name: str) -> bool:
    try:
        return str(UUID(name)) == name
    except ValueError:
        return False


def open_topic(principal: Principal, topic: str, after: int | None) -> Opening | None:
    """The topic's beginning for ``principal``, or None when they may not follow it."""
    if not is_visible(principal, topic):
        return None
    kind, _, name = topic.partition(":")
    if kind == "flow":
        return Opening(seq=newest_numbers([topic]).get(topic, 0), snapshot=flow_pictures([name])[name])
    if is_numbered(topic) and after is not None:
        events = events_after(topic, after, MOST_REPLAYED + 1)
        is_whole = not events or events[0]["seq"] == after + 1
        if is_whole and len(events) <= MOST_REPLAYED and after <= newest_numbers([topic]).get(topic, -1):
            return Opening(seq=events[-1]["seq"] if events else after, events=events)
    if kind == "run":
        snapshot = run_snapshot(principal, name)
    elif kind == "task":
        snapshot = task_snapshot(principal, name, with_result=False)
    elif kind == "monitor":
        snapshot = monitor_snapshot(principal)
    else:
        snapshot = notices_snapshot(principal.id)
    return Opening(seq=snapshot.get("seq"), snapshot=snapshot)


def flow_pictures(flow_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """For each flow who is there, and a mark that changes with its comments."""
    people, comments = people_at(flow_ids), newest_comments(flow_ids)
    return {flow_id: {"people": people[flow_id], "comments": comments[flow_id]} for flow_id in flow_ids}


def newest_numbers(topics: Sequence[str]) -> dict[str, int]:
    """The newest event number of each numbered topic (one query per kind)."""
    found: dict[str, int] = {}
    for kind, model in (("run", Run), ("task", Task)):
        ids = [topic.partition(":")[2] for topic in topics if topic.startswith(f"{kind}:")]
        if ids:
            rows: Any = model._default_manager.filter(pk__in=ids).values_list("pk", "seq")  # type: ignore[attr-defined]
            found |= {f"{kind}:{pk}": seq for pk, seq in rows}
    flows = [topic.partition(":")[2] for topic in topics if topic.startswith("flow:")]
    if flows:
        found |= {f"flow:{pk}": revision for pk, revision in newest_revisions(flows).items()}
    return found


def facts_after(topic: str, seq: int, limit: int) -> list[dict[str, Any]]:
    """Stored events of a numbered topic after ``seq``; a flow's are the accepted edits of its draft."""
    kind, _, name = topic.partition(":")
    if kind == "flow":
        return [edit_as_event(row) for row in batches_after(name, seq, limit)]
    return events_after(topic, seq, limit)


def edit_as_event(row: DraftOperation) -> dict[str, Any]:
    """An accepted batch of operations on the socket; its number is the revision that it made."""
    return event_as_json(row.revision, "operations", row.at, {"client": row.client, "operations": row.operations})


def notices_snapshot(user_id: Any) -> dict[str, Any]:
    """How many messages are unread, and the newest one."""
    return next(iter(newest_notices([user_id]).values()))


def newest_notices(user_ids: Sequence[Any]) -> dict[str, dict[str, Any]]:
    """For each person: unread messages and the id of the newest."""
    found = {}
    for user_id in user_ids:
        newest = Notice.objects.filter(user_id=user_id).order_by("-created_at").values_list("pk", flat=True).first()
        unread = Notice.objects.filter(user_id=user_id, read_at=None).count()
        found[str(user_id)] = {"unread": unread, "newest": str(newest) if newest else None, "seq": None}
    return found
