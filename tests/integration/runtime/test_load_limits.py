"""Load limits and pools against real servers: over several workers, one of them killed; replicas; many reads."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest
from django.conf import settings

from flows.models import Flow
from node_catalog.models import Dataset, Node
from node_catalog.nodes import change_node
from runtime import requests, states
from runtime.models import Pool, Run, RunRule, Task
from runtime.node_slots import load_now
from runtime.pools import places_taken
from runtime.scheduler import start_run
from runtime.service import run_scheduler_forever
from runtime.worker import Worker
from security.access import principal_for
from security.models import User
from tests.integration.runtime import city
from tests.integration.runtime.killing import WorkerProcess, kill_all
from tests.services import mariadb_server, postgres_server

ROWS, RATE, RUNS = 40_000, 100_000, 6


@contextmanager
def watched(look: Callable[[], int]) -> Iterator[list[int]]:
    """What ``look`` gives, a hundred times a second."""
    seen, ended = [0], threading.Event()

    def watch() -> None:
        while not ended.wait(0.01):
            seen.append(look())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        ended.set()
        watcher.join()


@pytest.fixture
def staff(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[User]:
    """Somebody who keeps nodes, and a scheduler; workers are the test's own."""
    monkeypatch.setitem(settings.OPTIONS, "ALLOWED_NETWORKS", ["127.0.0.0/8"])
    shutil.rmtree(city.home(""), ignore_errors=True)
    ended = threading.Event()
    scheduler = threading.Thread(target=run_scheduler_forever, args=(ended,))
    scheduler.start()
    try:
        yield city.make_staff()
    finally:
        ended.set()
        kill_all()
        scheduler.join()


@contextmanager
def working(slots: int = 2) -> Iterator[None]:
    worker = Worker(slots)
    worker.start()
    try:
        yield
    finally:
        worker.stop()


def limit(node: Node, staff: User, limits: dict[str, Any]) -> None:
    change_node(principal_for(staff), node, {"limits": limits})


def reading(staff: User, *datasets: Dataset) -> Flow:
    """A flow that gives the rows of all these datasets."""
    steps: dict[str, Any] = {f"read_{n}": city.read_step(dataset) for n, dataset in enumerate(datasets)}
    steps["out"] = {"type": "output", "settings": {"name": "rows"}}
    wires = [("read_0.out", "out.in")]
    if len(datasets) > 1:
        steps["all"] = {"type": "union", "settings": {}}
        wires = [*((f"read_{n}.out", "all.in") for n in range(len(datasets))), ("all.out", "out.in")]
    return city.make_flow(staff, steps, wires)


@pytest.fixture
def postgres(staff: User) -> Iterator[tuple[Node, Callable[[], int]]]:
    """A node with two tables, and how many reads are at work there."""
    server = postgres_server()
    url = server.create_database("limits")
    with psycopg.connect(url, autocommit=True) as connection:
        for name in ("one", "two"):
            connection.execute(f"drop table if exists {name}")
            connection.execute(f"create table {name} as select i as id, repeat('x', 500) as pad "
                               f"from generate_series(1, {ROWS}) as s(i)")  # fmt: skip
        connection.execute("analyze")

        def at_work() -> int:
            rows = connection.execute(
                "select count(*) from pg_stat_activity where datname = 'limits' and query ilike 'copy%' "
                "and state = 'active' and pid <> pg_backend_pid()"
            ).fetchone()
            return int(rows[0]) if rows else 0

        with working():
            node = city.add_node(staff, "postgresql", "Limited", server.settings("limits"))
            city.discover(node, staff)
        yield node, at_work


def test_turns_and_rate_hold_over_workers_one_of_which_is_killed(
    staff: User, postgres: tuple[Node, Callable[[], int]]
) -> None:
    node, at_work = postgres
    limit(node, staff, {"reads": 3, "rows_per_second": RATE, "when_busy": "go_on"})
    flow = reading(staff, Dataset.objects.get(node=node, name="one"))
    processes = [WorkerProcess() for _ in range(3)]
    with watched(at_work) as seen:
        runs = [start_run(flow, None, staff) for _ in range(RUNS)]
        began = time.monotonic()
        for process in processes:
            process.go()
        city.wait_for(lambda: load_now(node)["in_use"] == 2, 60, "two read")
        victim = city.wait_for(
            lambda: Task.objects.filter(state=states.RUNNING, uses__contains=node.number).first(), 60, "one is at work"
        )
        lost = next(one for one in processes if victim.owner.endswith(f":{one.process.pid}"))
        lost.kill()
        done = [city.await_run(run, 120) for run in runs]
        seconds = time.monotonic() - began
    assert [run.state for run in done] == ["done"] * RUNS, [run.error for run in done]
    assert [run.rows_out for run in done] == [ROWS] * RUNS
    assert max(seen) <= 2, "of three, one is kept for previews"
    assert load_now(node)["in_use"] == 0
    # What the killed one had read is read again; each read begins with one batch at once.
    print(f"\n  {RUNS * ROWS / seconds:,.0f} rows a second of {RATE:,}")
    assert RUNS * ROWS / seconds <= RATE * 1.1


