"""Worker processes that died on this machine are known by more than their number."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.utils import timezone

from runtime import states
from runtime.models import Run, Task, Worker
from runtime.neighbours import Neighbours, place_of
from tests.app.runtime.factory import World, stage
from tests.app.runtime.test_moves import work

pytestmark = pytest.mark.skipif(not place_of(os.getpid()), reason="the system does not tell when a process began")


def announce(name: str, process: int, place: str) -> None:
    now = timezone.now()
    Worker.objects.create(id=name, host="here", process=process, place=place, started_at=now, seen_at=now)


def taken(world: World, name: str) -> Run:
    """A run of which this worker holds a stage."""
    run = world.make_run(stage("a"))
    work(name)
    return run


def state_of(run: Run) -> str:
    return Task.objects.get(run=run).state


def test_a_process_that_is_gone_has_no_place() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert place_of(process.pid).rpartition("/")[0] == place_of(os.getpid()).rpartition("/")[0]
    assert place_of(process.pid) != place_of(os.getpid())
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert place_of(process.pid) == "", "one that nobody has buried yet is dead all the same"
    process.communicate()
    assert place_of(process.pid) == ""


def test_tasks_of_a_dead_worker_are_taken_back_at_once(world: World) -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    announce("victim", process.pid, place_of(process.pid))
    run, neighbours = taken(world, "victim"), Neighbours("me")
    assert neighbours.look() == 0
    process.kill()
    process.communicate()
    assert neighbours.look() == 1
    assert state_of(run) == states.READY
    assert run.tasks.get().attempts.get().error["code"] == "worker.lost"
    assert neighbours.look() == 0


def test_a_number_that_was_given_again_is_another_process(world: World) -> None:
    machine = place_of(os.getpid()).rpartition("/")[0]
    announce("earlier", os.getpid(), f"{machine}/1")
    run = taken(world, "earlier")
    assert Neighbours("me").look() == 1
    assert state_of(run) == states.READY


def test_other_machines_and_oneself_are_left_alone(world: World) -> None:
    machine = place_of(os.getpid()).rpartition("/")[0]
    announce("me", os.getpid(), f"{machine}/1")
    announce("elsewhere", 1, "another-boot/pid:[1]/1")
    announce("unknown", 1, "")
    runs = [taken(world, name) for name in ("me", "elsewhere", "unknown")]
    assert Neighbours("me").look() == 0
    assert {state_of(run) for run in runs} == {states.RUNNING}
