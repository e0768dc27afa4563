"""Processes killed at every failpoint while all kinds of work run: each row once, nothing lost, nothing stuck.

The suite shows that some work passes each failpoint; CHAOS_KILLS=1000 and CHAOS_FREEZES=500 (``make chaos``) strike.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runtime.models import Run
from tests.chaos import oracle
from tests.chaos.crew import Books, Crew, record_points
from tests.chaos.points import all_points
from tests.chaos.workloads import Workload
from tests.integration.runtime import city
from tests.integration.runtime.killing import WorkerProcess

SEED = int(os.environ.get("CHAOS_SEED") or 20261122)
KILLS = int(os.environ.get("CHAOS_KILLS") or 0)
FREEZES = int(os.environ.get("CHAOS_FREEZES") or 0)
SOME = os.environ.get("CHAOS_POINTS", "")
"""Strike only at failpoints with these words in their names."""
STARTS = ("start.before_commit", "start.after_commit")
"""Passed by whoever starts a run: struck one by one."""
LATE = ("leave.before_commit", "hand_back.before_commit", "reap.before_commit", "reap.after_commit")
"""Passed only when something has gone wrong, so no undisturbed run comes by them."""
UNLOCKED = ("engine.", ".stage.write", ".stage.open", ".stage.upload", ".commit.before.", ".before_lock")
"""Parts of the names of places at which a child holds no lock for which the others would rightly wait."""

pytestmark = [
    pytest.mark.services,
    pytest.mark.usefixtures("exchange"),
    pytest.mark.timeout(7200 if KILLS or FREEZES else 900),
]


def strike_the_start(load: Workload, crew: Crew) -> None:
    """Who starts a run dies before or after its commit: there is no run, or one that others do."""
    assert load.flow is not None
    flow, version = load.flow
    for point, there in zip(STARTS, (False, True), strict=True):
        starter, number = WorkerProcess(), len(load.begun) + len(load.failed)
        starter.hint(f"start {point}=kill {flow.pk} {version.pk} {flow.app.owner_id} {number}")
        city.wait_for(lambda: starter.has_ended, 60, f"the starter dies at {point}")  # noqa: B023
        starter.kill()
        run = Run.objects.filter(flow=flow, parameters={"tag": number}).first()
        assert (run is not None) is there
        crew.books.strikes[point] += 1
        if run is not None:
            load.begun.append(run)


def test_some_work_passes_each_failpoint(loads: list[Workload], repo: Path) -> None:
    wanted = all_points(repo)
    assert len(wanted) >= 40
    assert wanted - set(record_points(loads).loads) - {*LATE, *STARTS} == set(), "no workload passes these failpoints"
    oracle.check_everything(loads, Books())


@pytest.mark.skipif(not KILLS, reason="make chaos kills")
def test_killed_at_every_failpoint_each_row_arrives_once(loads: list[Workload], repo: Path) -> None:
    points = record_points(loads)
    points.loads |= dict.fromkeys(LATE, loads)
    points.loads = {point: passing for point, passing in points.loads.items() if SOME in point}
    wanted = all_points(repo) & {*points.loads, *STARTS}
    crew = Crew(loads, points, SEED)
    strike_the_start(next(load for load in loads if load.flow), crew)
    crew.strike(max(KILLS, len(wanted)) - crew.books.total, each=wanted)
    tell(crew)
    oracle.check_everything(loads, crew.books)
    never = sorted(wanted - set(crew.books.strikes))
    assert not never, f"never struck: {never}"
    assert oracle.orphans() == []


@pytest.mark.skipif(not FREEZES, reason="make chaos freezes")
def test_frozen_workers_write_nothing_when_they_wake(loads: list[Workload]) -> None:
    points = record_points(loads)
    free = {point for point in points.in_child if any(part in f"{point}." for part in UNLOCKED)}
    points.loads = {point: points.loads[point] for point in free}
    crew = Crew(loads, points, SEED)
    crew.strike(FREEZES, armed=3, freeze=True)
    tell(crew)
    oracle.check_everything(loads, crew.books)


def tell(crew: Crew) -> None:
    books = crew.books
    print(f"\n  seed {SEED}: {books.total} strikes, {books.moments} of them at no special place")
    for point, number in sorted(books.strikes.items()):
        print(f"  {number:5d}  {point}")
    print(f"  missed {dict(books.missed)}; the longest run or task took {books.slowest:.1f} s")
