"""Does a stretch: a claimed stage and, right behind it in the same slot, stages of the same run that it releases.

A light stage costs less than its claim, and than the bell that calls somebody for it. So a worker goes on with a
follower at once and writes down what has ended a few times a second, as with iterations. Nobody else can claim a stage
while the one before it is not written down, and that one is ours: its claim is the fence of all that is done ahead. A
stage that takes longer than a moment is claimed while it is at work, with an attempt and a lease of its own.

While a child is at work on one, the work of the next one is made; it is used when it still is the next one then.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection, Sequence
from copy import copy
from functools import partial

from flows.graph.plan import HERE, Plan
from node_catalog.sdk.failpoint import failpoint
from runtime import finishing, places, staging, states
from runtime.bindings import Today
from runtime.claims import Claim, Holding
from runtime.endings import Ending
from runtime.engine.errors import CancelledError as WorkCancelledError
from runtime.engine.work import Report, StageOutcome, StageWork
from runtime.errors import LeaseLostError
from runtime.finishing import Unwritten
from runtime.lots import was_tried
from runtime.models import Run, Task
from runtime.moves import RELEASING, Choose, ports_taken
from runtime.offers import Offers
from runtime.pace import RECORD_SECONDS
from runtime.plans import plan_of
from runtime.progress import Progress
from runtime.runner import BEGIN_SECONDS, Pool, attempt, begin_or_stop, end_badly, when_database_answers
from runtime.staging import FILES_OF_OURS

STRETCH_SECONDS = 1.0
"""After so long other runs have their turn."""

log = logging.getLogger(__name__)


def run_stretch(head: Claim, pool: Pool, progress: Progress, offers: Offers, holding: Holding) -> None:
    """Do the claimed stage and what follows it, and write down how each one ended. Never raises."""
    stretch = _Stretch(head, pool, progress, offers, holding)
    try:
        stretch.work_off()
    except LeaseLostError:
        log.info("task %s: another attempt has taken over", stretch.anchor.task.pk)
    except Exception as error:
        stretch.end_badly(error)
    finally:
        stretch.close()


class _Stop(threading.Event):
    """Set when the stretch must let go: whatever claim it holds by then."""

    def __init__(self, stretch: _Stretch) -> None:
        super().__init__()
        self._stretch = stretch

    def is_set(self) -> bool:
        return self._stretch.anchor.stop.is_set()


class _Stretch:
    def __init__(self, head: Claim, pool: Pool, progress: Progress, offers: Offers, holding: Holding) -> None:
        self.anchor = head
        """What the database knows to be ours: the first stage that is not written down."""
        self._pool = pool
        self._progress = progress
        self._offers = offers
        self._holding = holding
        self._stop = _Stop(self)
        self._done: list[Unwritten] = []
        """Stages that have ended and are not written down."""
        self._unsynced: list[Ending] = []
        """Those of them whose files are not durable."""
        self._ahead: Claim | None = None
        """At work without a claim."""
        self._began_at = self._recorded_at = time.monotonic()
        self._others: Sequence[Task] | None = None
        self._today = Today()
        self._next_work: tuple[Claim, StageWork | None] | None = None
        """Made while the stage before it was at work."""

    def work_off(self) -> None:
        """One stage after the other. Raises LeaseLostError, or why the stage at work has ended badly."""
        claim: Claim | None = self.anchor
        while claim is not None:
            began_at = time.monotonic()
            self._progress.start(claim)
            is_ours = claim.task.payload.get("sink") in FILES_OF_OURS
            prepare = self._prepare_first if is_ours else None
            ending = attempt(claim, self._pool, self._progress, prepare)
            self._note(claim, ending, began_at, is_durable=not is_ours)
            if is_ours and not was_tried(claim.task):
                self._go_ahead()
            claim = self._record(self._next)

    def _prepare_first(self, claim: Claim) -> StageWork:
        return staging.prepare_first(claim, self._today)

    def end_badly(self, error: Exception) -> None:
        """Write down how the stage at work ended. Never raises."""
        try:
            broken, self._ahead = self._ahead, None
            if broken is None:
                self._progress.stop(self.anchor)
                end_badly(self.anchor, error)
            elif not self.anchor.stop.is_set():
                # It has to bear its own error: claimed now, and ended at once.
                claim = self._record(_only(broken))
                if claim is not None:
                    self._progress.stop(claim)
                    end_badly(claim, error)
            elif self.anchor.why != "lost":
                self._record(None)
        except LeaseLostError:
            log.info("task %s: another attempt has taken over", self.anchor.task.pk)
        except Exception as unwritten:
            log.warning("task %s: its end could not be written (%s)", self.anchor.task.pk, type(unwritten).__name__)

    def close(self) -> None:
        """Nothing is held any more."""
        self._let_go(self.anchor)

    # ── Stages that are not claimed yet ───────────────────────────────────────────────────────────────────

    def _go_ahead(self) -> None:
        """Do what follows until it has to be written down."""
        while not self._must_record() and (task := self._follower()) is not None:
            self._do_ahead(task)

    def _follower(self, coming: str = "") -> Task | None:
        """A stage that is released by what is not written down yet, and so by nobody else.

        ``coming``: a stage at work, as if it were done.
        """
        if not self._may_go_on():
            return None
        new = {one.claim.task.stage: one.ending.result for one in self._done} | ({coming: {}} if coming else {})
        if self._others is None:
            if not _has_followers(plan_of(self._run.plan_id), new):
                return None
            rows = self._run.tasks.filter(state__in=RELEASING).exclude(stage__contains=states.ITERATION)
            self._others = list(rows.order_by("created_at", "stage"))
        mine = [task for task in self._others if task.stage not in new and not new.keys().isdisjoint(task.after)]
        if not mine:
            return None
        passed = {task.stage: task for task in self._others if task.state != states.PENDING}
        skipped = {stage for stage, task in passed.items() if task.state == states.SKIPPED}
        results = {stage: task.result for stage, task in passed.items()} | new
        taken = {stage: ports for stage, result in results.items() if (ports := ports_taken(result)) is not None}
        for task in mine:
            is_due = self._is_light(task) and states.is_released(task.after, results)
            if is_due and states.is_needed(task.payload.get("needs"), skipped, taken):
                return task
        return None

    def _is_light(self, task: Task) -> bool:
        """Never tried, and nothing but files of ours comes of it: done again, it harms nobody."""
        is_new = task.state == states.PENDING and task.attempt == 0
        return is_new and self._can(task) and task.payload.get("sink") in FILES_OF_OURS

    def _do_ahead(self, task: Task) -> None:
        """Do a stage that has no claim yet. One that takes longer gets it while it is at work."""
        made, self._next_work = self._next_work, None
        if made is None or made[0].task.pk != task.pk:
            made = self._claim_ahead(task), None
        claim, work = made
        self._ahead, lot = claim, claim.task.lot
        began_at = time.monotonic()

        def on_wait() -> None:
            nonlocal claim
            # Once the child is told to stop it is too late for a claim, under which its end would be an error.
            if time.monotonic() - began_at < BEGIN_SECONDS or self._stop.is_set():
                return
            if self._ahead is not None:
                claim = self._claim_at_work(self._ahead)
            elif claim.state == states.CLAIMED:
                when_database_answers(claim, lambda: begin_or_stop(claim))

        def on_report(report: Report) -> None:
            on_wait()
            if self._ahead is None:
                self._progress.note(claim, report)

        failpoint("stretch.ahead")
        try:
            if work is None:
                work = when_database_answers(self.anchor, lambda: staging.prepare_unsynced(claim, self._today))
            meanwhile = partial(self._make_next, task.stage, work)
            outcome = self._pool.run(work, on_report, self._stop, on_wait=on_wait, meanwhile=meanwhile)
            assert isinstance(outcome, StageOutcome), "a stage's work has a stage's outcome"
            self._progress.stop(claim)
            ending = when_database_answers(self.anchor, lambda: staging.finish(claim, outcome))
        finally:
            places.remove_temporary(task.pk, lot)
        self._ahead = None
        self._note(claim, ending, began_at, is_durable=False)

    def _claim_ahead(self, task: Task) -> Claim:
        """What stands for the claim of a stage that has none yet; its task is a row of its own."""
        task = copy(task)
        task.run, task.attempt, task.lot = self._run, 1, self.anchor.task.lot
        return Claim(task, 1, self.anchor.owner, states.PENDING)

    def _make_next(self, stage: str, work: StageWork) -> None:
        """Make the work of the stage that will follow ``stage``, which has just begun, if nothing comes in between.

        Never raises: what is wrong with it shows when it is its turn.
        """
        if work.stage.engine != HERE or self._must_record():
            return
        self._today.coming = {stage: work.sink.path}
        try:
            follower = self._follower(stage)
            if follower is not None:
                claim = self._claim_ahead(follower)
                self._next_work = claim, staging.prepare_unsynced(claim, self._today)
        except Exception as error:
            log.debug("the stage behind %s is made later (%s)", stage, type(error).__name__)
        finally:
            self._today.coming = {}

    def _claim_at_work(self, ahead: Claim) -> Claim:
        """The stage at work takes its time: write down what was before it, and claim it."""
        claim = self._record(_only(ahead), lot=ahead.task.lot)
        if claim is None:
            raise WorkCancelledError()
        self._ahead = None
        claim.task.run = ahead.task.run
        self._progress.start(claim)
        return claim

    # ── Writing down ──────────────────────────────────────────────────────────────────────────────────────

    def _note(self, claim: Claim, ending: Ending, began_at: float, *, is_durable: bool) -> None:
        self._done.append(Unwritten(claim, ending, began_at, time.monotonic()))
        if not is_durable:
            self._unsynced.append(ending)
        self._today.left[claim.task.stage] = ending.result

    def _record(self, choose: Choose | None, lot: str = "") -> Claim | None:
        """Write down what is done; the claim of what ``choose`` has picked. Raises LeaseLostError."""
        if not self._done:
            return None
        staging.make_durable(self._unsynced)
        anchor, (first, *ahead) = self.anchor, self._done
        claim: Claim | None = when_database_answers(
            anchor, lambda: finishing.complete(anchor, first.ending, ahead, choose, lot)
        )
        failpoint("runner.after_done")
        self._done, self._unsynced, self._others, self._today, self._next_work = [], [], None, Today(), None
        self._recorded_at = time.monotonic()
        if claim is not None:
            self._holding.add(claim)
            self.anchor = claim
        self._let_go(anchor)
        return claim

    def _let_go(self, claim: Claim) -> None:
        self._progress.stop(claim)
        self._holding.drop(claim)
        places.remove_temporary(claim.task.pk, claim.attempt)

    def _next(self, run: Run, released: Sequence[Task]) -> Task | None:
        if run.state in states.HELD or not self._may_go_on():
            return None
        return next(filter(self._can, released), None)

    def _can(self, task: Task) -> bool:
        """What reads a node with load limits is claimed like any other: it may have to wait for its turn there."""
        return task.kind == Task.Kind.STAGE and not task.uses and self._offers.meets(task.needs, task.level)

    def _may_go_on(self) -> bool:
        is_late = time.monotonic() - self._began_at > STRETCH_SECONDS
        return not (is_late or self.anchor.should_rest or self.anchor.stop.is_set())

    def _must_record(self) -> bool:
        return time.monotonic() - self._recorded_at >= RECORD_SECONDS

    @property
    def _run(self) -> Run:
        run = self.anchor.task.run
        assert run is not None, "a stage belongs to a run"
        return run


def _only(wanted: Claim) -> Choose:
    """Picks the stage that is at work already: it goes on to its end, also when its run shall pause."""
    return lambda run, released: next((task for task in released if task.pk == wanted.task.pk), None)


def _has_followers(plan: Plan, stages: Collection[str]) -> bool:
    return any(not set(stage.after).isdisjoint(stages) for stage in plan.stages)
