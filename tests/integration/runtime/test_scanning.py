"""A scan, and a discovery, whose worker is killed in the middle go on where they were; a stopped scan as well."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from node_catalog.models import Dataset, Node
from runtime import requests, states
from runtime.scanning import request_scan
from runtime.service import run_scheduler_forever
from security.access import principal_for
from security.models import User
from tests.integration.runtime import city
from tests.integration.runtime.killing import WorkerProcess, kill_all

TABLES, KEPT, MORE = 150, 40, 5


@pytest.fixture
def wide(transactional_db: None) -> Iterator[tuple[Node, User]]:
    """A node with many tables, and a scheduler; workers are the test's own."""
    shutil.rmtree(city.home(""), ignore_errors=True)
    path = city.home("wide.sqlite3")
    city.make_target(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("drop table empty_one;")
        for number in range(TABLES):
            connection.execute(f"create table t{number:03d} (id integer primary key, word text)")
            connection.execute(f"insert into t{number:03d} values (1, 'a'), (2, 'b')")
        connection.commit()
    staff = city.make_staff()
    ended = threading.Event()
    scheduler = threading.Thread(target=run_scheduler_forever, args=(ended,))
    scheduler.start()
    try:
        yield city.add_node(staff, "sqlite", "Wide", {"path": str(path)}), staff
    finally:
        ended.set()
        kill_all()
        scheduler.join()


def described() -> dict[Any, Any]:
    return dict(Dataset.objects.exclude(refreshed_at=None).values_list("pk", "refreshed_at"))


def profiled() -> dict[Any, Any]:
    return dict(Dataset.objects.exclude(profiled_at=None).values_list("pk", "profiled_at"))


def changed(before: dict[Any, Any], after: dict[Any, Any]) -> int:
    """How many of them have been done again."""
    return sum(after[key] != at for key, at in before.items())


def test_killed_and_stopped_in_the_middle_nothing_is_done_again(wide: tuple[Node, User]) -> None:
    node, staff = wide
    walker, scanner, stopper, heir = (WorkerProcess() for _ in range(4))
    walk = requests.request_discovery(node, staff)
    walker.go("runner.kept=kill@1")
    city.wait_for(lambda: walker.has_ended, 60, "the worker dies after its first portion of the walk")
    half = described()
    assert 0 < len(half) < TABLES
    heir.go()
    assert (walked := city.await_task(walk, 90)).state == states.DONE, walked.error
    heir.pause()
    assert walked.result["datasets"] == walked.result["difference"]["counts"]["added"] == TABLES
    assert walked.result["difference"]["counts"]["gone"] == 0
    assert changed(half, described()) == 0

    scan = request_scan(node, staff)
    assert scan is not None
    scanner.go(f"runner.kept=kill@{KEPT}")
    city.wait_for(lambda: scanner.has_ended, 60, "the worker dies in the middle of the scan")
    done = profiled()
    assert len(done) == KEPT
    stopper.go(f"engine.scan_item=stop@{MORE + 1}")
    city.wait_for(lambda: len(profiled()) == KEPT + MORE and stopper.stopped_child(), 60, "the next one goes on")
    requests.cancel_task(principal_for(staff), scan.pk)
    city.wait_for(lambda: stopper.stopped_child() is None, 30, "the work is stopped")
    stopper.kill()
    stopped = profiled()
    assert len(stopped) == KEPT + MORE and changed(done, stopped) == 0

    rest = request_scan(node, staff)
    assert rest is not None and rest.payload["total"] == TABLES - KEPT - MORE
    heir.go()
    assert (ended := city.await_task(rest, 120)).state == states.DONE, ended.error
    assert (ended.result["done"], ended.result["left_out_total"]) == (rest.payload["total"], 0)
    everything = profiled()
    again = changed(stopped, everything)
    print(f"\n  killed after {KEPT} of {TABLES}, stopped after {MORE} more: {again} scanned again")
    assert (len(everything), again) == (TABLES, 0)
