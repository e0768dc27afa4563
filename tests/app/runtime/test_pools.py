"""Pools: never more places than there are, the oldest first, everything back with a lost worker, kept by operators."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection

from flows.graph.plan import LEVEL
from runtime import reaper, states
from runtime.admission import why_waiting
from runtime.claims import Claim, claim, claim_next
from runtime.endings import Ending
from runtime.finishing import complete
from runtime.matching import AT_POOL, tell_waiting_for_turns
from runtime.models import Pool, Run, RunRule, Task
from runtime.pools import key_of, places_taken
from runtime.runner import HEAVY
from security.models import AuditRecord
from tests.app.runtime.factory import World, make_user, stage
from tests.app.runtime.test_api import browser


def make_pool(world: World, places: int, **rule: Any) -> Pool:
    """A pool that every run of the world's flow takes places of."""
    pool = Pool.objects.create(name="Licence", places=places)
    RunRule.objects.create(flow=world.flow, pool=pool, **rule)
    return pool


def claim_all(owner: str = "w1") -> list[Claim]:
    found = []
    while held := claim_next(owner, HEAVY):
        found.append(held)
    return found


def taken(pool: Pool) -> int:
    return places_taken([pool])[pool.pk]


def test_stages_wait_for_places_and_say_so(world: World) -> None:
    pool = make_pool(world, 2)
    runs = [world.make_run(stage("a")) for _ in range(4)]
    held = claim_all()
    assert [one.task.run_id for one in held] == [runs[0].pk, runs[1].pk] and taken(pool) == 2
    assert held[0].task.level == LEVEL, "a worker that knows no pools leaves it"
    waits = why_waiting(Run.objects.get(pk=runs[3].pk))
    assert waits is not None
    assert (waits["for"], waits["before"]) == ("pool", 1)
    assert "“Licence”: 2 of 2 places taken, 1 wanted, 1 before it" in waits["text"]["en"]
    Task.objects.filter(state=states.READY).update(not_before="2020-01-01T00:00:00Z")
    assert (tell_waiting_for_turns(), tell_waiting_for_turns()) == (2, 0)
    assert Task.objects.get(run=runs[3]).error["code"] == AT_POOL
    complete(held[0], Ending({"rows": 1}))
    assert [one.task.run_id for one in claim_all()] == [runs[2].pk] and taken(pool) == 2


def test_more_places_than_there_are_means_all_of_them_and_nobody_passes_the_oldest(world: World) -> None:
    pool = make_pool(world, 3)
    first = world.make_run(stage("a"))
    (small,) = claim_all()
    RunRule.objects.update(pool_places=9)
    wide = world.make_run(stage("a"))
    RunRule.objects.update(pool_places=1)
    later = world.make_run(stage("a"))
    assert small.task.run_id == first.pk and claim_all() == []
    assert claim(Task.objects.get(run=later).pk, "w2", HEAVY) is None, "rung for, but not in turn"
    complete(small, Ending({"rows": 1}))
    assert [one.task.run_id for one in claim_all()] == [wide.pk] and taken(pool) == 3


def test_only_the_chosen_steps_take_places(world: World) -> None:
    pool = make_pool(world, 1, pool_steps=["step_a"])
    runs = [world.make_run(stage("a"), stage("b")) for _ in range(3)]
    keys = [one.task.stage for one in claim_all()]
    assert sorted(keys) == ["a", "b", "b", "b"] and taken(pool) == 1
    assert {task.uses for task in Task.objects.filter(run=runs[0], stage="b")} == {""}


def test_a_closed_pool_lets_nothing_begin(world: World) -> None:
    make_pool(world, 0)
    run = world.make_run(stage("a"))
    assert claim_all() == []
    waits = why_waiting(Run.objects.get(pk=run.pk))
    assert waits is not None
    assert "closed" in waits["text"]["en"]


def test_a_lost_workers_places_come_back(world: World) -> None:
    pool = make_pool(world, 1)
    for _ in range(2):
        world.make_run(stage("a"))
    (lost,) = claim_all("killed:1")
    assert claim_all() == []
    assert reaper.take_back_from("killed:1") == 1 and taken(pool) == 0
    (held,) = claim_all("w2")
    assert claim(lost.task.pk, "w3", HEAVY) is None
    Task.objects.filter(pk=held.task.pk).update(lease_until="2020-01-01T00:00:00Z")
    assert reaper.reap() == 1
    assert len(claim_all()) == 1 and taken(pool) == 1


