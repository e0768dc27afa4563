"""Every message three times and in another order, and a broker that forgets everything: the same rows, once each."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from runtime import dispatcher, states
from runtime.models import Run
from runtime.service import run_scheduler_forever
from runtime.worker import Worker
from tests import services
from tests.chaos import oracle
from tests.chaos.crew import OLDEST, Books
from tests.chaos.workloads import Workload
from tests.integration.runtime.killing import ENVIRONMENT, managed_worker
from tests.integration.runtime.test_broker import ringing

SEED = int(os.environ.get("CHAOS_SEED") or 20261122)
RUNS = int(os.environ.get("CHAOS_MESSAGES") or 8)

pytestmark = [pytest.mark.services, pytest.mark.timeout(900)]


class Post:
    """Delivers every bell three times, late, in any order; or never, while it is wiped."""

    def __init__(self, workers: list[Worker]) -> None:
        self._workers = workers
        self._rng = random.Random(SEED)
        self._bag: list[str] = []
        self._lock = threading.Lock()
        self.delivered = 0

    def take(self, task: str) -> None:
        with self._lock:
            self._bag += [task] * 3

    def deliver(self, number: int) -> None:
        for _ in range(number):
            with self._lock:
                if not self._bag:
                    return
                task = self._bag.pop(self._rng.randrange(len(self._bag)))
            self._rng.choice(self._workers).answer(task)
            self.delivered += 1

    def lose_all(self) -> None:
        with self._lock:
            self._bag.clear()


@pytest.fixture
def scheduler() -> Iterator[None]:
    """Rings again for what nobody has claimed."""
    ended = threading.Event()
    thread = threading.Thread(target=run_scheduler_forever, args=(ended,))
    thread.start()
    yield
    ended.set()
    thread.join()


@pytest.fixture
def post(loads: list[Workload], scheduler: None, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[Post]:
    """Two workers that never look for work by themselves."""
    monkeypatch.setitem(settings.OPTIONS, "POLL_SECONDS", 3600)
    monkeypatch.setattr("runtime.worker.IDLE_POLL_WITHOUT_BROKER", 3600)
    workers = [Worker(1), Worker(1)]
    for worker in workers:
        worker.start()
        worker._forget_bells()
    made = Post(workers)
    forget = dispatcher.answer_locally(made.take)
    yield made
    forget()
    for worker in workers:
        worker.stop()


def copying(loads: list[Workload]) -> list[Workload]:
    return [load for load in loads if load.flow and not load.alone]


def has_open(loads: list[Workload]) -> bool:
    begun = [run.pk for load in loads for run in load.begun]
    return Run.objects.filter(pk__in=begun).exclude(state__in=states.RUN_FINISHED).exists()


@pytest.mark.parametrize("wiped", [False, True], ids=["shuffled", "wiped"])
def test_bells_that_come_three_times_late_or_never(loads: list[Workload], post: Post, wiped: bool) -> None:
    rng = random.Random(SEED)
    begun = wipes = 0
    deadline = time.monotonic() + OLDEST + RUNS * 5
    while begun < RUNS or has_open(loads):
        assert time.monotonic() < deadline, f"after {begun} runs something is stuck"
        if begun < RUNS:
            rng.choice(copying(loads)).begin()
            begun += 1
        if wiped and rng.random() < 0.2:
            post.lose_all()
            wipes += 1
        post.deliver(2)
        time.sleep(0.05)
    print(f"  {RUNS} runs, {post.delivered} bells heard, wiped {wipes} times")
    oracle.check_everything(loads, Books())


def test_a_broker_that_forgets_loses_no_run(
    loads: list[Workload], scheduler: None, redis_server: services.RedisServer
) -> None:
    rng = random.Random(SEED)
    broker = redis.Redis.from_url(redis_server.url)
    options = ENVIRONMENT | {"REDIS_URL": redis_server.url, "POLL_SECONDS": "5"}
    with ringing(redis_server.url), managed_worker(**options):
        for _ in range(max(3, RUNS // 3)):
            for load in rng.sample(copying(loads), 3):
                load.begin()
            time.sleep(rng.uniform(0, 0.05))
            broker.flushall()
        deadline = time.monotonic() + OLDEST + RUNS * 5
        while has_open(loads):
            assert time.monotonic() < deadline, "a run was lost with its bell"
            time.sleep(0.05)
    broker.close()
    oracle.check_everything(loads, Books())
