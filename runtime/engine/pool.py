"""A pool of warm child processes. Several threads of a worker may call ``run`` at once.

A child is started ahead, loaded and waiting; it is replaced after so many works, when it has grown, and whenever a
work was killed in it. Children are started by one thread that lives as long as the pool: Linux ends a child when
the *thread* that started it ends.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from runtime.engine.errors import CancelledError, ChildDiedError, ChildStartError
from runtime.engine.pipe import ChildSettings
from runtime.engine.process import ChildProcess, settings_bytes
from runtime.engine.work import MEBIBYTE, Limits, Outcome, Report, Work

RECYCLE_AFTER = 5_000
"""A new child costs as much as a hundred light works; one that grows is replaced sooner."""
RECYCLE_GROWTH = 512 * MEBIBYTE
STARTS = 3
"""How often a work is given to another child when one does not start or had died while it waited."""


class ChildPool:
    """``size`` children at most, each with the address space that ``limits.memory_mb`` asks for.

    ``packages`` are walked for node types; ``failpoints`` are armed in the children (tests). Make it in the process
    that uses it, after any fork. It starts at once; ``close`` ends all children.
    """

    def __init__(
        self,
        size: int,
        limits: Limits | None = None,
        *,
        packages: Sequence[str] = ("node_catalog.types",),
        failpoints: str = "",
        recycle_after: int = RECYCLE_AFTER,
    ) -> None:
        self.size = max(1, size)
        self.limits = limits or Limits()
        self._recycle_after = recycle_after
        settings = ChildSettings(
            parent=os.getpid(), memory_mb=self.limits.memory_mb, packages=tuple(packages), failpoints=failpoints
        )
        self._settings = settings_bytes(settings)
        self._environment = _environment()
        self._change = threading.Condition()
        self._idle: deque[ChildProcess] = deque()
        self._busy: set[ChildProcess] = set()
        self._waiting = 0
        self._start_error: Exception | None = None
        self.on_change: Callable[[], None] = lambda: None
        """Called in any thread when there may be a child for who has found none."""
        self._is_closed = False
        self._wanted: queue.Queue[bool] = queue.Queue()
        self._starter = threading.Thread(target=self._start_children, name="child-starter", daemon=True)
        self._starter.start()
        for _ in range(self.size):
            self._wanted.put(True)

    @property
    def busy(self) -> int:
        """Children at work now."""
        with self._change:
            return len(self._busy)

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of all children."""
        with self._change:
            return tuple(child.pid for child in (*self._idle, *self._busy))

    @property
    def memory_bytes(self) -> int:
        """Resident memory of all children as they last told."""
        with self._change:
            return sum(child.memory_bytes for child in (*self._idle, *self._busy))

    def run(
        self,
        work: Work,
        on_report: Callable[[Report], None] | None = None,
        cancel: threading.Event | None = None,
        on_start: Callable[[int], None] | None = None,
        on_wait: Callable[[], Mapping[str, int] | None] | None = None,
        meanwhile: Callable[[], None] | None = None,
    ) -> Outcome:
        """Do a work in a child and wait for its outcome; blocks only the calling thread.

        ``on_report``, ``on_start`` (with the child's process id), ``on_wait`` (a few times a second while nothing
        comes; what it gives goes to the child, see ``ChildProcess.perform``) and ``meanwhile`` (once, when a child has
        begun) are called in the calling thread; what they raise ends the work. Setting ``cancel`` ends it within a
        second with CancelledError. Raises the work's own error, ChildDiedError or ChildStartError (both worth another
        attempt).
        """
        stop = cancel or threading.Event()
        tell = on_report or (lambda report: None)
        for attempt in range(1, STARTS + 1):
            child = self._take(stop)
            try:
                if not child.is_alive:
                    raise ChildStartError("engine.child_start", {}, "", "died while it waited")
                if on_start is not None:
                    on_start(child.pid)
                return child.perform(work, tell, stop, on_wait, meanwhile)
            except ChildStartError:
                if attempt == STARTS:
                    raise
            finally:
                self.give_back(child)
        raise AssertionError("unreachable")

    def close(self) -> None:
        """End all children, also those at work; ``run`` in other threads then raises."""
        with self._change:
            self._is_closed = True
            idle, busy = tuple(self._idle), tuple(self._busy)
            self._idle.clear()
            self._change.notify_all()
        self._wanted.put(False)
        for child in busy:
            child.strike()
        for child in idle:
            child.kill()
        self._starter.join(timeout=5)

    def __enter__(self) -> ChildPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _take(self, cancel: threading.Event) -> ChildProcess:
        """A child; waits for one, or for ``cancel``."""
        with self._change:
            self._waiting += 1
            try:
                while True:
                    if self._is_closed:
                        raise ChildDiedError(0)
                    if cancel.is_set():
                        raise CancelledError()
                    if (child := self._found()) is not None:
                        return child
                    self._change.wait(0.05)
            finally:
                self._waiting -= 1

    def give_back(self, child: ChildProcess) -> None:
        """Somebody else may have the child now; one that is worn or broken is ended."""
        is_kept = child.is_alive and not self._is_worn(child)
        with self._change:
            self._busy.discard(child)
            is_kept = is_kept and not self._is_closed
            if is_kept:
                self._idle.append(child)
            elif not self._is_closed:
                self._wanted.put(True)
            self._change.notify()
        if not is_kept:
            child.kill()
        self.on_change()

    def take_at_once(self) -> ChildProcess | None:
        """A waiting child, for who does not wait: none as long as others do. It is to be given back.

        Raises ChildStartError when none can be started.
        """
        with self._change:
            if self._is_closed:
                raise ChildDiedError(0)
            if self._waiting:
                return None
            return self._found()

    def may_go_on(self, child: ChildProcess) -> bool:
        """Whether who has the child may use it once more, instead of giving it back."""
        return not self._waiting and not self._is_closed and not child.is_broken and not self._is_worn(child)

    def _found(self) -> ChildProcess | None:
        """A waiting child, if there is one (the one used last is the warmest)."""
        if self._idle:
            child = self._idle.pop()
            self._busy.add(child)
            return child
        if self._start_error is not None:
            error, self._start_error = self._start_error, None
            self._wanted.put(True)
            raise ChildStartError("engine.child_start", {}, "", str(error)) from error
        return None

    def _is_worn(self, child: ChildProcess) -> bool:
        return child.works >= self._recycle_after or child.growth_bytes > RECYCLE_GROWTH

    def _start_children(self) -> None:
        while self._wanted.get():
            try:
                child = ChildProcess(self._settings, self._environment)
            except OSError as error:
                with self._change:
                    self._start_error = error
                    self._change.notify()
                self.on_change()
                continue
            with self._change:
                if self._is_closed:
                    is_late = True
                else:
                    is_late = False
                    self._idle.appendleft(child)
                    self._change.notify()
            if is_late:
                child.kill()
            self.on_change()
        # The thread that started the children must outlive them: the pool ends it only after it has killed them.


def _environment() -> dict[str, str]:
    """What a child sees of the environment: where Python finds our code, and nothing secret."""
    folders = [os.path.abspath(folder or os.curdir) for folder in sys.path]
    return {
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(folders)),
        "PYTHONUNBUFFERED": "1",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "MALLOC_ARENA_MAX": "2",
        # Arrow's own allocator keeps what threads that have ended had freed: a child that has profiled a few tables
        # stayed 70 MiB larger for good. The system's costs no more CPU, and gives it back.
        "ARROW_DEFAULT_MEMORY_POOL": "system",
    }
