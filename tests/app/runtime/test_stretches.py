"""Stretches in the database: stages done ahead of their claim, and who may write their end."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from runtime import claims, places, reaper, staging, states, stretches
from runtime.claims import Holding, claim_next
from runtime.clock import Soon
from runtime.engine.errors import CancelledError, ChildDiedError
from runtime.errors import StalePlanError
from runtime.models import Attempt, Outbox, Run, Task
from runtime.offers import Offers
from runtime.pausing import pause_run, resume_run
from runtime.progress import Progress
from runtime.runner import HEAVY
from runtime.scheduler import cancel_run
from runtime.stretches import run_stretch
from tests.app.runtime.factory import World, stage
from tests.app.runtime.short_works import ShortWorks
from tests.app.runtime.test_moves import BUSY, check_events

pytestmark = pytest.mark.usefixtures("slow_machine")


def chain(world: World, length: int = 4) -> Run:
    """a → b → c → …, the last one a result."""
    keys = [chr(ord("a") + number) for number in range(length)]
    stages = [stage(key, tuple(keys[max(0, place - 1) : place])) for place, key in enumerate(keys[:-1])]
    return world.make_run(*stages, stage(keys[-1], (keys[-2],), "result"))


def go(pool: ShortWorks, worker: str = "w1") -> Holding:
    head, holding = claim_next(worker, HEAVY), Holding()
    assert head is not None
    holding.add(head)
    run_stretch(head, pool, Progress(), Offers.of_options(), holding)
    assert holding.all() == []
    return holding


def seen(run: Run) -> str:
    """The tasks' states by the names of their stages."""
    run.refresh_from_db()
    return " ".join(f"{task.stage}:{task.state}" for task in run.tasks.order_by("stage"))


def test_a_chain_is_one_stretch(world: World) -> None:
    run, pool = chain(world, 10), ShortWorks()
    with CaptureQueriesContext(connection) as asked:
        go(pool)
    assert "".join(pool.done) == "abcdefghij"
    assert run.tasks.exclude(state=states.DONE).count() == 0
    run.refresh_from_db()
    assert run.state == states.DONE
    assert {step["state"] for step in run.steps.values()} == {"done"}
    assert set(Attempt.objects.values_list("number", "outcome", "worker")) == {(1, "done", "w1")}
    assert Attempt.objects.count() == 10
    assert all(task.started_at <= task.finished_at for task in run.tasks.all())
    # Stages that were never ready for others have rung for nobody.
    assert Outbox.objects.count() == 1
    assert len(asked) <= 60, len(asked)
    check_events(run)


