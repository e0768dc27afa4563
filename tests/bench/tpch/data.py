"""TPC-H's tables as Parquet files, its published answers, and our 22 flows over them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pyarrow as pa

from flows.graph.document import Document
from flows.graph.engines import Cluster
from flows.graph.load import read_document
from flows.graph.plan import Binding, Plan, SourceRead
from flows.graph.planner import make_plan
from flows.graph.sources import DatasetInfo
from node_catalog.sdk.contract import ConnectContext
from node_catalog.sdk.grant import GrantSpec
from node_catalog.sdk.ports import Schema
from node_catalog.sdk.registry import Registry, load_registry
from node_catalog.sdk.schema import parse
from runtime.engine.extensions import extension_file
from runtime.engine.stage import run_stage
from runtime.engine.work import ClusterSpec, DeliverySpec, Limits, SinkSpec, SourceSpec, StageWork, source_alias

NUMBERS = range(1, 23)
TABLES = ("customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier")
_HERE = Path(__file__).parent


@cache
def registry() -> Registry:
    return load_registry()


# ── tables, queries, answers ──────────────────────────────────────────────────────────────────────────────


def with_generator() -> duckdb.DuckDBPyConnection:
    """A connection that has the generator, the queries and the answers (a wheel, never downloaded)."""
    connection = duckdb.connect(config={"threads": 2})
    connection.execute(f"load '{extension_file('tpch')}'")
    return connection


def write_tables(folder: Path, scale: float) -> None:
    """The eight tables at a scale factor, each a Parquet file; nothing is done when they are there already."""
    if all((folder / f"{name}.parquet").is_file() for name in TABLES):
        return
    folder.mkdir(parents=True, exist_ok=True)
    connection = with_generator()
    connection.execute(f"call dbgen(sf = {scale})")
    for name in TABLES:
        connection.execute(f"copy {name} to '{folder}/{name}.parquet' (format parquet)")
    connection.close()


@cache
def queries() -> dict[int, str]:
    """DuckDB's own SQL of each query."""
    connection = with_generator()
    found: list[Any] = connection.sql("select query_nr, query from tpch_queries()").fetchall()
    connection.close()
    return dict(found)


@cache
def answers(scale: float) -> dict[int, list[list[str]]]:
    """The published answers (scale factors 0.01, 0.1 and 1): rows of values as they are written."""
    connection = with_generator()
    found = connection.execute("select query_nr, answer from tpch_answers() where scale_factor = ?", [scale]).fetchall()
    connection.close()
    return {number: [line.split("|") for line in answer.removesuffix("\n").split("\n")[1:]] for number, answer in found}


def different(found: pa.Table, wanted: Sequence[Sequence[str]]) -> str:
    """In words, what distinguishes the rows from the published ones; empty when they are equal.

    Everything is compared exactly and in order; means and quotients (floats) to nine digits.
    """
    if found.num_rows != len(wanted):
        return f"{found.num_rows} rows instead of {len(wanted)}"
    for place, (row, answer) in enumerate(zip(found.to_pylist(), wanted, strict=True)):
        for (name, value), text in zip(row.items(), answer, strict=True):
            if not _is_equal(value, text):
                return f"row {place}, {name}: {value!r} instead of {text}"
    return ""


def _is_equal(value: Any, text: str) -> bool:
    if value is None:
        return text == ""
    if isinstance(value, float):
        return abs(value - float(text)) <= 1e-9 * max(1.0, abs(value))
    if isinstance(value, int | Decimal):
        return Decimal(value) == Decimal(text)
    if isinstance(value, dt.date):
        return value.isoformat() == text
    return str(value) == text


# ── flows ─────────────────────────────────────────────────────────────────────────────────────────────────


def document(number: int) -> Document:
    """The flow document of a query."""
    loaded = read_document(json.loads((_HERE / f"q{number:02d}.json").read_text()), registry())
    assert loaded.document is not None, loaded.findings
    return loaded.document


@dataclass(frozen=True)
class Known:
    """What a profile and the source tell of a table: about how many values each column has, and its keys."""

    distinct: dict[str, float] = field(default_factory=dict)
    keys: tuple[str, ...] = ()


class Tables:
    """The eight tables as datasets of one node, found by its own discovery."""

    def __init__(
        self,
        connector: str,
        settings: dict[str, Any],
        context: ConnectContext,
        known: Mapping[str, Known] | None = None,
    ) -> None:
        self.connector, self.settings, self.roots = connector, settings, context.file_roots
        self.infos: dict[str, DatasetInfo] = {}
        self._by_number: dict[str, DatasetInfo] = {}
        kind = registry().connectors[connector]
        for found in kind.discover(parse(kind.Settings, settings), context):
            schema = Schema.of((column.name, column.type) for column in found.columns)
            name = found.path[-1].removesuffix(".parquet")
            profiled = (known or {}).get(name, Known())
            self.infos[name] = DatasetInfo(
                name, "33A017/FL00000001-A", connector, found.path, schema, dict(found.settings), found.rows,
                distinct=profiled.distinct, keys=profiled.keys,
            )  # fmt: skip

    def plan(self, query: int, cluster: Cluster | None = None) -> Plan:
        """The plan of a query's flow over these tables; with a ``cluster``, what can go there does."""
        return self.plan_flow(document(query), cluster)

    def plan_flow(self, flow: Document, cluster: Cluster | None = None) -> Plan:
        """The plan of any flow whose datasets bear the tables' names."""
        infos = {
            dataset: msgspec.structs.replace(self.infos[name], number=dataset)
            for name, dataset in flow.datasets.items()
        }
        rights = {number: GrantSpec(number, info.schema.names) for number, info in infos.items()}
        self._by_number |= infos
        return make_plan(flow, registry(), infos, rights, cluster=cluster)

    def works(self, plan: Plan, folder: Path, limits: Limits, cluster: ClusterSpec | None = None) -> list[StageWork]:
        """The stages as the engine gets them; the answer becomes ``answer.parquet`` in ``folder``."""
        made = []
        for stage in plan.stages:
            sources = []
            for binding in stage.bindings:
                if binding.kind == "exchange":
                    path = str(folder / f"{binding.stage}.parquet")
                    sources.append(SourceSpec(alias=binding.alias, kind="exchange", exchange_path=path))
                else:
                    sources += [self._source(binding, read) for read in binding.reads]
            kind: Any = stage.sink.kind
            sink = SinkSpec(
                kind=kind,
                path=str(folder / f"{stage.key}.parquet"),
                delivery=DeliverySpec(sink=stage.key, run="bench", task=stage.key),
            )
            made.append(StageWork(stage=stage, sources=tuple(sources), sink=sink, limits=limits, cluster=cluster))
        return made

    def _source(self, binding: Binding, read: SourceRead) -> SourceSpec:
        info = self._by_number[read.dataset]
        return SourceSpec(
            alias=source_alias(binding, read),
            connector=self.connector,
            settings=self.settings,
            path=info.path,
            schema=info.schema,
            dataset_settings=info.settings,
            compared=read.compared,
            bounds=read.bounds,
        )


def file_tables(folder: Path) -> Tables:
    """The Parquet files in ``folder``."""
    return Tables("files", {"folder": str(folder)}, ConnectContext(file_roots=(str(folder),)))


def run_works(works: Sequence[StageWork]) -> None:
    """All stages, one after the other, in this process."""
    for work in works:
        run_stage(work, lambda report: None, registry())
