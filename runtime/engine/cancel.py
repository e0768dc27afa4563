"""Stopping work from another thread: a flag to look at, things to interrupt, and what has been waited for too long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from runtime.engine.errors import CancelledError


class Cancel:
    """One piece of work's stop button. ``stop`` may be called from any thread, any number of times."""

    def __init__(self) -> None:
        self.is_set = False
        """Whether somebody has asked to stop."""
        self._lock = threading.Lock()
        self._interrupts: list[Callable[[], None]] = []
        self._waits: dict[object, tuple[str, float]] = {}

    def check(self) -> None:
        """Raise CancelledError once somebody has asked to stop."""
        if self.is_set:
            raise CancelledError()

    def stop(self) -> None:
        """Ask to stop: sets the flag and interrupts what is running."""
        self.is_set = True
        self.interrupt()

    def interrupt(self) -> None:
        """Interrupt what is running without asking the whole work to stop."""
        with self._lock:
            interrupts = tuple(self._interrupts)
        for interrupt in interrupts:
            interrupt()

    def pause(self, seconds: float) -> None:
        """Wait, but no longer than until something is asked to stop."""
        ended = threading.Event()
        with self.interrupts(ended.set):
            ended.wait(seconds)

    @contextmanager
    def interrupts(self, interrupt: Callable[[], None]) -> Iterator[None]:
        """Call ``interrupt`` when asked to stop inside this block."""
        with self._lock:
            self._interrupts.append(interrupt)
        try:
            self.check()
            yield
        finally:
            with self._lock:
                self._interrupts.remove(interrupt)

    @contextmanager
    def waiting(self, where: str, seconds: float) -> Iterator[None]:
        """While inside, another system is waited for, which has ``seconds`` to answer."""
        key = object()
        self._waits[key] = (where, time.monotonic() + seconds)
        try:
            yield
        finally:
            del self._waits[key]

    def overdue(self) -> str | None:
        """What has been waited for longer than it may take; None: nothing."""
        now = time.monotonic()
        return next((where for where, until in tuple(self._waits.values()) if until < now), None)