def test_a_pool_holds_over_workers_one_of_which_is_killed(
    staff: User, postgres: tuple[Node, Callable[[], int]]
) -> None:
    node, at_work = postgres
    limit(node, staff, {"reads": 0, "rows_per_second": ROWS, "when_busy": "go_on"})
    flow = reading(staff, Dataset.objects.get(node=node, name="one"))
    pool = Pool.objects.create(name="Licence", places=5)
    RunRule.objects.create(flow=flow, pool=pool, pool_places=2)
    processes = [WorkerProcess() for _ in range(3)]
    with watched(at_work) as seen:
        runs = [start_run(flow, None, staff) for _ in range(4)]
        for process in processes:
            process.go()
        city.wait_for(lambda: places_taken([pool])[pool.pk] == 4, 60, "two are at work")
        victim = city.wait_for(lambda: Task.objects.filter(state=states.RUNNING).first(), 60, "one is at work")
        next(one for one in processes if victim.owner.endswith(f":{one.process.pid}")).kill()
        done = [city.await_run(run, 120) for run in runs]
    assert [(run.state, run.rows_out) for run in done] == [("done", ROWS)] * 4, [run.error for run in done]
    assert max(seen) <= 2, "two places each, of five"
    assert places_taken([pool])[pool.pk] == 0


def test_more_reads_in_one_stage_than_turns_come_one_after_the_other(
    staff: User, postgres: tuple[Node, Callable[[], int]]
) -> None:
    node, at_work = postgres
    limit(node, staff, {"reads": 1, "rows_per_second": RATE})
    flow = reading(staff, *Dataset.objects.filter(node=node).order_by("name"))
    with working(), watched(at_work) as seen:
        done = city.await_run(start_run(flow, None, staff))
    assert done.state == "done", done.error
    assert done.rows_out == 2 * ROWS and max(seen) == 1
    assert Task.objects.get(run=done).uses == f" {node.number}=2 "


# ── Replicas ──────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Relay:
    """A second address of a server, which counts who comes."""

    port: int
    came: int = 0
    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))

    @property
    def address(self) -> int:
        return int(self.listener.getsockname()[1])

    def stop(self) -> None:
        """Nobody is admitted any more; safe to call again."""
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def serve(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.came += 1
            server = socket.create_connection(("127.0.0.1", self.port))
            for one, other in ((client, server), (server, client)):
                threading.Thread(target=_pass_on, args=(one, other), daemon=True).start()


def _pass_on(one: socket.socket, other: socket.socket) -> None:
    with one, other, suppress(OSError):
        while data := one.recv(1 << 16):
            other.sendall(data)


@contextmanager
def relay(port: int) -> Iterator[Relay]:
    made = Relay(port)
    serving = threading.Thread(target=made.serve)
    serving.start()
    try:
        yield made
    finally:
        made.stop()
        serving.join()


def _source(kind: str) -> tuple[dict[str, Any], int]:
    if kind == "postgresql":
        server = postgres_server()
        with psycopg.connect(server.create_database("limits_copy"), autocommit=True) as connection:
            connection.execute("drop table if exists t, written")
            connection.execute("create table t as select i as id from generate_series(1, 100) as s(i)")
        return server.settings("limits_copy"), server.port
    other = mariadb_server()
    name = other.create_database("limits_copy")
    with other.connect(name) as raw, closing(raw.cursor()) as cursor:
        cursor.execute("drop table if exists t, written")
        cursor.execute("create table t as select seq as id from seq_1_to_100")
    return other.settings(name), other.port


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_reads_go_to_the_replica_and_writes_to_the_primary(staff: User, kind: str) -> None:
    values, port = _source(kind)
    with relay(port) as primary, relay(port) as replica, working():
        address = {**values, "host": "127.0.0.1", "port": primary.address}
        node = city.add_node(staff, kind, "Two", address)
        change_node(
            principal_for(staff), node, {"settings": address, "limits": {"replica": f"127.0.0.1:{replica.address}"}}
        )
        (table,) = city.discover(node, staff)
        assert city.await_task(requests.request_sample(table, staff)).state == states.DONE
        assert city.await_task(requests.request_profile(table, staff)).state == states.DONE
        assert primary.came == 0 < replica.came
        checked = city.await_task(requests.request_check(node, staff))
        assert checked.result is not None and checked.result["ok"] and checked.result["facts"]["replica"]
        before = primary.came, replica.came
        flow = city.make_flow(
            staff,
            {
                "read": city.read_step(table),
                "write": {"type": "write", "settings": {"node": node.number, "path": ["written"], "create": True}},
            },
            [("read.out", "write.in")],
        )
        run = city.await_run(start_run(flow, None, staff))
        assert run.state == "done", run.error
        assert run.rows_out == 100 and primary.came > before[0] and replica.came > before[1]

        before = primary.came, replica.came
        replica.stop()
        failed = city.await_task(requests.request_sample(table, staff))
        assert failed.state == states.FAILED and failed.error is not None and "127.0.0.1" in failed.error["where"]
        refused = city.await_task(requests.request_check(node, staff))
        assert refused.result is not None and not refused.result["ok"]
        assert refused.result["message"]["en"].startswith("The replica: ")
        assert replica.came == before[1] and Run.objects.count() == 1
