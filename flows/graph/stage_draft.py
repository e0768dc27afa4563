"""One stage while it is made: its steps' relations, over tables that are named after what feeds them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ibis.expr.operations as ops

from flows.graph.check_graph import step_name
from flows.graph.context import StepContext
from flows.graph.document import Document, Wire
from flows.graph.expressions.parameters import Parameter
from flows.graph.fuse import Region
from flows.graph.guard import narrowed_source
from flows.graph.plan import Binding
from flows.graph.quick import quick_table
from flows.graph.settings import fill_inputs, parse_settings
from flows.graph.sources import DatasetInfo
from flows.graph.stage_text import StageText
from flows.graph.step_ports import named, part_name, ports_of
from flows.graph.topology import Topology
from flows.graph.typecheck import build_facts, build_once
from node_catalog.sdk.contract import FACTS
from node_catalog.sdk.grant import GrantSpec
from node_catalog.sdk.ports import Port, Schema, from_ibis, to_ibis
from node_catalog.sdk.registry import Registry


class StageContext:
    """What the stages of one document are made from; ``notes`` say why something was not pushed to its source."""

    def __init__(
        self,
        document: Document,
        topology: Topology,
        registry: Registry,
        datasets: Mapping[str, DatasetInfo],
        grants: Mapping[str, GrantSpec],
        parameters_of: Callable[[str], Mapping[str, Parameter]],
        schemas: Mapping[str, Schema],
        sample_rows: int | None,
        conditions: Mapping[str, tuple[str, Any]] | None = None,
        looked_at: frozenset[str] = frozenset(),
    ) -> None:
        self.looked_at = looked_at
        """Ports whose rows such conditions compare with."""
        self.conditions = conditions or {}
        """Steps that keep the rows of their only input (a port) for which a condition holds, whatever they are."""
        self.document, self.topology, self.registry = document, topology, registry
        self.datasets, self.grants, self.schemas = datasets, grants, schemas
        self.sample_rows = sample_rows
        self.parameters_of = parameters_of
        self.notes: list[dict[str, Any]] = []
        self.ends: dict[str, tuple[str, ...]] = {}
        """The last step of every stage, with the ports by which its rows leave."""

    def context(self, step: str) -> StepContext:
        """What the step's type may ask for while it builds its relation."""
        return StepContext(self.parameters_of(step))

    def parsed(self, step: str) -> tuple[Any, Any]:
        """The type and the parsed settings of a step (the check has accepted them)."""
        value = self.document.steps[step]
        kind = self.registry.transforms[value.type]
        filled, _ = fill_inputs(value.settings, self.parameters_of(step))
        settings, _ = parse_settings(kind, filled)
        return kind, settings

    def names(self, step: str) -> tuple[str, ...]:
        """What people call a step, in English and in Chinese."""
        types = self.registry.transforms
        return tuple(step_name(self.document, step, language, types) for language in ("en", "zh-CN"))


