"""For-each through real workers: one task per item, counted live, durable, bounded, and fast enough for light work."""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from contextlib import closing
from typing import Any

import pyarrow.parquet as pq
from django.test import Client

from flows.models import Flow, Version
from runtime import places, states
from runtime.models import Event, Result, Run, Task
from runtime.monitor import run_snapshot
from runtime.scheduler import cancel_run, repeat_run, start_run
from security.access import principal_for
from security.models import User
from security.sessions import EPOCH, PERSON
from tests.app.runtime.factory import make_organisation, make_user
from tests.integration.runtime import city
from tests.integration.runtime.conftest import ROWS, City

STATION = {"type": "object", "properties": {"station": {"type": "string"}, "least": {"type": "number", "default": 0}}}


def sub_flow(small_city: City, where: str = "station = :station and pm25 >= :least") -> Version:
    """An app whose flow gives the readings of one station."""
    return city.make_sub_flow(small_city.staff, small_city.readings, where, STATION)


def each_flow(small_city: City, version: Version, **settings: Any) -> Flow:
    """Stations → for each → counted per station."""
    return city.make_flow(
        small_city.staff,
        {
            "read": city.read_step(small_city.readings),
            "stations": {"type": "distinct", "settings": {"on": []}},
            "names": {"type": "select", "settings": {"columns": [{"column": "station", "as": "name"}]}},
            "each": {
                "type": "for_each",
                "settings": {
                    "flow": city.flow_setting(version), "parameters": {"station": {"column": "name"}}, "keys": ["name"],
                    **settings,
                },
            },
            "sum": {
                "type": "aggregate",
                "settings": {"by": ["name", "station"], "measures": [{"name": "n", "function": "count"}]},
            },
            "out": {"type": "output", "settings": {"name": "by_station"}},
        },
        [("read.out", "names.in"), ("names.out", "stations.in"), ("stations.out", "each.in"),
         ("each.out", "sum.in"), ("sum.out", "out.in")],
    )  # fmt: skip


def rows_of(run: Run) -> list[dict[str, Any]]:
    result = Result.objects.get(run=run)
    rows: list[dict[str, Any]] = pq.read_table(places.absolute(result.reference)).to_pylist()
    return rows


def counted() -> dict[str, int]:
    with closing(sqlite3.connect(city.home("source.sqlite3"))) as connection:
        return dict(connection.execute("select station, count(*) from readings group by station"))


def look_inside(run: Run, small_city: City) -> None:
    """The list of iterations and the sub-flow, for a colleague and for an operator, who is told no value of a row."""
    lines = pages_of(run, small_city.staff)
    assert [line["index"] for line in lines] == list(range(7))
    assert {line["item"] for line in lines} == {f"name = {station}" for station in counted()}
    assert {line["item"].removeprefix("name = "): line["rows"] for line in lines} == counted()
    assert all(line["counts"]["out"] == line["rows"] and line["state"] == "done" for line in lines)
    watcher = make_user("watcher", make_organisation("elsewhere"), "operator")
    assert [line["item"] for line in pages_of(run, watcher)] == [""] * 7
    steps = ask(small_city.staff, f"/api/runs/{run.pk}/inside/each")["document"]["steps"]
    assert steps["one"]["settings"] == {"where": "station = :station and pm25 >= :least"}
    assert ask(watcher, f"/api/runs/{run.pk}/inside/each")["document"]["steps"]["one"]["settings"] == {}
    stranger = make_user("stranger", make_organisation("another"), "business")
    for path in ("inside/each", "iterations/each"):
        ask(stranger, f"/api/runs/{run.pk}/{path}", 404)
    ask(small_city.staff, f"/api/runs/{run.pk}/inside/sum", 404)
    assert {task["stage"] for task in run_snapshot(principal_for(watcher), run.pk)["tasks"]} >= {"each"}
    assert not any("#" in task["stage"] for task in run_snapshot(principal_for(watcher), run.pk)["tasks"])


