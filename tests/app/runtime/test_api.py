"""The runtime routes: who may see what, what is refused and how, rows, charts and downloads of results."""

from __future__ import annotations

import datetime
import decimal
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.test import Client

from runtime import places, states
from runtime.models import Result, Run, Task
from security.models import AuditRecord, User
from security.sessions import EPOCH, PERSON
from tests.app.runtime.factory import World, stage

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


def browser(user: User | None) -> Client:
    client = Client()
    if user is not None:
        session = client.session
        session[PERSON], session[EPOCH] = str(user.pk), user.session_epoch
        session.save()
    return client


def make_result(world: World, rows: int = 10) -> Result:
    run = world.make_run(stage("a", sink="result"))
    task = run.tasks.get()
    path = places.result_file(run.pk, task.pk, 1)
    table = pa.table(
        {
            "n": pa.array(range(rows), pa.int64()),
            "big": pa.array([2**60] * rows, pa.int64()),
            "price": pa.array([decimal.Decimal("1.50")] * rows, pa.decimal128(10, 2)),
            "district": pa.array([f"d{n % 3}" for n in range(rows)]),
            "at": pa.array([START + datetime.timedelta(hours=n) for n in range(rows)], pa.timestamp("us")),
            "note": pa.array(["=1+1", "+x", "plain", None, "@y"] * (rows // 5)),
        }
    )
    pq.write_table(table, path)
    return Result.objects.create(
        run=run, task=task, step="step_a", name="a", reference=places.keep(path), rows=rows, schema=[],
        policy_digest="",
    )  # fmt: skip


def test_the_snapshot_and_lists(world: World) -> None:
    run = world.make_run(stage("a"), stage("b", ("a",)))
    client = browser(world.staff)
    snapshot = client.get(f"/api/runs/{run.pk}").json()
    assert snapshot["state"] == "waiting"
    assert snapshot["seq"] == run.seq
    assert set(snapshot["steps"]) == {"step_a", "step_b"}
    assert snapshot["can"] == {"cancel": True, "rerun": False, "see_rows": True}
    assert [run["number"] for run in client.get("/api/runs").json()["results"]] == [run.number]
    assert client.get("/api/runs?state=done").json()["results"] == []
    assert len(client.get(f"/api/runs?state=waiting,running&app={world.app.pk}&mine=1").json()["results"]) == 1
    events = client.get(f"/api/runs/{run.pk}/events?after=1&limit=1").json()
    assert [event["seq"] for event in events["results"]] == [2]
    assert events["next"] == 2


def test_runs_are_paged(world: World) -> None:
    numbers = [world.make_run(stage("a")).number for _ in range(5)]
    client, seen, cursor = browser(world.staff), [], ""
    while cursor is not None:
        page = client.get("/api/runs", {"limit": 2, **({"cursor": cursor} if cursor else {})}).json()
        seen += [run["number"] for run in page["results"]]
        cursor = page["next"]
    assert seen == numbers[::-1]


def test_cancel_and_rerun(world: World) -> None:
    run = world.make_run(stage("a"))
    client = browser(world.staff)
    assert client.post(f"/api/runs/{run.pk}/rerun", {}, "application/json").json()["code"] == "run.not_finished"
    assert client.post(f"/api/runs/{run.pk}/cancel").json()["state"] == "cancelled"
    assert client.post(f"/api/runs/{run.pk}/cancel").status_code == 200
    assert AuditRecord.objects.filter(action="run.cancel").count() == 1
    wrong = client.post(f"/api/runs/{run.pk}/rerun", {"from": "middle"}, "application/json")
    assert wrong.status_code == 400
    assert wrong.json()["problems"][0]["pointer"] == "/from"


ROUTES = (
    ("get", "/api/runs/{run}"), ("post", "/api/runs/{run}/cancel"), ("post", "/api/runs/{run}/rerun"),
    ("post", "/api/runs/{run}/pause"), ("post", "/api/runs/{run}/resume"),
    ("get", "/api/runs/{run}/events"), ("get", "/api/results/{result}/rows"),
    ("get", "/api/results/{result}/chart?x=n"), ("get", "/api/results/{result}/download"),
    ("get", "/api/tasks/{task}"), ("post", "/api/flows/{flow}/runs"), ("post", "/api/flows/{flow}/preview"),
)  # fmt: skip


@pytest.mark.parametrize(("verb", "route"), ROUTES)
def test_foreign_and_unknown_look_the_same(world: World, verb: str, route: str) -> None:
    result = make_result(world)
    ids = {"run": result.run_id, "result": result.pk, "task": result.task_id, "flow": world.flow.pk}
    body = {"step": "step_a"} if "preview" in route else {}
    answers = []
    for given in (ids, {name: uuid4() for name in ids}):
        answer = getattr(browser(world.stranger), verb)(route.format(**given), body, "application/json")
        found = answer.json()
        assert answer.status_code == 404, (route, found)
        answers.append({key: found[key] for key in ("status", "code", "title", "detail", "message")})
    assert answers[0] == answers[1]
    assert getattr(browser(None), verb)(route.format(**ids)).status_code == 401


@pytest.mark.parametrize("is_colleague", [False, True])
def test_operators_watch_but_do_not_read(world: World, is_colleague: bool) -> None:
    """Also those of the department that owns the app."""
    result = make_result(world)
    if is_colleague:
        world.operator.organisation = world.organisation
        world.operator.save()
    client = browser(world.operator)
    snapshot = client.get(f"/api/runs/{result.run_id}").json()
    assert snapshot["can"] == {"cancel": True, "rerun": False, "see_rows": False}
    assert "4711004711" not in str(snapshot["document"])
    assert snapshot["results"][0]["rows"] == 10
    for tail in ("rows", "chart?x=n", "download"):
        assert client.get(f"/api/results/{result.pk}/{tail}").status_code == 404
    assert client.post(f"/api/runs/{result.run_id}/rerun", {}, "application/json").status_code == 404
    assert client.get("/api/monitor").json()["counts"]["waiting"] == 1


def test_the_monitor_is_for_those_who_watch(world: World) -> None:
    assert browser(world.staff).get("/api/monitor").status_code == 403
    assert browser(world.admin).get("/api/monitor").status_code == 200


def test_rows_are_paged_and_sorted_without_losing_digits(world: World) -> None:
    result = make_result(world)
    client = browser(world.staff)
    page = client.get(f"/api/results/{result.pk}/rows?offset=8&limit=5").json()
    assert page["total"] == 10
    assert [row[0] for row in page["rows"]] == [8, 9]
    assert page["rows"][0][1:3] == [str(2**60), "1.50"]
    assert page["columns"][2] == {"name": "price", "type": "decimal(10,2)"}
    assert page["rows"][0][4] == "2026-01-01T08:00:00"
    downwards = client.get(f"/api/results/{result.pk}/rows?sort=-n&limit=2").json()
    assert [row[0] for row in downwards["rows"]] == [9, 8]
    wrong = client.get(f"/api/results/{result.pk}/rows?sort=nothing")
    assert wrong.status_code == 400
    assert wrong.json()["message"]["zh-CN"]
    assert client.get(f"/api/results/{result.pk}/rows?limit=x").status_code == 400


def chart(client: Client, result: Result, **query: Any) -> Any:
    return client.get(f"/api/results/{result.pk}/chart", query)


def test_charts_aggregate(world: World) -> None:
    result = make_result(world)
    client = browser(world.staff)
    counted = chart(client, result, x="district").json()
    assert counted["series"] == [{"name": None, "points": [["d0", 4], ["d1", 3], ["d2", 3]]}]
    mean = chart(client, result, x="district", y="n", agg="mean").json()
    assert mean["series"][0]["points"] == [["d0", 4.5], ["d1", 4.0], ["d2", 5.0]]
    prices = chart(client, result, x="district", y="price", agg="sum").json()
    assert prices["series"][0]["points"][0] == ["d0", 6.0]
    by_district = chart(client, result, x="at", y="n", agg="max", series="district").json()
    assert [series["name"] for series in by_district["series"]] == ["d0", "d1", "d2"]
    assert chart(client, result, x="nothing").json()["code"] == "chart.no_column"
    assert chart(client, result, x="n", y="district", agg="sum").json()["code"] == "chart.y_not_number"


def test_charts_of_many_points_use_intervals(world: World) -> None:
    result = make_result(world, rows=10_000)
    for x in ("n", "at"):
        drawn = chart(browser(world.staff), result, x=x).json()
        assert drawn["binned"]
        assert drawn["points"] <= 2000
        assert sum(y for _, y in drawn["series"][0]["points"]) == 10_000


def test_downloads_are_whole_and_harmless(world: World) -> None:
    result = make_result(world)
    client = browser(world.staff)
    answer = client.get(f"/api/results/{result.pk}/download?format=csv")
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert len(lines) == 11
    assert "'=1+1" in lines[1]
    assert "'+x" in lines[2]
    assert "'@y" in lines[5]
    assert "attachment" in answer["Content-Disposition"]
    whole = client.get(f"/api/results/{result.pk}/download?format=parquet")
    assert b"".join(whole.streaming_content)[:4] == b"PAR1"
    assert client.get(f"/api/results/{result.pk}/download?format=exe").status_code == 400
    assert AuditRecord.objects.filter(action="result.download").count() == 2


def test_removed_results_say_so(world: World) -> None:
    result = make_result(world)
    places.absolute(result.reference).unlink()
    answer = browser(world.staff).get(f"/api/results/{result.pk}/rows")
    assert answer.status_code == 410
    assert answer.json()["code"] == "result.gone"


def test_lone_tasks_are_their_askers_alone(world: World) -> None:
    task = Task.objects.create(
        kind=Task.Kind.PREVIEW, state=states.DONE, requested_by=world.staff, payload={"policy": {}},
        result={"rows": [["secret"]]},
    )  # fmt: skip
    assert browser(world.staff).get(f"/api/tasks/{task.pk}").json()["result"]["rows"] == [["secret"]]
    assert browser(world.stranger).get(f"/api/tasks/{task.pk}").status_code == 404
    watched = browser(world.operator).get(f"/api/tasks/{task.pk}").json()
    assert watched["state"] == "done"
    assert watched["result"] is None


def test_a_preview_of_nothing_says_so(world: World) -> None:
    answer = browser(world.staff).post(f"/api/flows/{world.flow.pk}/preview", {"step": "nope"}, "application/json")
    assert answer.status_code == 400
    assert answer.json()["code"] == "preview.no_such_step"
    assert not Task.objects.exists()


def test_a_flow_with_errors_does_not_start(world: World) -> None:
    answer = browser(world.staff).post(f"/api/flows/{world.flow.pk}/runs", {}, "application/json")
    assert answer.status_code == 422
    assert answer.json()["problems"]
    assert not Run.objects.exists()


def test_malformed_input_is_never_a_server_error(world: World) -> None:
    client = browser(world.staff)
    for path in ("/api/runs?app=x", "/api/runs?cursor=%00", "/api/runs?limit=-1", "/api/runs?state=nonsense"):
        assert client.get(path).status_code in (200, 400)
    for body in ("", "[]", "null", '{"parameters": 5}', '{"version": "x"}'):
        answer = client.post(f"/api/flows/{world.flow.pk}/runs", body, "application/json")
        assert 400 <= answer.status_code < 500, body
