"""The control database ends at once, again and again: nothing is lost, and people are told.

Needs a control database that may be ended, which ``make chaos`` has.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, close_old_connections, connection

from runtime import states
from runtime.models import Run
from security.models import User
from tests.chaos import oracle
from tests.chaos.crew import OLDEST, Books, new_worker, words_about_stuck
from tests.chaos.workloads import Workload
from tests.integration.runtime import city

RESTARTS = int(os.environ.get("CHAOS_RESTARTS") or 3)
SEED = int(os.environ.get("CHAOS_SEED") or 20261122)
CONTROL = os.environ.get("CHAOS_CONTROL", "")
"""The file that holds the process id of the control database's server."""

pytestmark = [
    pytest.mark.services,
    pytest.mark.timeout(7200),
    pytest.mark.skipif(not CONTROL, reason="the control database is a file here; make chaos has a server for it"),
]


def patiently(ask: Callable[[], Any]) -> Any:
    """Ask the database, again and again while it is away."""
    deadline = time.monotonic() + OLDEST
    while True:
        try:
            return ask()
        except (OperationalError, InterfaceError):
            assert time.monotonic() < deadline, "the control database does not come back"
            connection.close()
            time.sleep(0.05)


def test_an_immediate_restart_loses_nothing(loads: list[Workload]) -> None:
    rng = random.Random(SEED)
    copies = [load for load in loads if load.flow and not load.alone]
    workers = [new_worker() for _ in range(2)]
    for worker in workers:
        worker.go()
    client = city.signed_in(User.objects.get(username="staff"))
    client.raise_request_exception = False
    said: Counter[int] = Counter()
    began = time.monotonic()
    for number in range(RESTARTS):
        for load in rng.sample(copies, 2):
            patiently(load.begin)
        time.sleep(rng.uniform(0.0, 1.0))
        server = int(Path(CONTROL).read_text().split()[0])
        os.kill(server, signal.SIGQUIT)
        asked = time.monotonic()
        while time.monotonic() - asked < OLDEST:
            status = client.get("/api/runs").status_code
            # A server does so after each request; Django's test client leaves it out.
            close_old_connections()
            said[status] += 1
            if status == 200 and said[503] > number:
                break
            time.sleep(0.02)
        else:
            raise AssertionError(f"the API does not answer again after restart {number + 1}: {dict(said)}")
        print(f"  restart {number + 1}: answers again after {time.monotonic() - asked:.1f} s", flush=True)
    try:
        for load in copies:
            for run in load.begun:
                patiently(lambda: _await_end(run))  # noqa: B023
    except AssertionError as error:
        raise AssertionError("\n".join([str(error), *(worker.last_words() for worker in workers)])) from None
    for worker in workers:
        worker.kill()
    print(f"  {RESTARTS} restarts in {time.monotonic() - began:.0f} s; the API said {dict(said)}")
    assert set(said) <= {200, 503}, said
    oracle.check_everything(loads, Books())


def _await_end(run: Run) -> None:
    deadline = time.monotonic() + OLDEST
    while Run.objects.get(pk=run.pk).state not in states.RUN_FINISHED:
        assert time.monotonic() < deadline, words_about_stuck(run)
        time.sleep(0.05)
