"""Does one claim: prepare, run in a child process, finish. Every way in which that can end is named here.

Order at the end: the sink commits first (in the child), then one transaction of ours marks the task done, releases
its followers and writes their bells. A death in between is repaired by the next attempt, which finds the sink's own
ledger entry and adopts it instead of writing again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from django.db import InterfaceError, OperationalError, connection

from node_catalog.sdk.failpoint import failpoint
from node_catalog.sdk.text import text
from runtime import checking, discovering, finishing, previewing, profiling, scanning, staging, states
from runtime.claims import Claim, begin, begin_commit
from runtime.endings import Ending
from runtime.engine.errors import CancelledError as WorkCancelledError
from runtime.engine.errors import ChildDiedError, MemoryLimitError
from runtime.engine.work import Outcome, Part, Report, Work, rated_nodes
from runtime.errors import LeaseLostError, PostponedError, problem_of
from runtime.handling import Handler, Keep
from runtime.iterating import told
from runtime.lots import is_iteration
from runtime.models import Task
from runtime.offers import needs_for_more_memory
from runtime.places import remove_temporary
from runtime.progress import Progress

HANDLERS: Mapping[str, Handler] = {
    Task.Kind.STAGE: staging.HANDLER,
    Task.Kind.PREVIEW: previewing.HANDLER,
    Task.Kind.PROFILE: profiling.HANDLER,
    Task.Kind.SCAN: scanning.HANDLER,
    Task.Kind.DISCOVER: discovering.HANDLER,
    Task.Kind.CHECK: checking.HANDLER,
}
LIGHT = frozenset(kind for kind, handler in HANDLERS.items() if handler.is_light)
HEAVY = frozenset(HANDLERS) - LIGHT
WAIT_FOR_DATABASE = 60.0
ELSEWHERE = text(
    "It needs more memory than this worker gives; it goes on at one that offers more.",
    "所需内存超过当前工作进程的上限，将由内存更大的工作进程继续执行。",
)
BEGIN_SECONDS = 0.1
"""A work that writes to nobody's target and ends sooner is never said to be running: its end follows at once."""

log = logging.getLogger(__name__)


class Pool(Protocol):
    """Warm child processes (``runtime.engine.pool``)."""

    def run(
        self,
        work: Work,
        on_report: Callable[[Report], None],
        cancel: Any,
        *,
        on_wait: Callable[[], Mapping[str, int] | None] | None = None,
        meanwhile: Callable[[], None] | None = None,
    ) -> Outcome:
        """Do the work in a child; raises EngineError or a node type's error."""


def run_claim(claim: Claim, pool: Pool, progress: Progress) -> None:
    """Do what was claimed and write down how it ended. Never raises."""
    progress.start(claim)
    try:
        ending = attempt(claim, pool, progress)
        when_database_answers(claim, lambda: finishing.complete(claim, ending))
        failpoint("runner.after_done")
    except LeaseLostError:
        log.info("task %s attempt %s: another attempt has taken over", claim.task.pk, claim.attempt)
    except Exception as error:
        progress.stop(claim)
        end_badly(claim, error)
    finally:
        progress.stop(claim)
        remove_temporary(claim.task.pk, claim.attempt)


