"""Turns at nodes: never more reads than allowed, nothing lost with a worker, nobody else held up."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection

from flows.graph.plan import Binding, Shipped, SourceRead, Stage
from node_catalog.models import Node
from node_catalog.numbers import node_number
from runtime import node_slots, reaper, states
from runtime.admission import why_waiting
from runtime.claims import Claim, claim, claim_next, look_for_readers
from runtime.finishing import hand_back
from runtime.matching import AT_NODE, tell_waiting_for_turns
from runtime.models import Run, Task
from runtime.moves import retry_later
from runtime.requests import ask_worker
from runtime.runner import HEAVY, LIGHT
from runtime.uses import uses_in, uses_of_numbers, uses_of_stage, uses_text
from tests.app.runtime.factory import SCHEMA, World, stage


def make_node(world: World, body: str, limits: dict[str, Any] | None = None, kind: str = "postgresql") -> Node:
    return Node.objects.create(
        number=node_number("33A017", "DB", body), type=kind, organisation=world.organisation,
        name={"en": body, "zh-CN": body}, limits=limits,
    )  # fmt: skip


def reading(node: Node, key: str = "a", times: int = 1) -> Stage:
    """A stage that reads ``times`` datasets of a node."""
    bindings = tuple(
        Binding(alias=f"in_{n}", kind="dataset", schema=SCHEMA, dataset=f"{node.number}.{n + 1:04d}")
        for n in range(times)
    )
    made = stage(key)
    return Stage(**{name: getattr(made, name) for name in made.__struct_fields__} | {"bindings": bindings})


def claim_all(kinds: Any = HEAVY, owner: str = "w1") -> list[Claim]:
    found = []
    while held := claim_next(owner, kinds):
        found.append(held)
    return found


def ask_preview(world: World, node: Node) -> Task:
    return ask_worker(Task.Kind.PREVIEW, world.staff, {}, nodes=[f"{node.number}.0001"])


def test_one_turn_is_kept_for_who_waits_before_the_screen(world: World) -> None:
    node = make_node(world, "00000001", {"reads": 3})
    for _ in range(5):
        world.make_run(reading(node))
    held = claim_all()
    assert len(held) == 2
    ask_preview(world, node), ask_preview(world, node)
    assert len(claim_all(LIGHT)) == 1, "three of three"
    assert node_slots.load_now(node) == {"in_use": 3, "reads": 3, "background_reads": 2, "waiting": 4}
    hand_back(held[0], 60)
    assert len(claim_all(LIGHT)) == 1 and claim_all() == []


@pytest.mark.parametrize(
    ("limits", "kind", "most"),
    [({"reads": 1}, "mysql", 1), (None, "mysql", 3), (None, "sqlite", 6), ({"reads": 0}, "mysql", 6)],
)
def test_defaults_and_single_turns(world: World, limits: Any, kind: str, most: int) -> None:
    node = make_node(world, "00000001", limits, kind)
    for _ in range(6):
        world.make_run(reading(node))
    assert len(claim_all()) == most


def test_a_full_node_does_not_stand_in_the_way_of_others(world: World) -> None:
    full, free = make_node(world, "00000001", {"reads": 1}), make_node(world, "00000002")
    for _ in range(20):
        world.make_run(reading(full))
    other, plain = world.make_run(reading(free)), world.make_run(stage("a"))
    taken = {held.task.run_id for held in claim_all()}
    assert len(taken) == 3 and {other.pk, plain.pk} <= taken


def test_a_stage_with_many_reads_takes_as_many_turns_but_never_more_than_there_are(world: World) -> None:
    node = make_node(world, "00000001", {"reads": 4})
    world.make_run(reading(node, times=2))
    world.make_run(reading(node, times=7))
    small = world.make_run(reading(node))
    (first,) = claim_all()
    assert uses_in(first.task.uses) == {node.number: 2}
    hand_back(first, 60)
    (wide,) = claim_all()
    assert uses_in(wide.task.uses) == {node.number: 7} and wide.task.run_id != small.pk, (
        "it was older: nobody passes it"
    )
    assert node_slots.load_now(node)["in_use"] == 3


def test_a_lost_workers_turn_comes_back(world: World) -> None:
    node = make_node(world, "00000001", {"reads": 1})
    for _ in range(2):
        world.make_run(reading(node))
    (lost,) = claim_all(owner="killed:1")
    assert claim_all() == []
    assert reaper.take_back_from("killed:1") == 1
    (held,) = claim_all(owner="w2")
    assert claim(lost.task.pk, "w3", HEAVY) is None
    Task.objects.filter(pk=held.task.pk).update(lease_until="2020-01-01T00:00:00Z")
    assert reaper.reap() == 1
    assert len(claim_all()) == 1


def test_two_workers_never_take_the_last_turn_both(shared_world: World) -> None:
    node = make_node(shared_world, "00000001", {"reads": 3})
    for _ in range(12):
        shared_world.make_run(reading(node))
    found: list[Claim] = []
    start = threading.Barrier(6)

    def work(name: str) -> None:
        start.wait()
        try:
            found.extend(claim_all(owner=name))
        finally:
            connection.close()

    workers = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(found) == 2


def test_who_waits_is_told_for_what(world: World) -> None:
    node = make_node(world, "00000001", {"reads": 2})
    runs = [world.make_run(reading(node)) for _ in range(2)]
    claim_all()
    waiting = Run.objects.get(pk=runs[1].pk)
    waits = why_waiting(waiting)
    assert waits is not None and waits["for"] == "node"
    assert waits["text"]["en"] == (
        f"Waits for node {node.number}: 1 of 2 reads are at work, the last one is kept for previews."
    )
    Task.objects.filter(run=waiting).update(not_before="2020-01-01T00:00:00Z")
    assert (tell_waiting_for_turns(), tell_waiting_for_turns()) == (1, 0)
    told = Task.objects.get(run=waiting)
    assert told.error is not None and told.error["code"] == AT_NODE and told.state == states.READY
    assert why_waiting(waiting) is not None


def test_calls_count_and_let_go_by_themselves(world: World) -> None:
    node = make_node(world, "00000001", {"reads": 1})
    words = uses_text({node.number: 1})
    with node_slots.turn_of_call(words, 30) as full:
        assert full == () and node_slots.load_now(node)["in_use"] == 1
        with node_slots.turn_of_call(words, 30) as again:
            assert [one.node for one in again] == [node.number]
    assert node_slots.load_now(node)["in_use"] == 0
    with node_slots.turn_of_call(words, -1):  # its process died, and its longest time has passed
        assert node_slots.load_now(node)["in_use"] == 0


def test_how_many_share_a_rate_is_told_once(world: World) -> None:
    node = make_node(world, "00000001", {"reads": 0, "rows_per_second": 1000})
    for _ in range(3):
        world.make_run(reading(node))
    held = claim_all()
    held[0].rated = frozenset({node.number})
    look_for_readers(held)
    assert held[0].news_of_readers() == {node.number: 3} and held[0].news_of_readers() is None
    assert held[1].news_of_readers() is None
    retry_later(held[1].task, states.CLAIMED, held[1].attempt, {}, 60)
    look_for_readers(held)
    assert held[0].news_of_readers() == {node.number: 2}


def test_what_a_stage_uses() -> None:
    shipped = SourceRead("s", "two", "N2.0001", SCHEMA, shipped=Shipped(Binding("b", "dataset", SCHEMA), SCHEMA))
    together = Binding(
        "j", "dataset", SCHEMA, dataset="N1.0001", sources=(SourceRead("src", "one", "N1.0001", SCHEMA), shipped)
    )
    base = stage("a")
    values = {name: getattr(base, name) for name in base.__struct_fields__}
    instead = Stage(**values | {"bindings": (*(Binding(f"x{n}", "dataset", SCHEMA, dataset="N2.0001") for n in "12"),)})
    joined = Stage(**values | {"bindings": (together,), "instead": instead})
    assert uses_of_stage(joined) == {"N1": 1, "N2": 2}
    assert uses_of_numbers(["N1.0001", "N1.0002", "N2"]) == {"N1": 2, "N2": 1}
    assert uses_text({}) == "" and uses_in(uses_text({"N1": 2, "N2": 1})) == {"N1": 2, "N2": 1}
