"""Column lineage of a whole flow: for each output column the source columns behind it and the steps on the way.

Two kinds of dependence are told apart: a source column from which the value is *computed*, and one that only decides
*which rows* there are (conditions, keys, groups). Together they are all columns whose change can change the answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flows.graph.context import StepContext
from flows.graph.document import Document
from flows.graph.expand import Expanded
from flows.graph.expressions.parameters import read_parameters
from flows.graph.guard import narrowed_source
from flows.graph.influence import Influence, influence_of
from flows.graph.quick import quick_table
from flows.graph.relation_text import SOURCE
from flows.graph.settings import fill_inputs, parse_settings
from flows.graph.sources import DatasetInfo
from flows.graph.step_ports import kind_ports, named
from flows.graph.topology import Topology
from flows.graph.typecheck import build
from node_catalog.sdk.grant import GrantSpec
from node_catalog.sdk.open_columns import open_columns, promised_columns
from node_catalog.sdk.ports import Schema, to_ibis
from node_catalog.sdk.registry import Registry

SourceColumn = tuple[str, str, str]
"""Read step, dataset number, column."""


@dataclass(frozen=True)
class ColumnLineage:
    """What is behind one column of one port."""

    computed_from: frozenset[SourceColumn]
    rows_from: frozenset[SourceColumn]
    """Columns that decide which rows there are (some may also be in ``computed_from``)."""
    computing: tuple[str, ...]
    """Steps that work the value out, in the data's order."""
    choosing: tuple[str, ...]
    """Steps that decide which rows take part, in the data's order."""

    @property
    def sources(self) -> frozenset[SourceColumn]:
        return self.computed_from | self.rows_from


@dataclass(frozen=True)
class StepRelations:
    """A flow's steps as relations over tables named ``step.port`` (a read: over the dataset as its holder sees it)."""

    by_port: Mapping[str, Any]
    datasets: Mapping[str, str]
    """Read step → dataset number."""
    order: tuple[str, ...]
    ports: Mapping[str, tuple[str, ...]]
    """Step → its ports in ``by_port``."""


def step_relations(
    document: Document,
    registry: Registry,
    datasets: Mapping[str, DatasetInfo],
    grants: Mapping[str, GrantSpec],
    schemas: Mapping[str, Schema],
    parameters: Mapping[str, Any] | None = None,
    expanded: Expanded | None = None,
) -> StepRelations:
    """Build every step that can be built; a step with a problem, and what lies behind it, is left out.

    With ``expanded`` the steps are those of the document without calls, and ``schemas`` belong to its ports.
    """
    if expanded is None:
        expanded = Expanded(document, read_parameters(document.inputs, parameters))
    document = expanded.document
    topology = Topology(document)
    by_port: dict[str, Any] = {}
    read: dict[str, str] = {}
    ports: dict[str, tuple[str, ...]] = {}
    for step in topology.order:
        kind = registry.transforms.get(document.steps[step].type)
        if kind is None:
            continue
        values = expanded.parameters_of(step)
        settings, _ = parse_settings(kind, fill_inputs(document.steps[step].settings, values)[0])
        if settings is None:
            continue
        try:
            tables = _inputs(document, topology, step, kind, settings, datasets, grants, schemas)
            made = build(kind, tables, settings, StepContext(values))
        except Exception:  # the check has said what is wrong with this step
            continue
        if kind.role == "source":
            read[step] = document.dataset_number(settings.dataset)
        by_port.update({f"{step}.{port}": relation for port, relation in made.items()})
        ports[step] = tuple(f"{step}.{port}" for port in made)
    return StepRelations(by_port, read, tuple(topology.order), ports)


def _inputs(
    document: Document,
    topology: Topology,
    step: str,
    kind: Any,
    settings: Any,
    datasets: Mapping[str, DatasetInfo],
    grants: Mapping[str, GrantSpec],
    schemas: Mapping[str, Schema],
) -> dict[str, list[Any]]:
    if kind.role == "source":
        number = document.dataset_number(settings.dataset)
        return {"dataset": [narrowed_source(datasets[number], grants[number])]}
    return {
        name: [
            quick_table(to_ibis(schemas[wire.source]), wire.source)
            for wire in topology.into[step]
            if wire.target_port == name
        ]
        for name in named(kind_ports(kind, document.steps[step].settings), "in")
    }


