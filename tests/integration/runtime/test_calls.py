"""Published flows: the answer to a call is what a run of the same flow keeps, for whoever may call and read."""

from __future__ import annotations

import io
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rest_framework.test import APIClient

from flows.errors import FlowError
from flows.models import CallCount, Flow
from flows.publishing import publish_flow
from node_catalog.models import Dataset
from runtime import places, states
from runtime.calling import tally
from runtime.calling.call_flow import call_flow
from runtime.calling.executor import EXECUTOR
from runtime.models import Result, Run
from runtime.monitor import run_snapshot
from runtime.scheduler import start_run
from security.access import principal_for
from security.manage_tokens import create_token
from security.models import AuditRecord
from tests.app.runtime.factory import make_organisation, make_user
from tests.integration.runtime import city
from tests.integration.runtime.conftest import ROWS, City

STATION = {"type": "object", "properties": {"station": {"type": "string"}, "least": {"type": "number", "default": 50}},
           "required": ["station"]}  # fmt: skip


@pytest.fixture(autouse=True)
def _counted_at_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(tally.TALLY, "every", 0)
    yield
    EXECUTOR.close()


def one_station(dataset: Dataset) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    steps = {
        "read": city.read_step(dataset),
        "some": {"type": "filter", "settings": {"where": "station = :station and pm25 >= :least"}},
        "first": {"type": "sort", "settings": {"by": [{"column": "id", "descending": True}]}},
        "few": {"type": "limit", "settings": {"rows": 5}},
        "out": {"type": "output", "settings": {"name": "rows"}},
    }
    return steps, [("read.out", "some.in"), ("some.out", "first.in"), ("first.out", "few.in"), ("few.out", "out.in")]


def by_station(dataset: Dataset) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    measures = [{"name": "n", "function": "count"}, {"name": "mean", "function": "mean", "column": "pm25"}]
    steps = {
        "read": city.read_step(dataset),
        "more": {"type": "derive", "settings": {"columns": [{"name": "half", "expression": "pm25 / 2"}]}},
        "sum": {"type": "aggregate", "settings": {"by": ["station"], "measures": measures}},
        "order": {"type": "sort", "settings": {"by": [{"column": "station"}]}},
        "out": {"type": "output", "settings": {"name": "rows"}},
    }
    return steps, [("read.out", "more.in"), ("more.out", "sum.in"), ("sum.out", "order.in"), ("order.out", "out.in")]


def joined(dataset: Dataset) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    steps = {
        "left": city.read_step(dataset),
        "right": {"type": "read", "settings": {"dataset": dataset.number, "columns": ["id", "pm25"]}},
        "high": {"type": "filter", "settings": {"where": "pm25 > 99"}},
        "both": {"type": "join", "settings": {"how": "inner", "on": [{"left": "id", "right": "id"}], "suffix": "_r"}},
        "order": {"type": "sort", "settings": {"by": [{"column": "id"}]}},
        "out": {"type": "output", "settings": {"name": "rows"}},
    }
    wires = [("left.out", "high.in"), ("high.out", "both.left"), ("right.out", "both.right"), ("both.out", "order.in"),
             ("order.out", "out.in")]  # fmt: skip
    return steps, wires


def made(small_city: City, parts: Any, inputs: dict[str, Any] | None = None) -> Flow:
    steps, wires = parts(small_city.readings)
    return city.make_flow(small_city.staff, steps, wires, inputs)


def kept(flow: Flow, small_city: City, parameters: dict[str, Any]) -> pa.Table:
    """What a durable run keeps."""
    run = city.await_run(start_run(flow, None, small_city.staff, parameters))
    assert run.state == states.DONE, run.error
    return pq.read_table(places.absolute(Result.objects.get(run=run).reference))


def test_the_answer_is_what_a_run_keeps(small_city: City) -> None:
    staff = principal_for(small_city.staff)
    given = {"station": "s3", "least": 60.5}
    cases: list[tuple[Any, Any, dict[str, Any]]] = [
        (one_station, STATION, given),
        (by_station, None, {}),
        (joined, None, {}),
    ]
    for parts, inputs, values in cases:
        flow = made(small_city, parts, inputs)
        published = publish_flow(flow, staff, "owner")
        expected = kept(flow, small_city, values)
        for _ in range(3):  # as a stage, made ready, and set going once more
            called = call_flow(staff, flow.app_id, flow.key, values, "test")
            assert called.table.to_pylist() == expected.to_pylist() and called.count == called.table.num_rows > 3
            assert called.table.schema.equals(expected.schema)
        assert published.columns and [one["name"] for one in published.columns] == expected.schema.names


