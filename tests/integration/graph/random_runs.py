"""Runs random flows every way they can run: a table per step, as planned, and with their sources in real servers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import Any, Literal

import duckdb
import ibis
import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from flows.graph.context import StepContext
from flows.graph.document import Document
from flows.graph.guard import narrowed_source
from flows.graph.plan import Binding, Plan, Stage
from flows.graph.planner import make_plan
from flows.graph.relation_text import with_relation
from flows.graph.render import render
from flows.graph.settings import parse_settings
from flows.graph.step_ports import end_of
from flows.graph.topology import Topology
from flows.graph.typecheck import build_once
from node_catalog.sdk.contract import Transform
from node_catalog.sdk.ports import Schema, to_arrow, to_ibis
from runtime.engine.duck import ONE_SCAN
from tests.integration.graph.random_tables import tables
from tests.services import mariadb_server, postgres_server
from tests.unit.graph.support import AIR, STATIONS, all_rights, catalogue, registry, schema_of

Place = Literal["files", "postgresql", "mysql", "apart"]
SERVERS: tuple[Place, ...] = ("postgresql", "mysql")
TABLES = tables()
NAMES = {AIR: "air", STATIONS: "stations"}
DATASETS = {
    place: {
        number: msgspec.structs.replace(
            info,
            node_type=place,
            rows=1_000_000 if number == AIR else 7,
            distinct=dict.fromkeys(info.schema.names, 7.0),
            seconds=dict.fromkeys(info.schema.names, 3600.0),
            keys=info.schema.names,
            owner="one department",
        )
        for number, info in catalogue().items()
    }
    for place in ("files", *SERVERS)
}
"""As if one were large, and the groups few: then joins and groups are worth a server's while."""
DATASETS["apart"] = {
    **DATASETS["postgresql"],
    STATIONS: msgspec.structs.replace(DATASETS["mysql"][STATIONS], node="33A017/DB00000009-X"),
}
"""The large one in PostgreSQL, the small one in MariaDB."""
RIGHTS = all_rights(catalogue())
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
Fetch = Callable[..., list[tuple[Any, ...]]]
"""A statement, and the values bound for it by name → its rows."""


def plan_of(document: Document, place: Place) -> Plan:
    """The plan that a run has when the datasets lie in ``place``."""
    return make_plan(document, registry(), DATASETS[place], RIGHTS)


# ── sources ───────────────────────────────────────────────────────────────────────────────────────────────


@cache
def server(place: Place) -> Fetch:
    """The tables in a real server, and how to ask it; what it was asked once is remembered."""
    if place == "postgresql":
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
        columns = ", ".join(f"{field.name} {KINDS[place][field.type]}" for field in schema.fields)
        cursor.execute(f"create table {name} ({columns})")
        rows = [tuple(row.values()) for row in TABLES[number].to_pylist()]
        cursor.executemany(f"insert into {name} values ({', '.join(['%s'] * len(schema.fields))})", rows)

    @lru_cache(2_000)
    def fetch(sql: str, **values: str) -> list[tuple[Any, ...]]:
        for name, value in values.items():
            cursor.execute("select set_config(%s, %s, false)", (name, value))
        cursor.execute(sql)
        return list(cursor.fetchall())

    return fetch


def _from_server(binding: Binding) -> pa.Table:
    place: Place = "mysql" if binding.dialect == "mysql" else "postgresql"
    quote = "`" if place == "mysql" else '"'
    names = {read.name: f"{quote}{NAMES[read.dataset]}{quote}" for read in binding.reads}
    values: dict[str, str] = {}
    for read in binding.sources:
        if read.shipped is not None:
            rows = _from_server(read.shipped.binding)
            sent = registry().connectors[place].give(read.name, read.shipped.schema, rows, read.compared)
            assert sent is not None
            names[read.name] = sent.relation
            values |= sent.values
    found = server(place)(with_relation(binding.text, binding.dialect, names), **values)
    schema = to_arrow(binding.schema)
    columns = list(zip(*found)) if found else [()] * len(schema)
    return pa.table([_column(values, field) for values, field in zip(columns, schema)], schema=schema)


def _column(values: tuple[Any, ...], field: pa.Field) -> pa.Array:
    if pa.types.is_boolean(field.type):
        values = tuple(None if value is None else bool(value) for value in values)
    return pa.array(values, field.type)


# ── the engine ────────────────────────────────────────────────────────────────────────────────────────────


