"""Workers whose clocks are an hour fast or slow do what all others do.

Needs a control database with a clock of its own, which ``make chaos`` has.
"""

from __future__ import annotations

import os
from datetime import timedelta
from glob import glob

import pytest

from runtime.clock import db_now
from runtime.models import Task, Worker
from runtime.previewing import KEPT_FOR
from tests.chaos import oracle
from tests.chaos.crew import Books, do_once, new_worker
from tests.chaos.workloads import Workload

CONTROL = os.environ.get("CHAOS_CONTROL", "")
LIBRARIES = glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
NEAR = timedelta(seconds=30)

pytestmark = [
    pytest.mark.services,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(not CONTROL, reason="a SQLite file has its processes' clock; make chaos has a server"),
    pytest.mark.skipif(
        not LIBRARIES and not os.environ.get("CITYGO_NEED_SERVICES"), reason="the package libfaketime is not installed"
    ),
]


@pytest.mark.parametrize("wrong", ["+1h", "-1h"])
def test_a_worker_with_a_wrong_clock_does_the_same(loads: list[Workload], wrong: str) -> None:
    worker = new_worker(LD_PRELOAD=LIBRARIES[0], FAKETIME=wrong, FAKETIME_DONT_FAKE_MONOTONIC="1", NO_FAKE_STAT="1")
    worker.go()
    for load in loads:
        for _ in range(2):
            do_once(load)
    seen = Worker.objects.annotate(now=db_now()).get(process=worker.process.pid)
    assert abs(seen.now - seen.seen_at) < NEAR
    for preview in Task.objects.filter(kind=Task.Kind.PREVIEW).annotate(now=db_now()):
        assert preview.expires_at is not None
        assert preview.result is not None
        assert abs(preview.now + KEPT_FOR - preview.expires_at) < timedelta(minutes=5)
    worker.kill()
    oracle.check_everything(loads, Books())
