"""Lots of light runs in the database: what is claimed together, and how each run of a lot ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from runtime import lot_work, reaper, states
from runtime.claims import Claim, claim_next, claim_runs
from runtime.clock import Soon
from runtime.engine.errors import ChildDiedError
from runtime.models import Attempt, Outbox, Result, Run, Task
from runtime.pace import Pace
from runtime.pausing import pause_run
from runtime.progress import Progress
from runtime.run_lots import is_light, run_runs
from runtime.runner import HEAVY
from runtime.scheduler import cancel_run
from tests.app.runtime.factory import World, stage
from tests.app.runtime.short_works import ShortWorks
from tests.app.runtime.test_moves import check_events

pytestmark = pytest.mark.usefixtures("slow_machine")


def light(world: World, count: int, **more: Any) -> list[Run]:
    return [world.make_run(stage("a", sink="result"), **more) for _ in range(count)]


def take_lot(most: int = 16, slots: int = 1, worker: str = "w1") -> list[Claim]:
    head = claim_next(worker, HEAVY)
    assert head is not None
    assert is_light(head)
    return [head, *claim_runs(head, most - 1, slots)]


def go(lot: list[Claim], pool: ShortWorks | None = None, pace: Pace | None = None) -> ShortWorks:
    pool = pool or ShortWorks()
    run_runs(lot, pool, Progress(), pace or Pace())
    return pool


def seen(runs: list[Run]) -> str:
    for run in runs:
        run.refresh_from_db()
    return " ".join(f"{run.state}:{task.state}" for run in runs for task in run.tasks.all())


def test_a_lot_of_runs_is_claimed_and_ended_together(world: World) -> None:
    runs, pace = light(world, 8), Pace()
    with CaptureQueriesContext(connection) as asked:
        lot = take_lot()
        assert [claim.task.run_id for claim in lot] == [run.pk for run in runs]
        assert seen(runs) == " ".join(["running:claimed", *["pending:claimed"] * 7])
        go(lot, pace=pace)
    assert seen(runs) == " ".join(["done:done"] * 8)
    assert pace.lot_size(lot[0].task) > 1
    assert set(Attempt.objects.values_list("number", "outcome", "worker")) == {(1, "done", "w1")}
    assert Result.objects.count() == 8
    assert len(asked) <= 60, len(asked)
    for run in runs:
        task = run.tasks.get()
        assert task.result["rows"] == 1
        assert task.started_at <= task.finished_at
        assert run.started_at <= run.finished_at
        assert run.rows_out == 1
        check_events(run)


def test_only_what_is_alike_goes_along(world: World) -> None:
    mine = light(world, 2)
    light(world, 1, user=world.admin)
    world.make_run(stage("a"), stage("z", ("a",), "result"))
    [tried] = light(world, 1)
    Task.objects.filter(run=tried).update(attempt=1)
    other_text = world.make_run(stage("b", sink="result"))
    assert [claim.task.run_id for claim in take_lot()] == [run.pk for run in (*mine, other_text)]


def test_stages_among_others_and_deliveries_are_not_light(world: World) -> None:
    world.make_run(stage("a"), stage("z", ("a",), "result"))
    world.make_run(stage("b", sink="write"))
    for _ in range(2):
        head = claim_next("w1", HEAVY)
        assert head is not None
        assert not is_light(head)


def test_other_slots_have_their_part(world: World) -> None:
    light(world, 6)
    assert len(take_lot(slots=2)) == 3
    assert len(take_lot(slots=2, worker="w2")) == 2
    assert len(take_lot(most=16, slots=2)) == 1


def test_one_that_fails_fails_alone(world: World) -> None:
    def die(on_wait: Callable[[], None]) -> None:
        raise ChildDiedError(9)

    runs = light(world, 3)
    go(take_lot(), ShortWorks(during={1: die}))
    assert seen(runs) == "done:done pending:ready done:done"
    [again] = take_lot_of_tried()
    assert again.task.run_id == runs[1].pk
    assert not is_light(again)


def take_lot_of_tried() -> list[Claim]:
    Task.objects.filter(state=states.READY).update(not_before=None)
    head = claim_next("w1", HEAVY)
    return [head] if head is not None else []


def test_a_cancelled_run_leaves_the_others(world: World) -> None:
    runs = light(world, 3)
    lot = take_lot()

    def cancel(on_wait: Callable[[], None]) -> None:
        cancel_run(runs[2].pk, world.staff)
        lot[2].let_go("cancelled")

    pool = go(lot, ShortWorks(during={0: cancel}))
    assert seen(runs) == "done:done done:done cancelled:cancelled"
    assert len(pool.done) == 2
    for run in runs:
        check_events(run)


def test_a_paused_run_is_handed_back(world: World) -> None:
    runs = light(world, 3)
    lot = take_lot()
    pause_run(runs[1].pk, world.staff)
    lot[1].should_rest = True
    go(lot)
    assert seen(runs) == "done:done paused:ready done:done"


def test_a_long_one_lets_others_take_the_rest(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    runs, states_then = light(world, 4), []

    def last(on_wait: Callable[[], None]) -> None:
        monkeypatch.setattr(lot_work, "LATE_SECONDS", 0.0)
        on_wait()
        states_then.append(seen(runs))

    bells = Outbox.objects.count()
    go(take_lot(), ShortWorks(during={1: last}))
    assert states_then == ["done:done pending:claimed pending:ready pending:ready"]
    assert seen(runs) == "done:done done:done pending:ready pending:ready"
    assert Outbox.objects.count() == bells + 2
    monkeypatch.setattr(lot_work, "LATE_SECONDS", 1000.0)
    go(take_lot())
    assert seen(runs) == " ".join(["done:done"] * 4)


def test_what_takes_longer_than_a_moment_is_said_to_be_running(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.runner.BEGIN_SECONDS", 0.0)
    runs, states_then = light(world, 2), []

    def wait(on_wait: Callable[[], None]) -> None:
        on_wait()
        states_then.append(seen(runs))

    go(take_lot(), ShortWorks(during={1: wait}))
    assert states_then == ["running:claimed running:running"]
    assert seen(runs) == "done:done done:done"
    for run in runs:
        check_events(run)


def test_what_went_to_another_attempt_is_not_written(world: World) -> None:
    runs = light(world, 3)
    lot = take_lot()

    def lose(on_wait: Callable[[], None]) -> None:
        Task.objects.filter(run=runs[1]).update(lease_until=Soon(-1))
        assert reaper.reap() == 1

    go(lot, ShortWorks(during={2: lose}))
    assert seen(runs) == "done:done pending:ready done:done"
    assert lot[1].why == "lost"
    assert Result.objects.filter(run=runs[1]).count() == 0
