"""Apps whose flows have what the starters lack, filled in: for pictures of forms, and for runs that are looked into."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from studio.demo.nodes import AIR, STATIONS, WEATHER

Json = dict[str, Any]
Send = Callable[[str, str, Any], Any]
"""(method, path, body) → JSON."""

AIR_DATA = {"air": f"{AIR.number}.0001"}
STATION_DATA = {"stations": f"{STATIONS.number}.0002"}
WEATHER_DATA = {"weather": f"{WEATHER.number}.0001"}
SHOWN = ("check", "switch", "branch", "call", "for_each", "sql")
SHOWN_PLACES = ("geo_point", "geo_transform", "point_in_polygon", "nearest_place", "distance")
DAYS = 100
"""Iterations of the flow that checks one day after the other; it fails on some of the days."""


def in_both(en: str, zh: str) -> dict[str, str]:
    """A title in both languages."""
    return {"en": en, "zh-CN": zh}


def flow_of(datasets: Mapping[str, str], steps: Mapping[str, tuple[str, Json]], wires: str, **more: Any) -> Json:
    """A document: ``steps`` are (type, settings) by their ids; ``wires`` are "a.port>b.port" with blanks between."""
    return {
        "kind": "flow",
        "spec": "1",
        "datasets": dict(datasets),
        "steps": {key: {"type": kind, "version": 1, "settings": settings} for key, (kind, settings) in steps.items()},
        "wires": [dict(zip(("from", "to"), wire.split(">"), strict=True)) for wire in wires.split()],
        **more,
    }


def add_app(send: Send, title: dict[str, str], document: Json, positions: Mapping[str, tuple[int, int]]) -> Json:
    """An app of one flow, as the API tells it; steps without a position stand where the studio puts them."""
    places = {key: {"x": x, "y": y} for key, (x, y) in positions.items()}
    bundle = {"kind": "bundle", "title": title, "document": document, "layout": {"positions": places}}
    return dict(send("post", "/api/apps/import", {"bundle": bundle}))


def add_sub_flow(send: Send, title: dict[str, str], document: Json) -> Json:
    """A saved flow; what a step that uses it has in its settings."""
    app = add_app(send, title, document, {})
    send("post", f"/api/apps/{app['id']}/versions", {"message": "first"})
    found = send("get", "/api/sub-flows", None)["results"]
    return next(dict(one["settings"]) for one in found if one["settings"]["app"] == app["id"])


def add_station_flow(send: Send) -> Json:
    """A sub-flow that gives one station's worst hours."""
    station = {"type": "string", "x-title": in_both("Station", "站点")}
    document = flow_of(
        AIR_DATA,
        {
            "air": ("read", {"dataset": "air", "columns": ["station", "year", "month", "PM2.5"]}),
            "one": ("filter", {"where": 'station = :station and "PM2.5" > 300'}),
            "out": ("output", {"name": "worst"}),
        },
        "air.out>one.in one.out>out.in",
        inputs={"type": "object", "properties": {"station": station}, "required": ["station"]},
    )
    return add_sub_flow(send, in_both("Worst hours of a station", "单站最差时段"), document)


