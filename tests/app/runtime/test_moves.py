"""Runs in the database: release, retry, loss, cancel, ends; events without gaps."""

from __future__ import annotations

import signal
import threading
from typing import Any

import pytest
from django.db import connection

from node_catalog.sdk.errors import ConnectError
from node_catalog.sdk.text import text
from runtime import claims, finishing, reaper, states
from runtime.claims import Claim, begin, claim_next
from runtime.clock import Soon
from runtime.dispatcher import queue_depth
from runtime.endings import Ending
from runtime.engine.errors import ChildDiedError
from runtime.errors import LeaseLostError, problem_of
from runtime.models import Attempt, Event, Outbox, Run, Task
from runtime.monitor import run_snapshot
from runtime.runner import HEAVY
from runtime.scheduler import cancel_run
from security.access import principal_for
from security.models import Notice
from tests.app.runtime.factory import World, stage

BUSY = ConnectError("source.busy", text("The source is busy.", "数据源繁忙。"))
WRONG = {"code": "x", "message": {"en": "no", "zh-CN": "否"}, "where": "", "retry": "fatal", "detail": "row 4711"}


def take(worker: str = "w1") -> Claim:
    held = claim_next(worker, HEAVY)
    assert held is not None
    return held


def work(worker: str = "w1") -> Claim:
    held = take(worker)
    assert begin(held)
    return held


def done(held: Claim, **result: Any) -> None:
    finishing.complete(
        held, Ending({"rows": 1, **result}, steps={step: {"rows": 1} for step in held.task.payload["steps"]})
    )


def numbers(run: Run) -> list[int]:
    return list(Event.objects.filter(topic=f"run:{run.pk}").order_by("seq").values_list("seq", flat=True))


def check_events(run: Run) -> None:
    run.refresh_from_db()
    assert numbers(run) == list(range(1, run.seq + 1))


def let_lease_run_out(held: Claim) -> None:
    Task.objects.filter(pk=held.task.pk).update(lease_until=Soon(-1))


def test_followers_wait_and_the_run_ends(world: World) -> None:
    run = world.make_run(stage("a"), stage("b"), stage("c", ("a", "b"), "result"))
    assert {task.stage: task.state for task in run.tasks.all()} == {"a": "ready", "b": "ready", "c": "pending"}
    assert Outbox.objects.count() == 2
    done(work())
    assert run.tasks.get(stage="c").state == states.PENDING
    done(work())
    assert run.tasks.get(stage="c").state == states.READY
    assert Outbox.objects.count() == 3
    done(work())
    run.refresh_from_db()
    assert run.state == states.DONE
    assert run.finished_at is not None
    assert {step["state"] for step in run.steps.values()} == {"done"}
    assert claim_next("w1", HEAVY) is None
    check_events(run)


def test_a_task_is_claimed_once(world: World) -> None:
    world.make_run(stage("a"))
    held = take()
    assert claims.claim(held.task.pk, "w2", HEAVY) is None
    assert held.attempt == 1
    assert Attempt.objects.get().worker == "w1"


def test_an_error_worth_a_retry_waits_longer_each_time(world: World) -> None:
    run = world.make_run(stage("a"))
    for attempt in range(1, 6):
        Task.objects.update(not_before=None)
        held = work()
        assert held.attempt == attempt
        finishing.fail(held, problem_of(BUSY))
        if attempt < 5:
            assert run.tasks.get().state == states.READY
            assert queue_depth() == 0
    run.refresh_from_db()
    assert run.state == states.FAILED
    assert run.error["code"] == "source.busy"
    assert Notice.objects.get(user=world.staff).link == f"/runs/{run.pk}"
    assert [attempt.outcome for attempt in Attempt.objects.order_by("number")] == ["ready"] * 4 + ["failed"]
    check_events(run)


def test_a_fatal_error_cancels_the_rest(world: World) -> None:
    run = world.make_run(stage("a"), stage("b"), stage("c", ("a", "b")))
    first = work()
    second = work("w2")
    finishing.fail(first, WRONG)
    run.refresh_from_db()
    assert run.state == states.RUNNING
    claims.watch([second])
    assert second.why == "cancelled"
    finishing.cancelled(second)
    run.refresh_from_db()
    assert run.state == states.FAILED
    assert run.tasks.get(stage="c").state == states.CANCELLED
    check_events(run)


def test_details_that_quote_rows_stay_with_the_task(world: World) -> None:
    run = world.make_run(stage("a"))
    finishing.fail(work(), WRONG)
    run.refresh_from_db()
    assert run.tasks.get().error["detail"] == "row 4711"
    assert "row 4711" not in str(list(Event.objects.values_list("data", flat=True)))
    assert "row 4711" not in str(run.error)


