"""A plan that shows the source rows behind one cell: the read step, its conditions, and what the conditions need.

The rows pass the same guard as every read; what a source may do itself it does, the rest happens in the engine.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import ibis.expr.operations as ops
import msgspec
import sqlglot.expressions as sge

from flows.graph.document import Document, Step, Wire
from flows.graph.expressions.parameters import Parameter, read_parameters
from flows.graph.fuse import Region
from flows.graph.optimise import conjuncts
from flows.graph.plan import Plan, digest_of
from flows.graph.provenance import Demand, SourceRows, Within, any_of, swap
from flows.graph.render import text_of, tree_of
from flows.graph.sources import DatasetInfo
from flows.graph.stage_sink import Ending
from flows.graph.stages import StageMaker
from flows.graph.topology import Topology
from node_catalog.sdk.grant import GrantSpec
from node_catalog.sdk.ports import Schema
from node_catalog.sdk.registry import Registry

STEP = "rows_behind_the_cell"
Json = dict[str, Any]


def cell_rows_plan(
    document: Document,
    registry: Registry,
    datasets: Mapping[str, DatasetInfo],
    grants: Mapping[str, GrantSpec],
    schemas: Mapping[str, Schema],
    rows: SourceRows,
    parameters: Mapping[str, Any] | None = None,
    limit: int = 100,
    parameters_of: Callable[[str], Mapping[str, Parameter]] | None = None,
) -> Plan:
    """One stage that collects at most ``limit`` of the rows; it reads no sample but looks at all of the source."""
    out = f"{rows.step}.out"
    shown = msgspec.structs.replace(
        document,
        steps={**document.steps, STEP: Step("filter", settings={"where": "true"})},
        wires=(*document.wires, Wire(out, f"{STEP}.in")),
    )
    topology = Topology(shown)
    condition = any_of(rows.demands)
    looked_at = ports_in(rows.demands)
    needed = topology.upstream([rows.step, *(port.partition(".")[0] for port in looked_at)])
    region = Region(STEP, (*(step for step in topology.order if step in needed), STEP))
    own = read_parameters(document.inputs, parameters)
    maker = StageMaker(
        shown,
        topology,
        registry,
        datasets,
        grants,
        parameters_of or (lambda step: own),
        {**schemas, f"{STEP}.out": schemas[out]},
        None,
        conditions={STEP: (out, condition)} if condition is not None else {},
        looked_at=frozenset(looked_at),
    )
    stages = maker.stages([region], Ending("collect", limit=limit))
    numbers = tuple(dict.fromkeys(read.dataset for binding in stages[0].bindings for read in binding.reads))
    return Plan(
        stages=stages,
        digest=digest_of([stage.text for stage in stages]),
        datasets=numbers,
        grants={number: grants[number].digest for number in numbers},
        schemas={f"{STEP}.out": schemas[out]},
    )


def ports_in(demands: tuple[Demand, ...]) -> list[str]:
    """Ports whose rows the conditions compare with."""
    found: list[str] = []
    stack = [one.rel for demand in demands for one in demand.within]
    while stack:
        rel = stack.pop()
        found.extend(table.name for table in rel.find(ops.UnboundTable))
    return list(dict.fromkeys(found))


# ── in words ──────────────────────────────────────────────────────────────────────────────────────────────


def conditions_as_json(demand: Demand) -> list[Json]:
    """Each condition as ``{"text"}``, or ``{"text", "within": {"step", "column", "conditions"}}``."""
    plain = [{"text": words} for one in conjuncts(demand.conditions) if (words := words_of(one)) != "TRUE"]
    return [*plain, *(_within_as_json(one) for one in demand.within)]


def _within_as_json(one: Within) -> Json:
    tables = one.rel.find(ops.UnboundTable)
    kept = one.rel.parent
    tests = list(kept.predicates) if isinstance(kept, ops.Filter) else []
    return {
        "text": words_of(one.needle),
        "within": {
            "step": tables[0].name.partition(".")[0] if tables else "",
            "column": words_of(_at_table(one.rel.values["key"])),
            "conditions": [words_of(_at_table(test)) for test in conjuncts(tests) if not test.find(ops.InSubquery)],
        },
    }


def _at_table(value: Any) -> Any:
    """A value by the names that its columns have where they come from, not by those that a join gave them."""
    while True:
        mapping = {}
        for one in value.find(ops.Field, filter=ops.Value):
            if isinstance(one.rel, ops.Project):
                mapping[one] = one.rel.values[one.name]
            elif isinstance(one.rel, ops.Filter):
                mapping[one] = ops.Field(one.rel.parent, one.name)
        if not mapping:
            return value
        value = swap(value, mapping)


def words_of(value: Any) -> str:
    """A condition as it would be written by hand: our expression language, without the names of tables."""
    rels = list(dict.fromkeys(one.rel for one in value.find(ops.Field, filter=ops.Value)))
    if not rels:
        return str(value.value if isinstance(value, ops.Literal) else value)
    mapping = {ops.Field(rel, name): ops.Field(_plain_table(rel), name) for rel in rels for name in rel.schema.names}
    plain = value.replace(mapping)
    table = _plain_table(rels[0])
    tree = tree_of(ops.Project(table, {"value": plain}).to_expr())
    found = tree.expressions[0].unalias()
    for column in found.find_all(sge.Column):
        column.set("table", None)
    for cast in list(found.find_all(sge.Cast)):
        if isinstance(cast.this, sge.Literal):
            is_number = cast.to.this in sge.DataType.NUMERIC_TYPES
            cast.replace(sge.Literal.number(cast.this.name) if is_number else cast.this)
    words = text_of(found)
    return _QUOTED.sub(lambda name: name[1], words)


_QUOTED = re.compile(r'"([^\W\d]\w*)"')
"""A quoted name that needs no quotes."""


def _plain_table(rel: Any) -> Any:
    return ops.UnboundTable(name="rows", schema=rel.schema)
