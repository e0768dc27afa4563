"""Light works without threads: an event loop hands them to the children of a pool, and reads the answers itself.

A thread that waits for an answer of half a millisecond costs as much as the answer: two changes of threads, and all
threads of the process stand in each other's way. Only what goes wrong has one here: a work whose time is over, a child
that has ended.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from dataclasses import dataclass

from runtime.engine.errors import CancelledError, EngineError
from runtime.engine.pipe import PipeClosedError
from runtime.engine.pool import ChildPool
from runtime.engine.process import TICK_MS, ChildProcess
from runtime.engine.work import Outcome, PackedWork


@dataclass(frozen=True, eq=False)
class Errand:
    """A work, what ends it, and who waits for its outcome (None: it needs a thread)."""

    work: PackedWork
    cancel: threading.Event
    told: asyncio.Future[Outcome | None]

    def tell(self, outcome: Outcome | BaseException | None) -> None:
        """It is over; nobody may be waiting any more."""
        if self.told.done():
            return
        if isinstance(outcome, BaseException):
            self.told.set_exception(outcome)
        else:
            self.told.set_result(outcome)


class Desk:
    """The event loop's side of a pool, whose other side are threads; both have the same children in turn."""

    def __init__(self, pool: ChildPool) -> None:
        self._pool = pool
        self._pool.on_change = self._look_again
        self._waiting: deque[Errand] = deque()
        self._at_work: dict[ChildProcess, Errand] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        """The one that looks at the clock, as long as there is something to do."""

    async def run(self, work: PackedWork, cancel: threading.Event) -> Outcome | None:
        """Do the work in a child and wait for its outcome, until ``cancel`` is set; None: it needs a thread.

        Raises what ``ChildPool.run`` raises.
        """
        loop = asyncio.get_running_loop()
        errand = Errand(work, cancel, loop.create_future())
        if self._loop is not loop:
            self._loop = loop
            loop.call_later(TICK_MS / 1000, self._tick)
        self._waiting.append(errand)
        self._go_on()
        return await errand.told

    def _go_on(self) -> None:
        """Give works to children that wait."""
        while self._waiting:
            try:
                child = self._pool.take_at_once()
            except EngineError:
                self._waiting.popleft().tell(None)
                continue
            if child is None:
                return
            if self._begin(child):
                asyncio.get_running_loop().add_reader(child.answers, self._hear, child)
            else:
                self._pool.give_back(child)

    def _begin(self, child: ChildProcess) -> bool:
        """Whether the child has the next work now."""
        errand = self._waiting.popleft()
        if errand.cancel.is_set() or not child.begin(errand.work):
            errand.tell(CancelledError() if errand.cancel.is_set() else None)
            return False
        self._at_work[child] = errand
        return True

    def _hear(self, child: ChildProcess) -> None:
        """It has said something."""
        try:
            outcome: Outcome | EngineError | None = child.answered()
        except EngineError as error:
            outcome = error
        except PipeClosedError:
            self._leave_to_thread(child)
            return
        if outcome is None:
            return
        errand = self._at_work.pop(child)
        if not (self._waiting and self._pool.may_go_on(child) and self._begin(child)):
            self._let_go(child)
        errand.tell(outcome)

    def _let_go(self, child: ChildProcess) -> None:
        asyncio.get_running_loop().remove_reader(child.answers)
        self._pool.give_back(child)
        self._go_on()

    def _leave_to_thread(self, child: ChildProcess) -> None:
        """Something is wrong: it takes a while to stop or bury the child."""
        loop = asyncio.get_running_loop()
        loop.remove_reader(child.answers)
        errand = self._at_work.pop(child)
        finished = loop.run_in_executor(None, self._finish, child, errand.cancel)
        finished.add_done_callback(lambda done: errand.tell(done.exception() or done.result()))

    def _finish(self, child: ChildProcess, cancel: threading.Event) -> Outcome:
        try:
            return child.finish(cancel)
        finally:
            self._pool.give_back(child)

    def _tick(self) -> None:
        """End what takes too long."""
        for child in [child for child, errand in self._at_work.items() if errand.cancel.is_set()]:
            self._leave_to_thread(child)
        for errand in [errand for errand in self._waiting if errand.cancel.is_set()]:
            self._waiting.remove(errand)
            errand.tell(CancelledError())
        self._go_on()
        if self._waiting or self._at_work:
            asyncio.get_running_loop().call_later(TICK_MS / 1000, self._tick)
        else:
            self._loop = None

    def _look_again(self) -> None:
        """A child has become free, perhaps in another thread."""
        loop = self._loop
        if self._waiting and loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._go_on)
