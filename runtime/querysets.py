"""What each person may see of runs, tasks and results.

An app's department sees its runs. Operators see every run's states, counts, times and error codes; whether they may
see rows is a second question, ``sees_rows``, and the answer is no unless it is their own department's app.
"""

from __future__ import annotations

from typing import Any, Self

from django.db.models import Q

from security.access import Principal, VisibleQuerySet
from security.policy import BUSINESS, DATA_ADMIN, OPERATOR, PLATFORM_ADMIN

WATCHERS = (OPERATOR, PLATFORM_ADMIN)
READERS = (BUSINESS, DATA_ADMIN)


def _own(principal: Principal, prefix: str) -> Q:
    mine = Q(**{f"{prefix}app__organisation_id": principal.organisation_id}) | Q(
        **{f"{prefix}app__owner_id": principal.id}
    )
    return mine & Q(**{f"{prefix}app__deleted_at": None})


def sees_rows(principal: Principal, run: Any) -> bool:
    """Whether ``principal`` works with data, and on this run's app. Rows still need today's grants
    (``runtime.guarding``). An operator of the same department watches like any other operator.
    """
    is_own = run.app.organisation_id == principal.organisation_id or run.app.owner_id == principal.id
    return bool(is_own and principal.has_role(*READERS))


class RunQuerySet(VisibleQuerySet):
    """Runs of one's department's apps; all of them for those who watch over the platform."""

    def visible_to(self, principal: Principal) -> Self:
        if principal.has_role(*WATCHERS):
            return self.all()
        return self.filter(_own(principal, ""))

    def with_person(self) -> Self:
        """Each with the person behind it as they are now: theirs are the rights with which it reads."""
        return self.select_related("started_by__organisation")


class TaskQuerySet(VisibleQuerySet):
    """Tasks of visible runs, and lone tasks that one asked for."""

    def visible_to(self, principal: Principal) -> Self:
        if principal.has_role(*WATCHERS):
            return self.all()
        lone = Q(run=None, requested_by_id=principal.id)
        return self.filter(lone | (Q(run__isnull=False) & _own(principal, "run__")))


class AttemptQuerySet(VisibleQuerySet):
    """Attempts of visible tasks."""

    def visible_to(self, principal: Principal) -> Self:
        if principal.has_role(*WATCHERS):
            return self.all()
        return self.filter(
            Q(task__run=None, task__requested_by_id=principal.id)
            | (Q(task__run__isnull=False) & _own(principal, "task__run__"))
        )


class ResultQuerySet(VisibleQuerySet):
    """Results of one's department's apps alone: watching is not reading."""

    def visible_to(self, principal: Principal) -> Self:
        return self.filter(_own(principal, "run__")) if principal.has_role(*READERS) else self.none()


class PinnedSampleQuerySet(VisibleQuerySet):
    """Samples of one's department's flows; the rows are guarded besides."""

    def visible_to(self, principal: Principal) -> Self:
        return self.filter(_own(principal, "flow__")) if principal.has_role(*READERS) else self.none()


class PoolQuerySet(VisibleQuerySet):
    """Pools: for those who keep them and for those whose flows may use them."""

    def visible_to(self, principal: Principal) -> Self:
        return self.all() if principal.has_role(*WATCHERS, *READERS) else self.none()


class WorkerQuerySet(VisibleQuerySet):
    """Worker processes: for those who watch over the platform."""

    def visible_to(self, principal: Principal) -> Self:
        return self.all() if principal.has_role(*WATCHERS) else self.none()


class InternalQuerySet(VisibleQuerySet):
    """Events, bells and the ledger: never fetched for a person directly."""
