"""Brings tasks with needs to the workers that meet them, and says it on their pages when no such worker is running, or
when a task waits for its turn at a node or for a pool.

Tasks that need nothing share one queue of the broker; each combination of needs has one of its own, which only the
workers listen to that meet it. A bell is written without looking at needs: the worker that hears it passes it on.
"""

from __future__ import annotations

from typing import Any

from celery import current_app
from django.db import transaction
from django.db.models import QuerySet

from node_catalog.sdk.text import Text
from runtime import states
from runtime.clock import Soon
from runtime.dispatcher import DUE_SINCE, due, ring_in
from runtime.models import Task
from runtime.moves import locked_run, task_fact, tell
from runtime.node_slots import Full, waits_for
from runtime.offers import Offers, living_offers, nobody_can
from runtime.pools import FullPool
from runtime.reporting import log_fact

PATIENCE = 2.0
"""Seconds that a task waits before somebody is told that no worker can do it."""
TOLD = "worker.none"
AT_NODE, AT_POOL = Full.code, FullPool.code
MOST_AT_ONCE = 20


def queue_for(needs: str) -> str:
    """The broker's queue for tasks with these needs."""
    return "+".join((str(current_app.conf.task_default_queue), *needs.split()))


def queues_of(offers: Offers) -> list[str]:
    """Every queue that a worker listens to."""
    return [queue_for(needs) for needs in offers.combinations]


def pass_on(task_id: str, needs: str, level: int) -> None:
    """Ring where the workers listen that can do this, if there is one; otherwise its poll finds the task later."""
    if needs and any(one.meets(needs, level) for one in living_offers()):
        ring_in(queue_for(needs), task_id)


def tell_waiting() -> int:
    """Say of tasks that no running worker can do that they wait, and for what; gives how many were told now."""
    waiting = _waiting(TOLD)
    kinds = set(waiting.order_by().values_list("needs", "level").distinct())
    living = living_offers() if kinds else []
    told = 0
    for needs, level in kinds:
        if any(one.meets(needs, level) for one in living):
            continue
        words = nobody_can(needs, level, living)
        for task in waiting.filter(needs=needs, level=level).order_by("created_at")[:MOST_AT_ONCE]:
            told += _tell(task, TOLD, words)
    return told


def tell_waiting_for_turns() -> int:
    """Say of tasks that wait for a node or a pool that they do; gives how many were told now."""
    told = 0
    for task in _waiting(AT_NODE, AT_POOL).exclude(uses="").order_by("created_at")[:MOST_AT_ONCE]:
        full = waits_for(task)
        told += _tell(task, full[0].code, full[0].words) if full else 0
    return told


def _waiting(*told: str) -> QuerySet[Task]:
    return (
        Task.objects.filter(due())
        .annotate(since=DUE_SINCE)
        .filter(since__lte=Soon(-PATIENCE))
        .exclude(error__code__in=told)
    )


@transaction.atomic
def _tell(task: Task, code: str, words: Text) -> bool:
    locked_run(task.run_id)
    problem: dict[str, Any] = {"code": code, "message": words, "where": "", "retry": "retry", "detail": ""}
    mine = Task.objects.filter(pk=task.pk, state=states.READY, attempt=task.attempt)
    if not mine.update(error=problem):
        return False
    steps = task.payload.get("steps", [])
    fact = task_fact(task, states.READY, task.attempt, problem=problem)
    tell(task, [fact, log_fact("warning", words, steps[0] if steps else "")])
    return True
