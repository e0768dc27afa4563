"""Workers that are struck at named places while a stream of work runs, and the books about it.

One worker stays unharmed. The others are each armed with one failpoint. A worker kills itself there, since it may hold
a lock of the control database; its child, which never does, stops, and the driver then kills the child or the worker,
or freezes both. What they had begun is taken over when its lease runs out.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from django.db import connection

from runtime import states
from runtime.models import Run, Task, Worker
from tests import services
from tests.chaos.recorded import passed
from tests.chaos.workloads import Workload
from tests.integration.runtime.killing import WorkerProcess

PATIENCE = 12.0
"""Seconds until an armed worker that does not come to its place is struck wherever it is."""
MOST_STRIKES = 3
"""Of one task: with five it would be given up, as it should be."""
IN_FLIGHT = 8
HANDING_BACK = "hand_back.before_commit"
"""Comes when a worker is asked to stop while it works."""
LEAVING = "leave.before_commit"
"""Comes when an attempt has gone wrong, as when the child dies."""
OLDEST = 60.0
"""Seconds after which something that was begun must have ended: what takes longer is stuck."""


def new_worker(*arguments: str, **options: str) -> WorkerProcess:
    """A worker that does a scheduler's duties as well, and keeps a long read every so many rows."""
    return WorkerProcess("--scheduler", *arguments, **{"CHECKPOINT_ROWS": "600", **options})


@dataclass
class Points:
    """What an undisturbed run of every workload has passed."""

    loads: dict[str, list[Workload]] = field(default_factory=dict)
    """Failpoint → the workloads that pass it."""
    in_child: set[str] = field(default_factory=set)


@dataclass
class Armed:
    """A worker that will be struck at ``point``."""

    worker: WorkerProcess
    point: str
    since: float
    until: float
    """When it is struck wherever it is."""
    is_spent: bool = False
    is_provoked: bool = False
    frozen: Frozen | None = None


@dataclass
class Frozen:
    """What a worker held when it was frozen: it wakes when others have done all of that."""

    child: int
    held: list[object]
    deadline: float


@dataclass
class Books:
    """What was done, and what came of it."""

    strikes: Counter[str] = field(default_factory=Counter)
    """Failpoint → how often a process was struck there."""
    moments: int = 0
    """Strikes at no special place."""
    missed: Counter[str] = field(default_factory=Counter)
    tasks: Counter[object] = field(default_factory=Counter)
    """Task → how often its worker was struck."""
    slowest: float = 0.0
    """Seconds of the longest run or task."""

    @property
    def total(self) -> int:
        return sum(self.strikes.values()) + self.moments


