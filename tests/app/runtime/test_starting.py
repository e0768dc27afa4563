"""Starts that come again: the short way gives the long way's answer, and whatever has changed counts at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from flows.models import App, Draft, Flow, StoredPlan, Version
from node_catalog.models import Column, Dataset, Node, Tag
from runtime.api import views
from runtime.models import Event, Outbox, Run, RunRule, Task
from runtime.starting import STARTS
from security import clock
from security.models import AuditRecord, RoleAssignment
from tests.app.runtime.factory import World
from tests.app.runtime.test_api import browser
from tests.app.runtime.test_moves import check_events
from tests.app.runtime.test_statements import count, listing

NODE = "33A017/DB00003F7K-E"


@dataclass
class Starter:
    """Starts a flow that reads a table; ``thorough`` are the starts that were decided anew."""

    world: World
    client: Client
    thorough: list[Any] = field(default_factory=list)

    def __call__(self, status: int = 201, **body: Any) -> Any:
        answer = self.client.post(f"/api/flows/{self.world.flow.pk}/runs", body, content_type="application/json")
        assert answer.status_code == status, answer.content
        return answer.json()

    def is_short(self, **body: Any) -> bool:
        before = len(self.thorough)
        self(**body)
        return len(self.thorough) == before


@pytest.fixture
def start(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Starter]:
    node = Node.objects.create(
        number=NODE, type="sqlite", name={"en": "Air", "zh-CN": "空气"}, organisation=world.organisation,
        settings={"path": "/air.sqlite3"},
    )  # fmt: skip
    dataset = Dataset.objects.create(
        number=f"{NODE}.0001", node=node, ordinal=1, path=["station"], path_key="station", kind="table", name="station"
    )
    for ordinal, (name, kind) in enumerate([("id", "integer"), ("name", "text")]):
        Column.objects.create(dataset=dataset, ordinal=ordinal, name=name, native_type=kind, type=kind)
    document = {
        "kind": "flow", "spec": "1", "title": {"en": "Main"}, "datasets": {"data": dataset.number},
        "steps": {
            "read": {"type": "read", "version": 1, "settings": {"dataset": "data", "columns": ["id"]}},
            "out": {"type": "output", "version": 1, "settings": {"name": "rows"}},
        },
        "wires": [{"from": "read.out", "to": "out.in"}],
    }  # fmt: skip
    Draft.objects.filter(flow=world.flow).update(document=document)
    STARTS.forget()
    starter = Starter(world, browser(world.staff))
    thorough = views.start_run

    def counted(*args: Any, **more: Any) -> Run:
        starter.thorough.append(args)
        return thorough(*args, **more)

    monkeypatch.setattr(views, "start_run", counted)
    yield starter
    STARTS.forget()


def test_the_third_start_goes_the_short_way_and_gives_the_same(start: Starter) -> None:
    first, second, third = start(), start(), start()
    assert len(start.thorough) == 2
    own = {"id", "number", "created_at"}
    assert {name for name in first if first[name] != third[name]} <= own
    assert third["number"] == second["number"] + 1
    runs = list(Run.objects.order_by("number"))
    assert len({(run.version_id, run.plan_id, run.app_id, run.state, run.seq, run.started_by_id) for run in runs}) == 1
    for run in runs:
        check_events(run)
    tasks = Task.objects.filter(run__in=runs)
    assert len({(task.stage, task.state, task.needs, task.uses, task.share, task.level) for task in tasks}) == 1
    assert Outbox.objects.count() == AuditRecord.objects.filter(action="run.start").count() == 3
    assert Event.objects.filter(topic=f"run:{runs[2].pk}").count() == runs[2].seq == 2


def test_a_start_that_comes_again_needs_few_statements(start: Starter) -> None:
    start(), start()
    with CaptureQueriesContext(connection) as asked:
        start()
    assert count(asked) <= 12, listing(asked)


def test_other_values_and_other_people_are_other_starts(start: Starter) -> None:
    start(), start()
    start(400, parameters={"n": 1})
    start.client = browser(start.world.admin)
    start(404)
    start.client = browser(start.world.staff)
    assert start.is_short()
    assert not start.is_short(until="read.out")


def a_new_draft(world: World) -> None:
    draft = Draft.objects.get(flow=world.flow)
    draft.document["steps"]["some"] = {"type": "limit", "version": 1, "settings": {"rows": 3}}
    draft.document["wires"] = [{"from": "read.out", "to": "some.in"}, {"from": "some.out", "to": "out.in"}]
    draft.save()


def a_newer_version(world: World) -> None:
    newest = Version.objects.filter(app=world.app).latest("number")
    Version.objects.create(app=world.app, number=newest.number + 1, document=newest.document, digest=newest.digest)


def another_column(world: World) -> None:
    Column.objects.create(
        dataset=Dataset.objects.get(), ordinal=9, name="height", native_type="real", type="number"
    )  # fmt: skip


def a_profile(world: World) -> None:
    Column.objects.filter(name="id").update(profile={"distinct": 12})


def no_plan(world: World) -> None:
    Run.objects.all().delete()
    StoredPlan.objects.all().delete()


CHANGES: list[Callable[[World], Any]] = [
    a_new_draft,
    a_newer_version,
    another_column,
    a_profile,
    no_plan,
    lambda world: Dataset.objects.update(rows=5),
    lambda world: Node.objects.update(limits={"reads": 1}),
    lambda world: Node.objects.get().tags.add(Tag.objects.create(name="zone:harbour")),
    lambda world: App.objects.update(title={"en": "Other", "zh-CN": "其他"}),
    lambda world: Flow.objects.update(compute="here"),
    lambda world: RunRule.objects.create(flow=world.flow, most=1),
]


@pytest.mark.parametrize("change", CHANGES)
def test_what_has_changed_is_decided_anew(start: Starter, change: Callable[[World], Any]) -> None:
    start(), start()
    assert start.is_short()
    change(start.world)
    assert not start.is_short()


def test_what_the_change_says_is_done(start: Starter) -> None:
    start(), start(), start()
    Node.objects.get().tags.add(Tag.objects.create(name="zone:harbour"))
    RunRule.objects.create(flow=start.world.flow, most=1)
    start(), start()
    last = start()
    assert last["detail_state"] == "queued"
    assert set(Task.objects.filter(run=last["id"]).values_list("needs", flat=True)) == {"zone:harbour"}


REFUSALS: list[tuple[Callable[[World], Any], int]] = [
    (lambda world: RoleAssignment.objects.filter(user=world.staff).delete(), 422),
    (lambda world: type(world.staff).objects.filter(pk=world.staff.pk).update(is_active=False), 401),
    (lambda world: App.objects.update(deleted_at=clock.now()), 404),
    (lambda world: App.objects.update(organisation=world.other, owner=world.stranger), 404),
    (lambda world: Dataset.objects.update(state="gone"), 422),
    (lambda world: Node.objects.update(is_active=False), 422),
    (lambda world: Node.objects.update(organisation=world.other), 422),
    (lambda world: Column.objects.filter(name="id").delete(), 422),
    (lambda world: Column.objects.filter(name="id").update(name="number"), 422),
]


@pytest.mark.parametrize(("change", "status"), REFUSALS)
def test_what_is_taken_away_counts_for_the_next_start(
    start: Starter, change: Callable[[World], Any], status: int
) -> None:
    start(), start(), start()
    runs = Run.objects.count()
    change(start.world)
    start(status)
    assert Run.objects.count() == runs


def test_a_decision_counts_for_a_minute(start: Starter, monkeypatch: pytest.MonkeyPatch) -> None:
    start(), start()
    assert start.is_short()
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(minutes=2))
    assert not start.is_short()


def test_a_version_by_its_id(start: Starter) -> None:
    version = start()["version"]["id"]
    start(version=version), start(version=version)
    assert start.is_short(version=version)
    a_new_draft(start.world)
    assert start.is_short(version=version)
    start(404, version=str(start.world.app.pk))
