"""Claims: how a worker gets a task, keeps it, and learns that it has lost it.

A claim is an attempt number with a lease on the database's clock. Whoever cannot renew the lease stops: the next
attempt may already be at work.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce

from node_catalog.sdk.failpoint import failpoint
from runtime import states
from runtime.clock import Soon, db_now
from runtime.dispatcher import DUE_SINCE, due
from runtime.errors import LeaseLostError
from runtime.lots import UNTRIED, add_to_lot, claim_mates, has_room, is_iteration, of_claim
from runtime.models import Attempt, Run, Task
from runtime.moves import cas_run, cas_task, locked_run, locked_runs, run_fact, step_states, task_fact, tell
from runtime.node_slots import lock_turns, readers_of, using, waits_for
from runtime.plans import is_alone, plan_of
from runtime.pools import is_passing
from runtime.reporting import Topic, gathering, record
from runtime.turns import Turns
from runtime.uses import uses_in
from security import clock

ANY = Q()
"""A worker that can do everything."""


@dataclass
class Claim:
    """What a worker believes it holds. ``stop`` is set when it must let go, with the reason in ``why``."""

    task: Task
    attempt: int
    owner: str
    state: str = states.CLAIMED
    stop: threading.Event = field(default_factory=threading.Event)
    why: str = ""
    rated: frozenset[str] = frozenset()
    """Nodes that may only be read so fast, by all works together."""
    readers: Mapping[str, int] | None = None
    """How many works read those just now: what its child has not been told yet."""
    should_rest: bool = False
    """The run shall pause, or the worker end: work that has places to stop at stops at the next one."""

    def let_go(self, why: str) -> None:
        """Tell the work to end: ``lost``, ``cancelled`` or ``stopping``. The first reason stays."""
        if not self.stop.is_set():
            self.why = why
            self.stop.set()

    def news_of_readers(self) -> Mapping[str, int] | None:
        """``readers``, once."""
        news, self.readers = self.readers, None
        return news


class Holding:
    """The claims that a worker holds now. From any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._claims: dict[Any, Claim] = {}

    def add(self, *claims: Claim) -> None:
        """These are to be renewed and watched."""
        with self._lock:
            self._claims |= {held.task.pk: held for held in claims}

    def drop(self, *claims: Claim) -> None:
        """These have ended."""
        with self._lock:
            for held in claims:
                self._claims.pop(held.task.pk, None)

    def all(self) -> list[Claim]:
        """Those of this moment."""
        with self._lock:
            return list(self._claims.values())


def claim(task_id: Any, owner: str, kinds: Collection[str], met: Q = ANY) -> Claim | None:
    """Take one task if it is ready, due, of one of ``kinds`` and ``met``; None when somebody was faster."""
    task = Task.objects.filter(due() & met, pk=task_id, kind__in=kinds).first()
    return None if task is None or (task.uses and (is_passing(task) or waits_for(task))) else _take(task, owner)


def claim_next(owner: str, kinds: Collection[str], met: Q = ANY, turns: Turns | None = None) -> Claim | None:
    """Take the due task of ``kinds`` whose turn it is and whose needs are ``met``; None when there is nothing to do.

    A profile comes after what somebody waits for, and a scan (thousands of profiles) after everything else.
    """
    late = (Task.Kind.PROFILE, Task.Kind.SCAN)
    for group in ([kind for kind in kinds if kind not in late], *([kind] for kind in late if kind in kinds)):
        due_now = Task.objects.filter(due() & met, kind__in=group)
        taken = _take_first(due_now, owner, turns or Turns()) if group else None
        if taken:
            return taken
    return None


def _take_first(tasks: QuerySet[Task], owner: str, turns: Turns) -> Claim | None:
    """The first of ``tasks`` that nobody else gets; what waits for a node or a pool, or an iteration whose for-each is
    full, does not stand in the way of others.
    """
    while True:
        full: set[tuple[Any, str]] = set()
        nodes: set[str] = set()
        for task in turns.ordered(tasks)[:8]:
            if nodes & uses_in(task.uses).keys():
                continue  # an older task waits for its turn there: nobody passes it
            if task.uses and (there := waits_for(task)):
                nodes |= {one.key for one in there}
                continue
            taken = _take(task, owner)
            if taken:
                turns.note(task)
                return taken
            if is_iteration(task):
                full.add((task.run_id, task.payload["loop"]))
        if not full and not nodes:
            return None
        if nodes:
            tasks = tasks.exclude(using(nodes))
        for run, loop in full:
            tasks = tasks.exclude(run=run, stage__startswith=f"{loop}{states.ITERATION}")


