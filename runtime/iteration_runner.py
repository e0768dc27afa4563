"""Does a lot of iterations of one for-each.

A worker that dies loses at most the rows of the iterations that were not recorded yet; they lie in files of ours,
named by the attempt, and are made again.
"""

from __future__ import annotations

from collections.abc import Sequence

from node_catalog.sdk.failpoint import failpoint
from runtime import finishing
from runtime.claims import Claim, begin_lot
from runtime.endings import Ending
from runtime.engine.work import StageOutcome, rated_nodes
from runtime.errors import LeaseLostError
from runtime.finishing import Unwritten
from runtime.iterating import IterationWorks
from runtime.lot_work import LotWork
from runtime.models import Run
from runtime.pace import Pace
from runtime.progress import Progress
from runtime.runner import Pool, when_database_answers
from runtime.staging import iteration_result


def run_iterations(lot: Sequence[Claim], pool: Pool, progress: Progress, pace: Pace) -> None:
    """Do what was claimed together and write down how each one ended. Never raises."""
    _IterationLot(lot, pool, progress, pace).do()


class _IterationLot(LotWork):
    _works: IterationWorks

    def _work_off(self) -> None:
        first = self._lot[0]
        if not when_database_answers(first, lambda: begin_lot(self._lot)):
            raise LeaseLostError()
        run = Run.objects.with_person().get(pk=first.task.run_id)
        self._works = IterationWorks(run, first.task.payload["loop"])
        for claim in self._lot:
            if claim is not first and (self._is_late() or claim.should_rest):
                break
            self._one(claim)
        self._record()
        for claim in self._not_ended():
            self._hand_back(claim)

    def _attempt(self, claim: Claim) -> Ending:
        work = self._works.work(claim.task)
        failpoint("runner.before_work")
        claim.rated = rated_nodes(work)
        outcome = self._pool.run(
            work, lambda report: self._progress.note(claim, report), claim.stop, on_wait=claim.news_of_readers
        )
        failpoint("runner.after_work")
        assert isinstance(outcome, StageOutcome), "a stage's work has a stage's outcome"
        return Ending(iteration_result(outcome))

    def _write(self, done: Sequence[Unwritten]) -> None:
        when_database_answers(done[0].claim, lambda: finishing.complete_iterations(done))
