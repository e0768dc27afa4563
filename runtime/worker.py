"""The worker process: slots that claim and do tasks, warm children, heartbeat, cancel watch, and its own poll.

Celery only rings (``answer``). With the broker gone the poll finds the work; with the scheduler gone the poll also
takes back what other workers have lost.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

from django.conf import settings
from django.db import close_old_connections, connection

from runtime import reaper, retention
from runtime.claims import Claim, Holding, claim, claim_along, claim_next, claim_runs, look_for_readers, renew, watch
from runtime.dispatcher import answer_locally, has_broker
from runtime.engine.pool import ChildPool
from runtime.engine.work import Limits
from runtime.iteration_runner import run_iterations
from runtime.lanes import Lane
from runtime.loops import tell_counts
from runtime.lots import is_iteration
from runtime.matching import pass_on
from runtime.models import Task
from runtime.models import Worker as WorkerRow
from runtime.neighbours import Neighbours, place_of
from runtime.node_slots import ring_next
from runtime.offers import Offers
from runtime.pace import Pace
from runtime.progress import Progress
from runtime.run_lots import is_light, run_runs
from runtime.runner import HEAVY, LIGHT, run_claim
from runtime.stretches import run_stretch
from security import clock

WATCH_SECONDS = 0.25
REST_SECONDS = 1.0
"""How long a slot's thread waits for the next bell before it ends."""
HAND_BACK_SECONDS = 8.0
TIDY_SECONDS = 60.0
IDLE_POLL_WITHOUT_BROKER = 0.5

log = logging.getLogger(__name__)


def worker_name() -> str:
    """Unique among living processes: the option WORKER_ID or the host, and the process."""
    return f"{settings.OPTIONS['WORKER_ID'] or socket.gethostname()}:{os.getpid()}"[:80]


