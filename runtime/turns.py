"""Whose turn it is: departments take turns, within a department its apps, within an app the oldest task goes first.

A thousand runs of one app so delay another app's single run by the tasks that are at work, not by a thousand. Every
worker keeps its own turns in memory: nothing is shared, nothing is locked, and a lost worker loses nothing.
"""

from __future__ import annotations

import threading
from typing import Any

from django.db.models import Case, IntegerField, Q, QuerySet, Value, When

from runtime.dispatcher import DUE_SINCE
from runtime.models import Run, Task
from security.models import User

MOST_SHARES = 200
PATIENT_EVERY = 4
"""Every so many claims the oldest task goes first whatever its priority: what is not urgent is done in the end."""


def share_of_run(run: Run) -> str:
    """The queue of a run's tasks: its department and its app."""
    return f"{run.organisation_id}/{run.app_id}"


def share_of_person(user: User) -> str:
    """The queue of what a person asks for beside runs (previews, profiles)."""
    return f"{user.organisation_id}/{user.pk}"


class Turns:
    """Who has had a turn in this round."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shares: list[str] = []
        self._claims = 0

    def ordered(self, tasks: QuerySet[Task]) -> QuerySet[Task]:
        """Urgent ones first; among them departments and apps that have not had their turn; then the oldest."""
        with self._lock:
            shares, claims = tuple(self._shares), self._claims
        by_turn = [_turn(shares), DUE_SINCE] if shares else [DUE_SINCE]
        return tasks.order_by(*by_turn) if claims % PATIENT_EVERY == 3 else tasks.order_by("priority", *by_turn)

    def note(self, task: Task) -> None:
        """This task has been claimed: its app, and its department, have had their turn."""
        share = task.share
        department = share.partition("/")[0]
        with self._lock:
            self._claims += 1
            if any(_is_of(department, other) for other in self._shares):
                # Nobody of another department was waiting: a new round of departments begins.
                mine = [other for other in self._shares if _is_of(department, other)]
                self._shares = [] if share in mine else mine
            self._shares = [*self._shares, share][-MOST_SHARES:]


def _is_of(department: str, share: str) -> bool:
    return share.startswith(f"{department}/")


def _turn(shares: tuple[str, ...]) -> Any:
    """0: neither app nor department has had its turn; 1: the department has; 2: the app as well."""
    departments = sorted({share.partition("/")[0] for share in shares})
    of_department = Q(share__startswith=f"{departments[0]}/")
    for department in departments[1:]:
        of_department |= Q(share__startswith=f"{department}/")
    return Case(
        When(share__in=shares, then=Value(2)),
        When(of_department, then=Value(1)),
        default=Value(0),
        output_field=IntegerField(),
    )
