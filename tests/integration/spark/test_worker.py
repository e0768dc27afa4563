"""Stages that a real worker leaves to a Spark Connect server: the same rows, counts, errors in words, and stopping."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest
from django.conf import settings
from django.test import override_settings

from flows.models import Flow
from node_catalog.models import Dataset
from runtime import places, states
from runtime.engine.results import read_page
from runtime.models import Result, Run, Task
from runtime.plans import plan_of
from runtime.scheduler import cancel_run, start_run
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


def flow_of(staff: User, dataset: Dataset, compute: str) -> Flow:
    steps = {"read": city.read_step(dataset), "busy": BUSY, "group": GROUP, "sort": SORT}
    steps["out"] = {"type": "output", "settings": {"name": "all"}}
    return on_spark(city.make_flow(staff, steps, WIRES), compute)


def endless(staff: User, dataset: Dataset) -> Flow:
    """Joins the readings with themselves twice by a text of seven values: billions of rows."""
    by_station = {"type": "join", "settings": {"how": "inner", "on": [{"left": "station", "right": "station"}]}}
    count = {"type": "aggregate", "settings": {"measures": [{"name": "rows", "function": "count"}]}}
    some = {"type": "select", "settings": {"columns": [{"column": "station"}]}}
    steps = {name: city.read_step(dataset) for name in ("one", "two", "three")}
    steps |= {"pairs": by_station, "some": some, "triples": by_station, "count": count}
    steps["out"] = {"type": "output", "settings": {"name": "all"}}
    wires = [
        ("one.out", "pairs.left"),
        ("two.out", "pairs.right"),
        ("pairs.out", "some.in"),
        ("some.out", "triples.left"),
    ]
    wires += [("three.out", "triples.right"), ("triples.out", "count.in"), ("count.out", "out.in")]
    return on_spark(city.make_flow(staff, steps, wires), "cluster")


def on_spark(flow: Flow, compute: str) -> Flow:
    Flow.objects.filter(pk=flow.pk).update(compute=compute)
    flow.compute = compute
    return flow


def rows_of(run: Run) -> list[Any]:
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


def test_a_server_that_is_gone_is_tried_again_and_said(readings: tuple[User, Dataset]) -> None:
    staff, dataset = readings
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with options(SPARK_URL=f"sc://127.0.0.1:{port}/;token=secret-canary"), city.worker_and_scheduler(1):
        run = start_run(flow_of(staff, dataset, "cluster"), None, staff)

        def said() -> dict[str, Any] | None:
            task = Task.objects.get(run=run)
            return task.error if task.error and task.attempt and task.state == states.READY else None

        problem = city.wait_for(said, 60, "the stage says that Spark is not there, and waits for its next attempt")
    assert problem["code"] == "engine.spark_unreachable"
    assert all(f"127.0.0.1:{port}" in problem["message"][language] for language in ("en", "zh-CN"))
    assert "secret-canary" not in str(problem)


def test_the_plan_says_which_engine_and_why(readings: tuple[User, Dataset]) -> None:
    staff, dataset = readings
    flow = flow_of(staff, dataset, "auto")
    client, path = city.signed_in(staff), f"/api/flows/{flow.pk}"

    def plan(**more: object) -> tuple[str, dict[str, str]]:
        with options(**more):
            found = client.get(f"{path}/plan").json()
        return found["stages"][0]["engine"], {note["code"]: note["message"]["en"] for note in found["notes"]}

    shared = {"SPARK_URL": "sc://spark.invalid", "SPARK_EXCHANGE": "/shared"}
    assert not {"plan.here", "plan.on_spark"} & plan()[1].keys()
    assert plan(**shared) == ("duckdb", ANY) and "5,000 rows" in plan(**shared)[1]["plan.here"]
    assert plan(**shared, SPARK_ROWS=1000) == ("spark", ANY)
    assert "shares no storage" in plan(SPARK_URL="sc://spark.invalid", SPARK_ROWS=1000)[1]["plan.here"]
    with options(**shared):
        rule = client.get(f"{path}/run-rule").json()
        assert rule["settings"]["compute"] == "auto" and "compute" in rule["schema"]["properties"]
        put = {"settings": {"compute": "here"}}
        assert client.put(f"{path}/run-rule", put, content_type="application/json").status_code == 200
    assert plan(**shared, SPARK_ROWS=1000) == ("duckdb", ANY)
    assert "compute" not in client.get(f"{path}/run-rule").json()["settings"]


def test_stopping_a_run_interrupts_spark(readings: tuple[User, Dataset]) -> None:
    """A join of every reading with every reading is at work for long; the run ends soon after it is stopped."""
    staff, dataset = readings
    folder = str(city.home(""))
    shared = {"SPARK_URL": spark_url(), "EXCHANGE_URL": folder, "SPARK_EXCHANGE": folder}
    with options(**shared), city.worker_and_scheduler(1):
        run = start_run(endless(staff, dataset), None, staff)
        city.wait_for(lambda: list(Path(folder).rglob("*.spark")), 60, "the rows are with Spark")
        city.wait_for(lambda: Task.objects.filter(run=run, state=states.RUNNING).exists(), 60, "the stage is at work")
        cancel_run(run.pk, staff)
        assert city.await_run(run).state == states.CANCELLED
        city.wait_for(lambda: not list(Path(folder).rglob("*.spark")), 60, "what was left for Spark is removed")
