"""States of runs and tasks: every legal move in one table, and what people see of them. Pure.

A move is always one conditional update, ``WHERE state = old AND attempt = mine``; zero rows changed means that
somebody else has moved the task on, and the caller must stop.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

PENDING: Final = "pending"
"""Waits for the stages before it."""
READY: Final = "ready"
"""May be claimed by any worker."""
CLAIMED: Final = "claimed"
RUNNING: Final = "running"
COMMITTING: Final = "committing"
"""The rows are staged; the target is being told to show them."""
DONE: Final = "done"
FAILED: Final = "failed"
CANCELLED: Final = "cancelled"
SKIPPED: Final = "skipped"
"""Not needed: the run has gone on by another way of a branch."""
DEAD: Final = "dead"
"""Given up after too many attempts or crashes."""
LEFT_OUT: Final = "left_out"
"""An iteration that failed, in a for-each that goes on without it."""

QUEUED: Final = "queued"
"""Waits until others of its queue have ended (``runtime.admission``); all its stages are pending."""
CANCELLING: Final = "cancelling"
PAUSING: Final = "pausing"
"""Nothing new starts; what is at work goes on to its end."""
PAUSED: Final = "paused"

TASK_MOVES: Final[dict[str, frozenset[str]]] = {
    PENDING: frozenset({READY, CLAIMED, CANCELLED, SKIPPED, DONE}),
    READY: frozenset({CLAIMED, CANCELLED}),
    CLAIMED: frozenset({RUNNING, DONE, READY, FAILED, CANCELLED, DEAD, LEFT_OUT}),
    RUNNING: frozenset({COMMITTING, DONE, READY, FAILED, CANCELLED, DEAD, LEFT_OUT}),
    COMMITTING: frozenset({DONE, READY, FAILED, CANCELLED, DEAD, LEFT_OUT}),
    DONE: frozenset(),
    FAILED: frozenset(),
    CANCELLED: frozenset(),
    SKIPPED: frozenset(),
    DEAD: frozenset(),
    LEFT_OUT: frozenset(),
}
"""From each state of a task, the states that may follow. A finished task never moves again. Only the marker of a
for-each goes from pending to done, when all its iterations have ended, and what was done ahead of its claim
(``runtime.stretches``); only an iteration goes from pending to claimed: it is taken along with the one before it. What
ends within a moment goes from claimed to done."""

RUN_MOVES: Final[dict[str, frozenset[str]]] = {
    QUEUED: frozenset({PENDING, CANCELLING}),
    PENDING: frozenset({RUNNING, PAUSING, CANCELLING, CANCELLED, FAILED, DONE}),
    RUNNING: frozenset({PAUSING, CANCELLING, DONE, FAILED}),
    PAUSING: frozenset({PAUSED, PENDING, RUNNING, CANCELLING, DONE, FAILED}),
    PAUSED: frozenset({PENDING, RUNNING, CANCELLING}),
    CANCELLING: frozenset({CANCELLED, DONE}),
    DONE: frozenset(),
    FAILED: frozenset(),
    CANCELLED: frozenset(),
}

TASK_STATES: Final = frozenset(TASK_MOVES)
RUN_STATES: Final = frozenset(RUN_MOVES)
ACTIVE: Final = frozenset({CLAIMED, RUNNING, COMMITTING})
"""A worker holds a lease on the task."""
WAITING: Final = frozenset({PENDING, READY})
FINISHED: Final = frozenset({DONE, FAILED, CANCELLED, SKIPPED, DEAD, LEFT_OUT})
PASSED: Final = frozenset({DONE, SKIPPED, LEFT_OUT})
"""What comes behind need not wait any more."""
RUN_FINISHED: Final = frozenset({DONE, FAILED, CANCELLED})
HELD: Final = frozenset({PAUSING, PAUSED})
"""No task of such a run is claimed."""

ITERATION: Final = "#"
"""Stands between the key of a for-each and the number of an iteration in the name of its task; in no other name."""

MAX_CRASHES: Final = 2
"""A task whose child process died twice (killed, out of memory) would kill the next one too."""

_PLAIN: Final = {
    QUEUED: "waiting",
    PENDING: "waiting",
    READY: "waiting",
    CLAIMED: "running",
    RUNNING: "running",
    COMMITTING: "running",
    CANCELLING: "running",
    PAUSING: "running",
    DONE: "done",
    FAILED: "failed",
    DEAD: "failed",
    LEFT_OUT: "failed",
    CANCELLED: "cancelled",
    SKIPPED: "skipped",
    PAUSED: "paused",
}


class IllegalMoveError(Exception):
    """The product tried a move that the table does not have: a defect, never a user's mistake."""