def test_a_row_of_parameters_needs_no_source(small_city: City) -> None:
    staff = principal_for(small_city.staff)
    row = {
        "columns": [{"name": "station"}, {"name": "least", "type": "decimal(6,2)"}],
        "rows": [[":station", ":least"]],
    }
    more = {"columns": [{"name": "twice", "expression": "least * 2"}, {"name": "word", "expression": "upper(station)"}]}
    steps = {
        "row": {"type": "table", "settings": row},
        "more": {"type": "derive", "settings": more},
        "out": {"type": "output", "settings": {"name": "rows"}},
    }
    flow = made(small_city, lambda _: (steps, [("row.out", "more.in"), ("more.out", "out.in")]), STATION)
    published = publish_flow(flow, staff, "owner")
    assert [one["name"] for one in published.columns] == ["station", "least", "twice", "word"]
    for station, least in (("s1", 1.5), ("it's", 7), ("s1", 1.5), ("s1", 1.5)):
        given = {"station": station, "least": least}
        called = call_flow(staff, flow.app_id, flow.key, given, "test")
        half = Decimal(str(least))
        assert called.table.to_pylist() == [
            {"station": station, "least": half, "twice": half * 2, "word": station.upper()}
        ]
    assert kept(flow, small_city, given).to_pylist() == called.table.to_pylist()
    steps_of_run = run_snapshot(staff, Run.objects.get(flow=flow).pk)["steps"]
    assert {name: one["rows"] for name, one in steps_of_run.items()} == {"row": 1, "more": 1, "out": 1}
    stranger = make_user("stranger", make_organisation("tax"), "business")
    publish_flow(flow, staff, "everyone")
    assert call_flow(principal_for(stranger), flow.app_id, flow.key, given, "stranger").count == 1
    with pytest.raises(FlowError):
        call_flow(staff, flow.app_id, flow.key, {"least": 1}, "test")


def test_parameters_stand_among_rows_typed_by_hand(small_city: City) -> None:
    staff = principal_for(small_city.staff)
    columns = [{"name": "station"}, {"name": "least", "type": "number"}, {"name": "again", "type": "decimal(6,2)"}]
    rows = [["s0", 1.5, None], [":station", ":least", ":least"], [None, "7", "0.25"]]
    steps = {
        "rows": {"type": "table", "settings": {"columns": columns, "rows": rows}},
        "some": {"type": "filter", "settings": {"where": "least >= 2"}},
        "out": {"type": "output", "settings": {"name": "rows"}},
    }
    flow = made(small_city, lambda _: (steps, [("rows.out", "some.in"), ("some.out", "out.in")]), STATION)
    publish_flow(flow, staff, "owner")
    for station, least in (("s1", 2), ("s1", 2), ("'; --", 9.75), ("s1", 2)):
        called = call_flow(staff, flow.app_id, flow.key, {"station": station, "least": least}, "test")
        assert called.table.to_pylist() == [
            {"station": station, "least": least, "again": Decimal(str(least))},
            {"station": None, "least": 7.0, "again": Decimal("0.25")},
        ]


