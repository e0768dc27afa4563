"""How an attempt ends: done, failed, retried, cancelled, crashed, or handed back. Each is one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.db import transaction
from django.db.models import F

from node_catalog.sdk.failpoint import failpoint
from runtime import states
from runtime.claims import Claim, is_cancelling
from runtime.clock import Soon
from runtime.dispatcher import add_bells
from runtime.errors import LeaseLostError
from runtime.loops import after_iteration
from runtime.models import Task
from runtime.moves import (
    cas_task,
    count_crash,
    end_attempt,
    is_iteration,
    locked_run,
    move_task,
    named_step,
    release_followers,
    retry_later,
    settle_run,
    step_states,
    task_fact,
    tell,
)
from runtime.reporting import Fact, log_fact

Apply = Callable[[], list[Fact]]
"""What else belongs to the end of a task (results, catalogue changes), inside its transaction; gives more facts."""


def complete(
    claim: Claim,
    result: Mapping[str, Any],
    apply: Apply,
    steps: Mapping[str, Mapping[str, Any]] | None = None,
    **fields: Any,
) -> None:
    """The attempt's work is durable: done, followers released, run ended if it was the last.

    Raises LeaseLostError when another attempt owns the task; nothing is changed then.
    """
    task = claim.task
    with transaction.atomic():
        run = locked_run(task.run_id)
        if not cas_task(task.pk, claim.state, states.DONE, claim.attempt, result=dict(result), error=None, **fields):
            raise LeaseLostError()
        end_attempt(task.pk, claim.attempt, states.DONE)
        facts = [task_fact(task, states.DONE, claim.attempt, claim.owner), *apply()]
        if task.run_id is None:
            facts.append(Fact("done", {}))
        picture = step_states(task, states.DONE)
        for step, change in (steps or {}).items():
            picture[step] = {**picture.get(step, {}), **change}
        tell(task, facts, picture)
        if run is not None:
            run.refresh_from_db()
            if not is_iteration(task) or after_iteration(run, task, states.DONE, int(result.get("rows") or 0)):
                release_followers(run)
                settle_run(run)
        failpoint("finish.before_commit")
    claim.state = states.DONE
    failpoint("finish.after_commit")


def fail(claim: Claim, problem: Mapping[str, Any]) -> str:
    """The attempt ended with an error: retry with back-off, or failed for good. Gives the new state."""
    with transaction.atomic():
        run = locked_run(claim.task.run_id)
        new = states.after_error(
            str(problem.get("retry", "fatal")),
            claim.attempt,
            claim.task.max_attempts,
            is_cancelling=is_cancelling(run),
        )
        return _leave(claim, new, problem, states.back_off(claim.attempt))


def crash(claim: Claim, problem: Mapping[str, Any]) -> str:
    """The child process died under the attempt: try again at once, or give up after two. Gives the new state."""
    with transaction.atomic():
        run = locked_run(claim.task.run_id)
        crashes = count_crash(claim.task, claim.attempt)
        new = states.after_loss(claim.attempt, claim.task.max_attempts, crashes, is_cancelling=is_cancelling(run))
        return _leave(claim, new, problem, 0.0)


def cancelled(claim: Claim) -> str:
    """The work has stopped because somebody asked for it."""
    with transaction.atomic():
        locked_run(claim.task.run_id)
        return _leave(claim, states.CANCELLED, None, 0.0)


def hand_back(claim: Claim, seconds: float = 0.0) -> str:
    """The task goes back, to be done by another worker at once or by any after ``seconds``; this try does not count."""
    with transaction.atomic():
        locked_run(claim.task.run_id)
        Task.objects.filter(pk=claim.task.pk, attempt=claim.attempt).update(max_attempts=F("max_attempts") + 1)
        if not move_task(claim.task, claim.state, states.READY, claim.attempt, not_before=Soon(seconds)):
            return ""
        if seconds <= 0:
            add_bells([(claim.task.pk, claim.attempt)])
        failpoint("hand_back.before_commit")
        return states.READY


def _leave(claim: Claim, new: str, problem: Mapping[str, Any] | None, pause: float) -> str:
    """Move out of work; an empty answer means that another attempt owns the task (nothing is changed)."""
    task = claim.task
    if new in (states.FAILED, states.DEAD) and task.payload.get("on_error") == "continue":
        new = states.LEFT_OUT
    if new == states.READY:
        if not retry_later(task, claim.state, claim.attempt, problem or {}, pause):
            return ""
    elif not move_task(task, claim.state, new, claim.attempt, problem, **({"error": dict(problem)} if problem else {})):
        return ""
    if problem and task.run_id:
        level = "warning" if new in (states.READY, states.LEFT_OUT) else "error"
        step = named_step(problem, task.payload.get("steps", []))
        tell(task, [log_fact(level, problem.get("message", {}), step)])
    run = locked_run(task.run_id)
    if run is not None and new != states.READY:
        settle_run(run, problem if new in (states.FAILED, states.DEAD) else None)
        if is_iteration(task):
            after_iteration(run, task, new)
            settle_run(run)
    failpoint("leave.before_commit")
    claim.state = new
    return new
