"""How long works of one kind take in this process, and so how many of them are claimed together."""

from __future__ import annotations

import threading
from collections.abc import Hashable

from runtime.lots import is_iteration
from runtime.models import Task

LOT_SECONDS = 1.0
"""How long a lot should take: what else waits for the slot waits no longer."""
LATE_SECONDS = 3.0
"""When a lot has taken so long, what has not begun goes back for others to take."""
RECORD_SECONDS = 0.2
"""So often what has ended is written down."""
MOST_IN_A_LOT = 16
FIRST_ITERATIONS = 4
"""Of a loop of which nothing is known yet; of runs, one is done alone first."""


class Pace:
    """Seconds by kind of work; the least recently noted kinds are forgotten."""

    def __init__(self, kinds: int = 100) -> None:
        self._seconds: dict[Hashable, float] = {}
        self._kinds = kinds
        self._lock = threading.Lock()

    def lot_size(self, task: Task) -> int:
        """How many tasks like this one fill LOT_SECONDS."""
        kind = _kind_of(task)
        with self._lock:
            seconds = self._seconds.get(kind)
        if seconds is None:
            return FIRST_ITERATIONS if is_iteration(task) else 1
        return max(1, min(MOST_IN_A_LOT, int(LOT_SECONDS / max(seconds, 1e-3))))

    def note(self, task: Task, seconds: float) -> None:
        """The task took so long; the newest counts as much as all before it."""
        kind = _kind_of(task)
        with self._lock:
            before = self._seconds.pop(kind, seconds)
            self._seconds[kind] = (before + seconds) / 2
            while len(self._seconds) > self._kinds:
                del self._seconds[next(iter(self._seconds))]


def _kind_of(task: Task) -> Hashable:
    """What has a pace of its own: the loop that an iteration belongs to, or the flow and version of a run."""
    if is_iteration(task):
        return task.run_id, task.payload["loop"]
    assert task.run is not None, "a stage belongs to a run"
    return task.run.flow_id, task.run.version_id