def test_two_workers_never_take_the_last_place_both(shared_world: World) -> None:
    pool = make_pool(shared_world, 3)
    for _ in range(12):
        shared_world.make_run(stage("a"))
    start, held = threading.Barrier(4), []

    def work(number: int) -> None:
        start.wait()
        held.extend(claim_all(f"w{number}"))
        connection.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(held) == taken(pool) == 3


# ── Routes ────────────────────────────────────────────────────────────────────────────────────────────────


def test_operators_keep_pools(world: World) -> None:
    operator = browser(world.operator)
    made = operator.post("/api/pools", {"name": "Licence", "places": 2}, content_type="application/json")
    assert made.status_code == 201, made.content
    pool = made.json()
    assert (pool["places"], pool["in_use"], pool["waiting"], pool["flows"]) == (2, 0, 0, 0)
    again = operator.post("/api/pools", {"name": "Licence", "places": 1}, content_type="application/json")
    assert again.status_code == 400 and again.json()["problems"][0]["pointer"] == "/name"
    path = f"/api/pools/{pool['id']}"
    changed = operator.put(path, {"name": "Licences", "places": 5}, content_type="application/json")
    assert changed.json()["places"] == 5
    RunRule.objects.create(flow=world.flow, pool_id=pool["id"])
    refused = operator.delete(path)
    assert refused.status_code == 409 and refused.json()["code"] == "pool.used"
    assert "the pool of 1 flow." in refused.json()["message"]["en"]
    RunRule.objects.all().delete()
    assert operator.delete(path).status_code == 204
    actions = AuditRecord.objects.filter(action__startswith="pool.").order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["pool.create", "pool.change", "pool.delete"]


def test_editors_see_and_choose_but_do_not_change(world: World) -> None:
    pool = Pool.objects.create(name="Licence", places=2)
    staff, path = browser(world.staff), f"/api/pools/{pool.pk}"
    assert [one["name"] for one in staff.get("/api/pools").json()["results"]] == ["Licence"]
    body = {"name": "Mine", "places": 9}
    assert staff.put(path, body, content_type="application/json").status_code == 403
    assert staff.post("/api/pools", body, content_type="application/json").status_code == 403
    assert staff.delete(path).status_code == 403
    nobody = make_user("guest", world.organisation, "guest")
    assert browser(nobody).put(path, body, content_type="application/json").status_code == 404
    assert browser(nobody).get("/api/pools").json()["results"] == []


def test_a_flow_chooses_a_pool_in_its_run_settings(world: World) -> None:
    staff, path = browser(world.staff), f"/api/flows/{world.flow.pk}/run-rule"
    without = staff.get(path).json()
    assert "pool" not in without["schema"]["properties"] and "pool" not in without["settings"]
    pool = Pool.objects.create(name="Licence", places=2)
    form = staff.get(path).json()
    assert form["schema"]["properties"]["pool"]["enum"] == ["", str(pool.pk)]
    assert form["schema"]["properties"]["pool"]["x-choices"][str(pool.pk)]["en"] == "Licence (2 places)"
    assert form["schema"]["properties"]["pool_steps"]["items"]["enum"] == ["step_a"]
    assert form["schema"]["properties"]["pool_places"]["x-when"] == {"pool": [str(pool.pk)]}
    settings = {**form["settings"], "pool": str(pool.pk), "pool_places": 2, "pool_steps": ["step_a"]}
    saved = staff.put(path, {"settings": settings}, content_type="application/json")
    assert saved.status_code == 200, saved.content
    assert saved.json()["settings"] == settings
    assert Task.objects.get(run=world.make_run(stage("a"))).uses == f" {key_of(pool)}=2 "


@pytest.mark.parametrize(
    ("values", "pointer"),
    [
        ({"pool": "3f2b8f0e-0000-7000-8000-000000000000"}, "/pool"),
        ({"pool": "nonsense"}, "/pool"),
        ({"pool_steps": ["step_z"]}, "/pool_steps"),
    ],
)
def test_what_does_not_exist_cannot_be_chosen(world: World, values: dict[str, Any], pointer: str) -> None:
    path = f"/api/flows/{world.flow.pk}/run-rule"
    answer = browser(world.staff).put(path, {"settings": values}, content_type="application/json")
    assert answer.status_code == 400 and answer.json()["problems"][0]["pointer"] == pointer