def _take(task: Task, owner: str) -> Claim | None:
    with transaction.atomic():
        lock_turns(task.uses)
        run = locked_run(task.run_id)
        if run is not None and (run.state in states.HELD or (is_iteration(task) and not has_room(run, task))):
            return None
        if task.uses and waits_for(task):
            return None
        taken = take(task, owner, run)
        if taken is None:
            return None
        failpoint("claim.before_commit")
    failpoint("claim.after_commit")
    return taken


def take(task: Task, owner: str, run: Run | None, lot: str = "") -> Claim | None:
    """Claim a ready task in the caller's transaction, which holds the run's lock; None when somebody was faster."""
    lot = lot or uuid4().hex
    if not cas_task(task.pk, states.READY, states.CLAIMED, task.attempt, **of_claim(owner, lot)):
        return None
    task.attempt, task.state, task.owner, task.lot = task.attempt + 1, states.CLAIMED, owner, lot
    task.error = None
    if run is not None:
        task.run = run
    _note_attempts([task])
    with gathering(run):
        _say_started(run)
        tell(task, [task_fact(task, states.CLAIMED, task.attempt, owner)])
    return Claim(task=task, attempt=task.attempt, owner=owner)


def _say_started(run: Run | None) -> None:
    if run is not None and run.state == states.PENDING:
        cas_run(run, states.RUNNING, started_at=Coalesce(F("started_at"), db_now()))
        record(Topic("run", run.pk), [run_fact(run)])


def claim_along(head: Claim, most: int) -> list[Claim]:
    """Claim up to ``most`` iterations more of the for-each that ``head`` belongs to (``runtime.lots``)."""
    with transaction.atomic():
        run = locked_run(head.task.run_id)
        assert run is not None, "an iteration belongs to a run"
        mates = claim_mates(run, head.task, most)
        _note_attempts(mates)
        failpoint("claim.before_commit")
    failpoint("claim.after_commit")
    return [Claim(task=task, attempt=task.attempt, owner=head.owner) for task in mates]


