"""What doing a lot is, whatever it is made of: one claim after the other in one slot, and what has ended is written
down a few times a second.
"""

from __future__ import annotations

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence

from runtime import finishing, states
from runtime.claims import Claim
from runtime.endings import Ending
from runtime.engine.errors import CancelledError as WorkCancelledError
from runtime.errors import LeaseLostError
from runtime.finishing import Unwritten
from runtime.pace import LATE_SECONDS, RECORD_SECONDS, Pace
from runtime.places import remove_temporary
from runtime.progress import Progress
from runtime.runner import Pool, end_badly, when_database_answers

log = logging.getLogger(__name__)


class LotWork(ABC):
    """A lot at work."""

    def __init__(self, lot: Sequence[Claim], pool: Pool, progress: Progress, pace: Pace) -> None:
        self._lot = lot
        self._pool = pool
        self._progress = progress
        self._pace = pace
        self._done: list[Unwritten] = []
        self._began_at = self._recorded_at = time.monotonic()

    def do(self) -> None:
        """Do what was claimed together and write down how each one ended. Never raises."""
        try:
            self._work_off()
        except LeaseLostError:
            for claim in self._lot:
                claim.let_go("lost")
        except Exception as error:
            for claim in self._not_ended():
                end_badly(claim, error)
        finally:
            for claim in self._lot:
                self._progress.stop(claim)
                remove_temporary(claim.task.pk, claim.attempt)

    @abstractmethod
    def _work_off(self) -> None:
        """``_one`` after the other. Raises LeaseLostError, or what concerns them all."""

    @abstractmethod
    def _attempt(self, claim: Claim) -> Ending:
        """Do the work of a claim. Raises what went wrong."""

    @abstractmethod
    def _write(self, done: Sequence[Unwritten]) -> None:
        """Write down what is done. Raises LeaseLostError when the lot is no longer ours."""

    def _one(self, claim: Claim) -> None:
        began_at = time.monotonic()
        try:
            ending = self._watched(claim)
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

    def _watched(self, claim: Claim) -> Ending:
        self._progress.start(claim)
        try:
            if claim.stop.is_set():
                raise WorkCancelledError()
            return self._attempt(claim)
        finally:
            self._progress.stop(claim)

    def _record(self) -> None:
        done, self._done = self._done, []
        self._recorded_at = time.monotonic()
        if done:
            self._write(done)

    def _is_late(self) -> bool:
        return time.monotonic() - self._began_at > LATE_SECONDS

    def _not_ended(self) -> list[Claim]:
        """Claims that are still held."""
        return [claim for claim in self._lot if claim.state in states.ACTIVE and claim.why != "lost"]

    @staticmethod
    def _hand_back(claim: Claim) -> None:
        when_database_answers(claim, lambda: finishing.hand_back(claim))
