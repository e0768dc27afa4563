"""How an attempt ends: done, failed, retried, cancelled, crashed, or handed back. Each is one transaction."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet

from node_catalog.sdk.failpoint import failpoint
from runtime import states
from runtime.claims import Claim, is_cancelling, take
from runtime.clock import Soon
from runtime.dispatcher import add_bells
from runtime.each import Change, update_each
from runtime.endings import Ending
from runtime.errors import LeaseLostError
from runtime.loops import after_iterations
from runtime.lots import is_iteration, iterations_of
from runtime.models import Attempt, Task
from runtime.moves import (
    Choose,
    cas_task,
    count_crash,
    end_attempt,
    locked_run,
    locked_runs,
    move_task,
    named_step,
    release_followers,
    retry_later,
    settle_run,
    step_states,
    task_fact,
    tell,
)
from runtime.reporting import Fact, change_run, gathering, log_fact
from security import clock


@dataclass(frozen=True)
class Unwritten:
    """Work that has ended well some time before that is written down: of a stage behind another one, or in a lot.

    Its times are ``time.monotonic``'s.
    """

    claim: Claim
    ending: Ending
    began_at: float
    ended_at: float


def complete(
    claim: Claim, ending: Ending, ahead: Sequence[Unwritten] = (), choose: Choose | None = None, lot: str = ""
) -> Claim | None:
    """The attempt's work is durable: done, followers released, run ended if it was the last.

    ``ahead``: stages behind it, in their order, that are done as well; unless the run is being stopped, when they are
    cancelled already and their rows forgotten. ``choose``: the stage to go on with, which is claimed in the same
    transaction (the answer), with the word ``lot`` if it has one already. Raises LeaseLostError when another attempt
    owns the task; nothing is changed then.
    """
    task = claim.task
    with transaction.atomic():
        run = locked_run(task.run_id)
        fields: dict[str, Any] = {"result": dict(ending.result), "error": None}
        if ending.expires_at is not None:
            fields["expires_at"] = ending.expires_at
        if not cas_task(task.pk, claim.state, states.DONE, claim.attempt, **fields):
            raise LeaseLostError()
        if is_cancelling(run):
            ahead, choose = (), None
        _complete_ahead(ahead)
        follower = None
        with gathering(run):
            end_attempt(task.pk, claim.attempt, states.DONE)
            facts, picture = _end_of_stage(claim, ending)
            for one in ahead:
                more, changes = _end_of_stage(one.claim, one.ending)
                facts += more
                picture |= changes
            if task.run_id is None:
                facts.append(Fact("done", {}))
            tell(task, facts, picture)
            if run is not None:
                chosen = release_followers(run, choose)
                follower = take(chosen, claim.owner, run, lot) if chosen is not None else None
                settle_run(run)
        failpoint("finish.before_commit")
    for ended in (claim, *(one.claim for one in ahead)):
        ended.state = states.DONE
    failpoint("finish.after_commit")
    return follower


def _end_of_stage(claim: Claim, ending: Ending) -> tuple[list[Fact], dict[str, dict[str, Any]]]:
    """What is told of a stage that is done, and the picture of its steps."""
    picture = step_states(claim.task, states.DONE)
    for step, change in ending.steps.items():
        picture[step] = {**picture.get(step, {}), **change}
    return [task_fact(claim.task, states.DONE, claim.attempt, claim.owner), *ending.apply()], picture


def _complete_ahead(ahead: Sequence[Unwritten]) -> None:
    """Pending → done, as attempts of their own. The caller has written the end of the stage that released them."""
    if not ahead:
        return
    # Whoever else could have moved them holds the run's lock and the claim behind which they were done.
    waiting = Task.objects.filter(state=states.PENDING, attempt=0)
    first, by_clock = ahead[0].claim, _by_clock()
    _end_tasks(waiting, ahead, attempt=first.attempt, owner=first.owner)
    Attempt.objects.bulk_create(
        Attempt(
            task=one.claim.task,
            number=one.claim.attempt,
            worker=one.claim.owner,
            process=os.getpid(),
            started_at=by_clock(one.began_at),
            finished_at=by_clock(one.ended_at),
            outcome=states.DONE,
        )
        for one in ahead
    )


def complete_runs(done: Sequence[Unwritten]) -> None:
    """Runs of one stage each, whose stages were claimed as one lot, are done: one transaction for all of them.

    Raises LeaseLostError when another attempt owns one of the stages; nothing is changed then.
    """
    by_clock = _by_clock()
    began = {one.claim.task.pk: by_clock(one.began_at) for one in done}
    ended = {one.claim.task.pk: by_clock(one.ended_at) for one in done}
    with transaction.atomic():
        runs = {run.pk: run for run in locked_runs(one.claim.task.run_id for one in done)}
        mine = Task.objects.filter(lot=done[0].claim.task.lot, state__in=(states.CLAIMED, states.RUNNING))
        _end_tasks(mine, done)
        update_each(
            Attempt.objects.filter(finished_at=None),
            [
                ({"task": key}, {"started_at": began[key], "finished_at": ended[key], "outcome": states.DONE})
                for key in began
            ],
        )
        with gathering(*runs.values()):
            for one in done:
                run = runs[one.claim.task.run_id]
                if run.started_at is None:
                    change_run(run, started_at=began[one.claim.task.pk])
                facts, picture = _end_of_stage(one.claim, one.ending)
                tell(one.claim.task, facts, picture)
                settle_run(run, left={states.DONE})
        failpoint("finish.before_commit")
    for one in done:
        one.claim.state = states.DONE
    failpoint("finish.after_commit")


def complete_iterations(done: Sequence[Unwritten]) -> None:
    """Iterations of one lot are done: one transaction for all of them.

    Raises LeaseLostError when another attempt owns one of them; nothing is changed then.
    """
    first, now = done[0].claim.task, clock.now()
    with transaction.atomic():
        run = locked_run(first.run_id)
        assert run is not None, "an iteration belongs to a run"
        mine = iterations_of(run.pk, first.payload["loop"]).filter(lot=first.lot, state=states.RUNNING)
        keys = _end_tasks(mine, done)
        Attempt.objects.filter(task__in=keys, finished_at=None).update(finished_at=now, outcome=states.DONE)
        rows = sum(int(one.ending.result.get("rows") or 0) for one in done)
        if after_iterations(run, first, states.DONE, len(done), rows):
            release_followers(run)
            settle_run(run)
        failpoint("finish.before_commit")
    for one in done:
        one.claim.state = states.DONE
    failpoint("finish.after_commit")


def _end_tasks(mine: QuerySet[Task], done: Sequence[Unwritten], **fields: Any) -> list[Any]:
    """The tasks of ``done`` are done, all or none; their keys. Raises LeaseLostError when one is not among ``mine``.

    Their times are their own, not those of the record; the database's clock tells them.
    """
    keys = [one.claim.task.pk for one in done]
    if mine.filter(pk__in=keys).update(state=states.DONE, error=None, lease_until=None, **fields) != len(keys):
        raise LeaseLostError()
    now = time.monotonic()
    ends: list[Change] = []
    for one in done:
        task = one.claim.task
        task.result = dict(one.ending.result)
        times = {"started_at": Soon(one.began_at - now), "finished_at": Soon(one.ended_at - now)}
        ends.append(({"pk": task.pk}, {"result": task.result, **times}))
    update_each(Task.objects.all(), ends)
    return keys


def _by_clock() -> Callable[[float], datetime]:
    """What tells a time of ``time.monotonic`` by the clock of this host."""
    now, seen = clock.now(), time.monotonic()
    return lambda at: now - timedelta(seconds=seen - at)


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
        run = locked_run(claim.task.run_id)
        Task.objects.filter(pk=claim.task.pk, attempt=claim.attempt).update(max_attempts=F("max_attempts") + 1)
        if not move_task(claim.task, claim.state, states.READY, claim.attempt, not_before=Soon(seconds)):
            return ""
        if seconds <= 0:
            add_bells([(claim.task.pk, claim.attempt)])
        if run is not None:
            settle_run(run)
        failpoint("hand_back.before_commit")
        return states.READY


def hand_on(claim: Claim, needs: str, problem: Mapping[str, Any]) -> str:
    """The task goes to a worker that meets ``needs``; the try is kept with its reason."""
    with transaction.atomic():
        locked_run(claim.task.run_id)
        Task.objects.filter(pk=claim.task.pk, attempt=claim.attempt).update(needs=needs)
        return _leave(claim, states.READY, problem, 0.0)


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
    if run is not None:
        settle_run(run, problem if new in (states.FAILED, states.DEAD) else None)
        if is_iteration(task) and new != states.READY:
            after_iterations(run, task, new)
            settle_run(run)
    failpoint("leave.before_commit")
    claim.state = new
    return new
