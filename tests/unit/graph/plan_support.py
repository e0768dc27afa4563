"""Plans over two datasets of air quality, one of them far away, with canaries in a column."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from flows.graph.plan import Binding, Plan
from tests.unit.graph.support import AIR, AIR_COLUMNS, REMOTE, arrow, step

READ = step("read", dataset="air")
FAR = step("read", dataset="remote")
OUT = step("output", name="x")
ROWS = [
    {
        "station": ["a", "b", "Z", None][index % 4],
        "ts": dt.datetime.fromisoformat("2024-01-01") + dt.timedelta(hours=index),
        "pm25": float(index) if index % 5 else None,
        "pm10": index,
        "cost": Decimal(index) / 4,
        "day": dt.date(2024, 1, 1 + index % 28),
        "valid": index % 2 == 0,
        "code": f"CANARY{index}",
    }
    for index in range(40)
]
TABLES = {AIR: arrow(AIR_COLUMNS, ROWS), REMOTE: arrow(AIR_COLUMNS, ROWS)}


def only_binding(plan: Plan) -> Binding:
    (stage,) = plan.stages
    (binding,) = stage.bindings
    return binding


def fields(plan: Plan) -> tuple[str, ...]:
    return only_binding(plan).schema.names
