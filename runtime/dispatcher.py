"""Rings the broker for work that is ready. The bell is only a hint: the database stays right without any broker.

Bells written in a transaction are rung by a thread of the same process as soon as it commits; the loop of
``runtime.service`` rings those that were left over, and rings again for ready tasks that nobody has claimed.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from celery import current_app
from django.db import connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from node_catalog.sdk.failpoint import failpoint
from runtime.bells import AT_ONCE, Alike, Bell
from runtime.clock import Soon, db_now
from runtime.models import Outbox, Task
from runtime.states import HELD, READY
from security import clock

RUN_TASK = "runtime.run_task"
TASK_BELL = "task"
REST_SECONDS = 2.0
"""After a failed ring the broker is left alone for so long."""
MOST_AT_ONCE = 200
ALIKE = ("kind", "share", "needs", "level", "priority")
"""Columns of a task: tasks with the same in them are the same kind of work, which the same workers may do."""
MOMENT = 0.05
"""So often the ringing thread writes down what it has rung, while bells come."""
IDLE_SECONDS = 0.2
"""Without a bell for so long, the ringing thread lets go of its connection to the database."""

log = logging.getLogger(__name__)

_local: list[Callable[[str], None]] = []


def answer_locally(worker: Callable[[str], None]) -> Callable[[], None]:
    """A worker inside this process hears its bells directly as well; the answer ends that."""
    _local.append(worker)
    return lambda: _local.remove(worker) if worker in _local else None


def has_broker() -> bool:
    """Whether bells reach other processes. Without that, workers look into the database more often."""
    return not str(current_app.conf.broker_url or "memory://").startswith("memory")


def add_bells(tasks: Sequence[tuple[Any, int]], like: str = "") -> None:
    """Write a bell for each (task id, attempt) in the caller's transaction, to be rung when it commits.

    ``like``: others with the same words call for the same kind of work; a few of them are enough (``runtime.bells``).
    """
    rows = Outbox.objects.bulk_create(Outbox(kind=TASK_BELL, key=f"{task}/{attempt}") for task, attempt in tasks)
    now = time.monotonic()
    transaction.on_commit(partial(_ringer.ring_soon, [Bell(row.pk, row.key, like, now) for row in rows]))


class _Ringer:
    """One thread per process that talks to the broker, so that a dead broker holds up no request."""

    def __init__(self) -> None:
        self._bells: queue.SimpleQueue[Bell] = queue.SimpleQueue()
        self._alike = Alike(self.ring)
        self._rung: list[int] = []
        """Rung, and not marked so."""
        self._look_at = 0.0
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._rest_until = 0.0

    def ring_soon(self, bells: Iterable[Bell]) -> None:
        """Ring in the background; never raises."""
        for bell in bells:
            self._bells.put(bell)
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._loop, name="bell-ringer", daemon=True)
                self._thread.start()

    def ring(self, key: str) -> bool:
        """Send one bell; False when the broker does not take it (it rests for a moment then)."""
        if time.monotonic() < self._rest_until:
            return False
        task, _, attempt = key.partition("/")
        for worker in tuple(_local):
            worker(task)
        if not has_broker():
            return True
        return self.send(task, int(attempt or 0))

    def send(self, task: str, attempt: int = 0, **where: Any) -> bool:
        """Put one bell into the broker's queue (``where``: another one, or for how long); False when it fails."""
        if time.monotonic() < self._rest_until:
            return False
        try:
            current_app.send_task(RUN_TASK, args=[task, attempt], ignore_result=True, retry=False, **where)
        except Exception as error:
            self._rest_until = time.monotonic() + REST_SECONDS
            log.warning("the broker does not answer (%s); workers find the work by themselves", type(error).__name__)
            return False
        return True

    def _loop(self) -> None:
        while True:
            try:
                for bell in self._heard():
                    if self._alike.hear(bell):
                        self._rung.append(bell.row)
                if time.monotonic() >= self._look_at:
                    self._look()
            except Exception as error:
                log.warning("bells not rung or not marked: %s", type(error).__name__)
                self._alike.forget()
                connection.close()

    def _heard(self) -> Iterator[Bell]:
        """What has come, at least one unless there is something else to do. Bells are rung one after the other."""
        try:
            if self._rung or self._alike.is_waiting:
                yield self._bells.get(timeout=max(0.0, self._look_at - time.monotonic()))
            else:
                yield self._first()
            for _ in range(MOST_AT_ONCE - 1):
                yield self._bells.get_nowait()
        except queue.Empty:
            return

    def _first(self) -> Bell:
        try:
            return self._bells.get(timeout=IDLE_SECONDS)
        except queue.Empty:
            connection.close()
            return self._bells.get()

    def _look(self) -> None:
        """Write down what was rung, and see who has been heard: a few times a second, however many bells there are."""
        self._look_at = time.monotonic() + MOMENT
        rung, self._rung = self._rung, []
        mark_sent(rung)
        if self._alike.is_waiting:
            self._alike.look(_ready, time.monotonic())


