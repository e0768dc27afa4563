"""Answers of calls that read nothing: a few rows go without Arrow, and the answer is the same, byte by byte."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from flows.graph.plan import Sink, Stage
from node_catalog.sdk.ports import Schema
from node_catalog.sdk.registry import load_registry
from runtime.engine import calls
from runtime.engine.calls import StandingCall
from runtime.engine.cancel import Cancel
from runtime.engine.errors import CancelledError, EngineError, TooMuchError
from runtime.engine.work import Limits, SinkSpec, StageOutcome, StageWork

KINDS = ("boolean", "integer", "number", "decimal(18,3)", "text")
ROWS = [
    "true, 1, 1.5, 2.500, 'x'",
    "false, -9223372036854775808, 'nan', -0.001, ''",
    "null, null, null, null, null",
    "null, 9007199254740993, '-infinity', 999999999999999.999, 'it''s \"中文\" \\ \n'",
    "true, 0, 1e300, 0, repeat('long', 1000)",
]


def work(text: str, kinds: tuple[str, ...] = KINDS, **sink: int) -> StageWork:
    schema = Schema.of([(f"c{number}", kind) for number, kind in enumerate(kinds)])
    stage = Stage(key="o", steps=("o",), bindings=(), text=text, schema=schema, sink=Sink("result", "o", schema))
    limits = Limits(memory_mb=256, threads=1)
    return StageWork(
        stage=stage, sources=(), sink=SinkSpec(kind="return", form="json", **{"limit": 1000, **sink}), limits=limits
    )


def typed(rows: str) -> str:
    kinds = ["boolean", "bigint", "double", "decimal(18,3)", "varchar"]
    columns = ", ".join(f"cast(c{number} as {kind}) as c{number}" for number, kind in enumerate(kinds))
    return f"select {columns} from (values {rows}) as t(c0, c1, c2, c3, c4)"


@pytest.fixture
def opened() -> Iterator[list[StandingCall]]:
    made: list[StandingCall] = []
    yield made
    for one in made:
        one.close()


def answers(found: list[StandingCall], made: StageWork, times: int = 3) -> list[StageOutcome]:
    found.append(StandingCall(made, load_registry()))
    return [found[-1].run(Cancel(), {}) for _ in range(times)]


@pytest.mark.parametrize("rows", [*ROWS, ", ".join(f"({row})" for row in ROWS)])
def test_a_few_rows_are_the_same_without_arrow(rows: str, opened: list[StandingCall]) -> None:
    first, second, third = answers(opened, work(typed(rows if rows.startswith("(") else f"({rows})")))
    assert opened[0]._is_as_promised and opened[0]._may_be_few
    assert first.answer == second.answer == third.answer
    assert first.rows == second.rows == third.rows > 0


@pytest.mark.parametrize("count", [0, 1, calls.FEW, calls.FEW + 1, 999])
def test_any_number_of_rows_comes_whole(count: int, opened: list[StandingCall]) -> None:
    text = f"select cast(n as bigint) as c0 from range({count}) as t(n)"
    first, second, third = answers(opened, work(text, ("integer",)))
    assert first.answer == second.answer == third.answer
    assert [one.rows for one in (first, second, third)] == [count] * 3


def test_columns_that_have_to_be_cast_are(opened: list[StandingCall]) -> None:
    """A sum of whole numbers is wider in the engine than in the plan."""
    found = answers(opened, work("select sum(n) as c0 from range(4) as t(n)", ("integer",)))
    assert [b'"rows":[{"c0":6}]' in one.answer for one in found] == [True] * 3
    assert not opened[0]._is_as_promised


def test_bounds_hold(opened: list[StandingCall]) -> None:
    many = "select cast(n as bigint) as c0 from range(20) as t(n)"
    large = "select repeat('x', 1000000) as c0 from range(18)"
    for made in (work(many, ("integer",), limit=10), work(large, ("text",))):
        opened.append(StandingCall(made, load_registry()))
        for is_seen in (False, True, True):
            opened[-1]._is_as_promised = is_seen
            with pytest.raises(TooMuchError):
                opened[-1].run(Cancel(), {})


def test_errors_are_told_in_words_and_a_stopped_call_ends(opened: list[StandingCall]) -> None:
    opened.append(
        StandingCall(work("select cast('x' as bigint) + n as c0 from range(2) as t(n)", ("integer",)), load_registry())
    )
    opened[0]._is_as_promised = True
    with pytest.raises(EngineError) as error:
        opened[0].run(Cancel(), {})
    assert error.value.message["zh-CN"]
    stopped = Cancel()
    stopped.stop()
    with pytest.raises(CancelledError):
        opened[0].run(stopped, {})
