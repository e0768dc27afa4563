"""Does a lot of runs: the only stages of light runs of one flow, claimed together and done one after the other.

A light run costs less than its claim and the record of its end, so that both are shared, as with the iterations of a
for-each. Each run keeps its own attempt, lease, cancel and error. Until its turn comes it is said to be waiting. A
worker that dies loses at most what was not written down yet, in files of ours, which is done again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from node_catalog.sdk.failpoint import failpoint
from runtime import finishing, staging
from runtime.bindings import Today
from runtime.claims import Claim
from runtime.endings import Ending
from runtime.engine.work import Work
from runtime.errors import LeaseLostError
from runtime.finishing import Unwritten
from runtime.lot_work import LotWork
from runtime.lots import is_iteration, was_tried
from runtime.models import Run, Task
from runtime.pace import Pace
from runtime.plans import is_alone, plan_of
from runtime.progress import Progress
from runtime.runner import Pool, attempt, when_database_answers
from runtime.staging import FILES_OF_OURS


def is_light(claim: Claim) -> bool:
    """Whether it is the only stage of its run, reads nothing that has places to wait for, leaves nothing but files of
    ours, and was never tried: done again, it harms nobody.
    """
    task = claim.task
    if task.kind != Task.Kind.STAGE or task.run is None or task.uses or is_iteration(task) or was_tried(task):
        return False
    return task.payload.get("sink") in FILES_OF_OURS and is_alone(plan_of(task.run.plan_id))


def run_runs(lot: Sequence[Claim], pool: Pool, progress: Progress, pace: Pace) -> None:
    """Do what was claimed together and write down how each one ended. Never raises."""
    _RunLot(lot, pool, progress, pace).do()


class _RunLot(LotWork):
    def __init__(self, lot: Sequence[Claim], pool: Pool, progress: Progress, pace: Pace) -> None:
        super().__init__(lot, pool, progress, pace)
        self._today = Today()
        self._waiting = deque(lot)

    def _work_off(self) -> None:
        when_database_answers(self._lot[0], self._load)
        while self._waiting:
            claim = self._waiting.popleft()
            if claim.should_rest or (claim is not self._lot[0] and self._is_late()):
                self._hand_back(claim)
            else:
                self._one(claim)
        self._record()

    def _load(self) -> None:
        """The runs with the person behind them as they are now."""
        loaded = Run.objects.with_person().in_bulk([one.task.run_id for one in self._lot])
        for claim in self._lot:
            claim.task.run = loaded[claim.task.run_id]

    def _attempt(self, claim: Claim) -> Ending:
        return attempt(claim, self._pool, self._progress, self._prepare, self._while_at_work)

    def _prepare(self, claim: Claim) -> Work:
        return staging.prepare_unsynced(claim, self._today)

    def _while_at_work(self) -> None:
        """One takes its time: write down what was before it, and let others take what was to come after it."""
        if self._is_late():
            self._record()
            while self._waiting:
                self._hand_back(self._waiting.popleft())

    def _write(self, done: Sequence[Unwritten]) -> None:
        staging.make_durable(one.ending for one in done)
        try:
            when_database_answers(done[0].claim, lambda: finishing.complete_runs(done))
        except LeaseLostError:
            # One of them has gone to another attempt; the others are ours.
            for one in done:
                self._write_alone(one)
        failpoint("runner.after_done")

    @staticmethod
    def _write_alone(one: Unwritten) -> None:
        try:
            when_database_answers(one.claim, lambda: finishing.complete(one.claim, one.ending))
        except LeaseLostError:
            one.claim.let_go("lost")
