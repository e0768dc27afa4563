"""Lots of a for-each in the database: what is claimed together, how many at once, and who may write their end."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import pytest

from flows.graph.plan import Iterations
from runtime import claims, finishing, reaper, states
from runtime.claims import Claim, begin_lot, claim_along, claim_next
from runtime.clock import Soon
from runtime.endings import Ending
from runtime.errors import LeaseLostError, problem_of
from runtime.finishing import Unwritten
from runtime.loops import open_loop
from runtime.lots import iterations_of
from runtime.models import Attempt, Run, Task
from runtime.runner import HEAVY
from tests.app.runtime.factory import SCHEMA, World, stage
from tests.app.runtime.test_moves import BUSY, check_events, done, work


def looped(world: World, iterations: int, concurrency: int = 2, **more: Any) -> Run:
    """A run whose items are there: its for-each is open."""
    loop = Iterations("each", "items", "each", ("", 1, "main"), "out", SCHEMA, concurrency=concurrency, **more)
    run = world.make_run(stage("items"), stage("end", ("each",), "result"), loops=(loop,))
    held = work()

    def opened() -> list[Any]:
        open_loop(run, loop, iterations, world.staff)
        return []

    finishing.complete(held, Ending({"rows": iterations}, opened))
    return run


def take_lot(most: int, worker: str = "w1") -> list[Claim]:
    head = claim_next(worker, HEAVY)
    if head is None:
        return []
    lot = [head, *claim_along(head, most - 1)]
    assert begin_lot(lot)
    return lot


def ended(lot: list[Claim]) -> list[Unwritten]:
    now = time.monotonic()
    return [Unwritten(held, Ending({"rows": 2, "file": ""}), now - 0.25, now) for held in lot]


def numbers(lot: list[Claim]) -> list[int]:
    return [held.task.payload["index"] for held in lot]


def counted(run: Run) -> Counter[str]:
    return Counter(iterations_of(run.pk, "each").values_list("state", flat=True))


def test_a_lot_takes_the_next_ones_and_ends_in_one_go(world: World) -> None:
    run = looped(world, 9)
    lot = take_lot(4)
    assert numbers(lot) == [0, 1, 2, 3]
    assert len({held.task.lot for held in lot}) == 1
    assert counted(run) == {states.RUNNING: 4, states.READY: 1, states.PENDING: 4}
    finishing.complete_iterations(ended(lot[:3]))
    assert counted(run) == {states.DONE: 3, states.RUNNING: 1, states.READY: 1, states.PENDING: 4}
    finishing.complete_iterations(ended(lot[3:]))
    assert counted(run) == {states.DONE: 4, states.READY: 2, states.PENDING: 3}
    first = iterations_of(run.pk, "each").first()
    assert first is not None
    assert 0.1 < (first.finished_at - first.started_at).total_seconds() < 10
    while counted(run)[states.DONE] < 9:
        finishing.complete_iterations(ended(take_lot(4)))
    done(work())
    run.refresh_from_db()
    assert run.state == states.DONE
    assert run.steps["each"]["iterations"] == {"total": 9, "done": 9, "failed": 0}
    assert run.steps["each"]["rows"] == 18
    assert set(Attempt.objects.values_list("outcome", flat=True)) == {"done"}
    check_events(run)


def test_no_more_lots_than_the_step_allows_and_others_go_past_a_full_one(world: World) -> None:
    looped(world, 40, concurrency=2)
    assert [len(take_lot(8)), len(take_lot(8))] == [8, 8]
    assert claim_next("w2", HEAVY) is None
    # Lost iterations are ready again; all of them together are still one lot's worth of work at a time.
    Task.objects.filter(payload__index__in=range(4)).update(lease_until=Soon(-1))
    assert reaper.reap() == 4
    other = world.make_run(stage("other"))
    found = claim_next("w2", HEAVY)
    assert found is not None
    assert found.task.run_id == other.pk


def test_a_lot_leaves_others_their_share(world: World) -> None:
    looped(world, 6, concurrency=3)
    assert len(take_lot(16)) == 3


def test_what_was_tried_before_goes_alone(world: World) -> None:
    run = looped(world, 8, concurrency=1)
    lot = take_lot(4)
    finishing.fail(lot[0], problem_of(BUSY))
    finishing.complete_iterations(ended(lot[1:]))
    assert counted(run) == {states.DONE: 3, states.READY: 1, states.PENDING: 4}
    Task.objects.filter(state=states.READY).update(not_before=None)
    again = take_lot(4)
    assert (numbers(again), again[0].attempt) == ([0], 2)


def test_a_lot_that_was_taken_back_cannot_be_written(world: World) -> None:
    run = looped(world, 4, concurrency=1)
    stale = take_lot(4)
    Task.objects.filter(pk=stale[1].task.pk).update(lease_until=Soon(-1))
    assert reaper.reap() == 1
    with pytest.raises(LeaseLostError):
        finishing.complete_iterations(ended(stale))
    assert counted(run) == {states.RUNNING: 3, states.READY: 1}
    claims.renew(stale)
    assert [held.why for held in stale] == ["", "lost", "", ""]


def test_a_lot_of_which_one_is_gone_does_not_begin(world: World) -> None:
    run = looped(world, 4, concurrency=1)
    head = claim_next("w1", HEAVY)
    assert head is not None
    lot = [head, *claim_along(head, 3)]
    Task.objects.filter(pk=head.task.pk).update(lease_until=Soon(-1))
    assert reaper.reap() == 1
    assert not begin_lot(lot)
    assert counted(run) == {states.CLAIMED: 3, states.READY: 1}
