"""Whole runs through real workers: plan, claim, child process, result, delivery; cancel, preview, profile, rights."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from contextlib import closing
from typing import Any

import pyarrow.parquet as pq
import pytest

from flows.models import Flow
from node_catalog.models import Dataset
from runtime import places, requests, states
from runtime.errors import WithheldError
from runtime.models import Attempt, Event, Result, Run, SinkCommit, Task
from runtime.models import Worker as WorkerRow
from runtime.monitor import run_snapshot, task_snapshot
from runtime.results import open_result
from runtime.scheduler import cancel_run, repeat_run, start_run
from security.access import principal_for
from security.models import Secret
from tests.integration.runtime import city
from tests.integration.runtime.conftest import ROWS, City
from tests.services import wait_until

WIRES = [("read.out", "bad.in"), ("bad.out", "sum.in"), ("sum.out", "out.in")]


def summary_flow(small_city: City) -> Flow:
    steps: dict[str, Any] = {
        "read": city.read_step(small_city.readings),
        "bad": {"type": "filter", "settings": {"where": "pm25 > 50"}},
        "sum": {
            "type": "aggregate",
            "settings": {
                "by": ["station"],
                "measures": [
                    {"name": "hours", "function": "count"},
                    {"name": "worst", "function": "max", "column": "pm25"},
                ],
            },
        },
        "out": {"type": "output", "settings": {"name": "by_station"}},
    }
    return city.make_flow(small_city.staff, steps, WIRES)


def expected() -> dict[str, tuple[int, float]]:
    with closing(sqlite3.connect(city.home("source.sqlite3"))) as connection:
        rows = connection.execute("select station, count(*), max(pm25) from readings where pm25 > 50 group by station")
        return {station: (hours, worst) for station, hours, worst in rows}


def test_a_run_gives_the_right_answer(small_city: City) -> None:
    run = city.await_run(start_run(summary_flow(small_city), None, small_city.staff))
    assert run.state == states.DONE, run.error
    result = Result.objects.get(run=run)
    assert result.name == "by_station"
    table = pq.read_table(places.absolute(result.reference)).to_pylist()
    assert {row["station"]: (row["hours"], row["worst"]) for row in table} == expected()
    snapshot = run_snapshot(principal_for(small_city.staff), run.pk)
    assert snapshot["steps"]["out"]["rows"] == 7
    assert snapshot["steps"]["out"]["exact"]
    assert {step["state"] for step in snapshot["steps"].values()} == {"done"}
    assert [task["worker"] for task in snapshot["tasks"]] == [small_city.worker.name]
    seqs = list(Event.objects.filter(topic=f"run:{run.pk}").order_by("seq").values_list("seq", flat=True))
    assert seqs == list(range(1, run.seq + 1))


def test_rows_are_written_once_and_the_ledger_says_so(small_city: City) -> None:
    city.make_target(city.home("target.sqlite3"))
    target = city.add_node(small_city.staff, "sqlite", "Target", {"path": str(city.home("target.sqlite3"))})
    flow = city.make_flow(
        small_city.staff,
        {
            "read": city.read_step(small_city.readings),
            "put": {
                "type": "write",
                "settings": {"node": target.number, "path": ["copy"], "mode": "append", "create": True},
            },
        },
        [("read.out", "put.in")],
    )
    run = city.await_run(start_run(flow, None, small_city.staff))
    assert run.state == states.DONE, run.error
    with closing(sqlite3.connect(city.home("target.sqlite3"))) as connection:
        assert connection.execute("select count(*), count(distinct id) from copy").fetchone() == (ROWS, ROWS)
    assert SinkCommit.objects.get(run=str(run.pk)).rows == ROWS
    assert run.rows_out == ROWS
    assert run.steps["put"]["delivery"] == "exactly_once"


def start_long_run(small_city: City) -> Run:
    """A run that joins every row with every seventh row: minutes, unless it is stopped."""
    city.make_readings(city.home("many.sqlite3"), 200_000)
    many = city.add_node(small_city.staff, "sqlite", "Many", {"path": str(city.home("many.sqlite3"))})
    (readings,) = city.discover(many, small_city.staff)
    steps = {
        "left": city.read_step(readings),
        "right": {"type": "read", "settings": {"dataset": readings.number, "columns": ["station", "id"]}},
        "all": {
            "type": "join",
            "settings": {"how": "inner", "on": [{"left": "station", "right": "station"}], "suffix": "_r"},
        },
        "sum": {
            "type": "aggregate",
            "settings": {"by": ["pm25"], "measures": [{"name": "n", "function": "count"}]},
        },
        "out": {"type": "output", "settings": {"name": "all"}},
    }
    wires = [("left.out", "all.left"), ("right.out", "all.right"), ("all.out", "sum.in"), ("sum.out", "out.in")]
    run = start_run(city.make_flow(small_city.staff, steps, wires), None, small_city.staff)
    city.wait_for(lambda: run.tasks.filter(state=states.RUNNING).exists(), 60, "the stage runs")
    return run


def test_a_cancelled_run_stops_within_two_seconds(small_city: City) -> None:
    run = start_long_run(small_city)
    began = time.monotonic()
    cancel_run(run.pk, small_city.staff)
    ended = city.await_run(run, 10)
    assert ended.state == states.CANCELLED
    assert time.monotonic() - began < 2.0


def test_a_stopping_worker_hands_its_task_back(small_city: City) -> None:
    run = start_long_run(small_city)
    small_city.worker.stop()
    task = run.tasks.get()
    assert (task.state, task.attempt, task.max_attempts) == (states.READY, 1, 6)
    assert not WorkerRow.objects.filter(pk=small_city.worker.name).exists()


def test_a_preview_shows_rows_statistics_and_ends_the_one_before(small_city: City) -> None:
    flow = summary_flow(small_city)
    first = requests.request_preview(flow, "bad", small_city.staff)
    second = requests.request_preview(flow, "sum", small_city.staff, revision=3)
    shown = city.await_task(second)
    assert shown.state == states.DONE, shown.error
    assert {(row[0], row[1]) for row in shown.result["rows"]} == {(key, value[0]) for key, value in expected().items()}
    assert shown.result["statistics"]["hours"]["nulls"] == 0
    assert shown.result["revision"] == 3
    assert shown.expires_at is not None
    assert city.await_task(first).state in (states.CANCELLED, states.DONE)


def test_a_preview_is_withheld_when_the_right_is_gone(small_city: City) -> None:
    task = requests.request_sample(small_city.readings, small_city.staff)
    assert city.await_task(task).state == states.DONE
    principal = principal_for(small_city.staff)
    assert len(task_snapshot(principal, task.pk)["result"]["rows"]) == 100
    small_city.staff.organisation = city.make_organisation("elsewhere")
    small_city.staff.save()
    Dataset.objects.update(share=Dataset.Share.CONDITIONAL)
    fresh = type(small_city.staff).objects.get(pk=small_city.staff.pk)
    seen = task_snapshot(principal_for(fresh), task.pk)
    assert seen["result"] is None
    assert seen["error"]["code"] == "rows.withheld"


def test_a_result_is_withheld_when_the_right_is_gone(small_city: City) -> None:
    """A colleague's grant is approved, read with, and withdrawn: the rows close at once, the counts stay."""
    run = city.await_run(start_run(summary_flow(small_city), None, small_city.staff))
    result = Result.objects.get(run=run)
    principal = principal_for(small_city.staff)
    assert open_result(principal, result.pk)[0] == result
    small_city.source.organisation = city.make_organisation("elsewhere")
    small_city.source.save()
    with pytest.raises(WithheldError):
        open_result(principal, result.pk)
    assert run_snapshot(principal, run.pk)["steps"]["out"]["rows"] == 7


