"""How long works of one kind take in this process, and so how many of them are claimed together."""

from __future__ import annotations

import threading
from collections.abc import Hashable

LOT_SECONDS = 1.0
"""How long a lot should take: what else waits for the slot waits no longer."""
LATE_SECONDS = 3.0
"""When a lot has taken so long, what has not begun goes back for others to take."""
RECORD_SECONDS = 0.2
"""So often what has ended is written down."""
MOST_IN_A_LOT = 16


class Pace:
    """Seconds by kind of work; the least recently noted kinds are forgotten."""

    def __init__(self, kinds: int = 100) -> None:
        self._seconds: dict[Hashable, float] = {}
        self._kinds = kinds
        self._lock = threading.Lock()

    def lot_size(self, kind: Hashable, unknown: int = 1) -> int:
        """How many works fill LOT_SECONDS; ``unknown`` when none has been done yet."""
        with self._lock:
            seconds = self._seconds.get(kind)
        if seconds is None:
            return unknown
        return max(1, min(MOST_IN_A_LOT, int(LOT_SECONDS / max(seconds, 1e-3))))

    def note(self, kind: Hashable, seconds: float) -> None:
        """A work took so long; the newest counts as much as all before it."""
        with self._lock:
            before = self._seconds.pop(kind, seconds)
            self._seconds[kind] = (before + seconds) / 2
            while len(self._seconds) > self._kinds:
                del self._seconds[next(iter(self._seconds))]