def pages_of(run: Run, user: User) -> list[dict[str, Any]]:
    """All iterations as the pages get them, three at a time."""
    path, lines = f"/api/runs/{run.pk}/iterations/each?limit=3", []
    page = ask(user, path)
    while True:
        lines += page["results"]
        if page["next"] is None:
            return lines
        page = ask(user, f"{path}&cursor={page['next']}")


def ask(user: User, path: str, status: int = 200) -> dict[str, Any]:
    client = Client()
    session = client.session
    session[PERSON], session[EPOCH] = str(user.pk), user.session_epoch
    session.save()
    answer = client.get(path)
    assert answer.status_code == status, answer.content
    found: dict[str, Any] = answer.json()
    return found


def test_every_item_is_a_task_and_their_rows_come_together(small_city: City) -> None:
    flow = each_flow(small_city, sub_flow(small_city))
    run = city.await_run(start_run(flow, None, small_city.staff))
    assert run.state == states.DONE, run.error
    assert {row["name"]: row["n"] for row in rows_of(run)} == counted()
    assert all(row["name"] == row["station"] for row in rows_of(run))
    steps = run_snapshot(principal_for(small_city.staff), run.pk)["steps"]
    assert steps["each"]["iterations"] == {"total": 7, "done": 7, "failed": 0}
    assert (steps["each"]["state"], steps["each"]["rows"], steps["each"]["exact"]) == ("done", ROWS, True)
    tasks = Task.objects.filter(run=run, payload__loop="each")
    assert sorted(task.payload["index"] for task in tasks) == list(range(7))
    assert all(set(task.payload) == {"steps", "sink", "loop", "index", "on_error"} for task in tasks)
    events = Event.objects.filter(topic=f"run:{run.pk}").order_by("seq")
    told = [event.data["steps"]["each"] for event in events.filter(kind="steps") if "each" in event.data["steps"]]
    seen = [one["iterations"]["done"] for one in told if one.get("iterations")]
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (0, 7)
    assert (told[-1]["state"], told[-1]["rows"]) == ("done", ROWS)
    look_inside(run, small_city)
    assert not any("#" in event.data["stage"] for event in events.filter(kind="task.state"))


def test_batches_go_into_a_data_input(small_city: City) -> None:
    version = sub_flow(small_city, where="pm25 >= :least")
    flow = each_flow(
        small_city, version, batch="data", batch_rows=1000, keys=[], parameters={"least": 0, "station": ""}
    )
    draft = flow.draft
    draft.document["steps"].pop("stations")
    draft.document["steps"].pop("names")
    draft.document["steps"]["sum"]["settings"]["by"] = ["station"]
    draft.document["wires"] = [
        {"from": "read.out", "to": "each.in"}, {"from": "each.out", "to": "sum.in"}, {"from": "sum.out", "to": "out.in"}
    ]  # fmt: skip
    draft.save()
    run = city.await_run(start_run(flow, None, small_city.staff))
    assert run.state == states.DONE, run.error
    assert run.steps["each"]["iterations"]["total"] == ROWS // 1000
    assert {row["station"]: row["n"] for row in rows_of(run)} == counted()


def test_too_many_items_are_refused_before_the_first_iteration(small_city: City) -> None:
    flow = each_flow(small_city, sub_flow(small_city), most=5)
    run = city.await_run(start_run(flow, None, small_city.staff))
    assert (run.state, run.error["code"]) == (states.FAILED, "for_each.too_many")
    assert not Task.objects.filter(run=run, payload__loop="each").exists()


FAILING = "station = :station and case when :station = 's3' then cast('x' as integer) > 0 else true end"


