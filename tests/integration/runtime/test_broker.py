"""The doorbell: with a broker work starts at once, without one it starts all the same. Real workers, real brokers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from celery import Celery, current_app

from runtime import dispatcher, states
from runtime.models import Worker
from runtime.scheduler import start_run
from runtime.service import run_scheduler_forever
from tests import services
from tests.integration.runtime import city

pytestmark = [pytest.mark.services, pytest.mark.timeout(300)]


@contextmanager
def ringing(url: str) -> Iterator[None]:
    """Ring through this broker in this process."""
    before = current_app._get_current_object()
    app = Celery("bells", set_as_current=False)
    app.conf.update(
        broker_url=url, task_default_queue="citygo", task_ignore_result=True, broker_connection_timeout=2,
        broker_transport_options={"socket_connect_timeout": 2} if url.startswith("redis") else {},
    )  # fmt: skip
    app.set_default()
    dispatcher._ringer._rest_until = 0.0
    try:
        yield
    finally:
        before.set_default()
        app.pool.force_close_all()
        app.close()


@contextmanager
def celery_worker(url: str, poll: float) -> Iterator[subprocess.Popen[bytes]]:
    """``manage.py worker`` as the studio starts it."""
    name = "BROKER_URL" if url.startswith("amqp") else "REDIS_URL"
    environment = {
        **os.environ, name: url, "DJANGO_SETTINGS_MODULE": "tests.settings", "CITYGO_TEST_CHILD": "1",
        "POLL_SECONDS": str(poll), "WORKER_SLOTS": "1", "LEASE_SECONDS": "4", "HEARTBEAT_SECONDS": "1",
    }  # fmt: skip
    root = Path(__file__).resolve().parents[3]
    process = subprocess.Popen([sys.executable, "manage.py", "worker"], cwd=root, env=environment)
    try:
        city.wait_for(lambda: Worker.objects.filter(process=process.pid).exists(), 90, "the worker announces itself")
        yield process
    finally:
        process.terminate()
        process.wait(timeout=60)


@pytest.fixture
def scheduler(transactional_db: None) -> Iterator[None]:
    ended = threading.Event()
    thread = threading.Thread(target=run_scheduler_forever, args=(ended,))
    thread.start()
    yield
    ended.set()
    thread.join()


def prepared_flow() -> tuple[Any, Any]:
    shutil.rmtree(city.home(""), ignore_errors=True)
    city.make_readings(city.home("source.sqlite3"), 1000)
    staff = city.make_staff()
    source = city.add_node(staff, "sqlite", "Readings", {"path": str(city.home("source.sqlite3"))})
    (readings,) = city.discover(source, staff)
    steps = {"read": city.read_step(readings), "out": {"type": "output", "settings": {"name": "all"}}}
    return city.make_flow(staff, steps, [("read.out", "out.in")]), staff


@pytest.mark.parametrize("kind", ["redis", "rabbitmq"])
def test_a_bell_starts_the_work_at_once(scheduler: None, kind: str, request: pytest.FixtureRequest) -> None:
    """The worker looks by itself only once an hour: whatever it does quickly, it does because of a bell."""
    server = request.getfixturevalue(f"{kind}_server")
    with ringing(server.url), celery_worker(server.url, poll=3600):
        flow, staff = prepared_flow()
        run = city.await_run(start_run(flow, None, staff), 30)
        assert run.state == states.DONE, run.error
        assert run.rows_out == 1000


def test_without_its_broker_the_work_goes_on(scheduler: None, redis_server: services.RedisServer) -> None:
    with ringing(redis_server.url), celery_worker(redis_server.url, poll=1):
        flow, staff = prepared_flow()
        redis_server.kill()
        try:
            began = time.monotonic()
            run = start_run(flow, None, staff)
            assert time.monotonic() - began < 5, "a dead broker holds nobody up"
            assert city.await_run(run, 60).state == states.DONE
        finally:
            redis_server.start()
        again = city.await_run(start_run(flow, None, staff), 60)
        assert again.state == states.DONE