def _ready(tasks: Collection[str]) -> set[str]:
    """Those of these tasks that nobody has claimed."""
    rows = Task.objects.filter(pk__in=tasks, state=READY).order_by()
    return {str(pk) for pk in rows.values_list("pk", flat=True)}


_ringer = _Ringer()


def ring_in(queue_name: str, task_id: str, seconds: float = 60.0) -> None:
    """Ring once in another queue than the usual one; a bell that nobody hears for ``seconds`` is forgotten."""
    if has_broker():
        _ringer.send(task_id, queue=queue_name, expires=seconds)


def ring_again(tasks: Iterable[tuple[Any, int]]) -> None:
    """Ring for (task id, attempt)s that are ready already: what they waited for may be there."""
    for task, attempt in tasks:
        _ringer.ring(f"{task}/{attempt}")


def mark_sent(bells: Sequence[int]) -> None:
    """These bells have been rung."""
    if bells:
        Outbox.objects.filter(pk__in=bells, sent_at=None).update(sent_at=clock.now())


def ring_left_over(older_than: float = 0.5) -> int:
    """Ring bells that were written but not rung, e.g. because the process that wrote them has died."""
    rows = Outbox.objects.filter(sent_at=None, created_at__lt=Soon(-older_than)).order_by("pk")[:MOST_AT_ONCE]
    sent = [row.pk for row in rows if _ringer.ring(row.key)]
    failpoint("bells.rung")
    mark_sent(sent)
    failpoint("bells.marked")
    return len(sent)


def due() -> Q:
    """Ready tasks whose waiting time is over and whose run, if they have one, is not held."""
    return Q(state=READY) & (Q(not_before=None) | Q(not_before__lte=db_now())) & ~Q(run__state__in=HELD)


DUE_SINCE = Coalesce(F("not_before"), F("created_at"))
"""Since when a due task has been waiting."""


class Reminder:
    """Rings again for tasks that are ready but unclaimed: lost bells, back-off that has ended, busy workers."""

    def __init__(self, every: float = 2.0, at_once: int = 20) -> None:
        self._every = every
        self._at_once = at_once
        self._rung: dict[Any, float] = {}

    def remind(self) -> int:
        """Ring for the oldest due tasks, a few of each kind, each at most once in ``every`` seconds."""
        now = time.monotonic()
        ready = (
            Task.objects.filter(due())
            .annotate(since=DUE_SINCE)
            .filter(since__lte=Soon(-1.0))
            .order_by("since")
            .values_list("pk", "attempt", *ALIKE)[: self._at_once]
        )
        rows = list(ready)
        self._rung = {pk: at for pk, at in self._rung.items() if now - at < self._every}
        alike: Counter[tuple[Any, ...]] = Counter()
        rung = 0
        for pk, attempt, *kind in rows:
            if pk in self._rung or alike[tuple(kind)] >= AT_ONCE:
                continue
            alike[tuple(kind)] += 1
            rung += 1
            if _ringer.ring(f"{pk}/{attempt}"):
                self._rung[pk] = now
        return rung


def queue_depth() -> int:
    """Tasks that could start now, if a worker were free."""
    return Task.objects.filter(due()).count()
