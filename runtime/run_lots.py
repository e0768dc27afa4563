"""Does a lot of runs: the only stages of light runs of one flow, claimed together and done one after the other.

A light run costs less than its claim and the record of its end, so that both are shared, as with the iterations of a
for-each. Each run keeps its own attempt, lease, cancel and error. Until its turn comes it is said to be waiting. A
worker that dies loses at most what was not written down yet, in files of ours, which is done again.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Sequence

from node_catalog.sdk.failpoint import failpoint
from runtime import finishing, places, staging, states
from runtime.bindings import Today
from runtime.claims import Claim
from runtime.engine.errors import CancelledError as WorkCancelledError
from runtime.engine.work import Work
from runtime.errors import LeaseLostError
from runtime.finishing import Unwritten
from runtime.lots import is_iteration, was_tried
from runtime.models import Run, Task
from runtime.pace import LATE_SECONDS, RECORD_SECONDS, Pace
from runtime.plans import is_alone, plan_of
from runtime.progress import Progress
from runtime.runner import Pool, attempt, end_badly, when_database_answers
from runtime.staging import FILES_OF_OURS

log = logging.getLogger(__name__)


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
    runs = _RunLot(lot, pool, progress, pace)
    try:
        runs.work_off()
    except Exception as error:
        for claim in runs.not_ended():
            end_badly(claim, error)
    finally:
        for claim in lot:
            progress.stop(claim)
            places.remove_temporary(claim.task.pk, claim.attempt)


class _RunLot:
    def __init__(self, lot: Sequence[Claim], pool: Pool, progress: Progress, pace: Pace) -> None:
        self._lot = lot
        self._pool = pool
        self._progress = progress
        self._pace = pace
        self._today = Today()
        self._waiting = deque(lot)
        self._done: list[Unwritten] = []
        self._began_at = self._recorded_at = time.monotonic()

    def work_off(self) -> None:
        """One after the other. Raises what went wrong before the first one."""
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
        loaded = Run.objects.select_related("started_by__organisation").in_bulk([one.task.run_id for one in self._lot])
        for claim in self._lot:
            claim.task.run = loaded[claim.task.run_id]

    def _one(self, claim: Claim) -> None:
        began_at = time.monotonic()
        self._progress.start(claim)
        try:
            if claim.stop.is_set():
                raise WorkCancelledError()
            ending = attempt(claim, self._pool, self._progress, self._prepare, self._while_at_work)
        except LeaseLostError:
            log.info("task %s: another attempt has taken over", claim.task.pk)
            claim.let_go("lost")
        except Exception as error:
            self._record()
            end_badly(claim, error)
        else:
            ended_at = time.monotonic()
            self._pace.note(claim.task, ended_at - began_at)
            self._done.append(Unwritten(claim, ending, began_at, ended_at))
            if ended_at - self._recorded_at > RECORD_SECONDS:
                self._record()
        finally:
            self._progress.stop(claim)

    def _prepare(self, claim: Claim) -> Work:
        return staging.prepare_unsynced(claim, self._today)

    def _while_at_work(self) -> None:
        """One takes its time: write down what was before it, and let others take what was to come after it."""
        if self._is_late():
            self._record()
            while self._waiting:
                self._hand_back(self._waiting.popleft())

    def _is_late(self) -> bool:
        return time.monotonic() - self._began_at > LATE_SECONDS

    def _record(self) -> None:
        """Write down what is done."""
        done, self._done = self._done, []
        self._recorded_at = time.monotonic()
        if not done:
            return
        staging.make_durable(one.ending for one in done)
        try:
            when_database_answers(done[0].claim, lambda: finishing.complete_runs(done))
        except LeaseLostError:
            # One of them has gone to another attempt; the others are ours.
            for one in done:
                self._record_alone(one)
        failpoint("runner.after_done")

    @staticmethod
    def _record_alone(one: Unwritten) -> None:
        try:
            when_database_answers(one.claim, lambda: finishing.complete(one.claim, one.ending))
        except LeaseLostError:
            one.claim.let_go("lost")

    @staticmethod
    def _hand_back(claim: Claim) -> None:
        when_database_answers(claim, lambda: finishing.hand_back(claim))

    def not_ended(self) -> list[Claim]:
        """Claims that are still held."""
        return [claim for claim in self._lot if claim.state in states.ACTIVE and claim.why != "lost"]