def add_tour(send: Send) -> str:
    """The app; its flow's id. A step is called by its type."""
    station_flow = add_station_flow(send)
    given = station_flow["gives"][0]["port"]
    document = flow_of(
        AIR_DATA,
        {
            "air": ("read", {"dataset": "air", "columns": ["station", "year", "month", "PM2.5", "TEMP"]}),
            "check": (
                "check",
                {
                    "rules": [
                        {"name": "measured", "expression": '"PM2.5" is not null', "at_least": 0.9},
                        {"name": "plausible", "expression": '"PM2.5" between 0 and 999'},
                    ],
                    "on_fail": "split",
                },
            ),
            "switch": (
                "switch",
                {
                    "ways": [
                        {"port": "way_1", "name": "good", "where": '"PM2.5" <= 75'},
                        {"port": "way_2", "name": "bad", "where": '"PM2.5" > 75'},
                    ]
                },
            ),
            "branch": ("branch", {"when": "count(*) > 0"}),
            "stations": ("aggregate", {"by": ["station"], "measures": [{"name": "hours", "function": "count"}]}),
            "for_each": (
                "for_each",
                {"flow": station_flow, "parameters": {"station": {"column": "station"}}, "keys": ["hours"]},
            ),
            "sql": (
                "sql",
                {
                    "inputs": ["air"],
                    "query": 'select station, round(avg("PM2.5"), 1) as pm25, count(*) as hours\nfrom air\n'
                    "where year >= 2015\ngroup by station\norder by pm25 desc",
                },
            ),
            "call": ("call", {"flow": station_flow, "parameters": {"station": "Dongsi"}}),
            "sql_out": ("output", {"name": "by_station"}),
            "each_out": ("output", {"name": "per_station"}),
            "one_out": ("output", {"name": "one_station"}),
            "good_out": ("output", {"name": "good_hours"}),
            "failed_out": ("output", {"name": "failed"}),
        },
        "air.out>sql.air sql.out>sql_out.in "
        "air.out>check.in check.out>switch.in check.failed>failed_out.in switch.way_1>good_out.in "
        "switch.way_2>branch.in branch.then>stations.in stations.out>for_each.in for_each.out>each_out.in "
        f"call.{given}>one_out.in",
    )
    positions = {
        "air": (0, 120), "check": (260, 120), "switch": (520, 120), "branch": (780, 120), "stations": (1040, 120),
        "for_each": (1300, 120), "each_out": (1560, 120), "call": (1300, 280), "one_out": (1560, 280),
        "good_out": (780, 280), "failed_out": (520, 280), "sql": (260, 440), "sql_out": (520, 440),
    }  # fmt: skip
    app = add_app(send, in_both("A tour of the flow steps", "流程控制示例"), document, positions)
    return str(app["flows"][0]["id"])


RING = "POLYGON ((116.21 39.80, 116.54 39.80, 116.54 40.02, 116.21 40.02, 116.21 39.80))"


def add_places(send: Send) -> str:
    """Stations on the map: in which area, how far from the centre, which is near; the flow's id."""
    document = flow_of(
        STATION_DATA,
        {
            "stations": ("read", {"dataset": "stations", "columns": ["station", "district", "longitude", "latitude"]}),
            "more": (
                "derive",
                {
                    "columns": [
                        {"name": "centre_x", "expression": "116.397"},
                        {"name": "centre_y", "expression": "39.908"},
                    ]
                },
            ),
            "centre": ("geo_point", {"x": "centre_x", "y": "centre_y", "name": "centre"}),
            "geo_point": ("geo_point", {"x": "longitude", "y": "latitude", "crs": "GCJ02", "name": "place"}),
            "geo_transform": ("geo_transform", {"column": "place", "to": "WGS84"}),
            "limit": ("limit", {"rows": 1}),
            "border": ("derive", {"columns": [{"name": "border", "expression": f"'{RING}'"}]}),
            "area": ("geo_parse", {"column": "border", "name": "area"}),
            "point_in_polygon": ("point_in_polygon", {"point": "place", "area": "area", "columns": ["border"]}),
            "nearest_place": (
                "nearest_place",
                {"geometry": "place", "place": "place", "metres": 60_000, "count": 2, "columns": ["station"]},
            ),
            "distance": ("distance", {"start": "place", "end": "centre", "name": "to_centre_m"}),
            "out": ("output", {"name": "places"}),
        },
        "stations.out>more.in more.out>centre.in centre.out>geo_point.in geo_point.out>geo_transform.in "
        "stations.out>limit.in limit.out>border.in border.out>area.in geo_transform.out>point_in_polygon.points "
        "area.out>point_in_polygon.areas point_in_polygon.out>nearest_place.rows "
        "geo_transform.out>nearest_place.places nearest_place.out>distance.in distance.out>out.in",
    )
    document["steps"]["centre"]["title"] = in_both("City centre", "市中心")
    positions = {
        "stations": (0, 120), "more": (260, 40), "centre": (520, 40), "geo_point": (780, 40),
        "geo_transform": (1040, 40), "limit": (260, 200), "border": (520, 200), "area": (780, 200),
        "point_in_polygon": (1300, 120), "nearest_place": (1560, 120), "distance": (1820, 120), "out": (2080, 120),
    }  # fmt: skip
    app = add_app(send, in_both("Stations on the map", "站点空间分析"), document, positions)
    return str(app["flows"][0]["id"])