class Engine:
    """One connection for everything, as the product opens them: flows share the datasets' tables."""

    def __init__(self) -> None:
        self.connection = duckdb.connect(config={"threads": 1, **ONE_SCAN})
        for number, table in TABLES.items():
            self.connection.register(number, table)
        self.read: dict[tuple[str, str], pa.Table] = {}
        self.ran: dict[str, tuple[dict[str, pa.Table], pa.Table]] = {}
        """Stages that have run: the same text over the same rows in the same order has the same answer."""

    def source(self, number: str, text: str, schema: Schema) -> pa.Table:
        """The rows of a dataset that a text gives; asked once, since many flows read alike."""
        if (number, text) not in self.read:
            self.read[number, text] = self.ask(text, schema, {"src": TABLES[number]})
        return self.read[number, text]

    def ask(self, text: str, schema: Schema, given: Mapping[str, Any]) -> pa.Table:
        """The rows of a text over ``given`` relations; they have the promised schema."""
        for name, rows in given.items():
            self.connection.register(name, rows)
        try:
            found = self.connection.sql(text).to_arrow_table()
        finally:
            for name in given:
                self.connection.unregister(name)
        schema_of(found, schema)
        return found

    # every step by itself

    def unfused(self, document: Document, schemas: Mapping[str, Schema]) -> dict[str, pa.Table]:
        """Every step into a table of its own, one after the other; by the end that its rows come out of."""
        topology = Topology(document)
        answers: dict[str, pa.Table] = {}
        for step in topology.order:
            value = document.steps[step]
            kind = registry().transforms[value.type]
            parsed, _ = parse_settings(kind, value.settings)
            number = document.dataset_number(parsed.dataset) if kind.role == "source" else ""
            inputs = tuple(
                (wire.target_port, end, schemas[end])
                for wire in topology.into[step]
                for end in [end_of(wire.source_step, wire.source_port)]
            )
            given = {f"s_{end}": answers[end] for _, end, _ in inputs}
            if kind.role == "sink":
                answers[step] = answers[inputs[0][1]]
                continue
            for port, text in _texts(kind, parsed, inputs, number).items():
                end = end_of(step, port)
                schema = schemas[end]
                answers[end] = self.source(number, text, schema) if number else self.ask(text, schema, given)
        return answers

    # as planned

    def planned(self, plan: Plan, place: Place) -> dict[str, pa.Table]:
        """The rows of every output, by step: datasets and handed-on rows are streams that can be read once.

        A stage that has just run with this text over these very rows (from another place) is not run again.
        """
        if place == "files":
            self.ran.clear()
        answers: dict[str, pa.Table] = {}
        handed_on: dict[str, pa.Table] = {}
        for stage in plan.stages:
            rows = self._stage(stage, place, handed_on)
            if stage.sink.kind == "result":
                answers[stage.sink.step] = rows
            elif stage.outlets:
                for number, outlet in enumerate(stage.outlets):
                    part = rows.filter(pc.equal(rows.column(0), number))
                    columns = [part.column(index) for index in outlet.columns]
                    handed_on[f"{stage.key}.{outlet.port}"] = pa.Table.from_arrays(columns, list(outlet.schema.names))
            else:
                handed_on[stage.key] = rows
        return answers

    def _stage(self, stage: Stage, place: Place, handed_on: Mapping[str, pa.Table]) -> pa.Table:
        given: dict[str, pa.Table] = {}
        for binding in stage.bindings:
            if binding.kind == "exchange":
                rows = handed_on[binding.stage + (f".{binding.port}" if binding.port else "")]
                rows = rows.select(list(binding.schema.names))
            elif place == "files":
                rows = self.source(binding.dataset, binding.text, binding.schema)
            else:
                rows = _from_server(binding)
            given[binding.alias] = rows
        before, found = self.ran.get(stage.text, ({}, None))
        if (
            found is None
            or before.keys() != given.keys()
            or any(not before[name].equals(given[name]) for name in given)
        ):
            streams = {
                name: pa.RecordBatchReader.from_batches(rows.schema, rows.to_batches()) for name, rows in given.items()
            }
            found = self.ask(stage.text, stage.schema, streams)
            self.ran[stage.text] = (given, found)
        return found


@lru_cache(20_000)
def _texts(
    kind: type[Transform], parsed: Any, inputs: tuple[tuple[str, str, Schema], ...], number: str
) -> dict[str, str]:
    """The statement of every out port of a step over the tables that feed it."""
    given: dict[str, list[Any]] = {}
    if number:
        given["dataset"] = [narrowed_source(DATASETS["files"][number], RIGHTS[number])]
    for port, end, schema in inputs:
        given.setdefault(port, []).append(ibis.table(to_ibis(schema), name=f"s_{end}"))
    return {port: render(relation) for port, relation in build_once(kind, given, parsed, StepContext({})).items()}
