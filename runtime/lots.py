"""Lots: iterations of one for-each that a worker claims together and does one after the other in one slot.

A light iteration costs less than its claim, so that its claim, its lease and the record of its end are shared. The
for-each's setting "at the same time" counts lots: at any moment a lot is at work on one of its iterations. Everything
here happens under the run's lock, in the caller's transaction.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce

from flows.graph.plan import Iterations
from runtime import states
from runtime.clock import Soon, db_now
from runtime.dispatcher import due
from runtime.models import MAX_ATTEMPTS, Run, Task
from runtime.plans import loop_of, plan_of
from runtime.states import ITERATION

UNTRIED = Q(attempt__lte=F("max_attempts") - MAX_ATTEMPTS)
"""Tasks that wait for their first try (``was_tried`` of those that are claimed): only these share a lot."""


def iterations_of(run_id: Any, key: str) -> QuerySet[Task]:
    """The loop's tasks, in the order of the items."""
    return Task.objects.filter(run_id=run_id, stage__startswith=f"{key}{ITERATION}").order_by("stage")


def is_iteration(task: Task) -> bool:
    """Whether the task is one iteration of a for-each."""
    return "loop" in task.payload


def was_tried(task: Task) -> bool:
    """Whether a try of a claimed task came before this one. Then it goes alone: whatever it does to its worker, it does
    to no other task.
    """
    return task.attempt - task.max_attempts > 1 - MAX_ATTEMPTS


def loop_behind(run: Run, task: Task) -> Iterations:
    """The loop that an iteration belongs to."""
    return loop_of(plan_of(run.plan_id), task.payload["loop"])


def has_room(run: Run, task: Task) -> bool:
    """Whether one more lot of this iteration's loop may be at work."""
    loop = loop_behind(run, task)
    return len(_at_work(run, loop)) < loop.concurrency


def _at_work(run: Run, loop: Iterations) -> set[str]:
    """The lots of the loop that workers hold; a worker of an older version holds each iteration by itself."""
    held = iterations_of(run.pk, loop.key).filter(state__in=states.ACTIVE).order_by()
    return {lot or str(pk) for pk, lot in held.values_list("pk", "lot")}


def claim_mates(run: Run, head: Task, most: int) -> list[Task]:
    """Claim up to ``most`` iterations more for the lot of ``head``, in the order of the items."""
    loop = loop_behind(run, head)
    if run.state in states.HELD or was_tried(head):
        return []
    fresh = iterations_of(run.pk, loop.key).filter(UNTRIED, Q(state=states.PENDING) | due())
    share = -(-fresh.count() // loop.concurrency)
    chosen = list(fresh.values_list("pk", flat=True)[: min(most, share)])
    add_to_lot(Task.objects.filter(pk__in=chosen, state__in=states.WAITING), head)
    open_next(run, loop)
    return list(iterations_of(run.pk, loop.key).filter(lot=head.lot, pk__in=chosen))


def add_to_lot(tasks: QuerySet[Task], head: Task) -> None:
    """Claim ``tasks`` for the lot of ``head``, in one statement."""
    fields = of_claim(head.owner, head.lot)
    tasks.update(state=states.CLAIMED, attempt=F("attempt") + 1, error=None, **fields)


def of_claim(owner: str, lot: str) -> dict[str, Any]:
    """What a claim writes into a task's row besides its state."""
    return {
        "owner": owner,
        "lot": lot,
        "lease_until": Soon(settings.OPTIONS["LEASE_SECONDS"]),
        "started_at": Coalesce(F("started_at"), db_now()),
    }


def open_next(run: Run, loop: Iterations) -> None:
    """Make as many iterations ready as lots may still begin.

    No bell: whoever has ended a lot looks for more at once, and other workers are reminded of what waits.
    """
    rows = iterations_of(run.pk, loop.key)
    free = loop.concurrency - len(_at_work(run, loop)) - rows.filter(state=states.READY).count()
    if free > 0:
        chosen = list(rows.filter(state=states.PENDING).values_list("pk", flat=True)[:free])
        Task.objects.filter(pk__in=chosen, state=states.PENDING).update(state=states.READY, not_before=db_now())
