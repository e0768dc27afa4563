"""Waiting for runs to end on behalf of requests: however many wait in this process, one thread asks for all of them."""

from __future__ import annotations

import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Iterable

from django.db import connection

from runtime.models import Run
from runtime.states import RUN_FINISHED
from security.facts import Facts, facts_from

MOST_SECONDS = 60.0
"""What one request may wait at most; proxies give up later than that."""
MOST_WAITING = 20
"""Requests of one process that may wait at once: each holds a thread of the server."""
QUICK, SLOW = 0.004, 0.1
GROWTH = 0.02
"""Until it is looked at again, as a part of the time that a run has taken so far: who waits for its end waits as much
longer. A look costs a tenth of what it costs through the ORM, and less where SQLite says that nothing was written."""


class _Ends:
    """Who waits for which run."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[uuid.UUID, list[threading.Event]] = defaultdict(list)
        self._count = 0
        self._newest_at = 0.0
        self._is_asking = False

    def wait(self, run_id: uuid.UUID, seconds: float) -> bool:
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
        asked: list[uuid.UUID] = []
        ended: Facts | None = None
        try:
            while wanted := self._wanted():
                try:
                    if ended is None or asked != wanted:
                        asked, ended = wanted, _ended(wanted)
                    self._tell(uuid.UUID(key) for _, key in ended.read())
                except Exception:
                    connection.close()
                    time.sleep(SLOW)
                time.sleep(min(max(QUICK, (time.monotonic() - self._newest_at) * GROWTH), SLOW))
        finally:
            connection.close()

    def _wanted(self) -> list[uuid.UUID]:
        with self._lock:
            self._is_asking = bool(self._waiting)
            return list(self._waiting)

    def _tell(self, ended: Iterable[uuid.UUID]) -> None:
        with self._lock:
            for run_id in ended:
                for waiting in self._waiting.pop(run_id, ()):
                    waiting.set()


def _ended(runs: list[uuid.UUID]) -> Facts:
    """Which of these have ended."""
    return facts_from([("ended", Run.objects.filter(pk__in=runs, state__in=RUN_FINISHED), ["pk"])])


_ends = _Ends()


def await_end(run_id: uuid.UUID, seconds: float) -> bool:
    """Wait at most ``seconds`` until the run has ended (done, failed or cancelled), and tell whether it has."""
    return seconds > 0 and _ends.wait(run_id, seconds)
