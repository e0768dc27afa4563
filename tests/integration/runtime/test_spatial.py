"""Runs with geometries: from numbers and text to points in areas, results, and areas that cross themselves."""

from __future__ import annotations

from typing import Any

import pyarrow.parquet as pq

from flows.models import Flow
from node_catalog.sdk.ports import type_of_field
from runtime import places, requests, states
from runtime.engine.results import read_page
from runtime.models import Result, Run
from runtime.pinned import pin_preview
from runtime.scheduler import start_run
from tests.integration.runtime import city
from tests.integration.runtime.conftest import ROWS, City

BOW_TIE = "POLYGON ((0 0, 4 4, 4 0, 0 4, 0 0))"


def flow_of(small_city: City, border: str, **more: str) -> Any:
    """Readings as points on a diagonal, and one area from each of two stations: ``border`` and one beside it."""
    areas = {"column": "border", "name": "area", "key": "station", **more}
    border_of = f"case station when 's1' then '{border}' else 'POLYGON ((50 50, 60 50, 60 60, 50 60, 50 50))' end"
    steps: dict[str, Any] = {
        "read": city.read_step(small_city.readings),
        "place": {
            "type": "derive",
            "settings": {"columns": [{"name": "x", "expression": "pm25"}, {"name": "y", "expression": "pm25 / 2"}]},
        },
        "point": {"type": "geo_point", "settings": {"x": "x", "y": "y", "name": "place"}},
        "two": {"type": "filter", "settings": {"where": "id in (1, 2)"}},
        "border": {
            "type": "derive",
            "settings": {"columns": [{"name": "border", "expression": border_of}]},
        },
        "parse": {"type": "geo_parse", "settings": areas},
        "inside": {
            "type": "point_in_polygon",
            "settings": {"point": "place", "area": "area", "columns": ["station"], "how": "inner"},
        },
        "out": {"type": "output", "settings": {"name": "inside"}},
    }
    wires = [
        ("read.out", "place.in"),
        ("place.out", "point.in"),
        ("read.out", "two.in"),
        ("two.out", "border.in"),
        ("border.out", "parse.in"),
        ("point.out", "inside.points"),
        ("parse.out", "inside.areas"),
        ("inside.out", "out.in"),
    ]
    return city.make_flow(small_city.staff, steps, wires)


def result_of(run: Run) -> Any:
    return places.absolute(Result.objects.get(run=run, name="inside").reference)


def test_points_find_their_areas_in_a_run_and_the_result_shows_words(small_city: City) -> None:
    flow = flow_of(small_city, "POLYGON ((10 0, 30 0, 30 60, 10 60, 10 0))")
    run = city.await_run(start_run(flow, None, small_city.staff))
    assert run.state == states.DONE, run.error
    path = result_of(run)
    table = pq.read_table(path)
    assert type_of_field(table.schema.field("place")) == "geometry(WGS84)"
    wanted = [n for n in range(ROWS) if 10 <= (n * 7919 % 1000) / 10 <= 30]
    assert sorted(table["id"].to_pylist()) == wanted and set(table["station_area"].to_pylist()) == {"s1"}
    page = read_page(str(path), columns=["id", "place"], limit=1, order=[("id", False)])
    assert page["columns"][1] == {"name": "place", "type": "geometry(WGS84)"}
    value = (wanted[0] * 7919 % 1000) / 10
    assert page["rows"] == [[wanted[0], f"POINT ({value:g} {value / 2:g})"]]


def test_an_area_that_crosses_itself_stops_the_run_and_is_named(small_city: City) -> None:
    run = city.await_run(start_run(flow_of(small_city, BOW_TIE), None, small_city.staff))
    assert run.state == states.FAILED
    message = run.error["message"]
    assert "1 area" in message["en"] and "“s1”" in message["en"] and "自相交" in message["zh-CN"]
    assert not Result.objects.filter(run=run).exists()


def test_an_area_that_crosses_itself_can_be_repaired_or_left_out(small_city: City) -> None:
    repaired = city.await_run(start_run(flow_of(small_city, BOW_TIE, invalid="repair"), None, small_city.staff))
    assert repaired.state == states.DONE, repaired.error
    inside = {n for n in range(ROWS) if (n * 7919 % 1000) / 10 <= 4 or 50 <= (n * 7919 % 1000) / 10 <= 60}
    # on the diagonal y = x / 2 a bow tie reaches to where its lower wing ends
    assert set(pq.read_table(result_of(repaired))["id"].to_pylist()) < inside
    skipped = city.await_run(start_run(flow_of(small_city, BOW_TIE, invalid="skip"), None, small_city.staff))
    assert skipped.state == states.DONE, skipped.error
    assert pq.read_table(result_of(skipped))["station_area"].to_pylist().count("s1") == 0


def test_previews_show_words_and_bounds_and_a_pinned_sample_is_used_again(small_city: City) -> None:
    flow = flow_of(small_city, "POLYGON ((10 0, 30 0, 30 60, 10 60, 10 0))")
    points = preview(flow, "point", small_city)
    place = points["columns"].index({"name": "place", "type": "geometry(WGS84)"})
    first = dict(zip([column["name"] for column in points["columns"]], points["rows"][0], strict=True))
    assert points["rows"][0][place] == f"POINT ({first['x']:g} {first['y']:g})"
    assert points["statistics"]["place"]["min"] == "0.000000 0.000000"
    assert points["statistics"]["place"]["distinct"] is None
    areas = preview(flow, "parse", small_city)
    assert areas["rows"][0][-1] == "POLYGON ((10 0, 30 0, 30 60, 10 60, 10 0))"
    pin_preview(flow, "parse", "out", areas["task"], small_city.staff)
    inside = preview(flow, "inside", small_city)
    assert len(inside["held"]) == 1 and inside["rows"]


def preview(flow: Flow, step: str, small_city: City) -> dict[str, Any]:
    task = city.await_task(requests.request_preview(flow, step, small_city.staff))
    assert task.state == states.DONE, task.error
    assert task.result is not None
    return {**task.result, "task": task}