def attempt(
    claim: Claim,
    pool: Pool,
    progress: Progress,
    prepare: Callable[[Claim], Work] | None = None,
    while_at_work: Callable[[], None] = lambda: None,
) -> Ending:
    """Do the work of a claim; how it ends is for the caller to write down. Raises what went wrong.

    ``prepare`` takes the place of the handler's; ``while_at_work`` is called again and again.
    """
    handler = HANDLERS[claim.task.kind]
    work = when_database_answers(claim, lambda: (prepare or handler.prepare)(claim))
    failpoint("runner.prepared")
    if claim.stop.is_set():
        raise WorkCancelledError()
    began_at = time.monotonic()
    if claim.task.payload.get("sink") == "write":
        when_database_answers(claim, lambda: begin_or_stop(claim))

    claim.rated = rated_nodes(work)

    def on_wait() -> Mapping[str, int] | None:
        if claim.state == states.CLAIMED and time.monotonic() - began_at > BEGIN_SECONDS:
            when_database_answers(claim, lambda: begin_or_stop(claim))
        while_at_work()
        return claim.news_of_readers()

    def on_report(report: Report) -> None:
        on_wait()
        if report.part is not None and handler.keep is not None:
            progress.note(claim, Report(counts=dict(_keep(claim, handler.keep, report.part))))
            return
        progress.note(claim, report)
        if report.phase == "committing" and claim.state == states.RUNNING and claim.task.payload.get("sink") == "write":
            # Shown on screen, and kept from being cancelled from now on. The sink's fence decides all the same.
            when_database_answers(claim, lambda: _say_committing(claim))

    failpoint("runner.before_work")
    outcome = pool.run(work, on_report, claim.stop, on_wait=on_wait)
    failpoint("runner.after_work")
    progress.stop(claim)
    ending: Ending = when_database_answers(claim, lambda: handler.finish(claim, outcome))
    return ending


def _keep(claim: Claim, keep: Keep, part: Part) -> Mapping[str, int]:
    kept: Mapping[str, int] = when_database_answers(claim, lambda: keep(claim, part))
    failpoint("runner.kept")
    return kept


def begin_or_stop(claim: Claim) -> None:
    """Say that the work goes on. Raises LeaseLostError."""
    if not begin(claim):
        raise LeaseLostError()


def _say_committing(claim: Claim) -> None:
    if not begin_commit(claim):
        raise LeaseLostError()


def end_badly(claim: Claim, error: Exception) -> None:
    """Write down how a try ended that has no rows to show. Never raises."""
    problem = problem_of(error)
    # Only the code: what an error says may quote rows.
    log.info("task %s attempt %s ended: %s (%s)", claim.task.pk, claim.attempt, problem["code"], type(error).__name__)
    try:
        when_database_answers(claim, lambda: _write_end(claim, error, problem))
    except Exception as unwritten:
        log.warning("task %s: its end could not be written (%s)", claim.task.pk, type(unwritten).__name__)


def _write_end(claim: Claim, error: Exception, problem: Mapping[str, Any]) -> None:
    if claim.stop.is_set():
        if claim.why == "stopping":
            finishing.hand_back(claim)
        elif claim.why == "cancelled":
            finishing.cancelled(claim)
        return
    if is_iteration(claim.task):
        problem = told(claim, problem)
    if isinstance(error, PostponedError):
        finishing.hand_back(claim, error.seconds)
    elif isinstance(error, MemoryLimitError) and (needs := _needs_elsewhere(claim)):
        finishing.hand_on(claim, needs, {**problem, "message": ELSEWHERE, "retry": "retry"})
    elif isinstance(error, ChildDiedError):
        finishing.crash(claim, problem)
    else:
        finishing.fail(claim, problem)


def _needs_elsewhere(claim: Claim) -> str:
    """What the task needs to be tried on a worker with more memory; nothing when there is none."""
    task = Task.objects.get(pk=claim.task.pk)
    is_tried = claim.attempt >= task.max_attempts or is_iteration(task)
    return "" if is_tried else needs_for_more_memory(task)


def when_database_answers(claim: Claim, ask: Callable[[], Any]) -> Any:
    """Do what needs the control database, and give what that gives; try again while the database restarts."""
    deadline = time.monotonic() + WAIT_FOR_DATABASE
    pause = 0.1
    while True:
        try:
            return ask()
        except (OperationalError, InterfaceError):
            if time.monotonic() > deadline or claim.why == "lost":
                raise
            connection.close()
            # Waits for the database, but not longer than the claim is ours.
            claim.stop.wait(pause) if not claim.stop.is_set() else time.sleep(pause)
            pause = min(pause * 2, 2.0)
