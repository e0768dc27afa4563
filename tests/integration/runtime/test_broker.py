"""The doorbell: with a broker work starts at once, without one it starts all the same. Real workers, real brokers."""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from celery import Celery, current_app

from runtime import dispatcher, states
from runtime.scheduler import start_run
from runtime.service import run_scheduler_forever
from tests import services
from tests.integration.runtime import city
from tests.integration.runtime.killing import managed_worker

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


def rung_worker(url: str, poll: float) -> AbstractContextManager[subprocess.Popen[bytes]]:
    """A worker that hears the bells of this broker."""
    name = "BROKER_URL" if url.startswith("amqp") else "REDIS_URL"
    return managed_worker(**{name: url}, POLL_SECONDS=str(poll), LEASE_SECONDS="4", HEARTBEAT_SECONDS="1")


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
    with ringing(server.url), rung_worker(server.url, poll=3600):
        flow, staff = prepared_flow()
        run = city.await_run(start_run(flow, None, staff), 30)
        assert run.state == states.DONE, run.error
        assert run.rows_out == 1000


def test_without_its_broker_the_work_goes_on(scheduler: None, redis_server: services.RedisServer) -> None:
    with ringing(redis_server.url), rung_worker(redis_server.url, poll=1):
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


def test_a_worker_starts_works_and_ends_while_its_broker_is_gone(
    scheduler: None, redis_server: services.RedisServer
) -> None:
    redis_server.kill()
    try:
        with ringing(redis_server.url), rung_worker(redis_server.url, poll=1) as worker:
            flow, staff = prepared_flow()
            assert city.await_run(start_run(flow, None, staff), 60).state == states.DONE
            worker.terminate()
            assert worker.wait(timeout=60) == 0
    finally:
        redis_server.start()