def test_a_right_withdrawn_before_the_work_stops_it(small_city: City) -> None:
    small_city.worker.stop()
    run = start_run(summary_flow(small_city), None, small_city.staff)
    small_city.source.organisation = city.make_organisation("elsewhere")
    small_city.source.save()
    with city.worker_and_scheduler():
        ended = city.await_run(run)
    assert ended.state == states.FAILED
    assert ended.error["code"] == "grant.withdrawn"
    assert not Result.objects.exists()


def test_a_profile_goes_to_the_catalogue(small_city: City) -> None:
    task = city.await_task(requests.request_profile(small_city.readings, small_city.staff))
    assert task.state == states.DONE, task.error
    column = small_city.readings.columns.get(name="station")
    assert column.profile["distinct"] == 7
    assert column.profile["nulls"] == 0


def test_a_check_says_what_is_wrong_and_forgets_the_password(small_city: City) -> None:
    principal = principal_for(small_city.staff)
    good = city.await_task(requests.request_check(small_city.source, small_city.staff))
    assert good.result["ok"], good.result
    before = Secret.objects.count()
    values = {"path": str(city.home("missing.sqlite3"))}
    tried = city.await_task(requests.request_try("sqlite", values, principal))
    assert tried.state == states.DONE
    assert not tried.result["ok"]
    assert tried.result["message"]["zh-CN"]
    assert Secret.objects.count() == before


