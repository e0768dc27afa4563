"""Shared by the tests of flows.graph: a small catalogue, documents in one line, and a plan runner over DuckDB."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from flows.graph.document import Document
from flows.graph.load import read_document
from flows.graph.plan import Plan, Stage
from flows.graph.planner import make_plan
from flows.graph.sources import DatasetInfo, NodeInfo
from flows.graph.validate import Checked, check
from node_catalog.sdk.grant import GrantSpec
from node_catalog.sdk.ports import Schema, to_arrow
from node_catalog.sdk.registry import Registry, load_registry
from runtime.engine.duck import ONE_SCAN

Json = dict[str, Any]
AIR = "33A017/DB00000001-A.0001"
STATIONS = "33A017/DB00000001-A.0002"
REMOTE = "33A017/DB00000002-B.0001"
AIR_COLUMNS = [
    ("station", "text"),
    ("ts", "timestamp"),
    ("pm25", "number"),
    ("pm10", "integer"),
    ("cost", "decimal(10,2)"),
    ("day", "date"),
    ("valid", "boolean"),
    ("code", "text"),
]
STATION_COLUMNS = [("id", "text"), ("district", "text"), ("people", "integer")]


@cache
def registry() -> Registry:
    return load_registry()


def info(number: str, columns: Sequence[tuple[str, str]], node_type: str = "files", **more: Any) -> DatasetInfo:
    return DatasetInfo(number, number.partition(".")[0], node_type, (number,), Schema.of(columns), **more)


def catalogue() -> dict[str, DatasetInfo]:
    return {
        AIR: info(AIR, AIR_COLUMNS, rows=281_000, title={"en": "Air quality", "zh-CN": "空气质量"}),
        STATIONS: info(STATIONS, STATION_COLUMNS, rows=35),
        REMOTE: info(REMOTE, AIR_COLUMNS, node_type="postgresql", rows=10_000_000),
    }


def all_rights(datasets: Mapping[str, DatasetInfo]) -> dict[str, GrantSpec]:
    return {number: GrantSpec(number, item.schema.names) for number, item in datasets.items()}


def nodes() -> dict[str, NodeInfo]:
    return {"33A017/DB00000001-A": NodeInfo("33A017/DB00000001-A", "sqlite", True)}


def step(kind: str, **settings: Any) -> Json:
    return {"type": kind, "version": 1, "settings": settings}


def flow(steps: Mapping[str, Json], *wires: str, inputs: Json | None = None) -> Json:
    """``wires`` are written ``a > b``, ``a > b.left``."""
    made = []
    for wire in wires:
        source, target = (end.strip() for end in wire.split(">"))
        made.append({"from": _end(source, "out"), "to": _end(target, "in")})
    document: Json = {
        "kind": "flow",
        "spec": "1",
        "title": {"en": "t", "zh-CN": "t"},
        "datasets": {"air": AIR, "stations": STATIONS, "remote": REMOTE},
        "steps": dict(steps),
        "wires": made,
    }
    return {**document, "inputs": inputs} if inputs else document


def _end(name: str, port: str) -> str:
    return name if "." in name else f"{name}.{port}"


def load(plain: Json) -> Document:
    loaded = read_document(plain, registry())
    assert loaded.document is not None, loaded.findings
    return loaded.document


def planned(document: Json, grants: Any = None, datasets: Any = None, **more: Any) -> Plan:
    """The plan of a flow over the catalogue with all rights, unless told otherwise."""
    return make_plan(load(document), registry(), *_known(grants, datasets), **{"nodes": nodes(), **more})


def checked(document: Json, grants: Any = None, datasets: Any = None, **more: Any) -> Checked:
    """The same, checked."""
    return check(load(document), registry(), *_known(grants, datasets), **{"nodes": nodes(), **more})


def _known(grants: Any, datasets: Any) -> tuple[Any, Any]:
    known = catalogue() if datasets is None else datasets
    return known, all_rights(known) if grants is None else grants


# ── running ───────────────────────────────────────────────────────────────────────────────────────────────


def arrow(columns: Sequence[tuple[str, str]], rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=to_arrow(Schema.of(columns)))


class Runner:
    """Runs a plan as the engine does: every binding a stream that can be read once, stages one after the other."""

    def __init__(self, tables: Mapping[str, pa.Table]) -> None:
        self.tables = tables
        self.exchanges: dict[str, pa.Table] = {}

    def run(self, plan: Plan) -> dict[str, pa.Table]:
        """The rows of every sink, by step."""
        return {stage.sink.step: self.stage(stage) for stage in plan.stages}

    def stage(self, stage: Stage) -> pa.Table:
        connection = duckdb.connect(config=ONE_SCAN)
        connection.execute(f"set preserve_insertion_order = {'true' if stage.ordered else 'false'}")
        for binding in stage.bindings:
            if binding.kind == "exchange":
                rows = self.exchanges[binding.stage + (f".{binding.port}" if binding.port else "")]
                rows = rows.select(list(binding.schema.names))
            else:
                rows = self._source(binding)
            schema_of(rows, binding.schema)
            connection.register(binding.alias, pa.RecordBatchReader.from_batches(rows.schema, rows.to_batches()))
        result = connection.sql(stage.text).to_arrow_table()
        schema_of(result, stage.schema)
        if stage.sink.kind == "exchange":
            self.exchanges[stage.key] = result
        for number, outlet in enumerate(stage.outlets):
            mine = result.filter(pc.equal(result.column(0), number))
            columns = [mine.column(place) for place in outlet.columns]
            self.exchanges[f"{stage.key}.{outlet.port}"] = pa.table(columns, schema=to_arrow(outlet.schema))
        connection.close()
        return result

    def _source(self, binding: Any) -> pa.Table:
        connection = duckdb.connect()
        for read in binding.reads:
            table = self.tables[read.dataset]  # a join names columns that its server then has no use for
            connection.register(read.name, table if binding.sources else table.select(list(read.columns)))
        rows = connection.sql(binding.text).to_arrow_table()
        connection.close()
        return rows


def schema_of(rows: pa.Table, schema: Schema) -> None:
    """The real Arrow schema is the promised one, exactly."""
    wanted = [(field.name, str(field.type)) for field in to_arrow(schema)]
    found = [(field.name, str(field.type)) for field in rows.schema]
    assert found == wanted, f"real {found}\npromised {wanted}"


def rows_of(table: pa.Table) -> list[tuple[Any, ...]]:
    return sorted((tuple(row.values()) for row in table.to_pylist()), key=repr)
