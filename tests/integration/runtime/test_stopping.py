"""Workers that are told to end, and workers that are killed: others go on with their stages long before a lease ends.

The stage is held in the middle by a failpoint that stops the child process; the lease lasts a minute.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from typing import Any

import pytest

from flows.models import Flow
from runtime import states
from runtime.models import Run, Task, Worker
from runtime.scheduler import start_run
from security.models import User
from tests.integration.runtime import city
from tests.integration.runtime.killing import children_of, first_stopped, managed_worker

ROWS = 1000
HELD = {"FAILPOINTS": "engine.rows_read=stop", "LEASE_SECONDS": "60", "HEARTBEAT_SECONDS": "1", "POLL_SECONDS": "0.2"}


@pytest.fixture
def flow(transactional_db: None) -> tuple[Flow, User]:
    """A flow that reads a thousand rows."""
    shutil.rmtree(city.home(""), ignore_errors=True)
    city.make_readings(city.home("source.sqlite3"), ROWS)
    staff = city.make_staff()
    source = city.add_node(staff, "sqlite", "Readings", {"path": str(city.home("source.sqlite3"))})
    with city.worker_and_scheduler(1):
        (readings,) = city.discover(source, staff)
    steps = {"read": city.read_step(readings), "out": {"type": "output", "settings": {"name": "all"}}}
    return city.make_flow(staff, steps, [("read.out", "out.in")]), staff


def held_in_the_middle(victim: subprocess.Popen[bytes], flow: tuple[Flow, User]) -> tuple[Run, int]:
    """A run that the victim has begun, and the child process that stands still in it."""
    run = start_run(flow[0], None, flow[1])
    return run, city.wait_for(
        lambda: first_stopped(children_of(victim.pid)), 90, "the child stands in the middle of the stage"
    )


def task_of(run: Run) -> tuple[Any, ...]:
    task = Task.objects.get(run=run)
    return task.state, task.attempt, task.max_attempts


def test_a_worker_told_to_end_ends_its_stage_and_begins_no_other(flow: tuple[Flow, User]) -> None:
    with managed_worker(**HELD, DRAIN_SECONDS="120") as victim:
        run, child = held_in_the_middle(victim, flow)
        victim.terminate()
        other = start_run(flow[0], None, flow[1])
        os.kill(child, signal.SIGCONT)
        assert victim.wait(timeout=120) == 0
    assert city.await_run(run).state == states.DONE
    assert task_of(run) == (states.DONE, 1, 5)
    assert task_of(other) == (states.READY, 0, 5)
    assert not Worker.objects.exists()


def test_what_does_not_end_in_time_is_handed_back_at_once(flow: tuple[Flow, User]) -> None:
    with managed_worker(**HELD, DRAIN_SECONDS="0.2") as victim:
        run, _ = held_in_the_middle(victim, flow)
        victim.terminate()
        assert victim.wait(timeout=120) == 0
    assert task_of(run) == (states.READY, 1, 6)
    with city.worker_and_scheduler(1):
        assert city.await_run(run).state == states.DONE
    assert task_of(run) == (states.DONE, 2, 6)


def test_a_neighbour_takes_over_from_a_killed_worker(flow: tuple[Flow, User]) -> None:
    with managed_worker(**HELD) as victim:
        run, _ = held_in_the_middle(victim, flow)
        with city.worker_and_scheduler(1):
            victim.kill()
            ended = city.await_run(run, 50)
    assert ended.state == states.DONE
    assert task_of(run) == (states.DONE, 2, 5)
