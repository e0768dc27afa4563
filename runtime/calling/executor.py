"""Does the work of calls: a few warm child processes of the web process, with limits of their own.

A call is never written down before it is done, so it is lost with the process; who needs more starts a run.
"""

from __future__ import annotations

import asyncio
import atexit
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from node_catalog.sdk.text import text
from runtime.engine.desk import Desk
from runtime.engine.errors import CancelledError, ChildError, EngineError
from runtime.engine.pool import ChildPool
from runtime.engine.work import Limits, Outcome, PackedWork, StageOutcome
from runtime.errors import CallError

MOST_WAITING = 20
"""Calls that may wait for one slot: what comes then is told to try again, instead of holding the server's threads."""
RECYCLE_AFTER = 100_000
"""Calls are so light that a new child would soon cost as much as they do; one that grows is replaced all the same."""


class Deadline(threading.Event):
    """Set by itself when its time has come."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._at = time.monotonic() + seconds

    def is_set(self) -> bool:
        return super().is_set() or time.monotonic() >= self._at


class Executor:
    """The children are started with the first call and stay."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pool: ChildPool | None = None
        self._desk: Desk | None = None
        self._waiting = 0

    def run(self, work: PackedWork) -> StageOutcome:
        """Do the work and wait for its rows, CALL_SECONDS at most. Raises CallError."""
        with self._slot() as (pool, _, deadline):
            return _rows(pool.run(work, None, deadline))

    async def run_soon(self, work: PackedWork) -> StageOutcome:
        """The same for an event loop, which does other things while it waits."""
        with self._slot() as (pool, desk, deadline):
            outcome = await desk.run(work, deadline)
            if outcome is None:
                outcome = await asyncio.get_running_loop().run_in_executor(None, pool.run, work, None, deadline)
            return _rows(outcome)

    def close(self) -> None:
        """End the children; the next call starts others."""
        with self._lock:
            pool, self._pool, self._desk = self._pool, None, None
        if pool is not None:
            pool.close()

    @contextmanager
    def _slot(self) -> Iterator[tuple[ChildPool, Desk, Deadline]]:
        """Take part in the waiting; what goes wrong in here is told in the words of calls."""
        seconds = settings.OPTIONS["CALL_SECONDS"]
        pool, desk = self._enter()
        try:
            yield pool, desk, Deadline(seconds)
        except CancelledError:
            raise _too_slow(seconds) from None
        except ChildError as error:
            raise CallError(error.code, error.message, 503, error.where) from None
        except EngineError as error:
            raise CallError(error.code, error.message, 422 if error.retry == "fatal" else 503, error.where) from None
        finally:
            with self._lock:
                self._waiting -= 1

    def _enter(self) -> tuple[ChildPool, Desk]:
        with self._lock:
            slots = max(1, settings.OPTIONS["CALL_SLOTS"])
            if self._waiting >= slots * MOST_WAITING:
                raise _too_busy()
            if self._pool is None or self._desk is None:
                limits = Limits(memory_mb=settings.OPTIONS["CALL_MEMORY_MB"])
                self._pool = ChildPool(slots, limits, recycle_after=RECYCLE_AFTER)
                self._desk = Desk(self._pool)
            self._waiting += 1
            return self._pool, self._desk


def _rows(outcome: Outcome) -> StageOutcome:
    assert isinstance(outcome, StageOutcome), "a stage's work has a stage's outcome"
    return outcome


def _too_slow(seconds: float) -> CallError:
    return CallError(
        "call.too_slow",
        text(
            f"The flow did not answer within {seconds:g} s, the longest that a call may take. Read less, or start a "
            "run.",
            f"流程未在 {seconds:g} 秒内给出结果，已超过一次调用的上限。请减少读取的数据，或改为启动运行。",
        ),
        504,
    )


def _too_busy() -> CallError:
    return CallError(
        "call.busy",
        text("Too many calls wait already. Try again in a moment.", "等待中的调用过多，请稍后再试。"),
        503,
    )


EXECUTOR = Executor()
atexit.register(EXECUTOR.close)
