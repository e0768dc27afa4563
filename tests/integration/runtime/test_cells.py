"""Where a number comes from, asked of a real run: steps, version, right, exactly the rows, within two seconds."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing

import pyarrow.parquet as pq
import pytest

from node_catalog.models import Dataset
from runtime import places, states
from runtime.cells import open_cell
from runtime.errors import WithheldError
from runtime.models import Result, Run, Task
from runtime.scheduler import start_run
from security.access import principal_for
from security.errors import NotFoundError
from tests.app.runtime.factory import make_organisation, make_user
from tests.integration.runtime import city
from tests.integration.runtime.conftest import City
from tests.integration.runtime.test_runs import summary_flow

SECONDS = 2.0


@pytest.fixture
def finished(small_city: City) -> Run:
    run = city.await_run(start_run(summary_flow(small_city), None, small_city.staff))
    assert run.state == states.DONE, run.error
    return run


def test_a_cell_is_explained_and_its_rows_are_shown(small_city: City, finished: Run) -> None:
    result = Result.objects.get(run=finished)
    table = pq.read_table(places.absolute(result.reference)).sort_by("station").to_pylist()
    client, began = city.signed_in(small_city.staff), time.monotonic()
    answer = client.get(f"/api/results/{result.pk}/cells", {"row": 2, "column": "hours", "sort": "station"})
    assert answer.status_code == 200, answer.content
    told = answer.json()
    assert told["value"] == table[2]["hours"]
    assert told["run"]["number"] == finished.number
    assert told["version"]["number"] == 1
    assert [one["step"] for one in told["steps"]] == ["read", "bad", "sum", "out"]
    assert [one["step"] for one in told["steps"] if one["chooses"]] == ["bad", "sum"]
    (source,) = told["sources"]
    assert source["dataset"]["number"] == small_city.readings.number
    assert source["rows_from"] == ["pm25", "station"]
    assert source["right"]["source"] == "own"
    assert source["rows"]["is_exact"]
    assert {"text": "station = 's2'"} in source["rows"]["conditions"][0]
    body = {"row": 2, "column": "hours", "sort": "station", "step": "read"}
    asked = client.post(f"/api/results/{result.pk}/cells", body, content_type="application/json")
    assert asked.status_code == 202, asked.content
    task = city.await_task(Task.objects.get(pk=asked.json()["task"]))
    assert time.monotonic() - began < SECONDS
    assert task.state == states.DONE, task.error
    rows = client.get(f"/api/tasks/{task.pk}").json()["result"]["rows"]
    with closing(sqlite3.connect(city.home("source.sqlite3"))) as connection:
        ids = [
            one
            for (one,) in connection.execute("select id from readings where station = 's2' and pm25 > 50 order by id")
        ]
    assert len(ids) == told["value"]
    assert len(rows) == 100
    assert {row[0] for row in rows} <= set(ids)


def test_cells_that_are_not_there(small_city: City, finished: Run) -> None:
    result, client = Result.objects.get(run=finished), city.signed_in(small_city.staff)
    for query in ({"row": 7, "column": "hours"}, {"row": 0, "column": "x"}, {"row": 0, "column": "hours", "sort": "x"}):
        assert client.get(f"/api/results/{result.pk}/cells", query).status_code in (400, 404, 422)
    body = {"row": 0, "column": "hours", "step": "bad"}
    assert client.post(f"/api/results/{result.pk}/cells", body, content_type="application/json").status_code == 400


def test_a_cell_is_only_for_who_may_see_the_rows_today(small_city: City, finished: Run) -> None:
    result = Result.objects.get(run=finished)
    stranger = make_user("other", make_organisation("tax"), "business", "data_admin")
    with pytest.raises(NotFoundError):
        open_cell(principal_for(stranger), result.pk, 0, "hours")
    watcher = make_user("watch", small_city.staff.organisation, "operator")
    with pytest.raises((WithheldError, NotFoundError)):
        open_cell(principal_for(watcher), result.pk, 0, "hours")
    Dataset.objects.filter(pk=small_city.readings.pk).update(share="none")
    small_city.source.is_active = False
    small_city.source.save()
    with pytest.raises(WithheldError):
        open_cell(principal_for(small_city.staff), result.pk, 0, "hours")
