"""Random flows whose sources lie in PostgreSQL or MariaDB: what the planner hands to the server changes no answer.

The same flow over the same rows runs once in the engine alone and once with the texts of its bindings in the server.
What is not handed over is said in the plan's notes.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from typing import Any

import duckdb
import msgspec
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings

from flows.graph.plan import Binding, Plan
from flows.graph.planner import make_plan
from flows.graph.render import with_relation
from node_catalog.sdk.ports import to_arrow
from tests.services import mariadb_server, postgres_server
from tests.unit.graph.random_flows import Drawn, flows, tables
from tests.unit.graph.support import AIR, STATIONS, Runner, all_rights, catalogue, load, registry, rows_of

pytestmark = pytest.mark.services
FLOWS = int(os.environ.get("FLOWS") or 60)
TABLES = tables()
NAMES = {AIR: "air", STATIONS: "stations"}
KINDS = {
    "postgresql": {
        "text": 'text collate "C"', "timestamp": "timestamp", "number": "double precision", "integer": "bigint",
        "decimal(10,2)": "numeric(10,2)", "date": "date", "boolean": "boolean",
    },
    "mysql": {
        "text": "varchar(40)", "timestamp": "datetime(6)", "number": "double", "integer": "bigint",
        "decimal(10,2)": "decimal(10,2)", "date": "date", "boolean": "boolean",
    },
}  # fmt: skip
Fetch = Callable[[str], list[tuple[Any, ...]]]


@cache
def server(node_type: str) -> Fetch:
    """The tables in a real server of this kind, and how to ask it."""
    if node_type == "postgresql":
        import psycopg

        connection: Any = psycopg.connect(postgres_server().url("postgres"), autocommit=True)
        connection.execute("drop schema if exists random_flows cascade")
        connection.execute("create schema random_flows")
        connection.execute("set search_path = random_flows")
    else:
        made = mariadb_server()
        connection = made.connect(made.create_database("random_flows"))
    cursor = connection.cursor()
    for number, name in NAMES.items():
        schema = catalogue()[number].schema
        columns = ", ".join(f"{field.name} {KINDS[node_type][field.type]}" for field in schema.fields)
        cursor.execute(f"create table {name} ({columns})")
        rows = [tuple(row.values()) for row in TABLES[number].to_pylist()]
        cursor.executemany(f"insert into {name} values ({', '.join(['%s'] * len(schema.fields))})", rows)

    def fetch(sql: str) -> list[tuple[Any, ...]]:
        cursor.execute(sql)
        return list(cursor.fetchall())

    return fetch


class Remote(Runner):
    """Runs a plan as the engine does, with every dataset read by a real server."""

    def __init__(self, node_type: str) -> None:
        super().__init__(TABLES)
        self.fetch, self.quote = server(node_type), "`" if node_type == "mysql" else '"'

    def _source(self, binding: Binding) -> pa.Table:
        name = f"{self.quote}{NAMES[binding.dataset]}{self.quote}"
        rows = self.fetch(with_relation(binding.text, binding.dialect, name))
        schema = to_arrow(binding.schema)
        columns = list(zip(*rows)) if rows else [()] * len(schema)
        return pa.table([_column(values, field) for values, field in zip(columns, schema)], schema=schema)


def _column(values: tuple[Any, ...], field: pa.Field) -> pa.Array:
    if pa.types.is_boolean(field.type):
        values = tuple(None if value is None else bool(value) for value in values)
    return pa.array(values, field.type)


def planned(made: Drawn, node_type: str) -> Plan:
    datasets = {number: msgspec.structs.replace(info, node_type=node_type) for number, info in catalogue().items()}
    return make_plan(load(made.document()), registry(), datasets, all_rights(datasets))


@pytest.mark.timeout(900)
@pytest.mark.parametrize("node_type", sorted(KINDS))
def test_what_runs_in_the_server_changes_no_answer(node_type: str) -> None:
    seen = {"handed over": 0, "kept back": 0}

    @settings(
        max_examples=FLOWS,
        deadline=None,
        derandomize="FLOWS" not in os.environ,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(made=flows(filtered=True))
    def same(made: Drawn) -> None:
        try:
            wanted = Runner(TABLES).run(planned(made, "files"))
        except duckdb.Error:
            assume(False)
        plan = planned(made, node_type)
        found = Remote(node_type).run(plan)
        for stage in plan.stages:
            if stage.sink.kind == "result":
                assert rows_of(found[stage.sink.step]) == rows_of(wanted[stage.sink.step]), made.document()
        seen["handed over"] += any(len(binding.pushed) > 1 for stage in plan.stages for binding in stage.bindings)
        seen["kept back"] += bool(plan.notes)
        assert all(note["message"]["en"] and note["message"]["zh-CN"] for note in plan.notes)

    same()
    assert all(seen.values()), seen