def test_a_moved_source_fails_with_words_and_names_its_step(small_city: City) -> None:
    flow = summary_flow(small_city)
    with closing(sqlite3.connect(city.home("source.sqlite3"))) as connection:
        connection.execute("alter table readings rename to gone")
        connection.commit()
    run = city.await_run(start_run(flow, None, small_city.staff))
    assert run.state == states.FAILED
    assert run.error["message"]["zh-CN"]
    assert city.CANARY not in str(list(Event.objects.values_list("data", flat=True)))


def test_a_failed_run_goes_on_from_its_failed_stage(small_city: City) -> None:
    """The first stage's rows are taken over; only what had failed is done again."""
    steps = {
        "read": city.read_step(small_city.readings),
        "bad": {"type": "filter", "settings": {"where": "pm25 > 50"}},
        "one": {"type": "output", "settings": {"name": "one"}},
        "put": {"type": "write", "settings": {"node": "", "path": ["copy"], "mode": "append", "create": True}},
    }
    city.make_target(city.home("target.sqlite3"))
    target = city.add_node(small_city.staff, "sqlite", "Target", {"path": str(city.home("target.sqlite3"))})
    steps["put"]["settings"]["node"] = target.number
    flow = city.make_flow(
        small_city.staff, steps, [("read.out", "bad.in"), ("bad.out", "one.in"), ("bad.out", "put.in")]
    )
    with closing(sqlite3.connect(city.home("target.sqlite3"))) as connection:
        connection.execute("create table copy (other integer not null)")
        connection.commit()
    run = city.await_run(start_run(flow, None, small_city.staff))
    assert run.state == states.FAILED
    with closing(sqlite3.connect(city.home("target.sqlite3"))) as connection:
        connection.execute("drop table copy")
        connection.commit()
    again = city.await_run(repeat_run(run, small_city.staff, "failed"))
    assert again.state == states.DONE, again.error
    taken_over = [task for task in again.tasks.all() if (task.result or {}).get("taken_over_from")]
    assert taken_over
    assert all(task.attempt == 0 for task in taken_over)
    with closing(sqlite3.connect(city.home("target.sqlite3"))) as connection:
        rows, once = connection.execute("select count(*), count(distinct id) from copy").fetchone()
    assert rows == once > 0


def test_a_killed_child_is_tried_again(small_city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    heavy = small_city.worker._lanes[0].pool
    run_work = heavy.run
    pids: list[int] = []
    killed: list[int] = []

    def deadly(work: Any, on_report: Any, cancel: Any, **more: Any) -> Any:
        def kill_once(report: Any) -> None:
            if not killed:
                killed.append(pids[-1])
                os.kill(pids[-1], signal.SIGKILL)
            on_report(report)

        return run_work(work, kill_once, cancel, pids.append)

    monkeypatch.setattr(heavy, "run", deadly)
    flow, runs = summary_flow(small_city), []

    def is_struck() -> bool:
        killed.clear()
        runs.append(city.await_run(start_run(flow, None, small_city.staff)))
        assert runs[-1].state == states.DONE, runs[-1].error
        return Attempt.objects.filter(task__run=runs[-1]).count() > 1

    # A child that has answered already when it is killed has done its work: then the next one is struck.
    wait_until(is_struck, 60, "a child is killed at its work")
    run = runs[-1]
    attempts = Attempt.objects.filter(task__run=run).order_by("number")
    assert [attempt.outcome for attempt in attempts] == ["ready", "done"]
    assert attempts[0].error["code"] == "engine.child_died"
    assert Task.objects.get(run=run).crashes == 1