def test_over_http_with_a_token(small_city: City) -> None:
    staff = principal_for(small_city.staff)
    flow = made(small_city, one_station, STATION)
    address = f"/api/call/{flow.app_id}/{flow.key}"
    client, stranger = APIClient(), APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {create_token(staff, 'program', 1)[1]}")
    other = make_user("stranger", make_organisation("tax"), "business")
    stranger.credentials(HTTP_AUTHORIZATION=f"Bearer {create_token(principal_for(other), 'theirs', 1)[1]}")
    assert APIClient().post(address, {}, format="json").status_code == 401
    assert client.post(address, {"station": "s1"}, format="json").status_code == 404, "not published yet"

    switch = f"/api/flows/{flow.pk}/api"
    assert client.get(switch).json()["is_on"] is False
    answer = client.put(switch, {"audience": "department"}, format="json")
    assert answer.status_code == 200 and answer.json()["inputs"] == STATION

    body = client.post(address, {"station": "s1"}, format="json").json()
    assert body["count"] == 5 == len(body["rows"]) and body["durable"] is False
    assert {row["station"] for row in body["rows"]} == {"s1"} and all(row["pm25"] >= 50 for row in body["rows"])
    csv = client.post(address, {"station": "s1"}, format="json", HTTP_ACCEPT="text/csv")
    assert csv.content.decode("utf-8-sig").splitlines()[0].startswith('"id","station"')
    arrow = client.post(address, {"station": "s1"}, format="json", HTTP_ACCEPT="application/vnd.apache.arrow.stream")
    with pa.ipc.open_stream(io.BytesIO(arrow.content)) as reader:
        assert reader.read_all().num_rows == 5
    assert client.post(address, {"station": "s1"}, format="json", HTTP_ACCEPT="image/png").status_code == 406

    wrong = client.post(address, {"station": 7}, format="json")
    assert (wrong.status_code, wrong.json()["code"]) == (400, "parameters.wrong")
    assert stranger.post(address, {"station": "s1"}, format="json").status_code == 404, "another department"
    assert stranger.put(switch, {"audience": "everyone"}, format="json").status_code == 404

    hours = client.get(switch).json()["hours"]
    assert (hours[0]["calls"], hours[0]["errors"], hours[0]["rows"]) == (4, 1, 15)
    assert hours[0]["last_error"]["code"] == "parameters.wrong"
    assert AuditRecord.objects.filter(action="flow.call", object_id=str(flow.pk)).count() == 4
    assert client.delete(switch).json()["is_on"] is False
    assert client.post(address, {"station": "s1"}, format="json").status_code == 404


def test_everybody_reads_with_their_own_rights_of_the_moment(small_city: City) -> None:
    flow = made(small_city, by_station)
    publish_flow(flow, principal_for(small_city.staff), "everyone")
    stranger = make_user("stranger", make_organisation("tax"), "business")
    with pytest.raises(FlowError):
        call_flow(principal_for(stranger), flow.app_id, flow.key, {}, "stranger")
    dataset = small_city.readings
    Dataset.objects.filter(pk=dataset.pk).update(share=Dataset.Share.UNCONDITIONAL)
    assert call_flow(principal_for(stranger), flow.app_id, flow.key, {}, "stranger").table.num_rows == 7
    Dataset.objects.filter(pk=dataset.pk).update(share=Dataset.Share.NONE)
    with pytest.raises(FlowError):
        call_flow(principal_for(stranger), flow.app_id, flow.key, {}, "stranger")


def test_limits_of_rows_and_time(small_city: City, settings: Any) -> None:
    staff = principal_for(small_city.staff)
    steps = {"read": city.read_step(small_city.readings), "out": {"type": "output", "settings": {"name": "rows"}}}
    flow = city.make_flow(small_city.staff, steps, [("read.out", "out.in")])
    publish_flow(flow, staff, "owner")

    def outcome(**options: Any) -> tuple[str, int]:
        settings.OPTIONS = {**settings.OPTIONS, "CALL_ROWS": ROWS, "CALL_SECONDS": 60.0, **options}
        try:
            call_flow(staff, flow.app_id, flow.key, {}, "me")
        except Exception as error:
            return getattr(error, "code", ""), getattr(error, "status", 0)
        return "", 200

    assert outcome() == ("", 200)
    assert outcome(CALL_ROWS=ROWS - 1) == ("call.too_much", 422)
    assert outcome(CALL_SECONDS=0.0) == ("call.too_slow", 504)
    assert sum(row.calls for row in CallCount.objects.filter(flow=flow)) == 3


def test_what_cannot_be_waited_for_is_not_published(small_city: City) -> None:
    steps, wires = one_station(small_city.readings)
    steps["other"] = {"type": "output", "settings": {"name": "all"}}
    two = city.make_flow(small_city.staff, steps, [*wires, ("read.out", "other.in")])
    with pytest.raises(FlowError, match=r"call\.one_result"):
        publish_flow(two, principal_for(small_city.staff), "owner")
