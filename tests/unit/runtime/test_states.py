"""The table of moves, and a model check: two workers, two dispatchers and a reaper, interleaved on a fake clock.

A run may have to wait for its turn first; stages that leave nothing but files of ours may be done ahead of their claim.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from runtime import states
from runtime.states import (
    ACTIVE,
    CANCELLED,
    CANCELLING,
    CLAIMED,
    COMMITTING,
    DEAD,
    DONE,
    FAILED,
    FINISHED,
    PAUSED,
    PAUSING,
    PENDING,
    QUEUED,
    READY,
    RUNNING,
)

LEASE = 15.0


def test_finished_states_have_no_way_out() -> None:
    assert all(not states.TASK_MOVES[state] for state in FINISHED)
    assert all(not states.RUN_MOVES[state] for state in states.RUN_FINISHED)


def test_every_target_is_a_state_and_is_reachable() -> None:
    reachable, frontier = {PENDING}, [PENDING]
    while frontier:
        for following in states.TASK_MOVES[frontier.pop()] - reachable:
            reachable.add(following)
            frontier.append(following)
    assert reachable == states.TASK_STATES


@pytest.mark.parametrize("state", sorted(states.TASK_STATES | states.RUN_STATES))
def test_every_state_has_a_plain_word(state: str) -> None:
    assert states.plain(state) in {"waiting", "running", "done", "failed", "cancelled", "paused", "skipped"}


def test_illegal_moves_are_refused() -> None:
    with pytest.raises(states.IllegalMoveError, match="done → running"):
        states.check_task_move(DONE, RUNNING)
    with pytest.raises(states.IllegalMoveError):
        states.check_run_move(DONE, RUNNING)


def test_back_off_doubles_up_to_a_minute() -> None:
    assert [states.back_off(n) for n in (1, 2, 3, 7, 30)] == [1, 2, 4, 60, 60]


def test_two_crashes_are_enough() -> None:
    assert states.after_loss(2, 5, 1, is_cancelling=False) == READY
    assert states.after_loss(2, 5, 2, is_cancelling=False) == DEAD
    assert states.after_loss(5, 5, 0, is_cancelling=False) == DEAD
    assert states.after_loss(1, 5, 0, is_cancelling=True) == CANCELLED


@dataclass
class Row:
    """A task as the database has it."""

    after: tuple[str, ...]
    state: str = PENDING
    attempt: int = 0
    crashes: int = 0
    owner: str = ""
    lease_until: float = 0.0


@dataclass
class Sink:
    """A target with a ledger and a fence, as the connectors build them."""

    fence: int = 0
    ledger: int | None = None
    deliveries: list[int] = field(default_factory=list)

    def commit(self, attempt: int) -> bool:
        """False when fenced; adopts an earlier commit."""
        if self.ledger is not None:
            return True
        if attempt != self.fence:
            return False
        self.ledger = attempt
        self.deliveries.append(attempt)
        return True


@dataclass
class Hold:
    """What a worker believes it holds. It may be wrong."""

    stage: str
    attempt: int
    state: str = CLAIMED
    is_frozen: bool = False
    ahead: list[str] = field(default_factory=list)
    """Stages behind it that are done as well and not written down; they leave nothing but files of this claim."""


class Interleaved(RuleBasedStateMachine):
    """Each rule is one atomic statement of one process; any order of them must keep the invariants."""

    stages = ("a", "b", "c", "d", "e")
    of_ours = ("d", "e")
    """What leaves files of ours alone may be done ahead of its claim."""

    @initialize(is_queued=st.booleans())
    def start(self, is_queued: bool) -> None:
        self.now = 0.0
        self.run = QUEUED if is_queued else PENDING
        self.has_failed = self.has_started = False
        self.tasks = {
            "a": Row(()), "b": Row(()), "c": Row(("a", "b")), "d": Row(("a",)), "e": Row(("d",)),
        }  # fmt: skip
        self.sinks = {stage: Sink() for stage in self.stages}
        self.bells: list[tuple[str, int]] = []
        self.holds: dict[str, Hold | None] = {"w1": None, "w2": None}
        self.history: list[tuple[str, str, str]] = []
        if not is_queued:
            self.release()

    # the database -------------------------------------------------------------------------------------------

    def move(self, stage: str, old: str, new: str, attempt: int) -> bool:
        row = self.tasks[stage]
        if row.state != old or row.attempt != attempt:
            return False
        states.check_task_move(old, new)
        self.history.append((stage, old, new))
        row.state = new
        return True

    def settle(self) -> None:
        if self.run in states.RUN_FINISHED:
            return
        rows = self.tasks.values()
        if self.has_failed or self.run == CANCELLING:
            for stage, row in self.tasks.items():
                if row.state in states.WAITING:
                    self.move(stage, row.state, CANCELLED, row.attempt)
        end = states.end_of_run(
            [row.state for row in rows], is_cancelling=self.run == CANCELLING, has_failed=self.has_failed
        )
        if end:
            states.check_run_move(self.run, end)
            self.run = end
        elif self.run == PAUSING and states.is_at_rest([row.state for row in rows]):
            states.check_run_move(self.run, PAUSED)
            self.run = PAUSED

    def release(self) -> None:
        done = [stage for stage, row in self.tasks.items() if row.state == DONE]
        for stage, row in self.tasks.items():
            if row.state == PENDING and states.is_released(row.after, done):
                self.move(stage, PENDING, READY, row.attempt)

    @precondition(lambda self: self.run == QUEUED)
    @rule()
    def admit(self) -> None:
        """Its turn has come: another run of its queue has ended."""
        states.check_run_move(self.run, PENDING)
        self.run = PENDING
        self.release()

    # dispatchers ---------------------------------------------------------------------------------------------

    @rule(dispatcher=st.sampled_from(("d1", "d2")), stage=st.sampled_from(stages))
    def ring(self, dispatcher: str, stage: str) -> None:
        row = self.tasks[stage]
        if row.state == READY and len(self.bells) < 6:
            self.bells.append((stage, row.attempt))

    @precondition(lambda self: self.bells)
    @rule(data=st.data())
    def lose_a_bell(self, data: st.DataObject) -> None:
        self.bells.pop(data.draw(st.integers(0, len(self.bells) - 1)))

    # workers -------------------------------------------------------------------------------------------------

    @rule(worker=st.sampled_from(("w1", "w2")), data=st.data())
    def claim(self, worker: str, data: st.DataObject) -> None:
        if self.holds[worker] is not None:
            return
        by_bell = [stage for stage, _ in self.bells]
        stage = data.draw(st.sampled_from(by_bell or list(self.stages)))
        if self.tasks[stage].state != READY or self.run in states.HELD:
            return
        self.take(worker, stage)
        if self.run == PENDING:
            self.run = RUNNING
            self.has_started = True

    @rule(worker=st.sampled_from(("w1", "w2")))
    def begin(self, worker: str) -> None:
        hold = self.holds[worker]
        if hold is None or hold.is_frozen or hold.state != CLAIMED:
            return
        if not self.move(hold.stage, CLAIMED, RUNNING, hold.attempt):
            self.holds[worker] = None
            return
        hold.state = RUNNING
        self.sinks[hold.stage].fence = max(self.sinks[hold.stage].fence, hold.attempt)

    @rule(worker=st.sampled_from(("w1", "w2")))
    def commit(self, worker: str) -> None:
        """The child commits in the sink, also when its lease was lost meanwhile and nobody told it."""
        hold = self.holds[worker]
        if hold is None or hold.state != RUNNING:
            return
        if not self.sinks[hold.stage].commit(hold.attempt):
            self.holds[worker] = None
            return
        hold.state = COMMITTING
        if not self.move(hold.stage, RUNNING, COMMITTING, hold.attempt):
            self.holds[worker] = None

    @rule(worker=st.sampled_from(("w1", "w2")), goes_on=st.booleans())
    def complete(self, worker: str, goes_on: bool = False) -> None:
        """Written down, with what was done ahead; the next stage may be claimed along with it."""
        hold = self.holds[worker]
        if hold is None or hold.is_frozen or hold.state != COMMITTING:
            return
        self.holds[worker] = None
        if not self.move(hold.stage, COMMITTING, DONE, hold.attempt):
            return
        if not (self.has_failed or self.run == CANCELLING):
            for stage in hold.ahead:
                row = self.tasks[stage]
                # Nobody else can have moved it: what it waited for was ours.
                assert (row.state, row.attempt) == (PENDING, 0)
                assert self.move(stage, PENDING, DONE, 0)
                row.attempt, row.owner = 1, worker
                self.sinks[stage].fence = 1
                assert self.sinks[stage].commit(1)
        self.release()
        if goes_on and self.run not in states.HELD and not (self.has_failed or self.run == CANCELLING):
            ready = [stage for stage in self.of_ours if self.tasks[stage].state == READY]
            if ready:
                self.take(worker, ready[0])
        self.settle()

    def take(self, worker: str, stage: str) -> None:
        row = self.tasks[stage]
        assert self.move(stage, READY, CLAIMED, row.attempt)
        row.attempt += 1
        row.owner, row.lease_until = worker, self.now + LEASE
        self.holds[worker] = Hold(stage, row.attempt)

    @rule(worker=st.sampled_from(("w1", "w2")))
    def go_ahead(self, worker: str) -> None:
        """Do a stage behind one that is done and not written down, whatever the database says meanwhile."""
        hold = self.holds[worker]
        if hold is None or hold.state != COMMITTING or hold.attempt > 1:
            return
        new = {hold.stage, *hold.ahead}
        for stage in self.of_ours:
            if stage not in new and set(self.tasks[stage].after) <= new and self.tasks[stage].state == PENDING:
                hold.ahead.append(stage)
                return

    @rule(worker=st.sampled_from(("w1", "w2")), retry=st.sampled_from(("fatal", "retry")))
    def fail(self, worker: str, retry: str) -> None:
        hold = self.holds[worker]
        if hold is None or hold.is_frozen or hold.state not in (CLAIMED, RUNNING):
            return
        self.holds[worker] = None
        new = states.after_error(retry, hold.attempt, 5, is_cancelling=self.run == CANCELLING)
        if self.move(hold.stage, hold.state, new, hold.attempt):
            self.has_failed = self.has_failed or new == FAILED
            self.settle()

    @rule(worker=st.sampled_from(("w1", "w2")))
    def beat(self, worker: str) -> None:
        hold = self.holds[worker]
        if hold is None or hold.is_frozen:
            return
        row = self.tasks[hold.stage]
        if row.attempt == hold.attempt and row.owner == worker and row.state in ACTIVE:
            row.lease_until = self.now + LEASE
        else:
            self.holds[worker] = None

    @rule(worker=st.sampled_from(("w1", "w2")))
    def kill(self, worker: str) -> None:
        self.holds[worker] = None

    @rule(worker=st.sampled_from(("w1", "w2")), is_frozen=st.booleans())
    def freeze_or_thaw(self, worker: str, is_frozen: bool) -> None:
        hold = self.holds[worker]
        if hold is not None:
            hold.is_frozen = is_frozen

    # the reaper, and people ----------------------------------------------------------------------------------

    @rule()
    def reap(self) -> None:
        for stage, row in self.tasks.items():
            if row.state in ACTIVE and row.lease_until < self.now:
                new = states.after_loss(row.attempt, 5, row.crashes, is_cancelling=self.run == CANCELLING)
                if self.move(stage, row.state, new, row.attempt):
                    self.has_failed = self.has_failed or new == DEAD
        self.settle()

    @rule()
    def cancel(self) -> None:
        if self.run not in states.RUN_FINISHED | {CANCELLING}:
            states.check_run_move(self.run, CANCELLING)
            self.run = CANCELLING
            self.settle()

    @rule()
    def pause(self) -> None:
        if self.run in (PENDING, RUNNING) and not self.has_failed:
            states.check_run_move(self.run, PAUSING)
            self.run = PAUSING
            self.settle()

    @rule()
    def resume(self) -> None:
        if self.run in states.HELD:
            new = RUNNING if self.has_started else PENDING
            states.check_run_move(self.run, new)
            self.run = new

    @rule(seconds=st.floats(0.5, 20))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    # what must always hold -----------------------------------------------------------------------------------

    @invariant()
    def delivered_at_most_once(self) -> None:
        for sink in getattr(self, "sinks", {}).values():
            assert len(sink.deliveries) <= 1, sink

    @invariant()
    def done_means_delivered(self) -> None:
        for stage, row in getattr(self, "tasks", {}).items():
            if row.state == DONE:
                assert self.sinks[stage].ledger is not None

    @invariant()
    def followers_wait(self) -> None:
        tasks = getattr(self, "tasks", {})
        for row in tasks.values():
            if row.state not in (PENDING, CANCELLED):
                assert all(tasks[stage].state == DONE for stage in row.after)

    @invariant()
    def finished_runs_have_no_active_task(self) -> None:
        if getattr(self, "run", PENDING) in states.RUN_FINISHED:
            assert all(row.state in FINISHED for row in self.tasks.values())

    @invariant()
    def queued_runs_wait(self) -> None:
        if getattr(self, "run", PENDING) == QUEUED:
            assert all(row.state == PENDING for row in self.tasks.values())

    @invariant()
    def paused_runs_rest(self) -> None:
        if getattr(self, "run", PENDING) == PAUSED:
            assert not any(row.state in ACTIVE for row in self.tasks.values())

    def teardown(self) -> None:
        """Left to itself, every run ends: nothing is stuck for ever."""
        if not hasattr(self, "tasks"):
            return
        self.holds = {"w1": None, "w2": None}
        self.resume()
        if self.run == QUEUED:
            self.admit()
        for _ in range(40):
            if self.run in states.RUN_FINISHED:
                break
            self.now += LEASE + 1
            self.reap()
            for stage, row in self.tasks.items():
                if row.state == READY:
                    self.move(stage, READY, CLAIMED, row.attempt)
                    row.attempt += 1
                    row.owner, row.lease_until = "w1", self.now + LEASE
                    self.run = RUNNING if self.run == PENDING else self.run
                    self.holds["w1"] = Hold(stage, row.attempt)
                    self.begin("w1")
                    self.commit("w1")
                    self.complete("w1")
            self.settle()
        assert self.run in states.RUN_FINISHED, (self.run, self.tasks)


TestInterleaved = Interleaved.TestCase
TestInterleaved.settings = settings(max_examples=150, stateful_step_count=60, deadline=None, print_blob=True)
