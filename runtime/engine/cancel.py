"""Stopping work from another thread: a flag to look at, and things to interrupt."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from runtime.engine.errors import CancelledError


class Cancel:
    """One piece of work's stop button. ``stop`` may be called from any thread, any number of times."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._interrupts: list[Callable[[], None]] = []

    @property
    def is_set(self) -> bool:
        return self._event.is_set()

    def check(self) -> None:
        """Raise CancelledError once somebody has asked to stop."""
        if self._event.is_set():
            raise CancelledError()

    def stop(self) -> None:
        """Ask to stop: sets the flag and interrupts what is running."""
        self._event.set()
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
