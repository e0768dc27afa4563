"""A cross table whose columns the data decides, in real runs: results, previews, a pinned sample, a cell's origin."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pyarrow.parquet as pq
import pytest

from flows.models import Flow
from flows.tracing import explain_cell
from runtime import places, requests, states
from runtime.cells import open_cell
from runtime.models import Result
from runtime.pinned import pin_preview
from runtime.scheduler import start_run
from security.access import principal_for
from tests.integration.runtime import city
from tests.integration.runtime.conftest import City

STATIONS = [f"s{n}" for n in range(7)]
CHOSEN = {"columns": [{"column": "k"}, {"column": "station"}, {"column": "pm25"}]}


def cross_table(small_city: City, **pivot: Any) -> Flow:
    steps: dict[str, Any] = {
        "read": city.read_step(small_city.readings),
        "part": {"type": "derive", "settings": {"columns": [{"name": "k", "expression": "id % 3"}]}},
        "few": {"type": "select", "settings": CHOSEN},
        "cross": {
            "type": "pivot",
            "settings": {"names": "station", "values": "pm25", "function": "max", **pivot},
        },
        "good": {"type": "check", "settings": {"rules": [{"name": "s1", "expression": "s1 > 0"}]}},
        "kept": {"type": "filter", "settings": {"where": "k < 2"}},
        "out": {"type": "output", "settings": {"name": "cross"}},
    }
    chain = list(steps)
    return city.make_flow(small_city.staff, steps, [(f"{one}.out", f"{other}.in") for one, other in pairwise(chain)])


def highest(rows: int = 5000) -> dict[int, dict[str, float]]:
    """The answer by hand."""
    found: dict[int, dict[str, float]] = {}
    for n in range(rows):
        cells = found.setdefault(n % 3, {})
        station, value = f"s{n % 7}", (n * 7919 % 1000) / 10
        cells[station] = max(cells.get(station, 0.0), value)
    return found


def test_a_result_has_the_columns_that_the_data_has(small_city: City) -> None:
    flow = cross_table(small_city)
    run = city.await_run(start_run(flow, None, small_city.staff))
    assert run.state == states.DONE, run.error
    result = Result.objects.get(run=run)
    table = pq.read_table(places.absolute(result.reference))
    assert table.column_names == [column["name"] for column in result.schema]
    assert sorted(table.column_names) == sorted(["k", *STATIONS])
    assert {column["type"] for column in result.schema if column["name"] != "k"} == {"number"}
    rows = {row.pop("k"): row for row in table.to_pylist()}
    assert rows == {k: cells for k, cells in highest().items() if k < 2}
    folder = places.absolute(result.reference).parent
    assert [path.name for path in folder.iterdir() if "columns" in path.name] == [], "the waiting rows are gone"

    cell = open_cell(principal_for(small_city.staff), result.pk, 0, "s3")
    told = explain_cell(cell.traced, cell.port, cell.row, "s3")
    (source,) = told["sources"]
    assert {"station", "pm25"} <= set(source["computed_from"])
    assert [note["code"] for note in source["rows"]["notes"]] != []

    task = city.await_task(requests.request_preview(flow, "cross", small_city.staff))
    assert task.state == states.DONE, task.error
    seen: dict[str, Any] = task.result
    assert [column["name"] for column in seen["columns"]] == ["k", *STATIONS]
    assert set(seen["statistics"]) == {"k", *STATIONS}
    pin_preview(flow, "cross", "out", task, small_city.staff)
    later = city.await_task(requests.request_preview(flow, "kept", small_city.staff))
    assert later.state == states.DONE, later.error
    assert sorted(column["name"] for column in later.result["columns"]) == sorted(["k", *STATIONS])


@pytest.mark.parametrize("names, code", [({"most": 3}, "engine.too_many_columns")])
def test_too_many_columns_stop_the_run_in_words(small_city: City, names: dict[str, Any], code: str) -> None:
    run = city.await_run(start_run(cross_table(small_city, **names), None, small_city.staff))
    assert run.state == states.FAILED
    assert run.error["code"] == code
    assert "3" in run.error["message"]["zh-CN"]
    assert not Result.objects.filter(run=run).exists()