class Crew:
    """Strikes at ``points`` while ``workloads`` run."""

    def __init__(self, workloads: Sequence[Workload], points: Points, seed: int) -> None:
        self.workloads = workloads
        self.points = points
        self.books = Books()
        self._rng = random.Random(seed)
        self._open: dict[object, tuple[Workload, Run | Task, float]] = {}
        self._armed: list[Armed] = []
        # It looks for work less often, so that most of it goes to those that will be struck.
        self._heir = new_worker(POLL_SECONDS="1")
        self._spare = new_worker()

    # ── Work ──────────────────────────────────────────────────────────────────────────────────────────────

    def strike(self, number: int, armed: int = 4, freeze: bool = False, each: Collection[str] = ()) -> None:
        """Strike ``number`` times, then let everything end. ``freeze``: they wake when others have done their work.

        ``each``: go on at those of these points that were not struck yet, for as many strikes again.
        """
        self._heir.go()
        target = self._struck(freeze) + number
        while (done := self._struck(freeze)) < target or (done < target + number and self._lacking(each)):
            self._look_at_work()
            for one in list(self._armed):
                self._look_at(one, freeze)
            left = self._lacking(each) if done >= target else [*self.points.loads]
            self._arm(left, armed)
            self._begin_more()
            time.sleep(0.01)
        self.settle()

    def _struck(self, freeze: bool) -> int:
        """What counts: a freeze is one at a failpoint, a kill is one at any moment."""
        return self.books.strikes.total() if freeze else self.books.total

    def _lacking(self, points: Collection[str]) -> list[str]:
        return [point for point in points if not self.books.strikes[point]]

    def settle(self) -> None:
        """No more strikes; everything that was begun must end."""
        for one in self._armed:
            one.worker.kill()
        self._armed.clear()
        while self._open:
            self._look_at_work()
            time.sleep(0.02)
        self._heir.pause()

    def _begin_more(self) -> None:
        if any(time.monotonic() - since > OLDEST / 3 for _, _, since in self._open.values()):
            return  # a scan comes after everything else: in an endless stream of other work it would wait for ever
        wanted = [load for one in self._armed for load in self.points.loads[one.point]]
        for load in (self._rng.choice(wanted or self.workloads), self._rng.choice(self.workloads)):
            if len(self._open) >= IN_FLIGHT:
                return
            busy = {other.name for other, _, _ in self._open.values()}
            if not load.alone or load.name not in busy:
                for _ in range(load.together):
                    begun = load.begin()
                    self._open[begun.pk] = (load, begun, time.monotonic())

    def _look_at_work(self) -> None:
        runs = [key for key, (_, one, _) in self._open.items() if isinstance(one, Run)]
        ended = set(Run.objects.filter(pk__in=runs, state__in=states.RUN_FINISHED).values_list("pk", flat=True))
        ended |= set(Task.objects.filter(pk__in=self._open, state__in=states.FINISHED).values_list("pk", flat=True))
        for key, (load, one, since) in list(self._open.items()):
            age = time.monotonic() - since
            if key in ended:
                del self._open[key]
                self.books.slowest = max(self.books.slowest, age)
            else:
                assert age < OLDEST, f"{load.name}: {words_about_stuck(one)}"

    # ── Strikes ───────────────────────────────────────────────────────────────────────────────────────────

    def _arm(self, points: Sequence[str], most: int) -> None:
        """Arm workers, at most so many in all, each with another one of these points."""
        while len(self._armed) < most:
            under_arms = {one.point for one in self._armed}
            free = [point for point in points if point not in under_arms]
            if not free:
                return
            self._arm_one(free)

    def _arm_one(self, free: Sequence[str]) -> None:
        books = self.books
        # First what was never struck. What is often missed (few workloads come by) has its turn again, but not always.
        point = min(free, key=lambda name: (books.strikes[name] + books.missed[name] // 4, self._rng.random()))
        worker, self._spare = self._spare, new_worker()
        worker.go(f"{point}={'stop' if point in self.points.in_child else 'kill'}")
        now = time.monotonic()
        self._armed.append(Armed(worker, point, now, now + PATIENCE * min(4.0, services.patience())))

    def _look_at(self, one: Armed, freeze: bool) -> None:
        if one.frozen is not None:
            self._look_at_frozen(one, one.frozen)
        elif one.worker.has_ended:
            self._note(one, self._held_by(one.worker), "kill")
            self._kill(one)
        elif (child := one.worker.stopped_child()) is not None:
            self._look_at_child(one, child, freeze)
        elif time.monotonic() > one.until:
            self.books.missed[one.point] += not one.is_spent
            self.books.moments += 1
            print(f"  {self.books.total:5d}  kill, not at {one.point}", flush=True)
            self._kill(one)
        elif one.point in (HANDING_BACK, LEAVING) and not one.is_provoked:
            self._provoke(one, self._held_by(one.worker))

    def _provoke(self, one: Armed, held: list[object]) -> None:
        """Make it come to a point that no undisturbed worker passes, once it has work."""
        if not held or (one.point == LEAVING and Task.objects.filter(pk__in=held, crashes__gt=0).exists()):
            return
        one.is_provoked = True
        if one.point == HANDING_BACK:
            one.worker.hint("pause")
        else:
            for child in one.worker.children():
                _send(child, signal.SIGKILL)

    def _look_at_child(self, one: Armed, child: int, freeze: bool) -> None:
        held = self._held_by(one.worker)
        if one.is_spent or any(self.books.tasks[task] >= MOST_STRIKES for task in held):
            _send(child, signal.SIGCONT)
            return
        if freeze:
            self._note(one, held, "freeze")
            self._freeze(one, child, held)
        elif self._rng.random() < 0.25 and not Task.objects.filter(pk__in=held, crashes__gt=0).exists():
            # The child alone: its worker sees it die and goes on. The next child is armed as well, so it is woken.
            self._note(one, held, "kill the child")
            _send(child, signal.SIGKILL)
            self._spend(one)
        else:
            self._note(one, held, "kill")
            self._kill(one)

    def _note(self, one: Armed, held: list[object], what: str) -> None:
        self.books.strikes[one.point] += 1
        self.books.tasks.update(held)
        waited = time.monotonic() - one.since
        print(
            f"  {self.books.total:5d}  {what} at {one.point} after {waited:.1f} s, {len(self._open)} open", flush=True
        )

    def _kill(self, one: Armed) -> None:
        one.worker.kill()
        self._armed.remove(one)

    def _freeze(self, one: Armed, child: int, held: list[object]) -> None:
        """Worker and child stand still; others may be frozen meanwhile, also those that take over from this one."""
        one.worker.send(signal.SIGSTOP)
        one.frozen = Frozen(child, held, time.monotonic() + OLDEST)

    def _look_at_frozen(self, one: Armed, frozen: Frozen) -> None:
        if Task.objects.filter(pk__in=frozen.held, state__in=states.ACTIVE | states.WAITING).exists():
            assert time.monotonic() < frozen.deadline, f"nobody took over from the worker frozen at {one.point}"
            return
        _send(frozen.child, signal.SIGCONT)
        one.worker.send(signal.SIGCONT)
        one.frozen = None
        self._spend(one)

    def _spend(self, one: Armed) -> None:
        """It goes on, not to be struck at its point again, and is killed at a moment soon."""
        one.is_spent = True
        one.until = time.monotonic() + self._rng.uniform(0.3, 1.5)

    def _held_by(self, worker: WorkerProcess) -> list[object]:
        owner = f":{worker.process.pid}"
        return list(Task.objects.filter(owner__endswith=owner, state__in=states.ACTIVE).values_list("pk", flat=True))


def words_about_stuck(one: Run | Task) -> str:
    """Everything that tells why it does not end."""
    run = one if isinstance(one, Run) else None
    tasks = Task.objects.filter(run=run) if run else Task.objects.filter(pk=one.pk)
    fresh = type(one).objects.get(pk=one.pk)
    lines = [f"{fresh} is stuck: {fresh.state} {fresh.error}; it is {db_time()} now"]
    for task in tasks.order_by("created_at"):
        names = ("stage", "state", "attempt", "max_attempts", "crashes", "owner", "lease_until", "not_before", "error")
        lines.append(f"  {task.pk} " + " ".join(f"{name}={getattr(task, name)}" for name in names))
        lines += [f"    {try_.number} by {try_.worker}: {try_.outcome}" for try_ in task.attempts.order_by("number")]
    lines += [f"  worker {one.pk} seen {one.seen_at}, {one.busy} busy" for one in Worker.objects.all()]
    return "\n".join(lines)


def db_time() -> object:
    with connection.cursor() as cursor:
        cursor.execute("select current_timestamp")
        return cursor.fetchone()[0]


def _send(process: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, number)


def record_points(workloads: Sequence[Workload]) -> Points:
    """Let an unharmed worker do each workload twice (what is there is replaced), and see what it passes."""
    worker = new_worker("--recorded")
    worker.go()
    files = {where: passed(worker.process.pid, where) for where in ("worker", "child")}
    points = Points()
    for load in workloads:
        for file in files.values():
            file.write_text("")
        for _ in range(2):
            ended = do_once(load)
            assert ended.state == states.DONE, (load.name, ended.error)
        names = {where: set(file.read_text().split()) for where, file in files.items()}
        points.in_child |= names["child"]
        for name in names["worker"] | names["child"]:
            points.loads.setdefault(name, []).append(load)
    worker.pause()
    worker.kill()
    for file in files.values():
        file.unlink()
    return points


def do_once(load: Workload) -> Run | Task:
    """Begin it and wait for its end."""
    begun = load.begin()
    ends = states.RUN_FINISHED if isinstance(begun, Run) else states.FINISHED
    deadline = time.monotonic() + OLDEST
    while (fresh := type(begun).objects.get(pk=begun.pk)).state not in ends:
        assert time.monotonic() < deadline, f"{load.name} does not end"
        time.sleep(0.02)
    return fresh
