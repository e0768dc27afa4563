"""An app whose flow has the steps that the starters lack, filled in: for pictures of their forms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from studio.demo.nodes import AIR

Json = dict[str, Any]
Send = Callable[[str, str, Any], Any]
"""(method, path, body) → JSON."""

AIR_DATA = f"{AIR.number}.0001"
SHOWN = ("check", "switch", "branch", "call", "for_each", "sql")


def _words(en: str, zh: str) -> dict[str, str]:
    return {"en": en, "zh-CN": zh}


def _flow(steps: Mapping[str, tuple[str, Json]], wires: str, **more: Any) -> Json:
    return {
        "kind": "flow",
        "spec": "1",
        "datasets": {"air": AIR_DATA},
        "steps": {key: {"type": kind, "version": 1, "settings": settings} for key, (kind, settings) in steps.items()},
        "wires": [dict(zip(("from", "to"), wire.split(">"), strict=True)) for wire in wires.split()],
        **more,
    }


def _bundle(title: dict[str, str], document: Json, positions: Mapping[str, tuple[int, int]]) -> Json:
    places = {key: {"x": x, "y": y} for key, (x, y) in positions.items()}
    return {"kind": "bundle", "title": title, "document": document, "layout": {"positions": places}}


def add_station_flow(send: Send) -> Json:
    """A saved flow that gives one station's worst hours; what a step that uses it has in its settings."""
    station = {"type": "string", "x-title": _words("Station", "站点")}
    document = _flow(
        {
            "air": ("read", {"dataset": "air", "columns": ["station", "year", "month", "PM2.5"]}),
            "one": ("filter", {"where": 'station = :station and "PM2.5" > 300'}),
            "out": ("output", {"name": "worst"}),
        },
        "air.out>one.in one.out>out.in",
        inputs={"type": "object", "properties": {"station": station}, "required": ["station"]},
    )
    title = _words("Worst hours of a station", "单站最差时段")
    app = send("post", "/api/apps/import", {"bundle": _bundle(title, document, {})})
    send("post", f"/api/apps/{app['id']}/versions", {"message": "first"})
    found = send("get", "/api/sub-flows", None)["results"]
    return next(dict(one["settings"]) for one in found if one["settings"]["app"] == app["id"])


def add_tour(send: Send) -> str:
    """The app; its flow's id. A step is called by its type."""
    station_flow = add_station_flow(send)
    given = station_flow["gives"][0]["port"]
    document = _flow(
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
    title = _words("A tour of the flow steps", "流程控制示例")
    app = send("post", "/api/apps/import", {"bundle": _bundle(title, document, positions)})
    return str(app["flows"][0]["id"])