class StageDraft:
    """The steps of one region with what they read and what of it is needed."""

    def __init__(self, maker: StageContext, region: Region) -> None:
        self.maker, self.region = maker, region
        self.inside = set(region.steps)
        self.text = StageText()
        self.bindings: list[Binding] = []
        self.relations: dict[str, Mapping[str, Any]] = {}
        self.tables: dict[str, str] = {}
        """``step.port`` (or the wire into an exchange) → the name to read it from."""
        self.wire_names: dict[str, str] = {}
        self.exchanges: list[Wire] = []
        self.wanted: dict[str, set[str]] = {}
        """For every table of the stage: the columns without which its result cannot be computed."""
        self.results: dict[str, Schema] = {}
        """The rows that come out, by port: the columns that somebody uses."""
        for step in region.steps:
            self.relations[step] = self._relation(step)

    def _relation(self, step: str) -> Mapping[str, Any]:
        """The step's relations whose rows are used, over tables named after what feeds them, with full schemas."""
        kind, settings = self.maker.parsed(step)
        if kind.role == "source":
            number = self.maker.document.dataset_number(settings.dataset)
            source = narrowed_source(self.maker.datasets[number], self.maker.grants[number])
            return build_once(kind, {"dataset": [source]}, settings, self.maker.context(step))
        tables: dict[str, list[Any]] = {}
        for name in named(self._ports(step), "in"):
            wires = [wire for wire in self.maker.topology.into[step] if wire.target_port == name]
            tables[name] = [self._table(wire) for wire in wires]
        found = dict(self._built(step, kind, tables, settings))
        if FACTS in self.region.ports and step == self.region.last:
            found[FACTS] = build_facts(kind, tables, settings, self.maker.context(step))
        used = {wire.source_port for wire in self.maker.topology.out_of[step] if wire.target_step in self.inside}
        used |= set(self.region.ports) if step == self.region.last else set()
        used |= {port for port in found if f"{step}.{port}" in self.maker.looked_at}
        return {port: relation for port, relation in found.items() if port in used}

    def _built(self, step: str, kind: Any, tables: dict[str, list[Any]], settings: Any) -> Mapping[str, Any]:
        condition = self.maker.conditions.get(step)
        if condition is None:
            return build_once(kind, tables, settings, self.maker.context(step))
        ((table,),) = tables.values()
        return {"out": _kept_rows(table, *condition)}

    def _ports(self, step: str) -> Sequence[Port]:
        return ports_of(self.maker.registry.transforms, self.maker.document.steps[step])

    def _table(self, wire: Wire) -> Any:
        schema = self.maker.schemas[wire.source]
        return quick_table(to_ibis(schema), self._name(wire))

    def _name(self, wire: Wire) -> str:
        """Steps are named ``s_…``; every wire from an exchange reads it under a name of its own (``x_…``)."""
        if wire.source_step in self.inside:
            return part_name(wire.source_step, wire.source_port)
        key = f"{wire.source}>{wire.target}"
        if key not in self.wire_names:
            self.exchanges.append(wire)
            self.wire_names[key] = f"x_{wire.source_step}_{len(self.wire_names) + 1}"
        return self.wire_names[key]

    def _kind(self, step: str) -> Any:
        return self.maker.registry.transforms[self.maker.document.steps[step].type]

    def _schema(self, port: str, columns: set[str] | None) -> Schema:
        """The schema of the rows that leave by ``port``, restricted to ``columns`` (all when None)."""
        schema = from_ibis(self.relations[self.region.last][port].schema())
        return Schema(tuple(field for field in schema.fields if columns is None or field.name in columns))

    def _needed(self, step: str) -> set[str]:
        """The columns of a step's rows that somebody uses."""
        return set(self.results["out"].names) if step == self.region.last else self.wanted.get(f"s_{step}", set())

    def _only_follower(self, step: str) -> str | None:
        """The step behind when nothing else reads ``step`` and it has one input; not a sink."""
        if step == self.region.last:
            return None
        wires = [wire for wire in self.maker.topology.out_of[step] if wire.target_step in self.inside]
        if len(wires) != 1:
            return None
        following = wires[0].target_step
        kind = self._kind(following)
        ports = [port for port in self._ports(following) if port.direction == "in"]
        is_plain = len(ports) == 1 and not ports[0].many and kind.role == "transform"
        return following if is_plain and tuple(self.relations[following]) == ("out",) else None

    def _names(self, step: str) -> tuple[str, ...]:
        return self.maker.names(step)


def _kept_rows(table: Any, port: str, condition: Any) -> Any:
    """The rows of ``table`` for which a condition holds that was made over tables named ``step.port``.

    Conditions on ``port`` are about ``table`` itself; what subqueries look at are other parts of the statement.
    """
    mapping: dict[Any, Any] = {
        one: ops.Field(table.op(), one.name)
        for one in condition.find(ops.Field, filter=ops.Value)
        if isinstance(one.rel, ops.UnboundTable) and one.rel.name == port
    }
    for query in condition.find(ops.InSubquery, filter=ops.Value):
        parts = {
            one: ops.UnboundTable(name=part_name(*one.name.split(".")), schema=one.schema)
            for one in query.rel.find(ops.UnboundTable)
        }
        mapping[query] = ops.InSubquery(query.rel.replace(parts), query.needle.replace(dict(mapping)))
    return ops.Filter(table.op(), (condition.replace(mapping),)).to_expr()