@dataclass
class _Walk:
    """Walks back from one column over (port, column) and whole ports."""

    lineage: Lineage
    computed_from: set[SourceColumn] = field(default_factory=set)
    rows_from: set[SourceColumn] = field(default_factory=set)
    computing: set[str] = field(default_factory=set)
    choosing: set[str] = field(default_factory=set)
    seen: set[tuple[str, str, str]] = field(default_factory=set)

    def values(self, port: str, columns: Iterable[str], is_computing: bool) -> None:
        """The values of some columns of a port."""
        stack = [(port, column) for column in columns]
        kind = "value" if is_computing else "test"
        while stack:
            at, column = stack.pop()
            if (kind, at, column) in self.seen:
                continue
            self.seen.add((kind, at, column))
            found = self.lineage.influences.get(at)
            if found is None or column not in found.values:
                continue
            step = at.partition(".")[0]
            if is_computing and column in found.computed:
                self.computing.add(step)
            for table, name in found.values[column]:
                if table == SOURCE:
                    origin = (step, self.lineage.relations.datasets[step], name)
                    (self.computed_from if is_computing else self.rows_from).add(origin)
                else:
                    stack.append((table, name))

    def rows(self, port: str) -> None:
        """Everything that decides which rows a port has."""
        stack = [port]
        while stack:
            at = stack.pop()
            if ("rows", at, "") in self.seen:
                continue
            self.seen.add(("rows", at, ""))
            found = self.lineage.influences.get(at)
            if found is None:
                continue
            self._tests(at, found, found.rows)
            for table in found.cut - {SOURCE}:
                self.order(table)
            stack.extend(found.tables - {SOURCE})

    def order(self, port: str) -> None:
        """What a port's rows are sorted by: it decides when only the first are taken."""
        stack = [port]
        while stack:
            at = stack.pop()
            found = self.lineage.influences.get(at)
            if found is None or ("order", at, "") in self.seen:
                continue
            self.seen.add(("order", at, ""))
            self._tests(at, found, found.order)
            stack.extend(found.ordered_like - {SOURCE})

    def _tests(self, at: str, found: Influence, origins: Iterable[tuple[str, str]]) -> None:
        step = at.partition(".")[0]
        for table, name in origins:
            self.choosing.add(step)
            if table == SOURCE:
                self.rows_from.add((step, self.lineage.relations.datasets[step], name))
            else:
                self.values(table, [name], is_computing=False)


class Lineage:
    """The lineage of every column of every port of one document."""

    def __init__(self, relations: StepRelations) -> None:
        self.relations = relations
        self.influences: dict[str, Influence] = {
            port: influence_of(relation) for port, relation in relations.by_port.items()
        }

    def of(self, port: str, column: str) -> ColumnLineage:
        """What is behind ``column`` of ``port`` (``step.out``; a sink's rows are its port ``step.in``).

        A column of a result that only the data knew is traced like all of its kind.
        """
        walk = _Walk(self)
        relation = self.relations.by_port.get(port)
        further = open_columns(relation) if relation is not None else []
        walk.values(port, promised_columns(self.columns(port), further, column), is_computing=True)
        walk.rows(port)
        place = {step: index for index, step in enumerate(self.relations.order)}
        return ColumnLineage(
            computed_from=frozenset(walk.computed_from),
            rows_from=frozenset(walk.rows_from),
            computing=tuple(sorted(walk.computing, key=place.__getitem__)),
            choosing=tuple(sorted(walk.choosing, key=place.__getitem__)),
        )

    def columns(self, port: str) -> tuple[str, ...]:
        """The columns of a port."""
        found = self.influences.get(port)
        return tuple(found.values) if found else ()