class Worker:
    """One worker process. ``start`` returns at once; ``stop`` hands unfinished tasks back."""

    def __init__(self, slots: int | None = None, packages: Sequence[str] = ("node_catalog.types",)) -> None:
        self.name = worker_name()
        slots = slots or settings.OPTIONS["WORKER_SLOTS"]
        limits = Limits(
            memory_mb=settings.OPTIONS["CHILD_MEMORY_MB"],
            file_roots=tuple(settings.FILE_ROOTS),
            allowed_networks=tuple(settings.OPTIONS["ALLOWED_NETWORKS"]),
            statement_seconds=settings.OPTIONS["STATEMENT_SECONDS"],
            time_zone=settings.TIME_ZONE,
        )
        quick, failpoints = max(1, slots // 2), settings.OPTIONS["FAILPOINTS"]
        self._lanes = (
            Lane(HEAVY, slots, ChildPool(slots, limits, packages=packages, failpoints=failpoints)),
            Lane(LIGHT, quick, ChildPool(quick, limits, packages=packages, failpoints=failpoints)),
        )
        self._holding = Holding()
        self._is_draining = threading.Event()
        self._stopping = threading.Event()
        self._progress = Progress()
        self._pace = Pace()
        self._threads: list[threading.Thread] = []
        self._forget_bells: Callable[[], None] = lambda: None
        self._beaten_at = time.monotonic()
        self._neighbours = Neighbours(self.name)
        self._offers = Offers.of_options()
        self._tidy_at = 0.0

    @property
    def slots(self) -> int:
        return sum(lane.slots for lane in self._lanes)

    @property
    def busy(self) -> int:
        return sum(lane.busy for lane in self._lanes)

    def _processes(self) -> list[int]:
        return [os.getpid(), *(pid for lane in self._lanes for pid in lane.pool.pids)]

    def start(self) -> None:
        """Announce the worker and start its threads; the children warm up in the background."""
        self._announce(is_new=True)
        for name, loop in (("pulse", self._pulse), ("watch", self._watch), ("poll", self._poll)):
            thread = threading.Thread(target=loop, name=f"worker-{name}", daemon=True)
            thread.start()
            self._threads.append(thread)
        self._forget_bells = answer_locally(self.answer)

    def stop(self, drain: float = 0.0) -> None:
        """Take nothing new, let stages end by themselves for ``drain`` seconds, hand back what is left, and sign off.

        What is handed back waits for no lease: another worker takes it at once.
        """
        self._forget_bells()
        self._is_draining.set()
        self._await_idle(drain, self._rest)
        self._await_idle(HAND_BACK_SECONDS, lambda held: held.let_go("stopping"))
        self._stopping.set()
        for lane in self._lanes:
            lane.close()
        for thread in self._threads:
            thread.join(timeout=2.0)
        WorkerRow.objects.filter(pk=self.name).delete()
        connection.close()

    def _await_idle(self, seconds: float, ask: Callable[[Claim], None]) -> None:
        """Wait until nothing is at work, and ``ask`` every claim again and again: one may just have been taken."""
        deadline = time.monotonic() + seconds
        while self.busy and time.monotonic() < deadline:
            for held in self._holding.all():
                ask(held)
            time.sleep(0.02)

    @staticmethod
    def _rest(held: Claim) -> None:
        held.should_rest = True

    def answer(self, task_id: str) -> None:
        """Somebody rang: take that task, or whatever else is due, if a slot is free. Returns at once.

        A bell for what this worker cannot do goes on to those who can.
        """
        found = Task.objects.filter(pk=task_id).values_list("kind", "needs", "level").first()
        kind, needs, level = found or ("", "", 0)
        if not self._offers.meets(needs, level):
            pass_on(task_id, needs, level)
            return
        for lane in self._lanes:
            if kind in lane.kinds:
                self._engage(lane, task_id)

    # ── Slots ─────────────────────────────────────────────────────────────────────────────────────────────

    def _engage(self, lane: Lane, task_id: str = "") -> None:
        if not self._is_draining.is_set():
            lane.enter(task_id, partial(self._serve, lane))

    def _engage_all(self) -> None:
        for lane in self._lanes:
            self._engage(lane)

    def _serve(self, lane: Lane, task_id: str) -> None:
        """One thread of a slot. Whatever happens, the slot is given back."""
        bell: str | None = task_id
        while bell is not None:
            has_to_look = True
            while has_to_look:
                try:
                    close_old_connections()
                    self._work_off(lane, bell)
                except Exception:
                    log.exception("a slot has failed; its tasks are taken back when their leases run out")
                    connection.close()
                bell = ""
                has_to_look = lane.leave()
            bell = lane.rest(REST_SECONDS)
        connection.close()

    def _work_off(self, lane: Lane, task_id: str) -> None:
        """Claim and do one task after the other until nothing is due."""
        while not self._is_draining.is_set():
            try:
                lot = self._claim(lane, task_id)
            except Exception as error:
                log.warning("cannot claim (%s); the poll tries again", type(error).__name__)
                connection.close()
                return
            task_id = ""
            if not lot:
                return
            self._do(lane, lot)

    def _claim(self, lane: Lane, task_id: str) -> list[Claim]:
        """That task, or whatever else is due, with as many more of its kind as a lot has."""
        met = self._offers.met
        held = claim(task_id, self.name, lane.kinds, met) if task_id else None
        held = held or claim_next(self.name, lane.kinds, met, lane.turns)
        if held is None:
            return []
        try:
            return [held, *self._claim_along(held, lane.slots)]
        except Exception as error:
            log.warning("claimed alone (%s)", type(error).__name__)
            return [held]

    def _claim_along(self, held: Claim, slots: int) -> list[Claim]:
        is_of_loop = is_iteration(held.task)
        more = self._pace.lot_size(held.task) - 1 if is_of_loop or is_light(held) else 0
        if more < 1:
            return []
        return claim_along(held, more) if is_of_loop else claim_runs(held, more, slots)

    def _do(self, lane: Lane, lot: list[Claim]) -> None:
        self._holding.add(*lot)
        try:
            first = lot[0]
            if is_iteration(first.task):
                run_iterations(lot, lane.pool, self._progress, self._pace)
            elif is_light(first):
                run_runs(lot, lane.pool, self._progress, self._pace)
            elif first.task.kind == Task.Kind.STAGE:
                run_stretch(first, lane.pool, self._progress, self._offers, self._holding)
            else:
                run_claim(first, lane.pool, self._progress)
        finally:
            self._holding.drop(*lot)
            self._ring_next(lot[0])

    @staticmethod
    def _ring_next(ended: Claim) -> None:
        """Let those begin that have waited for the nodes which ``ended`` has read."""
        try:
            ring_next(ended.task.uses)
        except Exception as error:
            log.warning("not rung for what waits (%s); the poll finds it", type(error).__name__)
            connection.close()

    # ── Threads ───────────────────────────────────────────────────────────────────────────────────────────

    def _loop(self, every: Callable[[], float], step: Callable[[], None]) -> None:
        """Call ``step`` again and again; an error is told and never ends the thread."""
        while not self._stopping.wait(every()):
            try:
                step()
            except Exception as error:
                log.warning("%s: %s", threading.current_thread().name, type(error).__name__)
                connection.close()
        connection.close()

    def _pulse(self) -> None:
        """Renew leases and the worker's row; shares no lock with the work."""
        self._loop(lambda: settings.OPTIONS["HEARTBEAT_SECONDS"], self._beat)

    def _beat(self) -> None:
        held = self._holding.all()
        if time.monotonic() - self._beaten_at > settings.OPTIONS["LEASE_SECONDS"]:
            # Frozen, or cut off from the database, for longer than a lease lasts: the next attempt may be at work.
            log.warning("this process was away for longer than a lease")
        renew(held)
        self._beaten_at = time.monotonic()
        self._announce()

    def _watch(self) -> None:
        """Cancels and lost claims, looked for four times a second while there is work; progress goes along."""
        self._loop(lambda: WATCH_SECONDS, self._look)

    def _look(self) -> None:
        if time.monotonic() - self._beaten_at > settings.OPTIONS["LEASE_SECONDS"]:
            for held in self._holding.all():
                held.let_go("lost")
        watch(self._holding.all())
        look_for_readers(self._holding.all())
        self._progress.flush()
        tell_counts()
        if self._neighbours.look():
            self._engage_all()

    def _poll(self) -> None:
        """Find work without being rung, and take back what other workers have lost."""
        self._engage_all()
        self._loop(self._poll_seconds, self._find)

    def _poll_seconds(self) -> float:
        seconds = float(settings.OPTIONS["POLL_SECONDS"])
        return seconds if has_broker() else min(seconds, IDLE_POLL_WITHOUT_BROKER)

    def _find(self) -> None:
        reaper.reap()
        if time.monotonic() > self._tidy_at:
            self._tidy_at = time.monotonic() + TIDY_SECONDS
            retention.remove_copies()
        self._engage_all()

    def _announce(self, *, is_new: bool = False) -> None:
        now = clock.now()
        row = {
            "host": socket.gethostname()[:120],
            "process": os.getpid(),
            "place": place_of(os.getpid()),
            "slots": self.slots,
            "busy": self.busy,
            "memory_bytes": sum(resident_bytes(process) for process in self._processes()),
            "version": settings.VERSION,
            "offers": self._offers.text,
            "level": self._offers.level,
            "seen_at": now,
        }
        if is_new:
            WorkerRow.objects.update_or_create(pk=self.name, defaults={**row, "started_at": now})
        else:
            WorkerRow.objects.update_or_create(pk=self.name, defaults=row, create_defaults={**row, "started_at": now})


def resident_bytes(process: int) -> int:
    """Memory that a process holds now; 0 when it is gone or the system does not say."""
    try:
        with open(f"/proc/{process}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


_current: Worker | None = None


def start_worker(slots: int | None = None) -> Worker:
    """Start this process's worker (once)."""
    global _current
    if _current is None:
        _current = Worker(slots)
        _current.start()
    return _current


def stop_worker() -> None:
    """Stop this process's worker: what does not end within DRAIN_SECONDS is handed back."""
    global _current
    worker, _current = _current, None
    if worker is not None:
        worker.stop(settings.OPTIONS["DRAIN_SECONDS"])


def current_worker() -> Worker | None:
    """This process's worker, when it is one."""
    return _current
