"""Which steps may go to Spark, and the words of what stays."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from flows.graph.engines import Cluster
from flows.graph.plan import HERE, SPARK, Plan
from tests.unit.graph.support import flow, planned, step

GOOD = [
    "pm10 + 1", "pm25 / 2", "pm10 % 7", "abs(pm25)", "cost * cost", "cost + 1", "length(station)", "code || '-x'",
    "substring(station, 1, 2)", "replace(station, 'a', 'B')", "year(ts)", "date_trunc('hour', ts)",
    "cast(pm10 as text)", "cast(cost as number)", "case when valid then 1 else 0 end", "station like '%a_'",
    "coalesce(pm25, 0.5)", "ts + interval '1' day",
]  # fmt: skip
NOT_ALIKE = [
    "upper(station)", "cast(pm25 as text)", "cast(station as integer)", "try_cast(code as number)", "round(pm25, 1)",
    "cast(pm25 as integer)", "strftime(ts, '%Y')", "regexp_matches(station, 'a+')", "station like 'a\\_%'", "ln(pm25)",
    "date_diff('day', ts, ts)", "substring(station, 0, 2)", "replace(station, code, 'B')", "today()",
]  # fmt: skip


def plan(cluster: Cluster | None, **steps: Any) -> Plan:
    made = {"read": step("read", dataset="air"), **steps, "out": step("output", name="rows")}
    names = list(made)
    return planned(flow(made, *(f"{one} > {other}" for one, other in pairwise(names))), cluster=cluster)


def derived(expression: str) -> dict[str, Any]:
    return {"more": step("derive", columns=[{"name": "x", "expression": expression}])}


@pytest.mark.parametrize("expression", GOOD)
def test_what_is_alike_may_go(expression: str) -> None:
    (stage,) = plan(Cluster(0, "cluster"), **derived(expression)).stages
    assert (stage.engine, stage.level) == (SPARK, 4)
    assert "MATERIALIZED" not in stage.text and "`" in stage.text


@pytest.mark.parametrize("expression", NOT_ALIKE)
def test_what_is_not_alike_stays_with_a_reason(expression: str) -> None:
    made = plan(Cluster(0, "cluster"), **derived(expression))
    (stage,) = made.stages
    (note,) = (note for note in made.notes if note["code"] == "plan.not_on_spark")
    assert (stage.engine, stage.level) == (HERE, 1)
    assert note["message"]["en"] and note["message"]["zh-CN"]


def test_rows_that_could_differ_each_time_are_worked_out_once() -> None:
    numbered = {"first": step("limit", rows=5), "all": step("distinct")}
    document = flow(
        {
            "read": step("read", dataset="air"),
            **numbered,
            "both": step("union", distinct=False),
            "out": step("output", name="rows"),
        },
        "read > first", "first > all", "first > both", "all > both", "both > out",
    )  # fmt: skip
    made = planned(document, cluster=Cluster(0, "cluster"))
    assert {stage.engine for stage in made.stages} == {HERE}


def test_handing_on_stays() -> None:
    assert {stage.engine for stage in plan(Cluster(0, "cluster")).stages} == {HERE}


def test_without_a_cluster_nothing_is_said_and_no_plan_is_another() -> None:
    expression = derived("pm10 + 1")
    without, here = plan(None, **expression), plan(Cluster(0, "here"), **expression)
    assert not without.notes and without.stages == here.stages
    assert {note["code"] for note in here.notes} == {"plan.here"}
    assert without.digest != here.digest