def test_the_next_work_is_made_while_one_is_done(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    run, pool = chain(world, 5), ShortWorks()
    made: list[str] = []
    made_by_then: list[str] = []
    prepare = staging.prepare_unsynced

    def noted(claim: claims.Claim, today: Any) -> Any:
        made.append(claim.task.stage)
        return prepare(claim, today)

    monkeypatch.setattr(staging, "prepare_unsynced", noted)
    pool.during["d"] = lambda on_wait: made_by_then.extend(made)
    go(pool)
    assert seen(run) == "a:done b:done c:done d:done e:done"
    assert made_by_then == ["a", "b", "c", "d", "e"], "each once, and the one behind before it has begun"
    assert [pool.reads[key] for key in "bcde"] == [[path] for path in pool.files[:4]]


def test_a_way_that_is_not_taken_was_made_in_vain(world: World) -> None:
    then, other = stage("c", ("b",)), stage("d", ("b",), "result")
    ways = [msgspec.structs.replace(one, needs=["b", port]) for one, port in ((then, "then"), (other, "else"))]
    run = world.make_run(stage("a"), stage("b", ("a",)), *ways)
    pool = ShortWorks(verdicts={"b": ["else"]})
    go(pool)
    assert "".join(pool.done) == "abd"
    assert seen(run) == "a:done b:done c:skipped d:done"
    assert run.state == states.DONE
    check_events(run)


def test_what_cannot_be_made_shows_when_it_is_its_turn(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    run, pool = chain(world), ShortWorks()
    prepare = staging.prepare_unsynced

    def refuse(claim: claims.Claim, today: Any) -> Any:
        if claim.task.stage == "c":
            raise StalePlanError("grant.withdrawn", {"en": "Withdrawn.", "zh-CN": "已撤回。"})
        return prepare(claim, today)

    monkeypatch.setattr(staging, "prepare_unsynced", refuse)
    go(pool)
    assert "".join(pool.done) == "ab"
    assert seen(run).startswith("a:done b:done c:failed")
    assert run.error["code"] == "grant.withdrawn"
    check_events(run)


def test_followers_are_claimed_with_the_end_of_the_one_before(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stretches, "RECORD_SECONDS", 0.0)
    run, pool = chain(world), ShortWorks()
    pool.during["c"] = lambda on_wait: seen_in_between.append(seen(run))
    seen_in_between: list[str] = []
    go(pool)
    assert seen_in_between == ["a:done b:done c:claimed d:pending"]
    assert seen(run) == "a:done b:done c:done d:done"
    assert Outbox.objects.count() == 1
    check_events(run)


def test_after_a_while_others_have_their_turn(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stretches, "STRETCH_SECONDS", 0.0)
    run = chain(world)
    go(ShortWorks())
    assert seen(run) == "a:done b:ready c:pending d:pending"
    assert Outbox.objects.count() == 2


def test_ways_that_part_are_done_one_after_the_other(world: World) -> None:
    run = world.make_run(stage("a"), stage("b", ("a",)), stage("c", ("a",)), stage("d", ("b", "c"), "result"))
    pool = ShortWorks()
    go(pool)
    assert "".join(pool.done) == "abcd"
    assert seen(run) == "a:done b:done c:done d:done"


def test_what_takes_longer_is_claimed_while_it_is_at_work(world: World) -> None:
    run = world.make_run(stage("a"), stage("b", ("a",)), stage("c", ("a",)), stage("d", ("b",), "result"))

    def wait_until_claimed(on_wait: Callable[[], None]) -> None:
        deadline = time.monotonic() + 30
        while run.tasks.get(stage="b").state != states.RUNNING:
            assert time.monotonic() < deadline
            on_wait()
        # The other way is free for other workers, and this one has a lease of its own.
        assert seen(run) == "a:done b:running c:ready d:pending"
        assert run.tasks.get(stage="b").lease_until is not None
        claims.renew([taken])

    taken = claims.Claim(run.tasks.get(stage="b"), 1, "w1")
    go(ShortWorks({"b": wait_until_claimed}))
    assert not taken.stop.is_set()
    assert seen(run).startswith("a:done b:done c:ready")
    check_events(run)


def test_a_stage_bears_its_own_error(world: World) -> None:
    for error, state, crashes in ((BUSY, "ready", 0), (ChildDiedError(9), "ready", 1)):

        def fail(on_wait: Callable[[], None], error: Exception = error) -> None:
            raise error

        run = chain(world)
        go(ShortWorks({"c": fail}))
        assert seen(run) == f"a:done b:done c:{state} d:pending"
        broken = run.tasks.get(stage="c")
        assert (broken.attempt, broken.crashes) == (1, crashes)
        Task.objects.filter(run=run).update(state=states.CANCELLED)
        check_events(run)


def test_a_full_disk_is_told_in_words_and_all_is_done_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    run = chain(world)
    make_durable = places.make_durable

    def full(references: Iterable[str]) -> None:
        monkeypatch.setattr(places, "make_durable", make_durable)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(places, "make_durable", full)
    go(ShortWorks())
    assert seen(run) == "a:ready b:pending c:pending d:pending"
    assert run.tasks.get(stage="a").error["code"] == "engine.disk_full"
    run.tasks.filter(stage="a").update(not_before=Soon(-1))
    while run.tasks.filter(state=states.READY).exists():
        go(ShortWorks())
    assert seen(run) == "a:done b:done c:done d:done"
    check_events(run)


def test_what_was_done_ahead_of_a_lost_claim_is_forgotten(world: World) -> None:
    run = chain(world)

    def lose(on_wait: Callable[[], None]) -> None:
        run.tasks.filter(stage="a").update(lease_until=Soon(-1))
        assert reaper.reap() == 1
        assert claim_next("w2", HEAVY) is not None

    stale = ShortWorks({"c": lose})
    go(stale)
    assert seen(run) == "a:claimed b:pending c:pending d:pending"
    run.tasks.filter(stage="a").update(lease_until=Soon(-1))
    reaper.reap()
    again = ShortWorks()
    go(again, "w3")
    while run.tasks.filter(state=states.READY).exists():
        go(again, "w3")
    assert seen(run) == "a:done b:done c:done d:done"
    # Files are named by the claim behind which they were written: a stale worker's are nobody's.
    assert set(stale.files).isdisjoint(again.files)
    check_events(run)


def test_a_child_that_is_told_to_stop_gets_no_claim_any_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that stood still lets go by itself, though nobody has taken over: what it had begun is done again."""
    monkeypatch.setattr(stretches, "BEGIN_SECONDS", 0.0)
    run, head, holding = chain(world), claim_next("w1", HEAVY), Holding()
    assert head is not None
    holding.add(head)

    def wake_up(on_wait: Callable[[], None]) -> None:
        head.let_go("lost")
        on_wait()
        raise CancelledError()

    run_stretch(head, ShortWorks({"c": wake_up}), Progress(), Offers.of_options(), holding)
    assert states.FAILED not in seen(run) and run.state == states.RUNNING, seen(run)
    run.tasks.filter(state=states.CLAIMED).update(lease_until=Soon(-1))
    reaper.reap()
    while run.tasks.filter(state=states.READY).exists():
        go(ShortWorks())
    assert seen(run) == "a:done b:done c:done d:done"
    check_events(run)


def test_what_was_tried_before_goes_alone(world: World) -> None:
    run = chain(world)
    assert claim_next("w1", HEAVY) is not None
    run.tasks.filter(stage="a").update(lease_until=Soon(-1))
    reaper.reap()

    def look(on_wait: Callable[[], None]) -> None:
        assert seen(run) == "a:done b:claimed c:pending d:pending"

    go(ShortWorks({"b": look}))
    assert run.tasks.get(stage="a").attempt == 2


def test_a_run_that_is_cancelled_keeps_nothing_of_what_was_done_ahead(world: World) -> None:
    run = chain(world)
    go(ShortWorks({"c": lambda on_wait: cancel_run(run.pk, world.staff) and None}))
    assert seen(run) == "a:done b:cancelled c:cancelled d:cancelled"
    assert run.state == states.CANCELLED
    check_events(run)


def test_a_run_that_pauses_rests_behind_what_is_done(world: World) -> None:
    run = chain(world)

    def pause(on_wait: Callable[[], None]) -> None:
        pause_run(run.pk, world.staff)
        held.should_rest = True

    held = claim_next("w1", HEAVY)
    assert held is not None
    run_stretch(held, ShortWorks({"a": pause}), Progress(), Offers.of_options(), Holding())
    assert seen(run) == "a:done b:ready c:pending d:pending"
    assert run.state == states.PAUSED
    resume_run(run.pk, world.staff)
    go(ShortWorks())
    assert run.tasks.exclude(state=states.DONE).count() == 0
    check_events(run)


def test_another_network_is_another_workers_part(world: World) -> None:
    run = chain(world)
    run.tasks.filter(stage="c").update(needs="zone:inner")
    go(ShortWorks())
    assert seen(run) == "a:done b:done c:ready d:pending"
    assert Outbox.objects.filter(key__startswith=str(run.tasks.get(stage="c").pk)).exists()
