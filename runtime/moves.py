"""Moves of tasks and runs in the database: one conditional update each, with its events in the same transaction.

Lock order, against deadlocks: first the run's row (``locked_run``), then its tasks.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from django.db import connection
from django.db.models import F
from django.dispatch import Signal

from node_catalog.sdk.text import text
from runtime import states
from runtime.clock import Soon, db_now
from runtime.dispatcher import add_bells
from runtime.errors import public
from runtime.lots import is_iteration
from runtime.models import Attempt, Run, Task
from runtime.reporting import Fact, Topic, change_run, is_gathering, merge_steps, record
from security import clock
from security.notices import notify

RELEASING = states.PASSED | {states.PENDING}
Choose = Callable[[Run, Sequence[Task]], Task | None]
"""Picks one of the stages of a run that have just become ready, or none."""
LONG_RUN = 60.0
"""Seconds after which people have gone on to something else."""


run_ended = Signal()
"""A run has ended, in the transaction of its end."""


def locked_run(run_id: Any) -> Run | None:
    """The run with its row locked for the caller's transaction; None for lone tasks."""
    if run_id is None:
        return None
    return Run.objects.select_for_update().get(pk=run_id)


def locked_runs(run_ids: Iterable[Any], *, free_only: bool = False) -> list[Run]:
    """Several runs with their rows locked, always in one order; ``free_only``: without those that others hold now."""
    skips = free_only and connection.features.has_select_for_update_skip_locked
    return list(Run.objects.select_for_update(skip_locked=skips).filter(pk__in=[*run_ids]).order_by("pk"))


def cas_task(task_id: Any, old: str, new: str, attempt: int, **fields: Any) -> bool:
    """Move a task if it still is in ``old`` and of ``attempt``. False: somebody was faster, stop."""
    states.check_task_move(old, new)
    rows = Task.objects.filter(pk=task_id, state=old, attempt=attempt)
    return bool(rows.update(state=new, **_always(new), **fields))


def _always(new: str) -> dict[str, Any]:
    """What goes with a state whoever sets it: a claim is a new attempt, an end has a time and no lease."""
    if new == states.CLAIMED:
        return {"attempt": F("attempt") + 1, "error": None}
    if new in states.FINISHED:
        return {"finished_at": db_now(), "lease_until": None}
    if new == states.READY:
        return {"lease_until": None, "owner": ""}
    return {}


def cas_run(run: Run, new: str, **fields: Any) -> bool:
    """Move a locked run; the object follows."""
    states.check_run_move(run.state, new)
    if is_gathering(run):
        change_run(run, state=new, **fields)
        return True
    moved = Run.objects.filter(pk=run.pk, state=run.state).update(state=new, **fields)
    if moved:
        run.state = new
    return bool(moved)


def task_fact(task: Task, state: str, attempt: int, worker: str = "", problem: Mapping[str, Any] | None = None) -> Fact:
    """The event of a task's move."""
    data: dict[str, Any] = {
        "task": str(task.pk),
        "stage": task.stage,
        "steps": task.payload.get("steps", []),
        "state": states.plain(state),
        "detail_state": state,
        "attempt": attempt,
        "worker": worker,
        "at": clock.now().isoformat(),
    }
    if problem:
        data["error"] = public(problem)
    return Fact("task.state", data)


def run_fact(run: Run, problem: Mapping[str, Any] | None = None) -> Fact:
    """The event of a run's move."""
    data: dict[str, Any] = {"state": states.plain(run.state), "detail_state": run.state}
    if run.state in states.RUN_FINISHED:
        data["finished_at"] = clock.now().isoformat()
        data["rows_out"] = run.rows_out
    if problem:
        data["error"] = public(problem)
    return Fact("run.state", data)