def claim_runs(head: Claim, most: int, slots: int) -> list[Claim]:
    """Claim the stages of up to ``most`` runs more that are like the one of ``head``, a run of one stage: of the same
    flow, version and person, never tried.

    Of what waits, no more than the part of one of ``slots``. Nobody is told yet: they begin when their turn comes.
    """
    like, run = head.task, head.task.run
    assert run is not None, "a stage belongs to a run"
    waiting = Task.objects.filter(
        due(), UNTRIED, kind=Task.Kind.STAGE, share=like.share, priority=like.priority, uses="", needs=like.needs,
        level=like.level, run__flow=run.flow_id, run__version=run.version_id, run__started_by=run.started_by_id,
        run__state=states.PENDING,
    )  # fmt: skip
    found = list(waiting.order_by(DUE_SINCE).values_list("run", flat=True)[: (most + 1) * slots])
    share = -(-(len(found) + 1) // slots) - 1
    if share < 1:
        return []
    with transaction.atomic():
        runs = {one.pk: one for one in locked_runs(found[:share], free_only=True) if _is_like(one)}
        add_to_lot(Task.objects.filter(UNTRIED, run__in=runs, state=states.READY), like)
        mates = list(Task.objects.filter(run__in=runs, lot=like.lot).order_by("created_at"))
        _note_attempts(mates)
        failpoint("claim.before_commit")
    failpoint("claim.after_commit")
    for task in mates:
        task.run = runs[task.run_id]
    return [Claim(task=task, attempt=task.attempt, owner=head.owner) for task in mates]


def _is_like(run: Run) -> bool:
    return run.state == states.PENDING and is_alone(plan_of(run.plan_id))


def _note_attempts(tasks: Iterable[Task]) -> None:
    now = clock.now()
    Attempt.objects.bulk_create(
        Attempt(task=task, number=task.attempt, worker=task.owner, process=os.getpid(), started_at=now)
        for task in tasks
    )


def begin(claim: Claim) -> bool:
    """The work starts: claimed → running. False: the claim is lost."""
    with transaction.atomic():
        run = locked_run(claim.task.run_id)
        if not cas_task(claim.task.pk, states.CLAIMED, states.RUNNING, claim.attempt):
            return False
        fact = task_fact(claim.task, states.RUNNING, claim.attempt, claim.owner)
        with gathering(run):
            _say_started(run)
            tell(claim.task, [fact], step_states(claim.task, states.RUNNING))
        failpoint("begin.before_commit")
    failpoint("begin.after_commit")
    claim.state = states.RUNNING
    return True


def begin_lot(lot: Sequence[Claim]) -> bool:
    """The work on a lot starts: claimed → running, all in one statement. False: the claim is lost."""
    with transaction.atomic():
        locked_run(lot[0].task.run_id)
        mine = Task.objects.filter(lot=lot[0].task.lot, state=states.CLAIMED)
        if mine.update(state=states.RUNNING) != len(lot):
            transaction.set_rollback(True)
            return False
        failpoint("begin.before_commit")
    failpoint("begin.after_commit")
    for claim in lot:
        claim.state = states.RUNNING
    return True


def begin_commit(claim: Claim) -> bool:
    """The rows are staged and the target is asked to show them: running → committing."""
    with transaction.atomic():
        run = locked_run(claim.task.run_id)
        if not cas_task(claim.task.pk, states.RUNNING, states.COMMITTING, claim.attempt):
            return False
        with gathering(run):
            tell(claim.task, [task_fact(claim.task, states.COMMITTING, claim.attempt, claim.owner)])
        failpoint("committing.before_commit")
    failpoint("committing.after_commit")
    claim.state = states.COMMITTING
    return True


def renew(claims: Iterable[Claim]) -> None:
    """Renew leases, one statement each (several rows in one statement could deadlock); lost claims let go."""
    for held in claims:
        rows = Task.objects.filter(pk=held.task.pk, attempt=held.attempt, owner=held.owner, state__in=states.ACTIVE)
        if not rows.update(lease_until=Soon(settings.OPTIONS["LEASE_SECONDS"])):
            held.let_go("lost")
        failpoint("lease.renewed")


def write_if_held(claim: Claim, **fields: Any) -> None:
    """Write fields of the claimed task in the caller's transaction; raises LeaseLostError when the claim is lost."""
    mine = Task.objects.filter(pk=claim.task.pk, attempt=claim.attempt, state__in=states.ACTIVE)
    if not mine.update(**fields):
        raise LeaseLostError()


def watch(claims: Collection[Claim]) -> None:
    """Let go of claims whose task was cancelled or given to another, or whose run is being stopped; tell of pauses."""
    by_id = {held.task.pk: held for held in claims}
    if not by_id:
        return
    seen = Task.objects.filter(pk__in=by_id).values_list("pk", "state", "attempt", "run__state", "run__error")
    for pk, state, attempt, run_state, run_error in seen:
        held = by_id.pop(pk)
        if state not in states.ACTIVE or attempt != held.attempt:
            held.let_go("lost")
        elif (run_state == states.CANCELLING or run_error) and state != states.COMMITTING:
            held.let_go("cancelled")
        held.should_rest = held.should_rest or run_state == states.PAUSING
    for held in by_id.values():
        held.let_go("lost")


def look_for_readers(claims: Collection[Claim]) -> None:
    """Note for every claim how many works read the nodes that have rates."""
    nodes = frozenset[str]().union(*(held.rated for held in claims))
    if not nodes:
        return
    readers = readers_of(nodes)
    for held in claims:
        if held.rated:
            held.readers = {node: readers[node] for node in held.rated}


def is_cancelling(run: Run | None) -> bool:
    """Whether the task's run is being stopped, by a person or by another stage's failure."""
    return run is not None and (run.state == states.CANCELLING or bool(run.error))
