"""Tasks go to workers that offer what they need; where there is none, the page says so."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from django.utils import timezone

from flows.graph.plan import LEVEL, Binding, Stage
from node_catalog.models import Node, Tag
from runtime import matching, states
from runtime.claims import begin, claim, claim_next
from runtime.clock import Soon
from runtime.engine.translate import memory_error
from runtime.models import Task, Worker
from runtime.monitor import run_snapshot
from runtime.offers import MEMORY, Offers, needs_of_stage, zones_of_nodes
from runtime.runner import end_badly
from security.access import principal_for
from studio.env import read_options
from tests.app.runtime.factory import SCHEMA, World, stage

KINDS = (Task.Kind.STAGE,)
NODE = "33A017/DB00003F7K-E"
HARBOUR = "zone:harbour"


def offers(*words: str, level: int = LEVEL) -> Offers:
    return Offers(frozenset(words), level)


def a_worker(name: str, *words: str, level: int = LEVEL, silent: float = 0.0) -> None:
    now = timezone.now()
    Worker.objects.create(
        id=name, host=name, process=1, offers=" ".join(sorted(words)), level=level, started_at=now,
        seen_at=now - timedelta(seconds=silent),
    )  # fmt: skip


def a_waiting_task(world: World, needs: str, level: int = 1) -> Task:
    run = world.make_run(stage("a"))
    Task.objects.filter(run=run).update(needs=needs, level=level, not_before=Soon(-10.0))
    return run.tasks.get()


@pytest.mark.parametrize(
    ("needs", "level", "worker", "is_met"),
    [
        ("", 1, offers(), True),
        ("", 1, offers("big", HARBOUR), True),
        ("big", 1, offers(), False),
        ("big", 1, offers("big"), True),
        (f"big {HARBOUR}", 1, offers("big"), False),
        (f"big {HARBOUR}", 1, offers("big", "quick", HARBOUR), True),
        ("", LEVEL + 1, offers("big"), False),
        ("", LEVEL, offers(level=LEVEL - 1), False),
    ],
)
def test_a_task_is_claimed_only_by_who_meets_its_needs(
    world: World, needs: str, level: int, worker: Offers, is_met: bool
) -> None:
    task = a_waiting_task(world, needs, level)
    assert worker.meets(needs, level) == is_met
    if not is_met:
        assert claim(task.pk, "w:1", KINDS, worker.met) is None
        assert claim_next("w:1", KINDS, worker.met) is None
    else:
        held = claim_next("w:1", KINDS, worker.met)
        assert held is not None
        assert held.task.pk == task.pk


def test_what_nobody_can_do_stands_in_nobodys_way(world: World) -> None:
    first, second = a_waiting_task(world, "big"), a_waiting_task(world, "")
    held = claim_next("w:1", KINDS, offers().met)
    assert held is not None
    assert held.task.pk == second.pk
    first.refresh_from_db()
    assert first.state == states.READY


def test_a_nodes_zone_is_needed_by_the_stages_that_read_it_and_by_no_other(world: World) -> None:
    node = Node.objects.create(number=NODE, type="sqlite", organisation=world.organisation, name="n")
    node.tags.add(Tag.objects.create(name=HARBOUR), Tag.objects.create(name="zoned"))
    binding = Binding(alias="in", kind="dataset", schema=SCHEMA, dataset=f"{NODE}.0001")
    reading = msgspec.structs.replace(stage("a"), bindings=(binding,))
    run = world.make_run(reading, stage("b", after=("a",)))
    assert dict(run.tasks.values_list("stage", "needs")) == {"a": HARBOUR, "b": ""}
    assert dict(run.tasks.values_list("stage", "level")) == {"a": 1, "b": 1}
    written = msgspec.structs.replace(stage("d"), sink=msgspec.structs.replace(stage("d").sink, node=NODE))
    assert needs_of_stage(written, zones_of_nodes()) == HARBOUR


@pytest.mark.parametrize(
    ("needs", "level", "others", "words"),
    [
        ("big", 1, [("plain",)], "offers “big”"),
        (f"big {HARBOUR}", 1, [("one", "big"), ("two", HARBOUR)], f"offers “big, {HARBOUR}”"),
        ("", LEVEL + 1, [("plain",)], "newer version"),
        ("", 1, [], "No worker is running"),
    ],
)
def test_a_run_that_nobody_can_do_says_so_on_its_page_until_somebody_can(
    world: World, needs: str, level: int, others: list[tuple[str, ...]], words: str
) -> None:
    task = a_waiting_task(world, needs, level)
    a_worker("silent", *needs.split(), level=level, silent=60.0)
    for name, *offered in others:
        a_worker(name, *offered)

    assert matching.tell_waiting() == 1
    assert matching.tell_waiting() == 0, "told once"
    shown: dict[str, Any] = run_snapshot(principal_for(world.staff), task.run_id)
    assert words in shown["log"][-1]["message"]["en"]
    assert words in shown["tasks"][0]["error"]["message"]["en"]
    assert shown["state"] == "waiting"

    held = claim_next("w:1", KINDS, offers(*needs.split(), level=level).met)
    assert held is not None
    assert run_snapshot(principal_for(world.staff), task.run_id)["tasks"][0]["error"] is None


def test_nothing_is_said_while_a_worker_could_do_it_or_before_it_has_waited(world: World) -> None:
    a_waiting_task(world, "big")
    a_worker("able", "big", "quick")
    fresh = world.make_run(stage("b"))
    Task.objects.filter(run=fresh).update(needs="unknown")
    assert matching.tell_waiting() == 0


def out_of_memory(world: World) -> Task:
    """A task whose only try has run out of memory."""
    task = a_waiting_task(world, HARBOUR)
    held = claim_next("w:1", KINDS, offers(HARBOUR).met)
    assert held is not None
    assert begin(held)
    end_badly(held, memory_error("step_a"))
    task.refresh_from_db()
    return task


def test_what_runs_out_of_memory_goes_to_a_worker_that_offers_more(world: World) -> None:
    a_worker("large", MEMORY, HARBOUR)
    task = out_of_memory(world)
    assert (task.state, task.needs) == (states.READY, f"{MEMORY} {HARBOUR}")
    shown = run_snapshot(principal_for(world.staff), task.run_id)
    assert "goes on at one that offers more" in shown["log"][-1]["message"]["en"]
    assert claim_next("w:2", KINDS, offers(HARBOUR).met) is None

    again = claim_next("large", KINDS, offers(MEMORY, HARBOUR).met)
    assert again is not None
    assert begin(again)
    end_badly(again, memory_error("step_a"))
    task.refresh_from_db()
    assert task.state == states.FAILED, "there is no larger one"


def test_what_runs_out_of_memory_fails_where_nobody_offers_more(world: World) -> None:
    a_worker("far", MEMORY)
    assert out_of_memory(world).state == states.FAILED


def test_every_combination_of_offers_has_its_queue() -> None:
    assert matching.queues_of(offers()) == ["citygo"]
    assert set(matching.queues_of(offers("big", HARBOUR))) == {
        "citygo", "citygo+big", f"citygo+{HARBOUR}", f"citygo+big+{HARBOUR}",
    }  # fmt: skip


@pytest.mark.parametrize("value", ["a,b,c,d,e,f,g", "two words", "x" * 31])
def test_offers_that_cannot_be_are_refused_at_the_start(value: str) -> None:
    with pytest.raises(SystemExit, match="WORKER_OFFERS"):
        read_options({"WORKER_OFFERS": value})


def test_a_plan_that_says_something_new_raises_the_level() -> None:
    """A worker of the version before passes over fields that it does not know: what changes an answer has a level."""
    known = {
        Stage: "key steps bindings text schema sink engine extensions probes ordered outlets judge needs instead",
        Binding: "alias kind schema step counts_step dataset columns text dialect grant_digest grant epoch pushed"
        " thinned stage port bounds sources",
    }
    for struct, fields in known.items():
        assert set(struct.__struct_fields__) == {*fields.split()}, (
            "If a worker that ignored the new field gave other rows, raise LEVEL and Stage.level; then name it here."
        )
