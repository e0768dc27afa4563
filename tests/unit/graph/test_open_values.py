"""Plans made without the values of inputs: bound to the text, these give what a plan with them written in gives."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from flows.graph.expressions.open_values import ValueNeededError
from flows.graph.given_values import OpenInputs
from flows.graph.plan import Plan
from node_catalog.sdk.ports import to_arrow
from runtime.engine.cancel import Cancel
from runtime.engine.duck import open_main, open_standing
from runtime.engine.errors import EngineError
from runtime.engine.streams import Flow
from runtime.engine.work import Limits
from tests.unit.graph.plan_support import READ, TABLES
from tests.unit.graph.support import Json, Runner, flow, planned, rows_of, step

TEXTS = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=12)
ODD_TEXTS = st.sampled_from(["a", "", "it's", '"', "\\", "';--", "$v0", "%", "中文", "null"])
MOMENTS = ["2024-01-02T03:00:00", "2024-01-02T03:00:00+08:00", "2024-01-02T03:00:00.000001"]
KINDS: dict[str, tuple[Json, Any]] = {
    "n": ({"type": "integer"}, st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 50)),
    "f": ({"type": "number"}, st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([0, -0.0, 1.5, 7])),
    "t": ({"type": "string"}, TEXTS | ODD_TEXTS),
    "b": ({"type": "boolean"}, st.booleans()),
    "d": ({"type": "string", "format": "date"}, st.dates().map(str) | st.just("2024-01-05")),
    "at": (
        {"type": "string", "format": "date-time"},
        st.datetimes().map(lambda one: one.isoformat()) | st.sampled_from(MOMENTS),
    ),
    "c": ({"type": "string", "format": "time"}, st.times().map(lambda one: one.isoformat())),
}
INPUTS = {"type": "object", "properties": {name: schema for name, (schema, _) in KINDS.items()}}
BOUND = [
    "pm10 + :n", ":n", "pm10 = :n", "pm10 between :n and 30", "pm10 % :n", ":n / pm10", "abs(:n)", "pm25 * :n",
    "5 < :n", "case when pm10 > :n then :t else station end", "cast(:n as text)", "day + :n", "left(station, :n)",
    "pm25 + :f", "pm10 < :f", "cost > :f", ":f", "round(:f, 2)", "cast(:f as text)", "coalesce(pm25, :f)",
    "station = :t", "station || :t", "coalesce(station, :t)", "upper(:t)", "length(:t)", ":t < code",
    "try_cast(:t as integer)", "cast(:t as number)", "valid = :b", "if(:b, pm10, 0)", "not :b", "day > :d", "ts >= :d",
    ":d", "ts < :at", ":at", "date_diff('day', :d, day)", "date_trunc('hour', :at)", "cast(:at as date)",
    "cast(:c as text)", ":c", "station is null or :b", "case when :b then :t else upper(:t) end",
    "concat(:t, cast(:n as text), cast(:d as text))",
]  # fmt: skip
CLOSED = {
    "cost > :n": "n", "cost * :n": "n", "round(pm25, :n)": "n", "pm10 in (1, :n)": "n", "station like :t": "t",
    "day = :t": "t", "cast(:t as date)": "t", "-:n": "n",
}  # fmt: skip
SOME = {"n": 1, "f": 1.0, "t": "x", "b": True, "d": "1999-09-09", "at": "1999-09-09T09:09:09", "c": "09:09:09"}
ODD = {
    "n": -1,
    "f": -0.0,
    "t": "''\"\\';",
    "b": False,
    "d": "0001-01-01",
    "at": "9999-12-31T23:59:59.999999",
    "c": "00:00",
}
SMALL = Limits(memory_mb=256, threads=1)


@pytest.fixture(scope="module", autouse=True)
def _deep_texts() -> None:
    """The engine raises Python's limit when it checks its first text; Hypothesis wants to see no change of it."""
    sys.setrecursionlimit(max(sys.getrecursionlimit(), 10_000))


def one_step(kind: str, settings: Json, values: Mapping[str, Any], opened: Mapping[str, str] | None = None) -> Plan:
    """One step behind a read."""
    steps = {"r": READ, "d": step(kind, **settings), "o": step("output", name="x")}
    return planned(flow(steps, "r > d", "d > o", inputs=INPUTS), parameters=values, opened=opened)


def derived(expression: str, values: Mapping[str, Any], opened: Mapping[str, str] | None = None) -> Plan:
    return one_step("derive", {"columns": [{"name": "found", "expression": expression}]}, values, opened)


def open_plan(expression: str) -> Plan:
    return derived(expression, SOME, OpenInputs(INPUTS).opened(KINDS))


def bound(plan: Plan, values: Mapping[str, Any]) -> list[list[tuple[Any, ...]]]:
    """Its rows when the values are bound: by a prepared text, and by one that runs once."""
    inputs = OpenInputs(INPUTS)
    given = inputs.given(values, inputs.opened(KINDS))
    (stage,) = plan.stages
    (binding,) = stage.bindings
    rows = Runner(TABLES)._source(binding)
    stream = (binding.alias, rows.to_reader(), Flow("x"))
    with (
        open_standing(SMALL, stage.text, {binding.alias: to_arrow(binding.schema)}) as standing,
        standing.run_again(stage.text, [stream], Cancel(), 1024, given) as found,
    ):
        answers = [rows_of(found.read_all())]
    with open_main(SMALL, Cancel()) as main:
        main.register(binding.alias, rows.to_reader())
        with main.run(stage.text, [binding.alias], 1024, given) as found:
            return [*answers, rows_of(found.read_all())]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(BOUND), st.fixed_dictionaries({name: values for name, (_, values) in KINDS.items()}))
@example("station || :t", ODD)
def test_bound_values_give_the_rows_of_written_ones(expression: str, values: dict[str, Any]) -> None:
    plan = open_plan(expression)
    try:
        wanted = rows_of(Runner(TABLES).run(derived(expression, values))["o"])
    except duckdb.Error:  # an overflow, a text that is no number
        with pytest.raises(EngineError):
            bound(plan, values)
        return
    assert bound(plan, values) == [wanted, wanted]


@pytest.mark.parametrize("expression", CLOSED)
def test_an_input_that_decides_something_is_asked_for(expression: str) -> None:
    with pytest.raises(ValueNeededError) as asked:
        open_plan(expression)
    assert asked.value.name == CLOSED[expression]


def test_a_condition_that_a_source_could_test_is_planned_with_its_value() -> None:
    with pytest.raises(ValueNeededError):
        one_step("filter", {"where": "pm10 > :n"}, SOME, OpenInputs(INPUTS).opened(["n"]))


def test_a_setting_is_planned_with_its_value() -> None:
    with pytest.raises(ValueNeededError):
        one_step("limit", {"rows": {"input": "n"}}, SOME, OpenInputs(INPUTS).opened(["n"]))


@pytest.mark.parametrize("values", [{"n": None}, {"n": 2**63}, {"n": 0.5}, {"d": "today"}, {"t": "\ud800"}])
def test_what_is_no_value_of_the_type_is_not_bound(values: dict[str, Any]) -> None:
    inputs = OpenInputs(INPUTS)
    opened = inputs.opened(values)
    with pytest.raises(ValueError, match=r"\w"):
        inputs.given(values, opened)
