"""Removes what is no longer needed: expired results and previews, intermediate rows, old events, rung bells, plans."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, QuerySet

from flows.models import StoredPlan
from runtime import states
from runtime.models import Event, Outbox, PinnedSample, Result, Run, Task, Worker
from runtime.places import EXCHANGE, RESULTS, remove, store, temporary_folders
from security import clock
from security.secrets import delete_secrets

EXCHANGE_KEPT = timedelta(days=1)
"""Intermediate rows stay for a day, so that a failed run can go on from its failed stage."""
EVENTS_KEPT = timedelta(days=30)
LONE_TASKS_KEPT = timedelta(days=1)
PLANS_KEPT = timedelta(days=1)
BELLS_KEPT = timedelta(hours=1)
AT_ONCE = 500

log = logging.getLogger(__name__)


def remove_old() -> dict[str, int]:
    """Do every kind of removal once; several processes may do so at the same time. Gives counts by kind."""
    counts = {name: remove() for name, remove in REMOVALS.items()}
    if any(counts.values()):
        log.info("retention removed %s", {name: count for name, count in counts.items() if count})
    return counts


def expire_results() -> int:
    """Rows of results past their term: the file goes, the record says when."""
    now = clock.now()
    rows = list(Result.objects.filter(expires_at__lt=now, removed_at=None)[:AT_ONCE])
    for result in rows:
        remove(result.reference)
    return Result.objects.filter(pk__in=[row.pk for row in rows]).update(removed_at=now)


def expire_previews() -> int:
    """Samples are gone after a quarter of an hour, whoever still looks at them."""
    return Task.objects.filter(kind=Task.Kind.PREVIEW, expires_at__lt=clock.now(), result__isnull=False).update(
        result=None, expires_at=None
    )


def remove_exchange() -> int:
    """Intermediate rows of runs that ended a day ago, and of runs that are no longer known."""
    ended = {"state__in": states.RUN_FINISHED, "finished_at__lt": _ago(EXCHANGE_KEPT)}
    return _remove_folders(EXCHANGE, Run.objects.exclude(**ended))


def remove_orphans() -> int:
    """Result folders of runs that were deleted with their app."""
    return _remove_folders(RESULTS, Run.objects.all())


def _remove_folders(kind: str, kept: QuerySet[Run]) -> int:
    removed = 0
    for run, written_at in store().runs(kind):
        if not _is_among(run, kept) and _is_old(written_at, timedelta(minutes=10)):
            store().remove_run(kind, run)
            removed += 1
    return removed


def remove_copies() -> int:
    """What this machine has fetched for runs that have ended, or has left of its own. Every host does that itself."""
    removed = 0
    going = Run.objects.exclude(state__in=states.RUN_FINISHED)
    for kind in (EXCHANGE, RESULTS):
        for run, used_at in store().copied_runs(kind):
            if _is_old(used_at, timedelta(minutes=10)) and not _is_among(run, going):
                store().remove_copies(kind, run)
                removed += 1
    return removed


def _is_among(run: str, runs: QuerySet[Run]) -> bool:
    """Whether this is one of ``runs``; a folder that no run can have made is left alone."""
    try:
        return runs.filter(pk=run).exists()
    except (ValueError, TypeError, ValidationError):
        return True


def remove_temporary() -> int:
    """Spill folders of attempts that are no longer at work."""
    held = Task.objects.filter(state__in=states.ACTIVE).values_list("pk", "attempt", "lot")
    active = {f"{pk}-{mark}" for pk, attempt, lot in held for mark in (attempt, lot)}
    removed = 0
    for folder in temporary_folders():
        if folder.name not in active and _is_old(folder.stat().st_mtime, timedelta(minutes=10)):
            shutil.rmtree(folder, ignore_errors=True)
            removed += 1
    return removed


def remove_events() -> int:
    """Events past their term; snapshots hold what is needed of a run."""
    return _delete(Event, Event.objects.filter(at__lt=_ago(EVENTS_KEPT)))


def remove_lone_tasks() -> int:
    """Previews, checks and the like, a day after they ended; sealed settings of unfinished tests go with them."""
    old = Task.objects.filter(run=None, state__in=states.FINISHED, created_at__lt=_ago(LONE_TASKS_KEPT))
    rows = list(old.values_list("pk", "payload")[:AT_ONCE])
    delete_secrets([payload["sealed"] for _, payload in rows if "sealed" in payload])
    Event.objects.filter(topic__in=[f"task:{pk}" for pk, _ in rows]).delete()
    return Task.objects.filter(pk__in=[pk for pk, _ in rows]).delete()[0]


def remove_bells() -> int:
    """Bells that were rung an hour ago."""
    return _delete(Outbox, Outbox.objects.filter(sent_at__lt=_ago(BELLS_KEPT)))


def remove_plans() -> int:
    """Plans of previews: no run stands on them."""
    used = Run.objects.filter(plan=OuterRef("pk"))
    old = StoredPlan.objects.filter(~Exists(used), created_at__lt=_ago(PLANS_KEPT))
    return _delete(StoredPlan, old)


def forget_workers() -> int:
    """Workers that said nothing for an hour."""
    return _delete(Worker, Worker.objects.filter(seen_at__lt=_ago(timedelta(hours=1))))


def _delete(model: type, rows: object) -> int:
    pks = list(rows.values_list("pk", flat=True)[:AT_ONCE])  # type: ignore[attr-defined]
    return int(model._default_manager.filter(pk__in=pks).delete()[0])  # type: ignore[attr-defined]


def _ago(span: timedelta) -> object:
    return clock.now() - span


def _is_old(stamp: float, span: timedelta) -> bool:
    # A file's time comes from this machine.
    return time.time() - stamp > span.total_seconds()


def remove_pins() -> int:
    """Pinned samples past their week."""
    return _delete(PinnedSample, PinnedSample.objects.filter(expires_at__lt=clock.now()))


REMOVALS: dict[str, Callable[[], int]] = {
    "results": expire_results,
    "previews": expire_previews,
    "pins": remove_pins,
    "exchange": remove_exchange,
    "orphans": remove_orphans,
    "temporary": remove_temporary,
    "events": remove_events,
    "lone_tasks": remove_lone_tasks,
    "bells": remove_bells,
    "plans": remove_plans,
    "workers": forget_workers,
}
