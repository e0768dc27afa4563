"""The rows that random flows work on: small tables, and cells that are typed by hand."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

from tests.unit.graph.support import AIR, AIR_COLUMNS, STATION_COLUMNS, STATIONS, arrow

TYPED: dict[str, tuple[str, tuple[Any, ...]]] = {
    "station": ("text", ("a", "B", "", "北京", "|~")),
    "pm25": ("number", (0.25, "-1", "2.75")),
    "people": ("integer", (7, "-3", 100)),
    "cost": ("decimal(10,2)", ("0.10", 3.5)),
    "day": ("date", ("2024-01-03", "2024/2/29")),
    "ts": ("timestamp", ("2024-01-03 08:30", "2024-02-01")),
    "valid": ("boolean", (True, "no")),
}
"""Columns that are typed by hand: their types, and some cells."""


def tables() -> dict[str, Any]:
    """Small tables full of NULLs, equal values and edge cases."""
    air = []
    for index in range(60):
        air.append(
            {
                "station": ["a", "b", "B", None, "é", "北京", ""][index % 7],
                "ts": None
                if index % 11 == 0
                else datetime.datetime.fromisoformat(f"2024-01-{1 + index % 28:02}T{index % 24:02}:30:00"),
                "pm25": None if index % 5 == 0 else (index % 13) / 4 - 1,
                "pm10": None if index % 6 == 0 else index % 9 - 3,
                "cost": None if index % 8 == 0 else Decimal(index * 37 % 1000) / 100,
                "day": None if index % 9 == 0 else datetime.date(2024, 1 + index % 3, 1 + index % 28),
                "valid": [True, False, None][index % 3],
                "code": ["12", "x", None, "-3", "1e2", "a%"][index % 6],
            }
        )
    stations = [
        {"id": key, "district": district, "people": people}
        for key, district, people in [
            ("a", "东城", 10),
            ("b", "西城", None),
            ("b", "西城", 7),
            (None, None, 1),
            ("é", "", 0),
        ]
    ]
    return {AIR: arrow(AIR_COLUMNS, air), STATIONS: arrow(STATION_COLUMNS, stations)}
