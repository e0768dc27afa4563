"""Snapshots: the whole picture of a run, of a lone task, and of the platform, as one person may see it.

A snapshot carries the number of its newest event; it and the events after it give the next snapshot.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Min
from django.utils import timezone

from flows.policy import is_editor
from runtime import states
from runtime.admission import why_waiting
from runtime.clock import db_now
from runtime.dispatcher import due, queue_depth
from runtime.errors import WithheldError, problem_of, public
from runtime.guarding import require_open
from runtime.models import Attempt, Event, Result, Run, Task, Worker
from runtime.querysets import WATCHERS, sees_rows
from runtime.staging import result_as_json
from security import clock
from security.access import Principal

LOG_LINES = 500
WORKER_SILENCE = timedelta(seconds=15)
WINDOW = timedelta(minutes=3)
BUCKET_SECONDS = 5


def seconds_between(start: datetime | None, end: datetime | None) -> float | None:
    """Seconds from ``start`` to ``end``, or to now; None before it has begun."""
    if start is None:
        return None
    return round(max(0.0, ((end or clock.now()) - start).total_seconds()), 3)


def iso(at: datetime | None) -> str | None:
    """A time as JSON has it."""
    return at.isoformat() if at else None


# ── Runs ──────────────────────────────────────────────────────────────────────────────────────────────────


def run_card(run: Run, principal: Principal) -> dict[str, Any]:
    """One line of a list of runs."""
    return {
        "id": str(run.pk),
        "number": run.number,
        "app": {"id": str(run.app_id), "title": run.app.title},
        "flow": {"id": str(run.flow_id), "key": run.flow.key, "title": run.flow.title},
        "version": {"id": str(run.version_id), "number": run.version.number},
        "state": states.plain(run.state),
        "detail_state": run.state,
        "started_by": {"name": run.started_by.name} if run.started_by else None,
        "created_at": iso(run.created_at),
        "started_at": iso(run.started_at),
        "finished_at": iso(run.finished_at),
        "seconds": seconds_between(run.started_at, run.finished_at),
        "rows_out": run.rows_out,
        "until": run.until,
        "iterations": _iterations(run),
        "error": public(run.error, can_see_rows=sees_rows(principal, run)),
        "can": _rights(run, principal),
    }


def _rights(run: Run, principal: Principal) -> dict[str, bool]:
    """What the person may do with the run as it is now; ``cancel`` also means pausing and resuming."""
    can_see = sees_rows(principal, run)
    is_finished = run.state in states.RUN_FINISHED
    may_edit = can_see and is_editor(principal.roles, run.app.owner_id == principal.id)
    return {
        "cancel": not is_finished and (may_edit or principal.has_role(*WATCHERS)),
        "rerun": is_finished and may_edit,
        "see_rows": can_see,
    }


def _iterations(run: Run) -> dict[str, int] | None:
    """How far the for-each steps of a run are, together; None without one that has begun."""
    counts = [step["iterations"] for step in run.steps.values() if step.get("iterations")]
    return {name: sum(one[name] for one in counts) for name in ("total", "done", "failed")} if counts else None


def run_rows(principal: Principal) -> Any:
    """Runs that ``principal`` may see, with what a card needs."""
    return Run.objects.visible_to(principal).select_related("app", "flow", "version", "started_by")


def run_snapshot(principal: Principal, run_id: Any) -> dict[str, Any]:
    """Everything about one run. Raises NotFoundError for unknown and invisible runs alike."""
    snapshot: dict[str, Any] = {}
    for _ in range(4):
        run = run_rows(principal).get_visible(principal, pk=run_id)
        snapshot = _run_snapshot(run, principal)
        if Run.objects.filter(pk=run.pk, seq=run.seq).exists():
            break
    return snapshot


def run_answer(principal: Principal, run_id: Any) -> dict[str, Any]:
    """What a program that has started a run wants to know: its card, the states of its steps, and its results."""
    run = run_rows(principal).get_visible(principal, pk=run_id)
    results = Result.objects.filter(run=run).order_by("created_at")
    return {
        **run_card(run, principal),
        "waits": why_waiting(run),
        "steps": run.steps,
        "results": [result_as_json(result) for result in results],
    }


def _run_snapshot(run: Run, principal: Principal) -> dict[str, Any]:
    can_see = sees_rows(principal, run)
    frozen = run.version.document["flows"][run.flow.key]
    return {
        **run_card(run, principal),
        "seq": run.seq,
        "parameters": run.parameters if can_see else {},
        "document": frozen["document"] if can_see else without_settings(frozen["document"]),
        "layout": frozen["layout"],
        "steps": run.steps,
        "tasks": [_task_line(task, can_see=can_see) for task in _tasks_of(run)],
        "results": [result_as_json(result) for result in Result.objects.filter(run=run).order_by("created_at")],
        "log": _log(run),
        "rerun_of": str(run.rerun_of_id) if run.rerun_of_id else None,
    }


def without_settings(document: Mapping[str, Any]) -> dict[str, Any]:
    """The shape of a flow without what people typed into it: enough to see where a run stands."""
    steps = {key: {**step, "settings": {}} for key, step in document.get("steps", {}).items()}
    return {**document, "steps": steps, "inputs": {}}


def _tasks_of(run: Run) -> Sequence[Task]:
    stages = run.tasks.exclude(stage__contains=states.ITERATION)
    return list(stages.order_by("created_at", "pk").prefetch_related("attempts"))


def _task_line(task: Task, *, can_see: bool) -> dict[str, Any]:
    attempts: Sequence[Attempt] = list(task.attempts.all())
    return {
        "id": str(task.pk),
        "stage": task.stage,
        "steps": task.payload.get("steps", []),
        "state": states.plain(task.state),
        "detail_state": task.state,
        "attempt": task.attempt,
        "worker": task.owner or (attempts[-1].worker if attempts else None),
        "started_at": iso(task.started_at),
        "finished_at": iso(task.finished_at),
        "seconds": seconds_between(task.started_at, task.finished_at),
        "error": public(task.error, can_see_rows=can_see) if task.state != states.DONE else None,
        "attempts": [
            {
                "attempt": attempt.number,
                "worker": attempt.worker,
                "process": attempt.process,
                "state": attempt.outcome or "running",
                "started_at": iso(attempt.started_at),
                "finished_at": iso(attempt.finished_at),
                "error": public(attempt.error, can_see_rows=can_see),
            }
            for attempt in attempts
        ],
    }


def _log(run: Run) -> list[dict[str, Any]]:
    rows = Event.objects.filter(topic=f"run:{run.pk}", kind="log", seq__lte=run.seq).order_by("-seq")[:LOG_LINES]
    return [{"at": row.at.isoformat(), **row.data} for row in reversed(rows)]


# ── Lone tasks ────────────────────────────────────────────────────────────────────────────────────────────


def task_snapshot(principal: Principal, task_id: Any, *, with_result: bool = True) -> dict[str, Any]:
    """One task. Its result and its guarded detail are for who asked, under the rights of today."""
    task = Task.objects.select_related("run__app", "requested_by").get_visible(principal, pk=task_id)
    can_see = sees_rows(principal, task.run) if task.run else task.requested_by_id == principal.id
    result, error = (task.result if can_see and with_result else None), task.error
    if result is not None and task.payload.get("policy") is not None:
        try:
            require_open(task.payload["policy"], principal.user)
        except WithheldError as withheld:
            result, error = None, problem_of(withheld)
    kind = "sample" if task.kind == Task.Kind.PREVIEW and "dataset" in task.payload else task.kind
    return {
        "id": str(task.pk),
        "kind": kind,
        "state": states.plain(task.state),
        "detail_state": task.state,
        "seq": task.seq,
        "progress": task.progress or None,
        "result": result,
        "error": public(error, can_see_rows=can_see),
        "attempt": task.attempt,
        "run": str(task.run_id) if task.run_id else None,
        "worker": task.owner or None,
        "created_at": iso(task.created_at),
        "started_at": iso(task.started_at),
        "finished_at": iso(task.finished_at),
        "expires_at": iso(task.expires_at),
    }


# ── The platform ──────────────────────────────────────────────────────────────────────────────────────────


def monitor_snapshot(principal: Principal) -> dict[str, Any]:
    """States, counts and times of everything; never rows, samples, or errors that quote data."""
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    active = list(run_rows(principal).exclude(state__in=states.RUN_FINISHED).order_by("-created_at")[:100])
    ended = list(run_rows(principal).filter(state__in=states.RUN_FINISHED).order_by("-finished_at")[:30])
    throughput = _throughput()
    return {
        "counts": {
            "running": Run.objects.filter(state__in=(states.RUNNING, states.PAUSING, states.CANCELLING)).count(),
            "waiting": Run.objects.filter(state=states.PENDING).count(),
            "failed_today": Run.objects.filter(state=states.FAILED, finished_at__gte=today).count(),
            "done_today": Run.objects.filter(state=states.DONE, finished_at__gte=today).count(),
        },
        "rows_per_s": sum(_rate(run.steps) for run in active),
        "oldest_wait_s": _oldest_wait(),
        "queue_depth": queue_depth(),
        "workers": [_worker_line(worker) for worker in Worker.objects.visible_to(principal).order_by("pk")],
        "runs": [run_card(run, principal) for run in [*active, *ended]],
        "throughput": throughput,
        "at": clock.now().isoformat(),
        "seq": None,
    }


def _worker_line(worker: Worker) -> dict[str, Any]:
    return {
        "id": worker.pk,
        "host": worker.host,
        "process": worker.process,
        "slots": worker.slots,
        "busy": worker.busy,
        "memory_bytes": worker.memory_bytes,
        "version": worker.version,
        "offers": worker.offers.split(),
        "started_at": iso(worker.started_at),
        "seen_at": iso(worker.seen_at),
        "alive": clock.now() - worker.seen_at < WORKER_SILENCE,
    }


def _oldest_wait() -> float | None:
    oldest = Task.objects.filter(due()).aggregate(oldest=Min("created_at"), now=Min(db_now()))
    return seconds_between(oldest["oldest"], oldest["now"]) if oldest["oldest"] else None


def _rate(steps: Mapping[str, Mapping[str, Any]]) -> int:
    """Rows per second of one run: its fastest counted step (the others see the same rows again)."""
    return max((int(step.get("rows_per_s") or 0) for step in steps.values()), default=0)


def _throughput() -> list[dict[str, Any]]:
    """Rows per second over the last minutes, from the step events of all runs; true for every web process."""
    now = clock.now()
    since = now - WINDOW
    fastest: dict[int, dict[str, int]] = defaultdict(dict)
    events = Event.objects.filter(at__gte=since, kind="steps").order_by("-at")
    for topic, at, data in events.values_list("topic", "at", "data")[:5000]:
        bucket = int(at.timestamp()) // BUCKET_SECONDS
        fastest[bucket][topic] = max(fastest[bucket].get(topic, 0), _rate(data.get("steps", {})))
    first, last = int(since.timestamp()) // BUCKET_SECONDS + 1, int(now.timestamp()) // BUCKET_SECONDS
    return [
        {
            "at": datetime.fromtimestamp(bucket * BUCKET_SECONDS, tz=timezone.get_current_timezone()).isoformat(),
            "rows_per_s": sum(fastest[bucket].values()) if bucket in fastest else 0,
        }
        for bucket in range(first, last + 1)
    ]
