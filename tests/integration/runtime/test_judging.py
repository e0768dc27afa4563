"""Runs with steps that judge: quality checks that stop, split or report, and branches whose other way is skipped."""

from __future__ import annotations

from typing import Any

import pyarrow.parquet as pq

from runtime import places, states
from runtime.models import Result, Run
from runtime.monitor import run_snapshot
from runtime.scheduler import repeat_run, start_run
from security.access import principal_for
from tests.integration.runtime import city
from tests.integration.runtime.conftest import ROWS, City


def rows_of(run: Run, name: str) -> int:
    return int(pq.read_table(places.absolute(Result.objects.get(run=run, name=name).reference)).num_rows)


def steps_of(small_city: City, **more: dict[str, Any]) -> dict[str, Any]:
    return {
        "read": city.read_step(small_city.readings),
        **more,
        "good": {"type": "output", "settings": {"name": "good"}},
        "bad": {"type": "output", "settings": {"name": "bad"}},
    }


def check_step(on_fail: str, at_least: float = 1.0) -> dict[str, Any]:
    rules = [
        {"name": "fair", "expression": "pm25 <= 50", "at_least": at_least},
        {"name": "has a station", "expression": "station is not null"},
    ]
    return {"type": "check", "settings": {"rules": rules, "on_fail": on_fail}}


WIRES = [("read.out", "test.in"), ("test.out", "good.in"), ("test.failed", "bad.in")]


def test_a_check_sets_bad_rows_apart_and_counts_each_rule(small_city: City) -> None:
    flow = city.make_flow(small_city.staff, steps_of(small_city, test=check_step("split")), WIRES)
    run = city.await_run(start_run(flow, None, small_city.staff))
    assert run.state == states.DONE, run.error
    good, bad = rows_of(run, "good"), rows_of(run, "bad")
    assert good + bad == ROWS and good and bad
    step = run_snapshot(principal_for(small_city.staff), run.pk)["steps"]["test"]
    assert step["ports"] == {"out": good, "failed": bad} and step["rows"] == good
    assert step["report"]["rules"] == [
        {"name": "fair", "passed": good, "failed": bad, "at_least": 1.0, "holds": False},
        {"name": "has a station", "passed": ROWS, "failed": 0, "at_least": 1.0, "holds": True},
    ]


def test_a_check_stops_the_run_before_anything_is_delivered(small_city: City) -> None:
    flow = city.make_flow(small_city.staff, steps_of(small_city, test=check_step("stop")), WIRES)
    run = city.await_run(start_run(flow, None, small_city.staff))
    assert run.state == states.FAILED
    assert run.error["code"] == "check.failed" and "fair" in run.error["message"]["en"]
    assert not Result.objects.filter(run=run).exists()
    step = run_snapshot(principal_for(small_city.staff), run.pk)["steps"]["test"]
    assert step["state"] == "failed"
    assert [rule["holds"] for rule in step["report"]["rules"]] == [False, True]


def test_a_check_that_holds_lets_all_rows_go_on(small_city: City) -> None:
    flow = city.make_flow(small_city.staff, steps_of(small_city, test=check_step("stop", at_least=0.1)), WIRES)
    run = city.await_run(start_run(flow, None, small_city.staff))
    assert run.state == states.DONE, run.error
    assert rows_of(run, "good") == ROWS and 0 < rows_of(run, "bad") < ROWS


def branch_flow(small_city: City, when: str) -> Any:
    steps = steps_of(
        small_city,
        way={"type": "branch", "settings": {"when": when}},
        few={"type": "limit", "settings": {"rows": 5}},
        both={"type": "union", "settings": {}},
        all={"type": "output", "settings": {"name": "all"}},
    )
    wires = [
        ("read.out", "way.in"), ("way.then", "good.in"), ("way.else", "few.in"), ("few.out", "bad.in"),
        ("way.then", "both.in"), ("few.out", "both.in"), ("both.out", "all.in"),
    ]  # fmt: skip
    return city.make_flow(small_city.staff, steps, wires)


def test_what_stands_only_on_the_other_way_is_skipped(small_city: City) -> None:
    run = city.await_run(start_run(branch_flow(small_city, "count(*) > 10"), None, small_city.staff))
    assert run.state == states.DONE, run.error
    assert set(Result.objects.filter(run=run).values_list("name", flat=True)) == {"good", "all"}
    assert rows_of(run, "good") == rows_of(run, "all") == ROWS
    steps = run_snapshot(principal_for(small_city.staff), run.pk)["steps"]
    assert {name: step["state"] for name, step in steps.items()} == {
        "read": "done", "way": "done", "good": "done", "both": "done", "all": "done", "few": "skipped",
        "bad": "skipped",
    }  # fmt: skip
    assert steps["way"]["report"] == {"kind": "branch", "taken": "then"}
    again = city.await_run(repeat_run(run, small_city.staff, "failed"))
    assert again.state == states.DONE, again.error
    assert set(Result.objects.filter(run=again).values_list("name", flat=True)) == {"good", "all"}


def test_the_other_way(small_city: City) -> None:
    run = city.await_run(start_run(branch_flow(small_city, "max(pm25) < 0"), None, small_city.staff))
    assert run.state == states.DONE, run.error
    assert set(Result.objects.filter(run=run).values_list("name", flat=True)) == {"bad", "all"}
    assert rows_of(run, "bad") == rows_of(run, "all") == 5
