"""Reports on the way: counts from many threads, told at most four times a second."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Literal

from runtime.engine.work import Part, Report

INTERVAL = 0.25
"""Seconds between two progress reports."""

MOMENT = 0.1
"""Seconds in which a light work is over, and nobody has looked."""

Tell = Callable[[Report], None]


class Reporter:
    """Collects what happens and tells it at a steady pace from another thread.

    A stream that stands still still gets its last count told; a fast one does not flood. Use as a context manager:
    at the end whatever is new is told once more. ``is_brief``: nobody waits for any of it if the work is over within a
    moment, for its outcome says it all.
    """

    def __init__(self, tell: Tell, interval: float = INTERVAL, *, is_brief: bool = False) -> None:
        self._tell = tell
        self._is_brief = is_brief
        self.interval = interval
        self._lock = threading.Lock()
        self._telling = threading.Lock()
        self._counts: dict[str, int] = {}
        self._sizes: dict[str, int] = {}
        self._seconds: dict[str, float] = {}
        self._bytes = 0
        self._watched: tuple[Collection[str], Callable[[], float | None]] = ((), lambda: None)
        self._phase = "starting"
        self._is_dirty = True
        self._has_ended = False
        self._began_at = 0.0

    def __enter__(self) -> Reporter:
        self._began_at = time.monotonic()
        _pace.add(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _pace.remove(self)
        if not self._is_brief or self._is_long():
            self._flush()
        with self._telling:
            self._has_ended = True

    def count(self, step: str, rows: int, size: int = 0, seconds: float = 0.0) -> None:
        """Add rows, their Arrow bytes and the seconds that they took to a step, or to ``step.port`` of it."""
        with self._lock:
            self._counts[step] = self._counts.get(step, 0) + rows
            if size:
                self._sizes[step] = self._sizes.get(step, 0) + size
            if seconds:
                self._seconds[step] = self._seconds.get(step, 0.0) + seconds
            self._is_dirty = True

    def read(self, step: str, rows: int, size: int, seconds: float) -> None:
        """Add a batch that came from a source; rows of an empty step are nobody's, yet its bytes were read."""
        with self._lock:
            self._bytes += size
        if step:
            self.count(step, rows, size, seconds)

    def spend(self, step: str, seconds: float) -> None:
        """Add seconds to a step that has been at work without new rows."""
        with self._lock:
            self._seconds[step] = self._seconds.get(step, 0.0) + seconds
            self._is_dirty = True

    @contextmanager
    def watch(self, steps: Collection[str], share: Callable[[], float | None]) -> Iterator[None]:
        """While inside, ``share`` tells of steps that are not counted yet how far they are (0 to 1, None: unknown)."""
        with self._lock:
            self._watched = (steps, share)
        try:
            yield
        finally:
            with self._lock:
                self._watched = ((), lambda: None)

    def phase(self, name: Literal["starting", "reading", "writing", "committing", "done"]) -> None:
        """Enter a phase; told at once, but in the first moment of a work, which may be its last: then somebody waits
        only for "committing".
        """
        with self._lock:
            if self._phase == name:
                return
            self._phase = name
            self._is_dirty = True
        if (name == "committing" and not self._is_brief) or self._is_long():
            self._flush()

    def _is_long(self) -> bool:
        return time.monotonic() - self._began_at > MOMENT

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
    def sizes(self) -> dict[str, int]:
        """Arrow bytes so far, by step (or ``step.port``): of those whose rows pass as batches."""
        with self._lock:
            return dict(self._sizes)

    @property
    def seconds(self) -> dict[str, float]:
        """Seconds at work so far, by step."""
        with self._lock:
            return _rounded(self._seconds)

    @property
    def bytes(self) -> int:
        """Arrow bytes read from sources so far."""
        with self._lock:
            return self._bytes

    def tick(self) -> None:
        """The next interval has passed: tell what is new."""
        self._flush()

    def _flush(self) -> None:
        with self._telling:
            if self._has_ended:
                return
            with self._lock:
                shares = self._shares()
                if not self._is_dirty and not shares:
                    return
                self._is_dirty = False
                report = Report(
                    counts=dict(self._counts),
                    sizes=dict(self._sizes),
                    seconds=_rounded(self._seconds),
                    shares=shares,
                    phase=self._phase,
                    bytes=self._bytes,
                )
            self._tell(report)

    def _shares(self) -> dict[str, float]:
        steps, share = self._watched
        done = share() if steps else None
        return {} if done is None else {step: round(done, 3) for step in steps}


class _Pace:
    """One thread of the process that lets every reporter tell: a work is too short for a thread of its own."""

    def __init__(self) -> None:
        self._change = threading.Condition()
        self._due: dict[Reporter, float] = {}
        self._wakes_at = math.inf
        self._thread: threading.Thread | None = None

    def add(self, reporter: Reporter) -> None:
        """From now on it ticks."""
        with self._change:
            due = self._due[reporter] = time.monotonic() + reporter.interval
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._loop, name="reports", daemon=True)
                self._thread.start()
            elif due < self._wakes_at:
                self._change.notify()

    def remove(self, reporter: Reporter) -> None:
        """It ticks no more, but for a tick that is under way."""
        with self._change:
            self._due.pop(reporter, None)

    def _loop(self) -> None:
        while True:
            for reporter in self._next():
                with suppress(Exception):  # whoever listens is gone: the work itself will notice
                    reporter.tick()

    def _next(self) -> list[Reporter]:
        """Wait until a tick is due, and give those whose it is."""
        with self._change:
            self._wakes_at = min(self._due.values(), default=math.inf)
            self._change.wait(None if self._wakes_at == math.inf else max(0.0, self._wakes_at - time.monotonic()))
            now = time.monotonic()
            due = [reporter for reporter, at in self._due.items() if at <= now]
            for reporter in due:
                self._due[reporter] = now + reporter.interval
            return due


_pace = _Pace()


def _rounded(seconds: dict[str, float]) -> dict[str, float]:
    return {step: round(spent, 3) for step, spent in seconds.items()}
