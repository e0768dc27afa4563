"""Waiting for runs to end on behalf of requests: however many wait in this process, one thread asks for all of them."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from typing import Any

from django.db import connection

from runtime.models import Run
from runtime.states import RUN_FINISHED

MOST_SECONDS = 60.0
"""What one request may wait at most; proxies give up later than that."""
MOST_WAITING = 20
"""Requests of one process that may wait at once: each holds a thread of the server."""
QUICK, SLOW = 0.004, 0.25
GROWTH = 0.1
"""How long after its start a run is looked at again, as a part of the time it has taken so far."""


class _Ends:
    """Who waits for which run."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[Any, list[threading.Event]] = defaultdict(list)
        self._count = 0
        self._newest_at = 0.0
        self._is_asking = False

    def wait(self, run_id: Any, seconds: float) -> bool:
        """Wait until the run has ended; False when it has not, or when too many wait already."""
        ended = threading.Event()
        with self._lock:
            if self._count >= MOST_WAITING:
                return False
            self._count += 1
            self._waiting[run_id].append(ended)
            self._newest_at = time.monotonic()
            if not self._is_asking:
                self._is_asking = True
                threading.Thread(target=self._ask, name="run-ends", daemon=True).start()
        try:
            return ended.wait(min(seconds, MOST_SECONDS))
        finally:
            with self._lock:
                self._count -= 1
                left = self._waiting.get(run_id, [])
                if ended in left:
                    left.remove(ended)
                if not left:
                    self._waiting.pop(run_id, None)

    def _ask(self) -> None:
        """Look into the database, ever more slowly, until nobody waits any more."""
        try:
            while wanted := self._wanted():
                try:
                    self._tell(Run.objects.filter(pk__in=wanted, state__in=RUN_FINISHED).values_list("pk", flat=True))
                except Exception:
                    connection.close()
                    time.sleep(SLOW)
                time.sleep(min(max(QUICK, (time.monotonic() - self._newest_at) * GROWTH), SLOW))
        finally:
            connection.close()

    def _wanted(self) -> list[Any]:
        with self._lock:
            self._is_asking = bool(self._waiting)
            return list(self._waiting)

    def _tell(self, ended: Any) -> None:
        with self._lock:
            for run_id in ended:
                for waiting in self._waiting.pop(run_id, ()):
                    waiting.set()


_ends = _Ends()


def await_end(run_id: Any, seconds: float) -> bool:
    """Wait at most ``seconds`` until the run has ended (done, failed or cancelled), and tell whether it has."""
    return seconds > 0 and _ends.wait(run_id, seconds)