def test_a_lost_lease_gives_the_task_to_another(world: World) -> None:
    run = world.make_run(stage("a"))
    stale = work("w1")
    assert reaper.reap() == 0
    let_lease_run_out(stale)
    assert reaper.reap() == 1
    fresh = work("w2")
    assert fresh.attempt == 2
    claims.renew([stale, fresh])
    assert stale.why == "lost"
    assert not fresh.stop.is_set()
    with pytest.raises(LeaseLostError):
        done(stale)
    done(fresh)
    run.refresh_from_db()
    assert run.state == states.DONE
    assert [(a.worker, a.outcome) for a in Attempt.objects.order_by("number")] == [("w1", "ready"), ("w2", "done")]
    check_events(run)


def test_five_lost_workers_are_enough(world: World) -> None:
    run = world.make_run(stage("a"))
    for _ in range(5):
        let_lease_run_out(work())
        assert reaper.reap() == 1
    run.refresh_from_db()
    assert run.state == states.FAILED
    assert run.tasks.get().state == states.DEAD
    assert run.error["code"] == "worker.lost_too_often"
    check_events(run)


def test_two_dead_children_are_enough(world: World) -> None:
    run, killed = world.make_run(stage("a")), problem_of(ChildDiedError(signal.SIGKILL))
    assert finishing.crash(work(), killed) == states.READY
    assert finishing.crash(work(), killed) == states.DEAD
    run.refresh_from_db()
    assert (run.state, run.error["code"]) == (states.FAILED, "engine.child_died")
    assert "memory" in run.error["message"]["en"]
    (line,) = run_snapshot(principal_for(world.staff), run.pk)["tasks"]
    assert (line["detail_state"], line["error"]["code"]) == ("dead", "engine.child_died")
    assert [(one["state"], one["error"]["code"]) for one in line["attempts"]] == [
        ("ready", "engine.child_died"), ("dead", "engine.child_died"),
    ]  # fmt: skip
    check_events(run)


def test_the_reaper_leaves_finished_tasks_alone(world: World) -> None:
    run = world.make_run(stage("a"))
    held = work()
    done(held)
    Task.objects.filter(pk=held.task.pk).update(lease_until=Soon(-100))
    assert reaper.reap() == 0
    run.refresh_from_db()
    assert run.state == states.DONE


def test_a_waiting_run_is_cancelled_at_once(world: World) -> None:
    run = world.make_run(stage("a"))
    cancelled = cancel_run(run.pk, world.staff)
    assert cancelled.state == states.CANCELLED
    assert claim_next("w1", HEAVY) is None
    assert cancel_run(run.pk, world.staff).state == states.CANCELLED
    check_events(run)


def test_a_working_run_is_cancelled_when_its_worker_lets_go(world: World) -> None:
    run = world.make_run(stage("a"), stage("b", ("a",)))
    held = work()
    assert cancel_run(run.pk, world.staff).state == states.CANCELLING
    claims.watch([held])
    assert held.why == "cancelled"
    finishing.cancelled(held)
    run.refresh_from_db()
    assert run.state == states.CANCELLED
    assert run.cancel_requested_by == world.staff
    check_events(run)


def test_a_cancelled_run_of_a_dead_worker_is_ended_by_the_reaper(world: World) -> None:
    run = world.make_run(stage("a"))
    held = work()
    cancel_run(run.pk, world.staff)
    let_lease_run_out(held)
    reaper.reap()
    run.refresh_from_db()
    assert run.state == states.CANCELLED


def test_a_committing_stage_is_let_finish(world: World) -> None:
    run = world.make_run(stage("a", sink="write"))
    held = work()
    assert claims.begin_commit(held)
    cancel_run(run.pk, world.staff)
    claims.watch([held])
    assert not held.stop.is_set()
    done(held)
    run.refresh_from_db()
    assert run.state == states.DONE


def test_a_stopping_worker_hands_its_task_back(world: World) -> None:
    run = world.make_run(stage("a"))
    held = work()
    assert finishing.hand_back(held) == states.READY
    task = run.tasks.get()
    assert (task.state, task.attempt, task.max_attempts) == (states.READY, 1, 6)
    assert Outbox.objects.count() == 2


def test_runs_that_take_too_long_are_stopped(world: World) -> None:
    run = world.make_run(stage("a"))
    held = work()
    Run.objects.update(started_at=Soon(-25 * 3600))
    assert reaper.stop_long_runs() == 1
    claims.watch([held])
    assert held.why == "cancelled"
    finishing.cancelled(held)
    run.refresh_from_db()
    assert (run.state, run.error["code"]) == (states.FAILED, "run.too_long")


def test_six_claimers_share_twelve_tasks(shared_world: World) -> None:
    """Threads with connections of their own: each task is claimed exactly once, events have no gaps."""
    run = shared_world.make_run(*(stage(f"s{number}") for number in range(12)))
    claimed: list[str] = []

    def worker(name: str) -> None:
        try:
            while held := claim_next(name, HEAVY):
                claimed.append(held.task.stage)
                assert begin(held)
                done(held)
        finally:
            connection.close()

    threads = [threading.Thread(target=worker, args=(f"w{number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == sorted(f"s{number}" for number in range(12))
    assert set(Attempt.objects.values_list("number", flat=True)) == {1}
    run.refresh_from_db()
    assert run.state == states.DONE
    check_events(run)
