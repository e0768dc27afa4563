"""Numbered events: the facts of a run or of a lone task, in one gapless sequence per topic.

An event carries states, counts and codes, never rows; a problem in it is without its guarded ``detail``.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import F

from runtime import live
from runtime.call_picture import changed_calls
from runtime.each import update_each
from runtime.errors import LeaseLostError
from runtime.models import Event, Result, Run, Task
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


@dataclass
class _Gathered:
    """What a transaction says of one run: written once, at its end."""

    run: Run
    facts: list[Fact] = field(default_factory=list)
    fields: dict[str, Any] = field(default_factory=dict)
    results: list[Result] = field(default_factory=list)


_open = threading.local()


def _blocks() -> Mapping[Any, _Gathered]:
    """What this thread gathers now, by run."""
    found: Mapping[Any, _Gathered] = getattr(_open, "gathered", {})
    return found


def _gathered(run_id: Any) -> _Gathered | None:
    """The open block of this thread that is about this run."""
    return _blocks().get(run_id)


@contextmanager
def gathering(*runs: Run | None) -> Iterator[None]:
    """Write what this block records and changes of ``runs`` at its end: one statement for their rows, one for all
    events.

    The caller holds the runs' locks, so that the objects are the truth about their rows until then; whoever reads a
    row's steps, number or state inside the block asks the object. Without a run, or inside such a block, nothing
    changes. Raises LeaseLostError when somebody has moved a run on all the same.
    """
    mine = {run.pk: _Gathered(run) for run in runs if run is not None and _gathered(run.pk) is None}
    if not mine:
        yield
        return
    held = {pk: {"pk": pk, "state": one.run.state, "seq": one.run.seq} for pk, one in mine.items()}
    before = _blocks()
    _open.gathered = {**before, **mine}
    try:
        yield
    finally:
        _open.gathered = before
    for one in mine.values():
        if one.facts:
            one.run.seq += len(one.facts)
            one.fields["seq"] = one.run.seq
    changes = [(held[pk], one.fields) for pk, one in mine.items() if one.fields]
    if update_each(Run.objects.all(), changes) != len(changes):
        raise LeaseLostError()
    Result.objects.bulk_create([result for one in mine.values() for result in one.results])
    _store([_Told(Topic("run", pk), one.facts, one.run.seq) for pk, one in mine.items() if one.facts])


def is_gathering(run: Run) -> bool:
    """Whether this thread is inside a block that gathers what happens to this run."""
    return _gathered(run.pk) is not None


def change_run(run: Run, **fields: Any) -> None:
    """Set fields of a locked run; inside of ``gathering`` together with everything else."""
    for name, value in fields.items():
        setattr(run, name, value)
    gathered = _gathered(run.pk)
    if gathered is None:
        Run.objects.filter(pk=run.pk).update(**fields)
    else:
        gathered.fields.update(fields)


def add_rows(run_id: Any, rows: int) -> None:
    """The run has delivered so many rows more."""
    gathered = _gathered(run_id)
    if gathered is None:
        Run.objects.filter(pk=run_id).update(rows_out=F("rows_out") + rows)
    else:
        change_run(gathered.run, rows_out=gathered.run.rows_out + rows)


def add_result(result: Result) -> None:
    """The run has a result more."""
    gathered = _gathered(result.run_id)
    if gathered is None:
        result.save(force_insert=True)
    else:
        gathered.results.append(result)


def record(topic: Topic, facts: Sequence[Fact]) -> None:
    """Number and store ``facts`` in the caller's transaction; hints go out when it commits.

    Raising the counter locks the topic's row, so numbers have no gaps and no order but the commits' own.
    """
    if not facts:
        return
    gathered = _gathered(topic.pk)
    if gathered is not None:
        gathered.facts.extend(facts)
        return
    owner = topic.model._default_manager.filter(pk=topic.pk)
    owner.update(seq=F("seq") + len(facts))
    _store([_Told(topic, facts, owner.values_list("seq", flat=True).get())])


def record_first(run: Run, facts: Sequence[Fact]) -> None:
    """The first facts of a run that the caller's transaction has stored, with their number in its row.

    No hint goes out: nobody can have heard of the run.
    """
    Event.objects.bulk_create(_events(_Told(Topic("run", run.pk), facts, len(facts)), clock.now()))


@dataclass(frozen=True)
class _Told:
    """Facts of a topic whose last one has the number ``newest``."""

    topic: Topic
    facts: Sequence[Fact]
    newest: int


def _store(told: Sequence[_Told]) -> None:
    now, rows = clock.now(), []
    for one in told:
        events = _events(one, now)
        shown = [event_as_json(row.seq, row.kind, row.at, row.data) for row in events]
        transaction.on_commit(partial(live.publish_events, one.topic.name, shown))
        rows += events
    Event.objects.bulk_create(rows)


def _events(told: _Told, now: Any) -> list[Event]:
    return [
        Event(topic=told.topic.name, seq=seq, kind=fact.kind, data=dict(fact.data), at=now)
        for seq, fact in enumerate(told.facts, start=told.newest - len(told.facts) + 1)
    ]


def merge_steps(run_id: Any, changes: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Put changes into the run's per-step picture and give them back with those of calls; the caller holds the lock."""
    if not changes:
        return {}
    gathered = _gathered(run_id)
    runs = Run.objects.filter(pk=run_id)
    steps = runs.values_list("steps", flat=True).get() if gathered is None else gathered.run.steps
    for step, change in changes.items():
        steps[step] = {**steps.get(step, {}), **change}
    calls = changed_calls(steps, changes)
    for step, change in calls.items():
        steps[step] = {**steps.get(step, {}), **change}
    if gathered is None:
        runs.update(steps=steps)
    else:
        gathered.fields["steps"] = steps
    return {**{step: dict(change) for step, change in changes.items()}, **calls}


def log_fact(level: str, message: Mapping[str, str], step: str = "") -> Fact:
    """A line of a run's log: words only."""
    return Fact("log", {"level": level, "message": dict(message), **({"step": step} if step else {})})


def events_after(topic: str, seq: int, limit: int) -> list[dict[str, Any]]:
    """Stored events of a topic after ``seq``, oldest first, at most ``limit``."""
    rows = Event.objects.filter(topic=topic, seq__gt=seq).order_by("seq")[:limit]
    return [event_as_json(row.seq, row.kind, row.at, row.data) for row in rows]
