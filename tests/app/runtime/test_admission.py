"""Rules of a flow: how many runs at once, what becomes of one more, and how long one may take."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from runtime import finishing, reaper, states
from runtime.admission import admit, admit_waiting, why_waiting
from runtime.claims import Claim, claim_next
from runtime.clock import Soon
from runtime.endings import Ending
from runtime.errors import BusyError
from runtime.models import Attempt, Event, Run, RunRule
from runtime.monitor import run_answer
from runtime.runner import HEAVY
from runtime.scheduler import cancel_run
from security.access import principal_for
from tests.app.runtime.factory import World, stage
from tests.app.runtime.test_api import browser

A = stage("a", sink="result")


def rule(world: World, **fields: Any) -> RunRule:
    return RunRule.objects.create(flow=world.flow, **{"most": 1, **fields})


def states_of(*runs: Run) -> list[str]:
    return [Run.objects.get(pk=run.pk).state for run in runs]


def work_off() -> None:
    """Do everything that may be claimed."""
    while (held := claim_next("w1", HEAVY)) is not None:
        end(held)


def end(held: Claim) -> None:
    finishing.complete(held, Ending({"rows": 1}))


def test_further_runs_wait_and_begin_one_after_the_other(world: World, django_capture_on_commit_callbacks: Any) -> None:
    rule(world)
    runs = [world.make_run(A, stage("b", ("a",))) for _ in range(3)]
    assert states_of(*runs) == ["pending", "queued", "queued"]
    waits = why_waiting(Run.objects.get(pk=runs[2].pk))
    assert waits is not None
    assert (waits["for"], waits["before"]) == ("run", 1)
    seen = []
    for _ in range(3):
        with django_capture_on_commit_callbacks(execute=True):
            work_off()
        seen.append(states_of(*runs))
    assert seen == [
        ["done", "pending", "queued"],
        ["done", "done", "pending"],
        ["done", "done", "done"],
    ]
    for run in runs:
        numbers = Event.objects.filter(topic=f"run:{run.pk}").order_by("seq").values_list("seq", flat=True)
        assert list(numbers) == list(range(1, len(numbers) + 1))


def test_a_run_that_was_forgotten_is_found(world: World) -> None:
    """The process died between the end of a run and the look at its queue: on_commit does not run here."""
    rule(world)
    runs = [world.make_run(A) for _ in range(3)]
    work_off()
    assert states_of(*runs) == ["done", "queued", "queued"]
    assert admit_waiting() == 1
    assert admit_waiting() == 0
    assert states_of(*runs) == ["done", "pending", "queued"]


def test_a_parameter_tells_queues_apart(world: World) -> None:
    rule(world, key="city")
    runs = [world.make_run(A, parameters={"city": name}) for name in ("a", "b", "a", "b")]
    assert states_of(*runs) == ["pending", "pending", "queued", "queued"]


def test_a_further_run_is_skipped(world: World) -> None:
    rule(world, when_full="skip")
    first = world.make_run(A)
    with pytest.raises(BusyError) as refused:
        world.make_run(A)
    assert (refused.value.code, refused.value.status) == ("run.skipped", 409)
    assert Run.objects.count() == 1
    work_off()
    assert states_of(first, world.make_run(A)) == ["done", "pending"]


def test_a_newer_run_replaces_the_one_that_waits(world: World) -> None:
    rule(world, when_full="replace")
    runs = [world.make_run(A) for _ in range(4)]
    assert states_of(*runs) == ["pending", "cancelled", "cancelled", "queued"]


def test_what_waits_can_be_cancelled_and_a_wider_rule_lets_it_begin(world: World) -> None:
    made = rule(world)
    runs = [world.make_run(A) for _ in range(4)]
    cancel_run(runs[1].pk, world.staff)
    made.most = 2
    made.save()
    assert admit_waiting() == 1
    assert states_of(*runs) == ["pending", "cancelled", "pending", "queued"]
    made.delete()
    assert admit(world.flow.pk, runs[3].queue) == 1
    assert states_of(runs[3]) == ["pending"]


def test_a_run_and_a_stage_have_their_time(world: World) -> None:
    rule(world, most=0, run_minutes=10, stage_minutes=5)
    long, slow, quick = (world.make_run(A) for _ in range(3))
    held = [claim_next("w1", HEAVY) for _ in range(3)]
    assert all(held)
    Run.objects.filter(pk=long.pk).update(started_at=Soon(-601))
    Attempt.objects.filter(task__run=slow).update(started_at=Soon(-301))
    assert reaper.stop_over_rule() == 2
    assert reaper.stop_over_rule() == 0
    errors = [Run.objects.get(pk=run.pk).error for run in (long, slow, quick)]
    assert [error and (error["code"], error["where"]) for error in errors] == [
        ("run.over_rule", ""),
        ("run.over_rule", "/steps/step_a"),
        None,
    ]


def test_a_paused_hour_does_not_count(world: World) -> None:
    rule(world, most=0, run_minutes=10)
    run = world.make_run(A)
    assert claim_next("w1", HEAVY)
    Run.objects.filter(pk=run.pk).update(started_at=Soon(-4000), paused_seconds=3600)
    assert reaper.stop_over_rule() == 0


def test_the_route_of_the_rule(world: World, django_capture_on_commit_callbacks: Any) -> None:
    client, path = browser(world.staff), f"/api/flows/{world.flow.pk}/run-rule"
    assert client.get(path).json()["settings"] == {
        "most": 0, "key": "", "when_full": "wait", "priority": "normal", "run_minutes": 0, "stage_minutes": 0,
    }  # fmt: skip

    def put(user: Any, **body: Any) -> int:
        with django_capture_on_commit_callbacks(execute=True):
            return browser(user).put(path, {"settings": body}, content_type="application/json").status_code

    assert put(world.staff, most=2, when_full="replace", priority="low", run_minutes=30) == 200
    assert client.get(path).json()["settings"]["most"] == 2
    assert put(world.staff, most=-1) == 400
    assert put(world.staff, most=1, key="nowhere") == 400
    assert put(world.staff, priority="high") == 403
    assert put(world.stranger, most=1) == 404
    assert RunRule.objects.get().priority == RunRule.Priority.LOW
    run = world.make_run(A)
    assert run.tasks.get().priority == RunRule.Priority.LOW


def test_a_run_says_what_it_waits_for(world: World) -> None:
    rule(world)
    first, second = world.make_run(A), world.make_run(A)
    client = browser(world.staff)
    assert client.get(f"/api/runs/{first.pk}/waits").json()["waits"]["for"] == "slot"
    waits = client.get(f"/api/runs/{second.pk}/waits").json()["waits"]
    assert (waits["for"], waits["before"], set(waits["text"])) == ("run", 0, {"en", "zh-CN"})
    assert run_answer(principal_for(world.staff), second.pk)["waits"] == waits
    assert browser(world.stranger).get(f"/api/runs/{second.pk}/waits").status_code == 404
    assert claim_next("w1", HEAVY)
    assert client.get(f"/api/runs/{first.pk}/waits").json()["waits"] is None


@pytest.mark.parametrize("seed", range(4))
def test_overload_drains_whatever_happens(world: World, django_capture_on_commit_callbacks: Any, seed: int) -> None:
    """Starts, ends, cancels and other limits in any order, half of the processes dying right after a commit: never more
    at work than allowed, and in the end nothing waits.
    """
    rng = random.Random(20261123 + seed)
    made = rule(world, most=2, key="city")
    held: list[Claim] = []

    def begin_something() -> None:
        world.make_run(A, stage("b", ("a",)), parameters={"city": rng.choice("xy")})

    def claim_something() -> None:
        taken = claim_next("w1", HEAVY)
        held.extend([taken] if taken else [])

    def end_something() -> None:
        if held:
            end(held.pop(rng.randrange(len(held))))

    def cancel_something() -> None:
        waiting = list(Run.objects.filter(state=states.QUEUED))
        if waiting:
            cancel_run(rng.choice(waiting).pk, world.staff)

    def change_something() -> None:
        made.most = max(most_at_work(), rng.randint(1, 3))
        made.save()

    moves = [begin_something, claim_something, end_something, cancel_something, change_something, admit_waiting]
    for _ in range(60):
        move = rng.choices(moves, weights=[6, 6, 6, 1, 1, 1])[0]
        with django_capture_on_commit_callbacks(execute=rng.random() < 0.5):
            move()
        assert most_at_work() <= made.most
    for _ in range(200):
        claim_something()
        end_something()
        admit_waiting()
    assert not Run.objects.exclude(state__in=states.RUN_FINISHED).exists()


def most_at_work() -> int:
    """Runs of the fullest queue that are at work."""
    going = Run.objects.exclude(state__in=states.RUN_FINISHED | {states.QUEUED})
    return max(Counter(going.values_list("queue", flat=True)).values(), default=0)
