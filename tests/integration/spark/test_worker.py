"""Stages that a real worker leaves to a Spark Connect server: the same rows, counts, errors in words, and stopping."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings

from flows.models import Flow
from node_catalog.models import Dataset
from runtime import states
from runtime.models import Result, Run, Task
from runtime.plans import plan_of
from runtime.scheduler import start_run
from security.models import User
from tests.integration.runtime import city
from tests.object_store import ObjectStore
from tests.spark_server import spark_url

ROWS = 5000
BUSY = {"type": "filter", "settings": {"where": "pm25 > 35"}}
GROUP = {
    "type": "aggregate",
    "settings": {
        "by": ["station"],
        "measures": [
            {"name": "rows", "function": "count"},
            {"name": "worst", "function": "max", "column": "pm25"},
            {"name": "ids", "function": "sum", "column": "id"},
        ],
    },
}
SORT = {"type": "sort", "settings": {"by": [{"column": "station"}]}}
WIRES = [("read.out", "busy.in"), ("busy.out", "group.in"), ("group.out", "sort.in"), ("sort.out", "out.in")]


@contextmanager
def options(**more: object) -> Iterator[None]:
    with override_settings(OPTIONS={**settings.OPTIONS, **more}):
        yield


@pytest.fixture
def readings(transactional_db: None) -> tuple[User, Dataset]:
    shutil.rmtree(city.home(""), ignore_errors=True)
    city.make_readings(city.home("source.sqlite3"), ROWS)
    staff = city.make_staff()
    source = city.add_node(staff, "sqlite", "Readings", {"path": str(city.home("source.sqlite3"))})
    with city.worker_and_scheduler(1):
        (dataset,) = city.discover(source, staff)
    return staff, dataset


def flow_of(staff: User, dataset: Dataset, compute: str, **more: Any) -> Flow:
    steps = {"read": city.read_step(dataset), "busy": BUSY, "group": GROUP, "sort": SORT}
    flow = city.make_flow(staff, {**steps, "out": {"type": "output", "settings": {"name": "all"}}}, WIRES)
    Flow.objects.filter(pk=flow.pk).update(compute=compute)
    flow.compute = compute
    return flow


def rows_of(run: Run) -> list[Any]:
    from runtime import places
    from runtime.engine.results import read_page

    return read_page(places.absolute(Result.objects.get(run=run).reference))["rows"]


@pytest.fixture(params=["folder", "bucket", "nothing"])
def shared(
    request: pytest.FixtureRequest, object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """Options for what the studio and Spark share."""
    if request.param == "folder":
        folder = str(city.home(""))
        return {"EXCHANGE_URL": folder, "SPARK_EXCHANGE": folder}
    if request.param == "nothing":
        return {}
    for name, value in object_store.for_sail().items():
        monkeypatch.setenv(name, value)
    found = object_store.exchange(object_store.bucket())
    return {**found, "SPARK_EXCHANGE": found["EXCHANGE_URL"]}


def test_a_worker_leaves_a_stage_to_spark(readings: tuple[User, Dataset], shared: dict[str, str]) -> None:
    staff, dataset = readings
    answers = []
    with options(SPARK_URL=spark_url(), **shared), city.worker_and_scheduler(1):
        for compute, planned in (("here", ("duckdb", "")), ("cluster", ("spark", "spark"))):
            run = city.await_run(start_run(flow_of(staff, dataset, compute), None, staff))
            task = Task.objects.get(run=run)
            assert run.state == states.DONE, task.error
            assert (plan_of(run.plan_id).stages[0].engine, task.needs) == planned
            answers.append(rows_of(run))
    assert answers[0] == answers[1] != []
    assert not list(city.home("").rglob("*.spark"))
