"""An old snapshot and the events after it give the new snapshot; operators see states, never what people typed."""

from __future__ import annotations

import itertools
import random

import pytest

from node_catalog.sdk.errors import ConnectError
from node_catalog.sdk.text import text
from runtime import finishing, reaper
from runtime.claims import Claim, begin, claim_next
from runtime.clock import Soon
from runtime.endings import Ending
from runtime.engine.work import Report
from runtime.errors import problem_of
from runtime.models import Result, Run, Task
from runtime.monitor import monitor_snapshot, run_snapshot, task_snapshot
from runtime.progress import Progress
from runtime.reporting import Fact, events_after
from runtime.runner import HEAVY
from runtime.scheduler import cancel_run
from runtime.staging import result_as_json
from security.access import principal_for
from security.errors import NotFoundError
from tests.app.runtime.factory import World, stage
from tests.app.runtime.reduce import essence, reduce_run

CANARY = "canary-4711"


def act(rng: random.Random, run: Run, world: World, held: list[Claim], progress: Progress) -> None:
    """One thing that can happen to a run."""
    match rng.choice(("claim", "claim", "progress", "progress", "done", "done", "fail", "lose", "cancel")):
        case "claim":
            Task.objects.update(not_before=None)
            claim = claim_next(f"w{len(held)}", HEAVY)
            if claim is not None and begin(claim):
                held.append(claim)
                progress.start(claim)
        case "progress" if held:
            claim = rng.choice(held)
            progress.note(claim, Report(counts={claim.task.payload["steps"][0]: rng.randrange(10_000)}))
            progress.flush()
        case "done" if held:
            finish(held.pop(rng.randrange(len(held))), run)
        case "fail" if held and rng.random() < 0.3:
            words = text("The source is busy.", "数据源繁忙。")
            finishing.fail(held.pop(), problem_of(ConnectError("source.busy", words)))
        case "lose" if held and rng.random() < 0.3:
            Task.objects.filter(pk=held.pop().task.pk).update(lease_until=Soon(-1))
            reaper.reap()
        case "cancel" if rng.random() < 0.05:
            cancel_run(run.pk, world.staff)


def finish(claim: Claim, run: Run) -> None:
    step = claim.task.payload["steps"][0]

    def apply() -> list[Fact]:
        if claim.task.payload["sink"] != "result":
            return []
        result = Result.objects.create(
            run=run, task=claim.task, step=step, name=step, reference="results/x", rows=3, schema=[], policy_digest=""
        )
        return [Fact("result", {"result": result_as_json(result)})]

    finishing.complete(claim, Ending({"rows": 3}, apply, {step: {"rows": 3, "exact": True, "counted": "at_end"}}))


@pytest.mark.parametrize("seed", range(12))
def test_old_snapshot_and_events_give_the_new_snapshot(world: World, seed: int) -> None:
    rng = random.Random(seed)
    principal = principal_for(world.staff)
    run = world.make_run(stage("a"), stage("b"), stage("c", ("a", "b")), stage("d", ("c",), "result"))
    progress, held = Progress(every=0.0), []
    snapshot = run_snapshot(principal, run.pk)
    for number in itertools.count():
        act(rng, run, world, held, progress)
        if number % 5 == 0:
            for event in events_after(f"run:{run.pk}", snapshot["seq"], 1000):
                snapshot = reduce_run(snapshot, event)
            assert essence(snapshot) == essence(run_snapshot(principal, run.pk)), f"seed {seed}, step {number}"
        if number > 120:
            break


def test_operators_see_states_but_not_what_people_typed(world: World) -> None:
    run = world.make_run(stage("a"))
    Run.objects.filter(pk=run.pk).update(parameters={"district": CANARY})
    claim = claim_next("w", HEAVY)
    assert claim is not None
    begin(claim)
    wrong = {"code": "value.wrong", "message": {"en": "A value is wrong.", "zh-CN": "值有误。"}, "detail": CANARY}
    finishing.fail(claim, {**wrong, "where": "", "retry": "fatal"})
    mine = run_snapshot(principal_for(world.staff), run.pk)
    theirs = run_snapshot(principal_for(world.operator), run.pk)
    assert mine["tasks"][0]["error"]["detail"] == CANARY
    assert mine["can"]["see_rows"]
    assert theirs["tasks"][0]["error"]["code"] == "value.wrong"
    assert CANARY not in str(theirs)
    assert not theirs["can"]["see_rows"]
    assert CANARY not in str(monitor_snapshot(principal_for(world.operator)))


def test_strangers_see_nothing(world: World) -> None:
    run = world.make_run(stage("a"))
    with pytest.raises(NotFoundError):
        run_snapshot(principal_for(world.stranger), run.pk)
    with pytest.raises(NotFoundError):
        task_snapshot(principal_for(world.stranger), run.tasks.get().pk)


def test_progress_is_written_at_most_twice_a_second(world: World) -> None:
    run = world.make_run(stage("a"))
    claim = claim_next("w", HEAVY)
    assert claim is not None
    begin(claim)
    progress = Progress(every=3600)
    progress.start(claim)
    before = Run.objects.get(pk=run.pk).seq
    for rows in range(100):
        progress.note(claim, Report(counts={"step_a": rows}))
        progress.flush()
    assert Run.objects.get(pk=run.pk).seq == before
    patient = Progress(every=0.0)
    patient.start(claim)
    patient.note(claim, Report(counts={"step_a": 7}))
    patient.flush()
    patient.flush()
    assert Run.objects.get(pk=run.pk).seq == before + 1


def test_late_progress_does_not_wake_a_finished_task(world: World) -> None:
    run = world.make_run(stage("a"))
    claim = claim_next("w", HEAVY)
    assert claim is not None
    begin(claim)
    progress = Progress(every=0.0)
    progress.start(claim)
    progress.note(claim, Report(counts={"step_a": 7}))
    finish(claim, run)
    progress.flush()
    run.refresh_from_db()
    assert run.steps["step_a"]["state"] == "done"
    assert run.steps["step_a"]["rows"] == 3


def test_the_monitor_counts(world: World) -> None:
    world.make_run(stage("a"))
    world.make_run(stage("b"))
    claim = claim_next("w", HEAVY)
    assert claim is not None
    begin(claim)
    seen = monitor_snapshot(principal_for(world.operator))
    assert seen["counts"]["running"] == 1
    assert seen["counts"]["waiting"] == 1
    assert seen["queue_depth"] == 1
    assert len(seen["runs"]) == 2
    assert seen["oldest_wait_s"] is not None
