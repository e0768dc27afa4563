"""Numbered events: the facts of a run or of a lone task, in one gapless sequence per topic.

An event carries states, counts and codes, never rows; a problem in it is without its guarded ``detail``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import F

from runtime import live
from runtime.call_picture import changed_calls
from runtime.models import Event, Run, Task
from security import clock


@dataclass(frozen=True)
class Fact:
    """One thing that happened, before it has a number."""

    kind: str
    data: Mapping[str, Any]


@dataclass(frozen=True)
class Topic:
    """Whose sequence an event belongs to: a run's or a lone task's."""

    kind: str
    pk: Any

    @property
    def name(self) -> str:
        return f"{self.kind}:{self.pk}"

    @property
    def model(self) -> type[Run] | type[Task]:
        return Run if self.kind == "run" else Task


def topic_of(task: Task) -> Topic:
    """Stages speak in their run's sequence, lone tasks in their own."""
    return Topic("run", task.run_id) if task.run_id else Topic("task", task.pk)


def event_as_json(seq: int, kind: str, at: Any, data: Mapping[str, Any]) -> dict[str, Any]:
    """The shape of an event on the socket."""
    return {"seq": seq, "kind": kind, "at": at.isoformat(), "data": data}


def record(topic: Topic, facts: Sequence[Fact]) -> int:
    """Number and store ``facts`` in the caller's transaction; hints go out when it commits.

    Raising the counter locks the topic's row, so numbers have no gaps and no order but the commits' own.
    Returns the newest number.
    """
    if not facts:
        return 0
    owner = topic.model._default_manager.filter(pk=topic.pk)
    owner.update(seq=F("seq") + len(facts))
    newest = owner.values_list("seq", flat=True).get()
    now = clock.now()
    rows = [
        Event(topic=topic.name, seq=newest - len(facts) + ordinal, kind=fact.kind, data=dict(fact.data), at=now)
        for ordinal, fact in enumerate(facts, start=1)
    ]
    Event.objects.bulk_create(rows)
    shown = [event_as_json(row.seq, row.kind, row.at, row.data) for row in rows]
    transaction.on_commit(partial(live.publish_events, topic.name, shown))
    return int(newest)


def merge_steps(run_id: Any, changes: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Put changes into the run's per-step picture and give them back with those of calls; the caller holds the lock."""
    if not changes:
        return {}
    runs = Run.objects.filter(pk=run_id)
    steps = runs.values_list("steps", flat=True).get()
    for step, change in changes.items():
        steps[step] = {**steps.get(step, {}), **change}
    calls = changed_calls(steps, changes)
    for step, change in calls.items():
        steps[step] = {**steps.get(step, {}), **change}
    runs.update(steps=steps)
    return {**{step: dict(change) for step, change in changes.items()}, **calls}


def log_fact(level: str, message: Mapping[str, str], step: str = "") -> Fact:
    """A line of a run's log: words only."""
    return Fact("log", {"level": level, "message": dict(message), **({"step": step} if step else {})})


def events_after(topic: str, seq: int, limit: int) -> list[dict[str, Any]]:
    """Stored events of a topic after ``seq``, oldest first, at most ``limit``."""
    rows = Event.objects.filter(topic=topic, seq__gt=seq).order_by("seq")[:limit]
    return [event_as_json(row.seq, row.kind, row.at, row.data) for row in rows]
