"""Whose turn it is: nobody waits for all the runs of another app or department, and nothing waits for ever."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

from flows.models import App, Flow
from runtime.claims import claim_next
from runtime.models import Run, RunRule, Task
from runtime.runner import HEAVY
from runtime.turns import PATIENT_EVERY, Turns
from tests.app.runtime.factory import World, stage

A = stage("a")


def another_app(world: World, of_other: bool = False) -> Flow:
    owner = world.stranger if of_other else world.staff
    app = App.objects.create(title={"en": "Other", "zh-CN": "其他"}, owner=owner, organisation=owner.organisation)
    return Flow.objects.create(app=app, key="main", title={"en": "Main", "zh-CN": "主流程"})


def start(world: World, flow: Flow, number: int = 1) -> list[Run]:
    mine, world.flow = world.flow, flow
    try:
        return [world.make_run(A) for _ in range(number)]
    finally:
        world.flow = mine


def claims(number: int, turns: Turns | None = None) -> list[Task]:
    kept = turns or Turns()
    held = [claim_next("w1", HEAVY, turns=kept) for _ in range(number)]
    return [one.task for one in held if one is not None]


def test_a_single_run_of_another_app_comes_second(world: World) -> None:
    start(world, world.flow, 40)
    (single,) = start(world, another_app(world))
    assert single.pk in [task.run_id for task in claims(2)]


def test_departments_take_turns_before_their_apps_do(world: World) -> None:
    """One department with three busy apps, another one with one: each gets every other slot."""
    flows = [world.flow, another_app(world), another_app(world), another_app(world, of_other=True)]
    for flow in flows:
        start(world, flow, 12)
    taken = claims(24)
    by_department = Counter(task.share.partition("/")[0] for task in taken)
    assert set(by_department.values()) == {12}
    by_app = Counter(task.share for task in taken)
    assert sorted(by_app.values()) == [4, 4, 4, 12]


def test_within_an_app_the_oldest_goes_first(world: World) -> None:
    runs = start(world, world.flow, 5)
    assert [task.run_id for task in claims(5)] == [run.pk for run in runs]


def test_urgent_runs_go_first_and_the_others_are_not_forgotten(world: World) -> None:
    slow = another_app(world)
    RunRule.objects.create(flow=slow, priority=RunRule.Priority.LOW)
    late = start(world, slow, 3)
    start(world, world.flow, 40)
    taken = [task.run_id for task in claims(4 * PATIENT_EVERY)]
    places = [taken.index(run.pk) for run in late]
    assert places[0] >= PATIENT_EVERY - 1, "what is urgent goes first"
    assert max(places) < 3 * PATIENT_EVERY, "every so many claims somebody else has a turn"


def test_nothing_starves_whatever_comes_in_between(world: World) -> None:
    """Runs of five apps in two departments arrive at random, two for each claim; one that has come is claimed soon."""
    rng = random.Random(20261123)
    flows = [world.flow, *(another_app(world, of_other=number % 2 == 0) for number in range(4))]
    turns, waiting, worst = Turns(), dict[Any, int](), 0
    for moment in range(60):
        flow = rng.choices(flows, weights=[20, 1, 1, 1, 1])[0]
        for run in start(world, flow, 2 if flow is world.flow else 1):
            waiting[run.pk] = moment
        (task,) = claims(1, turns)
        began = waiting.pop(task.run_id)
        if task.share.partition("/")[2] != str(world.app.pk):
            worst = max(worst, moment - began)
    assert worst <= 2 * len(flows), worst
    assert all(run.app_id == world.app.pk for run in Run.objects.filter(pk__in=waiting)), "only the flood waits"
