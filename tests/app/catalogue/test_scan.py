"""Profiles of all datasets of a node: asked for once, kept one by one, resumed, stopped, and behind everything else."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from node_catalog.models import Dataset
from runtime import scanning, states
from runtime.claims import Claim, claim_next
from runtime.engine.work import ProfileOutcome, ScannedItem, ScanOutcome, ScanWork
from runtime.errors import LeaseLostError, PostponedError
from runtime.models import Task
from runtime.requests import request_check, request_profile
from tests.app.catalogue.conftest import Sources
from tests.app.city import is_problem, send

KINDS = [Task.Kind.SCAN, Task.Kind.PROFILE, Task.Kind.CHECK, Task.Kind.PREVIEW]
PROFILE = ProfileOutcome(rows=7, columns={"id": {"nulls": 0}}, sample_rows=7)
BROKEN = {"code": "source.columns_moved", "message": {"en": "It has changed.", "zh-CN": "已变化。"}}


def ask(sources: Sources, name: str = "adam") -> str | None:
    answer = send(sources.city.client(name), "post", f"/api/nodes/{sources.air.pk}/profile")
    assert answer.status_code == 202, answer.content
    task: str | None = answer.json()["task"]
    return task


def claimed(sources: Sources) -> Claim:
    ask(sources)
    held = claim_next("w", KINDS)
    assert held is not None and held.task.kind == Task.Kind.SCAN
    return held


def work_of(held: Claim) -> ScanWork:
    """The portion that a worker would be given now."""
    held.task.refresh_from_db()
    return scanning.prepare(held)


def profiled() -> set[str]:
    return set(Dataset.objects.exclude(profiled_at=None).values_list("name", flat=True))


def test_it_is_asked_for_once_and_only_what_is_missing(sources: Sources) -> None:
    task = ask(sources)
    assert task is not None and ask(sources) == task
    assert sources.city.client("adam").get(f"/api/nodes/{sources.air.pk}/profile").json() == {"task": task}
    assert Task.objects.get().payload["total"] == sources.air.datasets.count() == 3
    Task.objects.update(state=states.DONE)
    Dataset.objects.filter(name="hourly").update(profiled_at=timezone.now())
    assert Task.objects.get(pk=ask(sources)).payload["total"] == 2
    Task.objects.update(state=states.DONE)
    Dataset.objects.update(profiled_at=timezone.now())
    assert ask(sources) is None
    assert scanning.request_scan(sources.air, sources.city["adam"], again=True) is not None


@pytest.mark.parametrize(("name", "status"), [("anna", 403), ("remo", 404), ("otto", 403)])
def test_only_who_keeps_the_node_may(sources: Sources, name: str, status: int) -> None:
    is_problem(send(sources.city.client(name), "post", f"/api/nodes/{sources.air.pk}/profile"), status)
    assert not Task.objects.exists()


def test_whoever_waits_for_an_answer_goes_first(sources: Sources) -> None:
    ask(sources)
    alone = request_profile(sources["open"], sources.city["adam"])
    check = request_check(sources.air, sources.city["adam"])
    claims = [claim_next("w", KINDS) for _ in range(3)]
    assert [held.task.kind for held in claims if held] == [check.kind, alone.kind, Task.Kind.SCAN]


def test_each_dataset_is_kept_by_itself_and_not_done_again(sources: Sources) -> None:
    held = claimed(sources)
    first, second, third = work_of(held).items
    assert scanning.keep(held, ScannedItem(key=first.key, profile=PROFILE)) == {"done": 1, "total": 3}
    assert Dataset.objects.get(pk=first.key).rows == 7 and len(profiled()) == 1
    assert [item.key for item in work_of(held).items] == [second.key, third.key]
    assert scanning.keep(held, ScannedItem(key=second.key, problem=BROKEN)) == {"done": 2, "total": 3}
    assert [item.key for item in work_of(held).items] == [third.key]
    with pytest.raises(PostponedError):
        scanning.finish(held, ScanOutcome())
    scanning.keep(held, ScannedItem(key=third.key, profile=PROFILE))
    result: Any = scanning.finish(held, ScanOutcome()).result
    assert (result["done"], result["left_out_total"]) == (2, 1)
    assert result["left_out"][0]["code"] == BROKEN["code"] and result["left_out"][0]["dataset"] == second.key


def test_a_stale_worker_keeps_nothing(sources: Sources) -> None:
    held = claimed(sources)
    item = work_of(held).items[0]
    Task.objects.update(attempt=2)
    with pytest.raises(LeaseLostError):
        scanning.keep(held, ScannedItem(key=item.key, profile=PROFILE))
    assert not profiled()


def test_a_dataset_that_kills_its_process_is_passed_over(sources: Sources) -> None:
    held = claimed(sources)
    first, *others = work_of(held).items
    Task.objects.update(crashes=1)
    assert [item.key for item in work_of(held).items] == [item.key for item in others]
    task = Task.objects.get()
    assert task.crashes == 0 and task.result["left_out"][0]["dataset"] == first.key


def test_portions_are_small_in_rows(sources: Sources) -> None:
    sources.air.datasets.update(rows=scanning.PORTION_ROWS)
    assert len(work_of(claimed(sources)).items) == 1


def test_one_scan_of_a_node_at_a_time(sources: Sources) -> None:
    held = claimed(sources)
    Task.objects.create(kind=Task.Kind.SCAN, state=states.READY, payload=held.task.payload)
    later = claim_next("w", KINDS)
    assert later is not None
    with pytest.raises(PostponedError):
        scanning.prepare(later)
    work_of(held)


def test_who_asked_may_stop_it_and_go_on_later(sources: Sources) -> None:
    held = claimed(sources)
    first = work_of(held).items[0]
    scanning.keep(held, ScannedItem(key=first.key, profile=PROFILE))
    path = f"/api/tasks/{held.task.pk}/cancel"
    is_problem(send(sources.city.client("anna"), "post", path), 404)
    is_problem(send(sources.city.client("otto"), "post", path), 403)
    assert send(sources.city.client("adam"), "post", path).json()["state"] == "cancelled"
    with pytest.raises(LeaseLostError):
        scanning.keep(held, ScannedItem(key=work_of(held).items[0].key, profile=PROFILE))
    assert Task.objects.get(pk=ask(sources)).payload["total"] == 2
    assert len(profiled()) == 1
