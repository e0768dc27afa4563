"""Profiles of all datasets of a node: asked for once, resumable, gentle to the source and behind everything else."""

from __future__ import annotations

import pytest
from django.utils import timezone

from node_catalog.models import Dataset
from runtime import states
from runtime.claims import Claim, claim_next
from runtime.errors import PostponedError
from runtime.models import Task
from runtime.requests import request_check
from runtime.scanning import AT_ONCE, wait_for_others
from tests.app.catalogue.conftest import Sources
from tests.app.city import is_problem, send

KINDS = [Task.Kind.PROFILE, Task.Kind.CHECK, Task.Kind.PREVIEW]


def ask(sources: Sources, name: str = "adam") -> int:
    answer = send(sources.city.client(name), "post", f"/api/nodes/{sources.air.pk}/profile")
    assert answer.status_code == 202, answer.content
    return int(answer.json()["tasks"])


def test_each_dataset_is_asked_for_once_and_only_what_is_missing(sources: Sources) -> None:
    total = sources.air.datasets.count()
    assert total >= 2
    assert ask(sources) == total
    assert ask(sources) == 0
    assert {task.payload["dataset"] for task in Task.objects.all()} == {
        str(pk) for pk in sources.air.datasets.values_list("pk", flat=True)
    }
    Task.objects.update(state=states.CANCELLED)
    done = sources.air.datasets.first()
    Dataset.objects.filter(pk=done.pk).update(profiled_at=timezone.now())
    assert ask(sources) == total - 1


@pytest.mark.parametrize(("name", "status"), [("anna", 403), ("remo", 404), ("otto", 403)])
def test_only_who_keeps_the_node_may(sources: Sources, name: str, status: int) -> None:
    is_problem(send(sources.city.client(name), "post", f"/api/nodes/{sources.air.pk}/profile"), status)
    assert not Task.objects.exists()


def test_whoever_waits_for_an_answer_goes_first(sources: Sources) -> None:
    ask(sources)
    check = request_check(sources.air, sources.city["adam"])
    first = claim_next("w", KINDS)
    assert first is not None and first.task.pk == check.pk
    second = claim_next("w", KINDS)
    assert second is not None and second.task.kind == Task.Kind.PROFILE


def test_few_datasets_of_a_node_are_read_at_the_same_time(sources: Sources) -> None:
    ask(sources)
    node = str(sources.air.pk)
    user = sources.city["adam"]
    while Task.objects.count() < AT_ONCE + 1:
        Task.objects.create(
            kind=Task.Kind.PROFILE, state=states.READY, requested_by=user, payload={"node": node, "scan": True}
        )
    tasks = list(Task.objects.order_by("created_at"))
    Task.objects.update(state=states.RUNNING)
    for task in tasks[:AT_ONCE]:
        wait_for_others(Claim(task, 1, "w"))
    with pytest.raises(PostponedError):
        wait_for_others(Claim(tasks[AT_ONCE], 1, "w"))
    Task.objects.filter(pk=tasks[0].pk).update(state=states.DONE)
    wait_for_others(Claim(tasks[AT_ONCE], 1, "w"))
    lone = Task.objects.create(
        kind=Task.Kind.PROFILE, state=states.RUNNING, requested_by=user, payload={"dataset": "x"}
    )
    wait_for_others(Claim(lone, 1, "w"))
