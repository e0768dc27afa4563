"""Runs that are held: what is at work ends, nothing new starts, and the database alone remembers it."""

from __future__ import annotations

import pytest

from runtime import claims, finishing, reaper, states
from runtime.claims import claim_next
from runtime.clock import Soon
from runtime.dispatcher import queue_depth
from runtime.errors import problem_of
from runtime.models import Event, Outbox, Run
from runtime.pausing import pause_run, resume_run
from runtime.runner import HEAVY
from runtime.scheduler import cancel_run
from security.models import AuditRecord
from tests.app.runtime.factory import World, stage
from tests.app.runtime.test_api import browser
from tests.app.runtime.test_lots import ended, looped, take_lot
from tests.app.runtime.test_moves import BUSY, WRONG, check_events, done, let_lease_run_out, work


def state_of(run: Run) -> str:
    run.refresh_from_db()
    return run.state


def test_a_waiting_run_is_paused_at_once_and_goes_on_where_it_was(world: World) -> None:
    run = world.make_run(stage("a"))
    assert pause_run(run.pk, world.staff).state == states.PAUSED
    assert claim_next("w1", HEAVY) is None
    assert claims.claim(run.tasks.get().pk, "w1", HEAVY) is None
    assert queue_depth() == 0
    bells = Outbox.objects.count()
    assert resume_run(run.pk, world.staff).state == states.PENDING
    assert Outbox.objects.count() == bells + 1
    done(work())
    assert state_of(run) == states.DONE
    check_events(run)


def test_stages_at_work_end_and_their_followers_wait(world: World) -> None:
    run = world.make_run(stage("a"), stage("b", ("a",)))
    held = work()
    assert pause_run(run.pk, world.staff).state == states.PAUSING
    claims.watch([held])
    assert (held.should_rest, held.stop.is_set()) == (True, False)
    done(held)
    assert state_of(run) == states.PAUSED
    assert run.tasks.get(stage="b").state == states.READY
    other = world.make_run(stage("a"))
    found = claim_next("w1", HEAVY)
    assert found is not None
    assert found.task.run_id == other.pk
    assert claim_next("w1", HEAVY) is None
    assert resume_run(run.pk, world.staff).state == states.RUNNING
    done(work())
    assert state_of(run) == states.DONE
    told = Event.objects.filter(topic=f"run:{run.pk}", kind="run.state").order_by("seq")
    assert [event.data["detail_state"] for event in told][1:] == ["running", "pausing", "paused", "running", "done"]
    check_events(run)


@pytest.mark.parametrize("end", ["retry", "crash", "lost", "handed back"])
def test_a_try_that_fails_meanwhile_is_not_repeated_before_the_run_goes_on(world: World, end: str) -> None:
    run = world.make_run(stage("a"))
    held = work()
    pause_run(run.pk, world.staff)
    if end == "retry":
        finishing.fail(held, problem_of(BUSY))
    elif end == "crash":
        finishing.crash(held, problem_of(BUSY))
    elif end == "lost":
        let_lease_run_out(held)
        assert reaper.reap() == 1
    else:
        finishing.hand_back(held)
    assert state_of(run) == states.PAUSED
    assert run.tasks.get().state == states.READY


def test_a_failure_meanwhile_fails_the_run(world: World) -> None:
    run = world.make_run(stage("a"), stage("b", ("a",)))
    held = work()
    pause_run(run.pk, world.staff)
    finishing.fail(held, WRONG)
    assert state_of(run) == states.FAILED
    assert resume_run(run.pk, world.staff).state == states.FAILED


def test_the_last_stage_ends_the_run_although_it_should_pause(world: World) -> None:
    run = world.make_run(stage("a"))
    held = work()
    pause_run(run.pk, world.staff)
    done(held)
    assert state_of(run) == states.DONE


def test_a_held_run_can_be_cancelled(world: World) -> None:
    run = world.make_run(stage("a"), stage("b", ("a",)))
    held = work()
    pause_run(run.pk, world.staff)
    done(held)
    assert cancel_run(run.pk, world.staff).state == states.CANCELLED
    assert run.tasks.get(stage="b").state == states.CANCELLED
    check_events(run)


