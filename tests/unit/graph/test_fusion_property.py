"""Random typed flows over all step types: fused and unfused give the same rows, and every promised schema is real.

300 flows, the same ones each time. FLOWS=2000 looks at so many (some three minutes), other ones each time.
"""

from __future__ import annotations

import os
from collections import Counter
from functools import lru_cache
from typing import Any

import duckdb
import ibis
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings

from flows.graph.context import StepContext
from flows.graph.document import Document
from flows.graph.guard import narrowed_source
from flows.graph.plan import Plan, Stage
from flows.graph.planner import make_plan
from flows.graph.render import render
from flows.graph.settings import parse_settings
from flows.graph.step_ports import end_of
from flows.graph.topology import Topology
from flows.graph.typecheck import build
from node_catalog.sdk.contract import Transform
from node_catalog.sdk.ports import Schema, to_ibis
from runtime.engine.duck import ONE_SCAN
from tests.unit.graph.random_flows import Drawn, flows, tables
from tests.unit.graph.support import all_rights, catalogue, load, registry, rows_of, schema_of

TABLES = tables()
DATASETS = catalogue()
RIGHTS = all_rights(DATASETS)
FLOWS = int(os.environ.get("FLOWS") or 300)
SEEN: Counter[str] = Counter()
NOT_DRAWN = {
    "call": "its sub-flow's steps take its place before anything is fused (test_calls.py)",
    "for_each": "is cut into tasks of their own, which only a run has (test_for_each.py)",
    **dict.fromkeys(
        (
            "geo_point",
            "geo_parse",
            "geo_text",
            "geo_transform",
            "point_in_polygon",
            "distance",
            "nearest_place",
        ),
        "works on geometries, which the random tables have none of (test_spatial_steps.py)",
    ),
    "write": "has the rows of an output; its targets have a contract suite of their own",
}
"""Step types that no random flow has, and why."""


class Engine:
    """One connection for everything: flows share the tables, parts replace those of the flow before."""

    def __init__(self) -> None:
        self.connection = duckdb.connect(config={"threads": 2, **ONE_SCAN})
        for number, table in TABLES.items():
            self.connection.register("given", table)
            self.connection.execute(f'create table "{number}" as from given')
            self.connection.unregister("given")

    def source(self, number: str) -> None:
        """Make the dataset readable as ``src``."""
        self.connection.execute(f'create or replace temp view src as from "{number}"')

    def keep(self, name: str, text: str, schema: Schema) -> pa.Table:
        """The rows of a text, also as table ``name``; they have the promised schema."""
        self.connection.execute(f'create or replace temp table "{name}" as {text}')
        rows = self.connection.sql(f'from "{name}"').to_arrow_table()
        schema_of(rows, schema)
        return rows

    def stage(self, stage: Stage) -> pa.Table:
        """A stage as the engine runs it: datasets are streams that can be read once."""
        for binding in stage.bindings:
            if binding.kind == "exchange":
                columns = ", ".join(f'"{name}"' for name in binding.schema.names)
                port = f"{binding.stage}.{binding.port}" if binding.port else binding.stage
                rows = self.connection.sql(f'select {columns} from "e_{port}"').to_arrow_table()
            else:
                self.source(binding.dataset)
                rows = self.connection.sql(binding.text).to_arrow_table()
            schema_of(rows, binding.schema)
            self.connection.register(binding.alias, pa.RecordBatchReader.from_batches(rows.schema, rows.to_batches()))
        try:
            return self.connection.sql(stage.text).to_arrow_table()
        finally:
            for binding in stage.bindings:
                self.connection.unregister(binding.alias)


ENGINE = Engine()


def unfused(document: Document, schemas: dict[str, Schema]) -> dict[str, pa.Table]:
    """Every step into a table of its own, one after the other; by the end that its rows come out of."""
    topology = Topology(document)
    answers: dict[str, pa.Table] = {}
    for step in topology.order:
        value = document.steps[step]
        kind = registry().transforms[value.type]
        parsed, _ = parse_settings(kind, value.settings)
        number = document.dataset_number(parsed.dataset) if kind.role == "source" else ""
        if number:
            ENGINE.source(number)
        inputs = tuple(
            (wire.target_port, end, schemas[end])
            for wire in topology.into[step]
            for end in [end_of(wire.source_step, wire.source_port)]
        )
        for port, text in texts(kind, parsed, inputs, number).items():
            end = end_of(step, port)
            answers[end] = ENGINE.keep(end, text, schemas[end] if port != "in" else inputs[0][2])
    return answers


@lru_cache(20_000)
def texts(
    kind: type[Transform], parsed: Any, inputs: tuple[tuple[str, str, Schema], ...], number: str
) -> dict[str, str]:
    """The statement of every out port of a step over the tables that feed it."""
    tables: dict[str, list[Any]] = {}
    if number:
        tables["dataset"] = [narrowed_source(DATASETS[number], RIGHTS[number])]
    for port, end, schema in inputs:
        tables.setdefault(port, []).append(ibis.table(to_ibis(schema), name=end))
    return {port: render(relation) for port, relation in build(kind, tables, parsed, StepContext({})).items()}


def fused(plan: Plan) -> dict[str, pa.Table]:
    """The rows of every output, by step, from the plan that a run would have."""
    answers: dict[str, pa.Table] = {}
    for stage in plan.stages:
        rows = ENGINE.stage(stage)
        schema_of(rows, stage.schema)
        if stage.sink.kind == "result":
            answers[stage.sink.step] = rows
        elif stage.outlets:
            for place, outlet in enumerate(stage.outlets):
                part = rows.filter(pc.equal(rows.column(0), place))
                columns = [part.column(index) for index in outlet.columns]
                names = list(outlet.schema.names)
                _keep(f"e_{stage.key}.{outlet.port}", pa.Table.from_arrays(columns, names))
        else:
            _keep(f"e_{stage.key}", rows)
    return answers


def _keep(name: str, rows: pa.Table) -> None:
    ENGINE.connection.register("handed_on", rows)
    ENGINE.connection.execute(f'create or replace temp table "{name}" as from handed_on')
    ENGINE.connection.unregister("handed_on")


@pytest.mark.timeout(1800)
@settings(
    max_examples=FLOWS,
    deadline=None,
    derandomize="FLOWS" not in os.environ,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
@given(made=flows())
def test_fused_gives_the_same_rows_as_unfused(made: Drawn) -> None:
    document = load(made.document())
    try:
        wanted = unfused(document, made.schemas)
    except duckdb.Error:
        assume(False)  # a value that overflows, say: there is no answer to compare
    found = fused(make_plan(document, registry(), DATASETS, RIGHTS))
    SEEN.update(step.type for step in document.steps.values())
    assert found
    for step, rows in found.items():
        assert rows_of(rows) == rows_of(wanted[step]), made.document()


def test_every_step_type_was_drawn() -> None:
    """A new step type is either drawn by ``random_flows`` or stands in NOT_DRAWN with the reason."""
    known = set(registry().transforms)
    assert set(NOT_DRAWN) <= known and not set(NOT_DRAWN) & set(SEEN)
    left_out = {kind for kind in known - set(NOT_DRAWN) if SEEN[kind] < min(10, FLOWS // 100)}
    assert not left_out, f"draw these step types in random_flows.py, or say in NOT_DRAWN why not: {left_out}"
