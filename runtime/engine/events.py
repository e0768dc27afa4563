"""Reports on the way: counts from many threads, told at most four times a second."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Literal

from runtime.engine.work import Part, Report

INTERVAL = 0.25
"""Seconds between two progress reports."""

Tell = Callable[[Report], None]


class Reporter:
    """Collects what happens and tells it at a steady pace from a thread of its own.

    A stream that stands still still gets its last count told; a fast one does not flood. Use as a context manager:
    at the end whatever is new is told once more.
    """

    def __init__(self, tell: Tell, interval: float = INTERVAL) -> None:
        self._tell = tell
        self._interval = interval
        self._lock = threading.Lock()
        self._telling = threading.Lock()
        self._counts: dict[str, int] = {}
        self._bytes = 0
        self._phase = "starting"
        self._is_dirty = True
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reports", daemon=True)

    def __enter__(self) -> Reporter:
        self._flush()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        self._flush()

    def count(self, step: str, rows: int, size: int = 0) -> None:
        """Add rows (and bytes read) to a step; an empty step counts the bytes only."""
        with self._lock:
            if step:
                self._counts[step] = self._counts.get(step, 0) + rows
            self._bytes += size
            self._is_dirty = True

    def phase(self, name: Literal["starting", "reading", "writing", "committing", "done"]) -> None:
        """Enter a phase; told at once."""
        with self._lock:
            if self._phase == name:
                return
            self._phase = name
            self._is_dirty = True
        self._flush()

    def log(self, message: dict[str, str], level: Literal["info", "warning", "error"] = "info", step: str = "") -> None:
        """Tell a sentence in both languages, at once. It must not quote data."""
        with self._telling:
            self._tell(Report(kind="log", level=level, message=message, step=step))

    def part(self, part: Part) -> None:
        """Tell a finished part of the work, at once."""
        with self._telling:
            self._tell(Report(kind="part", part=part))

    @property
    def counts(self) -> dict[str, int]:
        """Rows so far, by step."""
        with self._lock:
            return dict(self._counts)

    @property
    def bytes(self) -> int:
        """Arrow bytes read from sources so far."""
        with self._lock:
            return self._bytes

    def _run(self) -> None:
        while not self._ended.wait(self._interval):
            self._flush()

    def _flush(self) -> None:
        with self._telling:
            with self._lock:
                if not self._is_dirty:
                    return
                self._is_dirty = False
                report = Report(counts=dict(self._counts), phase=self._phase, bytes=self._bytes)
            self._tell(report)
