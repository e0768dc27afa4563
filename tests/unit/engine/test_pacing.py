"""How fast a node is read: rates, shares of them, rests while others are at work, and reads that come first."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from flows.graph.plan import Binding
from node_catalog.sdk.contract import ConnectContext
from node_catalog.sdk.errors import SourceBusyError, SourceError
from node_catalog.sdk.ports import Schema
from runtime.engine.cancel import Cancel
from runtime.engine.errors import CancelledError
from runtime.engine.pacing import BUSY_A_SECOND, SHARE_WHEN_BUSY, TEMPOS, Pacing, Tempo, before_request
from runtime.engine.spool import read_first, spooled
from runtime.engine.streams import Flow
from runtime.engine.work import Load, SourceSpec

SCHEMA = Schema.of([("n", "integer")])


class Clock:
    """Time that passes when somebody waits."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Patient(Cancel):
    """Waits by the clock."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def pause(self, seconds: float) -> None:
        self._clock.sleep(seconds)


class Server:
    """A connector that tells how much its server has done: ``per_second`` by others."""

    per_second = 0.0
    burst = 0.0, 0
    """Seconds after its beginning, and work that is told from then on."""
    refusal: Exception | None = None

    def __init__(self, clock: Clock) -> None:
        self._clock, self.asked, self._began = clock, 0, clock.now

    @contextmanager
    def work_done(self, settings: Any, context: Any) -> Iterator[Any]:
        def ask() -> int:
            self.asked += 1
            if self.refusal is not None:
                raise self.refusal
            after, more = self.burst
            return int(self._clock.now * self.per_second) + (more if self._clock.now - self._began >= after else 0)

        yield ask


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr("runtime.engine.pacing.time", made)
    monkeypatch.setattr(TEMPOS, "_of", {})
    return made


def batches(clock: Clock, number: int, rows: int = 1000, seconds: float = 0.1) -> Iterator[pa.RecordBatch]:
    """As a server gives them: each takes so long to make."""
    for _ in range(number):
        clock.sleep(seconds)
        yield pa.record_batch({"n": range(rows)})


def read(clock: Clock, load: Load, server: Any = None, number: int = 100, limit: float = 600) -> float:
    """Seconds for which a read of ``number`` batches went on."""
    began = clock.now
    pacing = Pacing(load, server, None, ConnectContext(statement_timeout=limit))  # type: ignore[arg-type]
    assert len(list(pacing.pace(batches(clock, number), Flow("a"), Patient(clock)))) == number
    return clock.now - began


def test_a_rate_is_held_and_shared(clock: Clock) -> None:
    load = Load(node="N1", rows_per_second=2000)
    assert read(clock, load, number=40) == pytest.approx(20, rel=0.05)
    shared = Load(node="N1", rows_per_second=2000, readers=4)
    assert read(clock, shared, number=40) == pytest.approx(80, rel=0.05)
    assert read(clock, Load(node="N2"), number=40) == pytest.approx(4)


def test_a_share_that_changes_counts_at_once(clock: Clock) -> None:
    tempo, load = Tempo(), Load(node="N1", rows_per_second=1000)
    assert tempo.rows_due(load, 1000) == pytest.approx(0.5)
    clock.sleep(0.5)
    tempo.readers = 3
    assert tempo.rows_due(load, 1000) == pytest.approx(3)


def test_requests_wait_for_each_other(clock: Clock) -> None:
    ask = before_request(Load(node="N1", requests_per_second=0.5))
    assert ask is not None and before_request(Load(node="N1")) is None and before_request(None) is None
    began = clock.now
    for _ in range(4):
        ask()
    assert clock.now - began == pytest.approx(6)


def test_a_busy_server_is_left_alone_most_of_the_time(clock: Clock) -> None:
    server = Server(clock)
    server.per_second = 4 * BUSY_A_SECOND
    polite = Load(node="N1", yields=True)
    seconds = read(clock, polite, server)
    assert seconds == pytest.approx(10 / SHARE_WHEN_BUSY, rel=0.2)
    assert server.asked <= seconds + 2
    server.per_second = 1
    clock.sleep(3)
    assert read(clock, polite, server) < 10 * 1.5, "quiet again"


def test_a_quiet_server_is_read_at_full_speed_and_a_short_read_asks_nothing(clock: Clock) -> None:
    server = Server(clock)
    assert read(clock, Load(node="N1", yields=True), server) == pytest.approx(10)
    asked = server.asked
    clock.sleep(60)
    read(clock, Load(node="N1", yields=True), server, number=2)
    assert 0 < asked == server.asked


def test_a_scan_of_small_tables_does_not_take_itself_for_a_crowd(clock: Clock) -> None:
    server = Server(clock)
    server.per_second = 2 * BUSY_A_SECOND
    began = clock.now
    for _ in range(50):  # five tables a second, ten statements each: nobody else is there
        read(clock, Load(node="N1", yields=True), server, number=2)
    assert clock.now - began == pytest.approx(10)
    server.per_second = 20 * BUSY_A_SECOND
    for _ in range(50):
        read(clock, Load(node="N1", yields=True), server, number=2)
    assert clock.now - began > 50


def test_a_burst_around_a_read_is_not_taken_for_users(clock: Clock) -> None:
    server = Server(clock)
    server.burst = 0.45, 30  # a session of ours ends and tells its transactions: between the first two looks
    assert read(clock, Load(node="N1", yields=True), server, number=20) == pytest.approx(2)


def test_a_server_that_does_not_say_is_read_all_the_same(clock: Clock) -> None:
    server = Server(clock)
    server.refusal = SourceError("no", {})
    assert read(clock, Load(node="N1", yields=True), server) == pytest.approx(10)
    server.refusal = SourceBusyError("too_many", {})
    assert read(clock, Load(node="N1", yields=True), server) > 50


def test_rests_leave_a_statement_enough_of_its_time(clock: Clock) -> None:
    server = Server(clock)
    server.per_second = 4 * BUSY_A_SECOND
    assert read(clock, Load(node="N1", yields=True), server, limit=30) == pytest.approx(10 + 0.7 * 30, rel=0.1)


def test_a_stop_ends_a_rest() -> None:
    cancel = Cancel()
    threading.Timer(0.05, cancel.stop).start()
    began = time.monotonic()
    cancel.pause(60)
    assert time.monotonic() - began < 30
    with pytest.raises(CancelledError):
        cancel.pause(60)


def test_reads_beyond_those_allowed_come_first() -> None:
    bindings = [Binding(alias, "dataset", SCHEMA) for alias in "abcd"]
    one, other = Load(node="N1", reads=1), Load(node="N2", reads=1)
    loads = {"a": one, "b": other, "c": one, "d": None}
    specs = {alias: SourceSpec(alias=alias, load=load) for alias, load in loads.items()}
    assert read_first(bindings, specs) == {"a"}


@pytest.mark.parametrize("has_folder", [True, False])
def test_what_was_read_first_comes_back_whole_and_leaves_nothing(tmp_path: Path, has_folder: bool) -> None:
    schema = pa.schema([("n", pa.int64())])
    made = (pa.record_batch({"n": numbers}) for numbers in ([1, 2], [3]))
    reader = pa.RecordBatchReader.from_batches(schema, made)
    folder = str(tmp_path / "spill") if has_folder else ""
    with spooled(reader, folder, "a") as rows:
        assert rows.read_all().column("n").to_pylist() == [1, 2, 3]
    assert not list(tmp_path.rglob("*.arrow"))
