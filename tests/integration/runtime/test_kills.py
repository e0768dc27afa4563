"""Runs that write, and workers that are killed: every row once. Without the fence: duplicates. Frozen: nothing.

Each trial prints the fault, the attempts and the rows. A fault is a SIGKILL of the whole worker: at a named point of
the worker or of its child process, or at a random moment.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
import pytest
from django.utils import timezone

from node_catalog.models import Dataset
from runtime import states
from runtime.models import Attempt, Event, Run, SinkCommit, Task, Worker
from runtime.scheduler import start_run
from runtime.service import run_scheduler_forever
from security.models import User
from tests import services
from tests.integration.runtime import city
from tests.integration.runtime.killing import (
    FilesTarget,
    MariadbTarget,
    PostgresTarget,
    SqliteTarget,
    TargetNode,
    WorkerProcess,
    kill_all,
)

ROWS = 20_000
KILLS = 30
SEED = 20261122
IN_WORKER = (
    "claim.before_commit", "claim.after_commit", "runner.prepared", "runner.before_work", "runner.after_work",
    "finish.before_commit", "finish.after_commit",
)  # fmt: skip
IN_CHILD = {
    "SQLite": (
        "sqlite.open.after_fence", "sqlite.stage.write", "sqlite.commit.before", "sqlite.commit.before_ledger",
        "sqlite.commit.before_commit", "sqlite.commit.after_commit",
    ),
    "PostgreSQL": (
        "postgresql.open.after_fence", "postgresql.stage.write", "postgresql.commit.before",
        "postgresql.commit.before_commit", "postgresql.commit.after_commit",
    ),
    "MariaDB": (
        "mysql.open.after_fence", "mysql.stage.write", "mysql.commit.before", "mysql.swap.before", "mysql.swap.after",
        "mysql.finish.after_ledger", "mysql.commit.after_commit",
    ),
}  # fmt: skip

pytestmark = pytest.mark.timeout(900)


@dataclass
class Field:
    """One city, a scheduler, a worker that takes over, and spare ones to be killed."""

    staff: User
    readings: Dataset
    heir: WorkerProcess
    spare: WorkerProcess

    def next_victim(self) -> WorkerProcess:
        """The spare process; the next one starts to load meanwhile."""
        victim, self.spare = self.spare, WorkerProcess()
        return victim

    def start(self, target: TargetNode, table: str, between: dict[str, Any] | None = None) -> Run:
        """Start a run that copies the readings to ``table``, through the step ``between`` if there is one."""
        put = {"node": target.node.number, "path": [table], "mode": "append", "create": True}
        steps = {"read": city.read_step(self.readings), "put": {"type": "write", "settings": put}}
        wires = [("read.out", "put.in")]
        if between is not None:
            steps["between"] = between
            wires = [("read.out", "between.in"), ("between.out", "put.in")]
        return start_run(city.make_flow(self.staff, steps, wires), None, self.staff)


@pytest.fixture
def field(transactional_db: None) -> Iterator[Field]:
    shutil.rmtree(city.home(""), ignore_errors=True)
    city.make_readings(city.home("source.sqlite3"), ROWS)
    staff = city.make_staff()
    ended = threading.Event()
    scheduler = threading.Thread(target=run_scheduler_forever, args=(ended,))
    scheduler.start()
    try:
        heir, spare = WorkerProcess(), WorkerProcess()
        heir.go()
        source = city.add_node(staff, "sqlite", "Readings", {"path": str(city.home("source.sqlite3"))})
        (readings,) = city.discover(source, staff)
        heir.pause()
        yield Field(staff, readings, heir, spare)
    finally:
        ended.set()
        kill_all()
        scheduler.join()


def strike(victim: WorkerProcess, run: Run, fault: str, rng: random.Random, hit: int = 1) -> None:
    """Let the victim take the run, and kill it as the fault says, when it comes there for the ``hit``-th time."""
    if fault.startswith("moment"):
        victim.go()
        city.wait_for(lambda: _attempts(run) or victim.has_ended, 90, "the victim claims the run")
        # A random moment, without oversleeping the end of the run.
        threading.Event().wait(rng.uniform(0, 0.6))
    elif fault in IN_WORKER:
        victim.go(f"{fault}=kill@{hit}")
        city.wait_for(lambda: victim.has_ended, 90, f"the victim comes to {fault}")
    else:
        victim.go(f"{fault}=stop@{hit}")
        city.wait_for(victim.stopped_child, 90, f"the child comes to {fault}")
    victim.kill()


def _attempts(run: Run) -> int:
    return Attempt.objects.filter(task__run=run).count()


def settle(field: Field, run: Run) -> Run:
    """The heir takes over; the run must end."""
    field.heir.go()
    try:
        return city.await_run(run, 60)
    finally:
        field.heir.pause()


def faults_for(target: TargetNode, number: int, rng: random.Random) -> list[str]:
    """Every named point once, then random moments."""
    named = [*IN_WORKER, *IN_CHILD[target.name]]
    rng.shuffle(named)
    return (named + [f"moment {index}" for index in range(number)])[:number]


def kill_again_and_again(field: Field, target: TargetNode, number: int) -> None:
    rng = random.Random(SEED)
    print(f"\n{target.name}, seed {SEED}")
    for index, fault in enumerate(faults_for(target, number, rng)):
        table = f"trial_{index}"
        run = field.start(target, table)
        strike(field.next_victim(), run, fault, rng)
        ended = settle(field, run)
        rows, once = target.count(table)
        print(f"  kill {index + 1:2d} at {fault:32s} attempts {_attempts(run)}  rows {rows}  {ended.state}")
        assert ended.state == states.DONE, ended.error
        assert (rows, once) == (ROWS, ROWS), f"{fault}: {rows} rows, {once} different"
        assert SinkCommit.objects.get(run=str(run.pk)).rows == ROWS
        assert _attempts(run) <= 2
    check_nothing_is_left()


IN_ITERATIONS = (
    "claim.after_commit", "runner.before_work", "engine.rows_read", "runner.after_work", "finish.before_commit",
    "finish.after_commit",
)  # fmt: skip


def test_killed_workers_pass_every_row_once_through_a_for_each(field: Field) -> None:
    """One run of twelve tasks: each victim does one of them and dies in the next, with a lot of iterations in hand."""
    target = SqliteTarget(field.staff)
    version = city.make_sub_flow(field.staff, field.readings, "id >= 0")
    settings = {"flow": city.flow_setting(version), "batch": "data", "batch_rows": ROWS // 10, "concurrency": 4}
    run = field.start(target, "looped", {"type": "for_each", "settings": settings})
    for fault in IN_ITERATIONS:
        strike(field.next_victim(), run, fault, random.Random(SEED), hit=2)
    ended = settle(field, run)
    rows, once = target.count("looped")
    iterations = Task.objects.filter(run=run, payload__loop="between")
    print(f"\n  {len(IN_ITERATIONS)} kills in one run: attempts {_attempts(run)}  rows {rows}  {ended.state}")
    assert ended.state == states.DONE, ended.error
    assert (rows, once) == (ROWS, ROWS)
    assert SinkCommit.objects.get(run=str(run.pk)).rows == ROWS
    assert [task.state for task in iterations] == [states.DONE] * 10
    assert ended.steps["between"]["iterations"] == {"total": 10, "done": 10, "failed": 0}
    assert ended.steps["between"]["rows"] == ROWS
    assert run.tasks.filter(attempt__gt=1, stage__contains=states.ITERATION).exists()
    assert max(run.tasks.values_list("attempt", flat=True)) <= len(IN_ITERATIONS) + 1
    check_nothing_is_left()


@pytest.mark.services
def test_a_long_read_goes_on_where_its_worker_was_killed(field: Field, postgres_server: Any) -> None:
    """Twice killed between two parts: what was kept before is neither read nor written again."""
    with psycopg.connect(postgres_server.create_database("long_read")) as connection:
        connection.execute("create table readings (id bigint primary key, name text)")
        connection.execute(f"insert into readings select i, 'r' || i from generate_series(1, {ROWS}) i")
        connection.execute("analyze readings")
    field.heir.go()
    node = city.add_node(field.staff, "postgresql", "Long", postgres_server.settings("long_read"))
    (field.readings,) = city.discover(node, field.staff)
    field.heir.pause()
    target = FilesTarget(field.staff)
    run = field.start(target, "long")
    kept: list[Any] = []
    for kill in (1, 2):
        victim = field.next_victim()
        victim.go("engine.sealed=stop@2")
        city.wait_for(victim.stopped_child, 90, "the child has sealed its second part")
        kept = _kept(run, kept, kill)
        victim.kill()
    ended = settle(field, run)
    print(f"\n  2 kills of a long read: attempts {_attempts(run)}  rows {target.count('long')}  {ended.state}")
    assert ended.state == states.DONE, ended.error
    assert target.count("long") == (ROWS, ROWS)
    assert _sealed(run)[: len(kept)] == kept and len(_sealed(run)) == 4
    assert SinkCommit.objects.get(run=str(run.pk)).rows == ROWS
    assert {step: ended.steps[step]["rows"] for step in ("read", "put")} == {"read": ROWS, "put": ROWS}
    assert _attempts(run) == 3
    check_nothing_is_left()


def _kept(run: Run, before: list[Any], count: int) -> list[Any]:
    """The ``count`` parts that are kept now; those of ``before`` are among them, unchanged."""
    city.wait_for(lambda: len(_sealed(run)) == count, 90, f"{count} parts are kept")
    assert _sealed(run)[: len(before)] == before
    return _sealed(run)


def _sealed(run: Run) -> list[Any]:
    """How far the run's only task has come: bounds of keys, counts and names of files."""
    sealed: list[Any] = run.tasks.values_list("payload", flat=True).get().get("sealed", [])
    return sealed