def add_limits(send: Send) -> str:
    """Hours above limits that are typed by hand, one of them a parameter; the flow's id."""
    limits = {
        "columns": [
            {"name": "place", "type": "text"},
            {"name": "most", "type": "number"},
            {"name": "since", "type": "date"},
        ],
        "rows": [["Dongsi", 75, "2016-01-01"], ["Huairou", ":most", "2016-01-01"], ["Gucheng", 75, None]],
    }
    document = flow_of(
        AIR_DATA,
        {
            "air": ("read", {"dataset": "air", "columns": ["station", "year", "month", "PM2.5"]}),
            "table": ("table", limits),
            "both": ("join", {"how": "inner", "on": [{"left": "station", "right": "place"}]}),
            "above": ("filter", {"where": '"PM2.5" > most'}),
            "out": ("output", {"name": "above"}),
        },
        "air.out>both.left table.out>both.right both.out>above.in above.out>out.in",
        inputs={"type": "object", "properties": {"most": {"type": "number", "default": 50}}},
    )
    positions = {"air": (0, 40), "table": (0, 200), "both": (260, 120), "above": (520, 120), "out": (780, 120)}
    app = add_app(send, in_both("Hours above a limit", "超限时段"), document, positions)
    return str(app["flows"][0]["id"])


def add_days(send: Send) -> str:
    """The days of a summer one by one; the flow's id. A day with heavy rain, which has no level, fails."""
    day = {"type": "string", "format": "date", "x-title": in_both("Day", "日期")}
    level = "cast(case when rain_mm < 8 then '0' else '暴雨' end as integer)"
    one_day = flow_of(
        WEATHER_DATA,
        {
            "weather": ("read", {"dataset": "weather", "columns": ["day", "district", "high_c", "rain_mm"]}),
            "one": ("filter", {"where": "day = :day"}),
            "level": ("derive", {"columns": [{"name": "level", "expression": level}]}),
            "out": ("output", {"name": "checked"}),
        },
        "weather.out>one.in one.out>level.in level.out>out.in",
        inputs={"type": "object", "properties": {"day": day}, "required": ["day"]},
    )
    each = {
        "flow": add_sub_flow(send, in_both("One day's rain", "单日降水分级"), one_day),
        "parameters": {"day": {"column": "day"}},
        "keys": ["day"],
        "concurrency": 2,
        "on_error": "continue",
    }
    document = flow_of(
        WEATHER_DATA,
        {
            "weather": ("read", {"dataset": "weather", "columns": ["day", "high_c"]}),
            "summer": ("filter", {"where": "day >= date '2014-06-01' and day < date '2014-09-09'"}),
            "days": (
                "aggregate",
                {"by": ["day"], "measures": [{"name": "hottest", "function": "max", "column": "high_c"}]},
            ),
            "order": ("sort", {"by": [{"column": "day"}]}),
            "for_each": ("for_each", each),
            "out": ("output", {"name": "days"}),
        },
        "weather.out>summer.in summer.out>days.in days.out>order.in order.out>for_each.in for_each.out>out.in",
    )
    positions = {
        "weather": (0, 120),
        "summer": (260, 120),
        "days": (520, 120),
        "order": (780, 120),
        "for_each": (1040, 120),
        "out": (1300, 120),
    }
    app = add_app(send, in_both("A summer day by day", "夏季逐日分级"), document, positions)
    return str(app["flows"][0]["id"])