def step_states(task: Task, state: str, problem: Mapping[str, Any] | None = None) -> dict[str, dict[str, Any]]:
    """The per-step picture after a task's move. A problem that names its step marks that step alone as failed."""
    steps = task.payload.get("steps", [])
    word = states.plain(state)
    at_fault = named_step(problem, steps) if word == "failed" else ""
    return {
        step: {
            "state": word if not at_fault or step == at_fault else "cancelled",
            "task": str(task.pk),
            "rows_per_s": 0,
            **({"report": problem["report"]} if problem and problem.get("report") and step == at_fault else {}),
        }
        for step in steps
    }


def named_step(problem: Mapping[str, Any] | None, steps: Sequence[str]) -> str:
    """The step that a problem names in ``where``: its id, or a pointer into the document."""
    where = str((problem or {}).get("where", ""))
    if where in steps:
        return where
    parts = where.split("/")
    return parts[2] if len(parts) > 2 and parts[1] == "steps" and parts[2] in steps else ""


def tell(task: Task, facts: Sequence[Fact], steps: Mapping[str, Mapping[str, Any]] | None = None) -> None:
    """Record facts of a task in its topic, with the change of the per-step picture when it belongs to a run."""
    if task.run_id is None:
        record(Topic("task", task.pk), facts)
        return
    if is_iteration(task):
        # Thousands of them: their loop tells how many have ended; each one is looked up when somebody asks.
        facts = [fact for fact in facts if fact.kind != "task.state"]
    tell_run(task.run_id, facts, steps)


def tell_run(run_id: Any, facts: Sequence[Fact], steps: Mapping[str, Mapping[str, Any]] | None = None) -> None:
    """Record facts of a run, with a change of its per-step picture."""
    merged = merge_steps(run_id, steps or {})
    record(Topic("run", run_id), [*facts, Fact("steps", {"steps": merged})] if merged else facts)


def end_attempt(task_id: Any, attempt: int, outcome: str, problem: Mapping[str, Any] | None = None) -> None:
    """How one try ended. The first word stays: a stale worker cannot rewrite history."""
    Attempt.objects.filter(task_id=task_id, number=attempt, finished_at=None).update(
        finished_at=clock.now(), outcome=outcome, error=dict(problem) if problem else None
    )


def move_task(
    task: Task, old: str, new: str, attempt: int, problem: Mapping[str, Any] | None = None, **fields: Any
) -> bool:
    """Move a task with its events; the caller holds the transaction and the run's lock."""
    if not cas_task(task.pk, old, new, attempt, **fields):
        return False
    if old in states.ACTIVE and new not in states.ACTIVE:
        end_attempt(task.pk, attempt, new, problem)
    tell(task, [task_fact(task, new, attempt, task.owner, problem)], step_states(task, new, problem))
    return True


def release_followers(run: Run, choose: Choose | None = None) -> Task | None:
    """Make every pending stage ready whose predecessors are all done, with a bell for each.

    One that stands only behind ways not taken is skipped instead, and with it what waits for nothing else. ``choose``
    may pick one of those made ready: the answer, which has no bell and is for the caller to take.
    """
    stages = list(run.tasks.filter(state__in=RELEASING).exclude(stage__contains=states.ITERATION))
    passed = {task.stage: task for task in stages if task.state != states.PENDING}
    pending = [task for task in stages if task.state == states.PENDING]
    released = []
    while due := [task for task in pending if states.is_released(task.after, passed.keys())]:
        skipped = {stage for stage, task in passed.items() if task.state == states.SKIPPED}
        taken = {stage: ports for stage, task in passed.items() if (ports := ports_taken(task.result)) is not None}
        for task in due:
            pending.remove(task)
            if task.kind == Task.Kind.LOOP and task.after[0] not in skipped:
                continue  # it ends with its iterations
            if task.kind != Task.Kind.LOOP and states.is_needed(task.payload.get("needs"), skipped, taken):
                if move_task(task, states.PENDING, states.READY, task.attempt, not_before=db_now()):
                    released.append(task)
            elif move_task(task, states.PENDING, states.SKIPPED, task.attempt):
                task.state = states.SKIPPED
                passed[task.stage] = task
    chosen = choose(run, released) if choose is not None and released else None
    add_bells([(task.pk, task.attempt) for task in released if task is not chosen])
    return chosen


