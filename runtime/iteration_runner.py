"""Does a lot: iterations of one for-each, one after the other. What has ended is recorded a few times a second.

A worker that dies loses at most the rows of the iterations that were not recorded yet; they lie in files of ours,
named by the attempt, and are made again.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from node_catalog.sdk.failpoint import failpoint
from runtime import finishing, states
from runtime.claims import Claim, begin_lot
from runtime.endings import Ending
from runtime.engine.errors import CancelledError as WorkCancelledError
from runtime.engine.work import rated_nodes
from runtime.errors import LeaseLostError
from runtime.finishing import Unwritten
from runtime.iterating import IterationWorks
from runtime.models import Run
from runtime.pace import LATE_SECONDS, RECORD_SECONDS, Pace
from runtime.places import remove_temporary
from runtime.progress import Progress
from runtime.runner import Pool, end_badly, when_database_answers
from runtime.staging import iteration_result


def run_lot(lot: Sequence[Claim], pool: Pool, progress: Progress, pace: Pace) -> None:
    """Do what was claimed together and write down how each one ended. Never raises."""
    run = _LotRun(lot, pool, progress, pace)
    try:
        run.work_off()
    except LeaseLostError:
        for claim in lot:
            claim.let_go("lost")
    except Exception as error:
        run.end_rest(error)
    finally:
        for claim in lot:
            progress.stop(claim)
            remove_temporary(claim.task.pk, claim.attempt)


class _LotRun:
    def __init__(self, lot: Sequence[Claim], pool: Pool, progress: Progress, pace: Pace) -> None:
        self._lot = lot
        self._pool = pool
        self._progress = progress
        self._pace = pace
        self._done: list[Unwritten] = []
        self._began_at = self._recorded_at = time.monotonic()

    def work_off(self) -> None:
        """One after the other. Raises LeaseLostError, or what went wrong before the first one."""
        first = self._lot[0]
        if not when_database_answers(first, lambda: begin_lot(self._lot)):
            raise LeaseLostError()
        run = Run.objects.select_related("started_by__organisation").get(pk=first.task.run_id)
        works = IterationWorks(run, first.task.payload["loop"])
        for claim in self._lot:
            is_late = time.monotonic() - self._began_at > LATE_SECONDS
            if claim is not first and (is_late or claim.should_rest):
                break
            self._one(claim, works)
        self._record()
        self._hand_back_rest()

    def _one(self, claim: Claim, works: IterationWorks) -> None:
        began_at = time.monotonic()
        self._progress.start(claim)
        try:
            outcome = self._rows(claim, works)
        except LeaseLostError:
            raise
        except Exception as error:
            self._progress.stop(claim)
            self._record()
            end_badly(claim, error)
            return
        self._progress.stop(claim)
        ended_at = time.monotonic()
        self._pace.note(claim.task, ended_at - began_at)
        self._done.append(Unwritten(claim, Ending(iteration_result(outcome)), began_at, ended_at))
        if ended_at - self._recorded_at > RECORD_SECONDS:
            self._record()

    def _rows(self, claim: Claim, works: IterationWorks) -> Any:
        if claim.stop.is_set():
            raise WorkCancelledError()
        work = works.work(claim.task)
        failpoint("runner.before_work")
        claim.rated = rated_nodes(work)
        outcome = self._pool.run(
            work, lambda report: self._progress.note(claim, report), claim.stop, on_wait=claim.news_of_readers
        )
        failpoint("runner.after_work")
        return outcome

    def _record(self) -> None:
        """Write down what is done. Raises LeaseLostError."""
        done, self._done = self._done, []
        self._recorded_at = time.monotonic()
        if done:
            when_database_answers(done[0].claim, lambda: finishing.complete_iterations(done))

    def _hand_back_rest(self) -> None:
        for claim in self._not_ended():
            finishing.hand_back(claim)

    def end_rest(self, error: Exception) -> None:
        """Something is wrong that concerns them all."""
        for claim in self._not_ended():
            end_badly(claim, error)

    def _not_ended(self) -> list[Claim]:
        return [claim for claim in self._lot if claim.state in states.ACTIVE]
