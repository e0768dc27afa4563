"""Random typed flows: fused and unfused give the same rows, and the promised schema is the real one."""

from __future__ import annotations

from typing import Any

import duckdb
import pyarrow as pa
from hypothesis import HealthCheck, assume, given, settings

from flows.graph.context import StepContext
from flows.graph.guard import narrowed_source
from flows.graph.planner import make_plan
from flows.graph.render import render
from flows.graph.settings import parse_settings
from flows.graph.topology import Topology
from flows.graph.typecheck import build
from flows.graph.validate import check
from node_catalog.sdk.ports import to_ibis
from tests.unit.graph.random_flows import Drawn, flows, tables
from tests.unit.graph.support import Runner, all_rights, catalogue, load, registry, rows_of, schema_of

TABLES = tables()


def unfused(made: Drawn) -> dict[str, pa.Table]:
    """Every step into a table of its own, one after the other."""
    import ibis

    document = load(made.document())
    datasets = catalogue()
    grants = all_rights(datasets)
    checked = check(document, registry(), datasets, grants, upto="L3")
    topology = Topology(document)
    connection = duckdb.connect()
    answers: dict[str, pa.Table] = {}
    for step in topology.order:
        value = document.steps[step]
        kind = registry().transforms[value.type]
        parsed, _ = parse_settings(kind, value.settings)
        inputs: dict[str, list[Any]] = {}
        if kind.role == "source":
            number = document.dataset_number(parsed.dataset)
            connection.register("src", TABLES[number])
            inputs["dataset"] = [narrowed_source(datasets[number], grants[number])]
        for wire in topology.into[step]:
            table = ibis.table(to_ibis(checked.schemas[wire.source]), name=wire.source_step)
            inputs.setdefault(wire.target_port, []).append(table)
        relation = next(iter(build(kind, inputs, parsed, StepContext({})).values()))
        connection.execute(f'create table "{step}" as {render(relation)}')
        port = "in" if kind.role == "sink" else "out"
        answers[step] = connection.sql(f'select * from "{step}"').to_arrow_table()
        schema_of(answers[step], checked.schemas[f"{step}.{port}"])
    return answers


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(made=flows())
def test_fused_gives_the_same_rows_as_unfused(made: Drawn) -> None:
    try:
        wanted = unfused(made)
    except duckdb.Error:
        assume(False)
        return
    datasets = catalogue()
    plan = make_plan(load(made.document()), registry(), datasets, all_rights(datasets))
    found = Runner(TABLES).run(plan)
    for stage in plan.stages:
        if stage.sink.kind == "result":
            step = stage.sink.step
            assert rows_of(found[step]) == rows_of(wanted[step]), made.document()