def test_a_pause_may_be_taken_back_before_it_has_come(world: World) -> None:
    run = world.make_run(stage("a"), stage("b", ("a",)))
    held = work()
    pause_run(run.pk, world.staff)
    assert resume_run(run.pk, world.staff).state == states.RUNNING
    claims.watch([held])
    assert not held.should_rest
    done(held)
    assert claim_next("w1", HEAVY) is not None


def test_a_lot_gives_back_what_it_has_not_begun(world: World) -> None:
    run = looped(world, 6, concurrency=1)
    lot = take_lot(3)
    pause_run(run.pk, world.staff)
    claims.watch(lot)
    assert all(held.should_rest for held in lot)
    finishing.complete_iterations(ended(lot[:1]))
    assert state_of(run) == states.PAUSING
    for held in lot[1:]:
        finishing.hand_back(held)
    assert state_of(run) == states.PAUSED
    assert claim_next("w1", HEAVY) is None
    resume_run(run.pk, world.staff)
    assert len(take_lot(8)) == 5


@pytest.mark.parametrize("is_taken_back", [False, True])
def test_a_for_each_whose_iterations_at_work_have_all_ended_goes_on(world: World, is_taken_back: bool) -> None:
    run = looped(world, 10, concurrency=2)
    lots = [take_lot(2), take_lot(2)]
    pause_run(run.pk, world.staff)
    finishing.complete_iterations(ended(lots[0]))
    if is_taken_back:
        resume_run(run.pk, world.staff)
        pause_run(run.pk, world.staff)
    finishing.complete_iterations(ended(lots[1]))
    run.refresh_from_db()
    assert run.state == states.PAUSED
    assert claim_next("w1", HEAVY) is None
    resume_run(run.pk, world.staff)
    assert Outbox.objects.count() > 0
    for _ in range(3):
        finishing.complete_iterations(ended(take_lot(2)))
    done(work())
    run.refresh_from_db()
    assert run.state == states.DONE
    assert run.steps["each"]["iterations"] == {"total": 10, "done": 10, "failed": 0}
    check_events(run)


def test_the_last_iterations_end_the_for_each_although_its_run_should_pause(world: World) -> None:
    run = looped(world, 4, concurrency=1)
    lot = take_lot(4)
    pause_run(run.pk, world.staff)
    finishing.complete_iterations(ended(lot))
    run.refresh_from_db()
    assert (run.state, run.steps["each"]["state"]) == (states.PAUSED, "done")
    resume_run(run.pk, world.staff)
    done(work())
    run.refresh_from_db()
    assert run.state == states.DONE
    check_events(run)


def test_the_time_in_which_it_was_held_does_not_count(world: World) -> None:
    run = world.make_run(stage("a"), stage("b"))
    held = work()
    pause_run(run.pk, world.staff)
    done(held)
    Run.objects.update(started_at=Soon(-30 * 3600), paused_at=Soon(-10 * 3600))
    resume_run(run.pk, world.staff)
    assert reaper.stop_long_runs() == 0
    Run.objects.update(started_at=Soon(-35 * 3600))
    assert reaper.stop_long_runs() == 1


def test_who_may_pause_and_what_is_recorded(world: World) -> None:
    run = world.make_run(stage("a"))
    client = browser(world.staff)
    answer = client.post(f"/api/runs/{run.pk}/pause").json()
    assert (answer["state"], answer["detail_state"], answer["can"]["cancel"]) == ("paused", "paused", True)
    assert client.post(f"/api/runs/{run.pk}/pause").json()["state"] == "paused"
    assert [one["number"] for one in client.get("/api/runs?state=paused").json()["results"]] == [run.number]
    for verb in ("pause", "resume"):
        assert browser(world.stranger).post(f"/api/runs/{run.pk}/{verb}").status_code == 404
    assert state_of(run) == states.PAUSED
    assert browser(world.operator).post(f"/api/runs/{run.pk}/resume").json()["state"] == "waiting"
    actions = AuditRecord.objects.filter(action__in=("run.pause", "run.resume")).order_by("pk")
    assert [record.action for record in actions] == ["run.pause", "run.resume"]