def check_task_move(old: str, new: str) -> None:
    """Raise IllegalMoveError unless a task may go from ``old`` to ``new``."""
    if new not in TASK_MOVES.get(old, frozenset()):
        raise IllegalMoveError(f"task: {old} → {new}")


def check_run_move(old: str, new: str) -> None:
    """Raise IllegalMoveError unless a run may go from ``old`` to ``new``."""
    if new not in RUN_MOVES.get(old, frozenset()):
        raise IllegalMoveError(f"run: {old} → {new}")


def sources_of(new: str) -> frozenset[str]:
    """All states from which a task may move to ``new``."""
    return frozenset(old for old, targets in TASK_MOVES.items() if new in targets)


def plain(state: str) -> str:
    """A word that screens show: waiting, running, done, failed, cancelled, paused; for a step also skipped."""
    return _PLAIN[state]


def after_loss(attempt: int, max_attempts: int, crashes: int, *, is_cancelling: bool) -> str:
    """Where a task goes whose worker fell silent or whose child process died."""
    if is_cancelling:
        return CANCELLED
    if crashes >= MAX_CRASHES or attempt >= max_attempts:
        return DEAD
    return READY


def after_error(retry: str, attempt: int, max_attempts: int, *, is_cancelling: bool) -> str:
    """Where a task goes whose attempt ended with an error of kind ``retry`` (fatal, retry, skip)."""
    if is_cancelling:
        return CANCELLED
    if retry == "retry" and attempt < max_attempts:
        return READY
    return FAILED


def back_off(attempt: int, first: float = 1.0, most: float = 60.0) -> float:
    """Seconds to wait before the next attempt: 1, 2, 4 … up to a minute."""
    return float(min(most, first * 2 ** max(0, attempt - 1)))


def is_released(after: Collection[str], done: Collection[str]) -> bool:
    """Whether a pending stage may start: all stages before it are done (or skipped)."""
    return set(after) <= set(done)


def is_needed(needs: Any, skipped: Collection[str], taken: Mapping[str, Collection[str]]) -> bool:
    """Whether a stage with these needs (``flows.graph.plan.Stage.needs``) runs.

    ``skipped`` are the stages that did not run, ``taken`` the ports by which a stage that chooses has gone on.
    """
    if needs is None:
        return True
    if isinstance(needs, Mapping):
        kind, parts = next(iter(needs.items()))
        holds = (is_needed(part, skipped, taken) for part in parts)
        return any(holds) if kind == "any" else all(holds)
    stage, port = needs
    return stage not in skipped and (stage not in taken or port in taken[stage])


def end_of_run(states: Collection[str], *, is_cancelling: bool, has_failed: bool) -> str | None:
    """The state in which a run ends, or None while something may still happen.

    A cancelled run whose last stage had already committed is done: everything it promised was delivered.
    """
    if any(state in ACTIVE for state in states):
        return None
    if states and all(state in PASSED for state in states):
        return DONE
    if has_failed or any(state in (FAILED, DEAD) for state in states):
        return CANCELLED if is_cancelling else FAILED
    if is_cancelling or any(state == CANCELLED for state in states):
        return CANCELLED if is_cancelling else FAILED
    return None


def is_at_rest(states: Collection[str]) -> bool:
    """Whether no worker holds a task: a pausing run is paused then."""
    return not any(state in ACTIVE for state in states)