def check_nothing_is_left() -> None:
    assert not Run.objects.exclude(state__in=states.RUN_FINISHED).exists()
    assert not Task.objects.filter(state__in=states.ACTIVE).exists()
    for run in Run.objects.all():
        seqs = list(run_events(run))
        assert seqs == list(range(1, run.seq + 1))


def run_events(run: Run) -> Any:
    return Event.objects.filter(topic=f"run:{run.pk}").order_by("seq").values_list("seq", flat=True)


def test_killed_workers_write_every_row_once_to_sqlite(field: Field) -> None:
    kill_again_and_again(field, SqliteTarget(field.staff), KILLS // 2)


@pytest.mark.services
def test_killed_workers_write_every_row_once_to_postgresql(
    field: Field, postgres_server: services.PostgresServer
) -> None:
    kill_again_and_again(field, PostgresTarget(field.staff, postgres_server), KILLS // 2)


@pytest.mark.services
def test_killed_workers_write_every_row_once_to_mariadb(field: Field, mariadb_server: services.MariadbServer) -> None:
    kill_again_and_again(field, MariadbTarget(field.staff, mariadb_server), 8)


def test_without_the_fence_there_are_duplicates(field: Field) -> None:
    """The same faults, with outputs that ignore ledger and fence: the proof that the test can fail."""
    target = SqliteTarget(field.staff)
    field.heir.kill()
    field.heir = WorkerProcess("--unfenced")
    doubled = 0
    for index, fault in enumerate(("runner.after_work", "finish.before_commit", "sqlite.commit.after_commit")):
        run = field.start(target, f"trial_{index}")
        victim = WorkerProcess("--unfenced")
        strike(victim, run, fault, random.Random(SEED))
        ended = settle(field, run)
        rows, once = target.count(f"trial_{index}")
        print(f"\n  unfenced, kill at {fault}: attempts {_attempts(run)}  rows {rows}, {once} different  {ended.state}")
        doubled += rows > once
    assert doubled == 3


@pytest.mark.parametrize("point", ["sqlite.stage.write", "sqlite.commit.before"])
def test_a_frozen_worker_that_wakes_up_writes_nothing(field: Field, point: str) -> None:
    target = SqliteTarget(field.staff)
    run = field.start(target, "frozen")
    victim = field.next_victim()
    victim.go(f"{point}=stop")
    child = city.wait_for(victim.stopped_child, 90, f"the child comes to {point}")
    victim.send(signal.SIGSTOP)
    ended = settle(field, run)
    assert ended.state == states.DONE, ended.error
    assert target.count("frozen") == (ROWS, ROWS)
    woken = timezone.now()
    os.kill(child, signal.SIGCONT)
    victim.send(signal.SIGCONT)
    city.wait_for(lambda: is_idle(victim, woken), 90, "the woken worker has let go")
    victim.kill()
    assert target.count("frozen") == (ROWS, ROWS)
    task = Task.objects.get(run=run)
    assert (task.state, task.attempt) == (states.DONE, 2)
    print(f"\n  frozen at {point}: attempts {_attempts(run)}  rows {target.count('frozen')[0]}")


def is_idle(victim: WorkerProcess, since: datetime) -> bool:
    """Whether the worker has said, since then, that nothing is at work in it."""
    return Worker.objects.filter(process=victim.process.pid, busy=0, seen_at__gt=since).exists()
