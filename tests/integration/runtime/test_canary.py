"""A column outside the grant shows up nowhere: not in a run's result, preview, sample, profile, event or error.

The same search finds it when ``narrow`` is switched off, so the test can fail.
"""

from __future__ import annotations

import json
from typing import Any

import pyarrow.parquet as pq
import pytest
from django.core import serializers
from django.utils import timezone

from flows.models import StoredPlan
from node_catalog.models import Column, Grant
from node_catalog.sdk import grant as grants
from runtime import places, requests, states
from runtime.models import Attempt, Event, Result, Run, Task
from runtime.monitor import monitor_snapshot, run_snapshot, task_snapshot
from runtime.scheduler import start_run
from security.access import principal_for
from security.models import User
from tests.app.runtime.factory import make_user
from tests.integration.runtime import city
from tests.integration.runtime.conftest import City

GRANTED = ("id", "station")


@pytest.fixture
def guest(small_city: City) -> User:
    """Somebody of another department, with a grant on two columns."""
    person = make_user("guest", city.make_organisation("tax"), "business", "data_admin")
    Grant.objects.create(
        number="G-1",
        dataset=small_city.readings,
        organisation=person.organisation,
        columns=list(GRANTED),
        masks={"id": "null"},
        valid_from=timezone.now(),
    )
    return person


def everything(guest: User, run: Run, tasks: list[Task]) -> str:
    """All that the guest's work has left: database rows, API answers, and the rows of result files."""
    principal = principal_for(guest)
    kept = [
        *Event.objects.all(),
        *Task.objects.all(),
        *Attempt.objects.all(),
        *Run.objects.all(),
        *Column.objects.all(),
    ]
    parts: list[Any] = [serializers.serialize("json", kept), run_snapshot(principal, run.pk)]
    parts += [task_snapshot(principal, task.pk) for task in tasks]
    parts.append(monitor_snapshot(principal_for(make_user("watcher", guest.organisation, "operator"))))
    for result in Result.objects.all():
        parts.append(pq.read_table(places.absolute(result.reference)).to_pylist())
    return json.dumps(parts, default=str)


def work_of(small_city: City, guest: User) -> tuple[Run, list[Task]]:
    flow = city.make_flow(
        guest,
        {
            "read": city.read_step(small_city.readings),
            "short": {"type": "limit", "settings": {"rows": 50}},
            "out": {"type": "output", "settings": {"name": "all"}},
        },
        [("read.out", "short.in"), ("short.out", "out.in")],
    )
    tasks = [requests.request_sample(small_city.readings, guest), requests.request_preview(flow, "short", guest)]
    run = city.await_run(start_run(flow, None, guest))
    tasks = [city.await_task(task) for task in tasks]
    assert run.state == states.DONE, run.error
    assert {task.state for task in tasks} == {states.DONE}, [task.error for task in tasks]
    return run, tasks


def test_a_column_outside_the_grant_is_nowhere(small_city: City, guest: User) -> None:
    run, tasks = work_of(small_city, guest)
    for task in tasks:
        assert [column["name"] for column in task.result["columns"]] == list(GRANTED)
        assert {row[0] for row in task.result["rows"]} == {None}
    found = everything(guest, run, tasks)
    assert "s3" in found
    assert city.CANARY not in found
    assert city.CANARY not in json.dumps(list(StoredPlan.objects.values_list("body", flat=True)))


def test_with_narrow_switched_off_the_search_finds_it(
    small_city: City, guest: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grants, "narrow", lambda relation, grant: relation)
    run, tasks = work_of(small_city, guest)
    assert city.CANARY in everything(guest, run, tasks)


def test_a_profile_needs_a_keeper_and_shows_no_value_to_others(small_city: City, guest: User) -> None:
    with pytest.raises(Exception, match=r"auth\.forbidden|policy|forbidden"):
        requests.request_profile(small_city.readings, guest)


def test_an_expression_over_a_hidden_column_is_refused_in_words(small_city: City, guest: User) -> None:
    flow = city.make_flow(
        guest,
        {
            "read": city.read_step(small_city.readings),
            "bad": {"type": "filter", "settings": {"where": "secret like 'CANARY%'"}},
            "out": {"type": "output", "settings": {"name": "all"}},
        },
        [("read.out", "bad.in"), ("bad.out", "out.in")],
    )
    with pytest.raises(Exception, match=r"flow\.not_ready"):
        start_run(flow, None, guest)
    with pytest.raises(Exception, match=r"flow\.not_ready"):
        requests.request_preview(flow, "bad", guest)
