"""Plain values, error facts over the pipe, reports' pace, messages."""

from __future__ import annotations

import threading
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from node_catalog.sdk.errors import ConnectError, FencedError, Problem, RefusedError, SettingsError
from node_catalog.sdk.text import text
from runtime.engine import errors, events
from runtime.engine.cancel import Cancel
from runtime.engine.errors import CancelledError, EngineError, error_from, problem_of
from runtime.engine.events import Reporter
from runtime.engine.pipe import Done, PipeClosedError, Ready, Said, Up, encode, up_reader
from runtime.engine.plain import plain
from runtime.engine.translate import translate
from runtime.engine.work import Report, StageOutcome


@pytest.mark.parametrize(
    "value, shown",
    [(2**53, 2**53), (2**53 + 1, str(2**53 + 1)), (-(2**63), str(-(2**63))), (float("nan"), None), (None, None),
     (float("-inf"), "-Infinity"), (Decimal("1E+3"), "1000"), (Decimal("0.10"), "0.10"), (True, True),
     (datetime.fromisoformat("2026-11-22T14:05"), "2026-11-22T14:05:00"), (date(2026, 1, 2), "2026-01-02"),
     (b"\x00\xff", "00ff"), ("x" * 3000, "x" * 1999 + "…"), ([1, None], [1, None])],
)  # fmt: skip
def test_values_as_json(value: Any, shown: Any) -> None:
    assert plain(value) == shown


@pytest.mark.parametrize(
    "error, retry",
    [(ConnectError("a", text("x", "y"), "w", "d"), "retry"), (RefusedError("a", text("x", "y")), "fatal"),
     (FencedError("a", text("x", "y")), "skip"), (errors.MemoryLimitError("a", text("x", "y")), "fatal"),
     (CancelledError(), "skip"), (errors.SourceFailedError("a", text("x", "y"), retry="fatal"), "fatal"),
     (ZeroDivisionError("secret 42"), "fatal"), (MemoryError(), "fatal")],
)  # fmt: skip
def test_an_error_survives_the_pipe(error: Exception, retry: str) -> None:
    problem = problem_of(error)
    back = error_from(problem)
    assert back.retry == retry
    assert {k: v for k, v in problem_of(back).items() if k != "kind"} | {"problems": problem["problems"]} == {
        k: v for k, v in problem.items() if k != "kind"
    }
    assert "secret" not in str(back.message)
    if isinstance(error, EngineError):
        assert type(back) is type(error)


def test_all_problems_of_settings_survive_the_pipe() -> None:
    found = SettingsError("settings.invalid", text("x", "y"), (Problem("/port", "too_big", text("a", "b")),))
    assert error_from(problem_of(found)).problems[0]["pointer"] == "/port"


@pytest.mark.parametrize(
    "message, code",
    [("Conversion Error: Could not convert string 'zz' to INT32 when casting from source column b\n\nLINE 1: x",
      "engine.conversion"),
     ("Out of Range Error: Overflow in addition of INT64 (9 + 1)!", "engine.range"),
     ("Out of Memory Error: failed to allocate data", "engine.out_of_memory"),
     ("std::bad_alloc", "engine.out_of_memory"), ("Invalid Error: std::bad_alloc", "engine.out_of_memory"),
     ("Invalid Error: something else", "engine.failed"),
     ("INTERRUPT Error: Interrupted!", "engine.cancelled"), ("Binder Error: nope", "engine.plan"),
     ("IO Error: Could not write: No space left on device", "engine.disk_full"), ("strange", "engine.failed")],
)  # fmt: skip
def test_duckdb_in_words(message: str, code: str) -> None:
    error = translate(message, "step1")
    assert error.code == code and error.where == "step1"
    assert "zz" not in str(error.message)
    assert "LINE 1" not in error.detail


def test_a_vanished_file_of_a_source_is_fatal_and_a_break_is_not() -> None:
    gone = translate('IO Error: No files found that match the pattern "/x/a.parquet"', source=True)
    broken = translate("IO Error: connection reset", source=True)
    assert (gone.code, gone.retry, broken.code, broken.retry) == ("source.gone", "fatal", "source.broke_off", "retry")


def test_reports_are_few_and_the_last_one_is_complete() -> None:
    told: list[Report] = []
    with Reporter(told.append, interval=0.05) as reporter:
        for _ in range(20_000):
            reporter.read("read1", 1, 8, 0.001)
        reporter.read("", 5, 40, 0.5)
        reporter.spend("read1", 1.0)
        reporter.phase("writing")
    assert told[-1].counts == {"read1": 20_000} and told[-1].bytes == 160_040
    assert told[-1].sizes == {"read1": 160_000} and told[-1].seconds == {"read1": 21.0}
    assert len(told) < 40
    assert all(set(report.counts) <= {"read1"} for report in told)


def test_a_brief_work_says_nothing_but_its_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Report] = []
    with Reporter(told.append, is_brief=True) as reporter:
        reporter.count("a", 1)
        reporter.phase("committing")
    assert not told
    monkeypatch.setattr(events, "MOMENT", 0.0)
    with Reporter(told.append, is_brief=True) as reporter:
        reporter.phase("committing")
        reporter.count("a", 1)
    assert [report.phase for report in told] == ["committing", "committing"] and told[-1].counts == {"a": 1}


def test_counts_from_many_threads_add_up() -> None:
    told: list[Report] = []
    with Reporter(told.append) as reporter:
        threads = [threading.Thread(target=lambda: [reporter.count("a", 1) for _ in range(2000)]) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert told[-1].counts == {"a": 16_000}
    counts = [report.counts.get("a", 0) for report in told]
    assert counts == sorted(counts)


def test_messages_come_back_from_any_pieces() -> None:
    sent: list[Up] = [Ready(5), Said(1, Report(counts={"a": 3})), Done(1, StageOutcome(rows=7, counts={"a": 3}), 9)]
    data = b"".join(encode(message) for message in sent)
    reader, found = up_reader(), []
    for at in range(0, len(data), 3):
        found += reader.feed(data[at : at + 3])
    assert found == sent


@pytest.mark.parametrize("junk", [b"\xff\xff\xff\xff", b"\x00\x00\x00\x02hi", b"hello, I print to standard output"])
def test_what_is_no_message_ends_the_child(junk: bytes) -> None:
    with pytest.raises(PipeClosedError):
        up_reader().feed(junk)


def test_a_stop_interrupts_and_stays() -> None:
    cancel, hit = Cancel(), []
    with cancel.interrupts(lambda: hit.append(1)):
        cancel.stop()
    with pytest.raises(CancelledError), cancel.interrupts(lambda: hit.append(2)):
        pass
    assert hit == [1]
