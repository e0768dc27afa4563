"""A worker that stands still in the middle of a transaction holds up nobody for longer than its lease.

Needs a control database that several can write to at once, which ``make chaos`` has.
"""

from __future__ import annotations

import os
import signal

import pytest

from runtime import states
from runtime.models import Run, Task
from tests.chaos import oracle
from tests.chaos.crew import OLDEST, Books, new_worker, record_points
from tests.chaos.test_kills import LATE
from tests.chaos.workloads import Workload
from tests.integration.runtime import city

pytestmark = [
    pytest.mark.services,
    pytest.mark.usefixtures("exchange"),
    pytest.mark.timeout(3600),
    pytest.mark.skipif(
        not os.environ.get("CHAOS_CONTROL"), reason="SQLite has one lock for all; make chaos has a server"
    ),
]


def test_workers_frozen_before_a_commit_hold_up_nobody(loads: list[Workload]) -> None:
    points = record_points(loads)
    heir = new_worker()
    struck = sorted({*points.loads} - points.in_child - {*LATE})
    for point in (each for each in struck if each.endswith(".before_commit")):
        frozen = new_worker()
        frozen.go(f"{point}=stop")
        begun = points.loads[point][0].begin()
        city.wait_for(lambda: frozen.is_stopped, OLDEST, f"the worker stops at {point}")  # noqa: B023
        heir.go()
        city.wait_for(lambda: _has_ended(begun), OLDEST, f"another does what was begun at {point}")  # noqa: B023
        frozen.send(signal.SIGCONT)
        heir.pause()
        frozen.kill()
    assert len(struck) > 5
    heir.kill()
    oracle.check_everything(loads, Books())


def _has_ended(one: Run | Task) -> bool:
    ends = states.RUN_FINISHED if isinstance(one, Run) else states.FINISHED
    return type(one).objects.filter(pk=one.pk, state__in=ends).exists()