def ports_taken(result: Mapping[str, Any] | None) -> list[str] | None:
    """The ports by which a stage that chooses has gone on; None when it goes on by all."""
    ports: list[str] | None = ((result or {}).get("verdict") or {}).get("taken")
    return ports


def settle_run(run: Run, problem: Mapping[str, Any] | None = None, left: Collection[str] | None = None) -> None:
    """After any move: stop what can no longer matter, and end the run when nothing is left to do, or let it rest.

    ``problem`` is the first failure; it stays the run's error. ``left``: the states of its tasks, none of which waits,
    where the caller knows them. The caller holds the run's lock.
    """
    if run.state in states.RUN_FINISHED:
        return
    if problem and not run.error:
        change_run(run, error=public(_at_call(problem, run.steps)))
    is_cancelling = run.state == states.CANCELLING
    if left is None and (run.error or is_cancelling):
        waiting = run.tasks.filter(state__in=states.WAITING)
        # Iterations are many and have no step of their own: one statement, no events.
        waiting.filter(stage__contains=states.ITERATION).update(state=states.CANCELLED, finished_at=db_now())
        for task in waiting:
            move_task(task, task.state, states.CANCELLED, task.attempt)
    if left is None:
        left = set(run.tasks.order_by().values_list("state", flat=True).distinct())
    end = states.end_of_run(left, is_cancelling=is_cancelling, has_failed=bool(run.error))
    if end is None and run.state == states.PAUSING and states.is_at_rest(left):
        cas_run(run, states.PAUSED)
        record(Topic("run", run.pk), [run_fact(run)])
    if end and cas_run(run, end, finished_at=db_now()):
        if not is_gathering(run):
            run.refresh_from_db()
        record(Topic("run", run.pk), [run_fact(run, run.error if end == states.FAILED else None)])
        _tell_starter(run)
        run_ended.send(Run, run=run)


def _at_call(problem: Mapping[str, Any], steps: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    """A problem of an inner step points to the call that people see."""
    parts = str(problem.get("where", "")).split("/")
    name = parts[2] if len(parts) > 2 and parts[1] == "steps" else parts[0]
    call = steps.get(name, {}).get("of")
    return {**problem, "where": f"/steps/{call}"} if call else problem


def _tell_starter(run: Run) -> None:
    """A message to who started the run: when it failed, and when it took so long that nobody is still watching."""
    took = (clock.now() - run.started_at).total_seconds() if run.started_at else 0.0
    if run.state == states.CANCELLED or (run.state != states.FAILED and took < LONG_RUN) or run.started_by is None:
        return
    if run.state == states.FAILED:
        title = text(f"Run {run.number} failed", f"运行 {run.number} 失败")
        notify(run.started_by, "run.failed", title, (run.error or {}).get("message"), f"/runs/{run.pk}")
    else:
        title = text(f"Run {run.number} is done", f"运行 {run.number} 已完成")
        notify(run.started_by, "run.done", title, {}, f"/runs/{run.pk}")


def retry_later(task: Task, old: str, attempt: int, problem: Mapping[str, Any], seconds: float) -> bool:
    """Give a task another try after a pause; the bell is rung by the dispatcher when it is due."""
    moved = move_task(task, old, states.READY, attempt, problem, not_before=Soon(seconds), error=dict(problem))
    if moved and seconds <= 0:
        add_bells([(task.pk, attempt)])
    return moved


def count_crash(task: Task, attempt: int) -> int:
    """One more child died under this attempt; the number so far."""
    Task.objects.filter(pk=task.pk, attempt=attempt).update(crashes=F("crashes") + 1)
    return Task.objects.values_list("crashes", flat=True).get(pk=task.pk)
