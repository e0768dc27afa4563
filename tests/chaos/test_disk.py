"""A disk that is full, or breaks, at every place where something is written: a clear end, and nothing half-written."""

from __future__ import annotations

import os
import random

import pytest

from runtime import states
from runtime.models import Run, Task
from tests.chaos import oracle
from tests.chaos.crew import Books, do_once, new_worker, record_points
from tests.chaos.workloads import Workload

SEED = int(os.environ.get("CHAOS_SEED") or 20261122)
TRIALS = int(os.environ.get("CHAOS_DISK") or 6)

pytestmark = [pytest.mark.services, pytest.mark.timeout(7200 if TRIALS > 6 else 900)]


def test_a_full_disk_leaves_nothing_half_written(loads: list[Workload]) -> None:
    points = record_points(loads)
    rng = random.Random(SEED)
    sites = sorted(points.in_child)
    rng.shuffle(sites)
    ended: dict[str, int] = {}
    for number, point in enumerate((sites * (TRIALS // len(sites) + 1))[:TRIALS]):
        fault = ("enospc", "eio")[number % 2]
        worker = new_worker()
        worker.go(f"{point}={fault}")
        load = rng.choice(points.loads[point])
        one = do_once(load)
        worker.kill()
        problem = one.error or {}
        print(f"  {number + 1:4d}  {fault} at {point}: {load.name} {one.state} {problem.get('code', '')}", flush=True)
        ended[one.state] = ended.get(one.state, 0) + 1
        if one.state != states.DONE:
            assert one.state == states.FAILED, problem
            assert problem["message"]["zh-CN"] and problem["code"] not in ("internal", "engine.internal"), problem
            load.begun.remove(one)
            load.failed.append(one)
    print(f"  {ended}")
    oracle.check_everything(loads, Books())
    assert not Run.objects.exclude(state__in=states.RUN_FINISHED).exists()
    assert not Task.objects.filter(state__in=states.ACTIVE).exists()