def test_a_failed_iteration_stops_the_run_and_says_which(small_city: City) -> None:
    flow = each_flow(small_city, sub_flow(small_city, FAILING), concurrency=1)
    run = city.await_run(start_run(flow, None, small_city.staff))
    assert run.state == states.FAILED
    failed = Task.objects.get(run=run, state=states.FAILED)
    assert failed.error["message"]["en"].startswith(f"Iteration {failed.payload['index'] + 1}:")
    assert "name = s3" in failed.error["detail"]
    assert "s3" not in failed.error["message"]["en"].partition(":")[0]
    (line,) = ask(small_city.staff, f"/api/runs/{run.pk}/iterations/each?state=failed")["results"]
    assert (line["index"], line["error"]["code"]) == (failed.payload["index"], failed.error["code"])
    assert run.steps["each"]["state"] == "failed"
    again = city.await_run(repeat_run(run, small_city.staff, "failed"))
    assert again.state == states.FAILED
    taken = Task.objects.filter(run=again, payload__loop="each", state=states.DONE, attempt=0).count()
    assert taken == Task.objects.filter(run=run, payload__loop="each", state=states.DONE).count()


def test_it_may_go_on_without_what_failed(small_city: City) -> None:
    flow = each_flow(small_city, sub_flow(small_city, FAILING), on_error="continue")
    run = city.await_run(start_run(flow, None, small_city.staff))
    assert run.state == states.DONE, run.error
    assert run.steps["each"]["iterations"] == {"total": 7, "done": 6, "failed": 1}
    assert set(counted()) - {row["name"] for row in rows_of(run)} == {"s3"}


def test_no_item_is_no_iteration(small_city: City) -> None:
    flow = each_flow(small_city, sub_flow(small_city))
    draft = flow.draft
    draft.document["steps"]["none"] = {"type": "filter", "version": 1, "settings": {"where": "pm25 < -1"}}
    draft.document["wires"][0] = {"from": "read.out", "to": "none.in"}
    draft.document["wires"].insert(0, {"from": "none.out", "to": "names.in"})
    draft.save()
    run = city.await_run(start_run(flow, None, small_city.staff))
    assert run.state == states.DONE, run.error
    assert rows_of(run) == []


def test_a_cancelled_loop_ends(small_city: City) -> None:
    flow = each_flow(small_city, sub_flow(small_city), concurrency=1)
    run = start_run(flow, None, small_city.staff)
    city.wait_for(lambda: Task.objects.filter(run=run, payload__loop="each").exists(), 30, "the loop opens")
    cancel_run(run.pk, small_city.staff)
    assert city.await_run(run).state in (states.CANCELLED, states.DONE)
    assert not Task.objects.filter(run=run).exclude(state__in=states.FINISHED).exists()


def hundred(small_city: City) -> Flow:
    """A hundred light iterations: one reading each."""
    version = sub_flow(small_city, where="cast(id as text) = :station")
    flow = each_flow(small_city, version, keys=["name"], concurrency=8)
    steps = flow.draft.document["steps"]
    steps["few"] = {"type": "filter", "version": 1, "settings": {"where": "id < 100"}}
    steps["names"] = {
        "type": "derive", "version": 1, "settings": {"columns": [{"name": "name", "expression": "cast(id as text)"}]}
    }  # fmt: skip
    steps.pop("stations")
    flow.draft.document["wires"] = [
        {"from": source, "to": target}
        for source, target in (("read.out", "few.in"), ("few.out", "names.in"), ("names.out", "each.in"),
                               ("each.out", "sum.in"), ("sum.out", "out.in"))
    ]  # fmt: skip
    flow.draft.save()
    return flow


def test_a_hundred_light_iterations(small_city: City) -> None:
    flow = hundred(small_city)
    started = time.monotonic()
    run = city.await_run(start_run(flow, None, small_city.staff))
    took = time.monotonic() - started
    print(f"\n  100 iterations: {took:.2f} s")
    assert run.state == states.DONE, run.error
    assert Counter(row["n"] for row in rows_of(run)) == {1: 100}
