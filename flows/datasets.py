"""What the flow core needs to know of the catalogue: dataset infos and grants, in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from flows.graph.document import Document
from flows.graph.plan import Plan
from flows.graph.planner import make_plan
from flows.graph.sources import DatasetInfo, NodeInfo
from flows.graph.subflows import SubFlows
from flows.graph.validate import Checked, check
from flows.subflows import gather_subflows
from node_catalog.grants import grants_for
from node_catalog.models import Dataset, Node
from node_catalog.palette import delivery_label, registry
from node_catalog.sdk.grant import GrantSpec
from node_catalog.selectors import schema_of, title_of
from security.access import principal_for
from security.models import User


@dataclass(frozen=True)
class Sources:
    """The catalogue as one document sees it, for one person's rights."""

    datasets: dict[str, DatasetInfo]
    grants: dict[str, GrantSpec]
    nodes: dict[str, NodeInfo]
    rows: dict[str, Dataset]
    subflows: SubFlows = field(default_factory=dict)

    def delivery_label(self, dataset: str, node: str) -> str:
        """What is promised of rows written to a dataset or else a node, by their numbers; empty when unknown."""
        target: DatasetInfo | NodeInfo | None = self.datasets.get(dataset) if dataset else self.nodes.get(node)
        return delivery_label(target.node_type) if target is not None else ""

    def including(self, datasets: Mapping[str, DatasetInfo], grants: Mapping[str, GrantSpec]) -> Sources:
        """These and others that the catalogue does not know: rows that a run or a sample gives."""
        return replace(self, datasets={**self.datasets, **datasets}, grants={**self.grants, **grants})

    def check(self, document: Document, parameters: Mapping[str, Any] | None = None, **more: Any) -> Checked:
        """``flows.graph.validate.check`` over these sources."""
        return check(
            document, registry(), self.datasets, self.grants, self.nodes, parameters, subflows=self.subflows, **more
        )

    def plan(self, document: Document, parameters: Mapping[str, Any] | None = None, **more: Any) -> Plan:
        """``flows.graph.planner.make_plan`` over these sources."""
        return make_plan(
            document, registry(), self.datasets, self.grants, self.nodes, parameters, subflows=self.subflows, **more
        )


def dataset_numbers(document: Document) -> list[str]:
    """Numbers of all datasets that the document names, in reads, writes and aliases."""
    found = dict.fromkeys(document.datasets.values())
    for step in document.steps.values():
        reference = step.settings.get("dataset")
        if isinstance(reference, str) and reference:
            found[document.dataset_number(reference)] = None
    return list(found)


def node_numbers(document: Document) -> list[str]:
    """Numbers of nodes that write steps name directly."""
    names = (step.settings.get("node") for step in document.steps.values())
    return list(dict.fromkeys(name for name in names if isinstance(name, str) and name))


def gather_sources(document: Document, user: User) -> Sources:
    """Everything the checks need, for ``user``'s rights (five queries whatever the size of the document, and two
    for each level of called flows).
    """
    principal = principal_for(user)
    subflows = gather_subflows(document, principal)
    numbers = dict.fromkeys(
        number for one in (document, *(flow.document for flow in subflows.values())) for number in dataset_numbers(one)
    )
    rows = list(
        Dataset.objects.visible_to(principal)
        .filter(number__in=list(numbers))
        .select_related("node")
        .prefetch_related("columns")
    )
    infos = {row.number: dataset_info(row, user) for row in rows}
    nodes = Node.objects.visible_to(principal).filter(number__in=node_numbers(document), is_active=True)
    return Sources(
        datasets=infos,
        grants=grants_for(rows, user),
        nodes={node.number: _node_info(node, user) for node in nodes},
        rows={row.number: row for row in rows},
        subflows=subflows,
    )


def dataset_info(row: Dataset, user: User) -> DatasetInfo:
    """The core's view of one dataset."""
    return DatasetInfo(
        number=row.number,
        node=row.node.number,
        node_type=row.node.type,
        path=tuple(row.path),
        schema=schema_of(row),
        settings=row.settings,
        rows=row.rows,
        title=title_of(row),
        state=row.state if row.node.is_active else "gone",
        can_write=is_writer(row.node, user),
        distinct=_distinct(row),
        seconds=_seconds(row),
        owner=owner_of(row.node),
        takes_rows=row.node.settings.get("takes_rows", "own"),
        keys=_keys(row),
    )


def _distinct(row: Dataset) -> dict[str, float]:
    counts = {one.name: (one.profile or {}).get("distinct") for one in row.columns.all()}
    return {name: float(count) for name, count in counts.items() if isinstance(count, int | float)}


def _seconds(row: Dataset) -> dict[str, float]:
    """How long it is from the earliest to the latest moment of each column, where a profile has found them."""
    found = {}
    for one in row.columns.all():
        low, high = (str((one.profile or {}).get(side) or "") for side in ("min", "max"))
        if one.type == "timestamp" and low and high:
            with suppress(ValueError):  # years that Python's calendar does not have
                found[one.name] = (datetime.fromisoformat(high) - datetime.fromisoformat(low)).total_seconds()
    return found


def _keys(row: Dataset) -> tuple[str, ...]:
    """Columns that are a key by themselves: the catalogue marks each column of a longer primary key, too."""
    primary = [one.name for one in row.columns.all() if one.key == "primary"]
    unique = [one.name for one in row.columns.all() if one.key == "unique"]
    return (*(primary if len(primary) == 1 else ()), *unique)


def owner_of(node: Node) -> str:
    """Whose node it is: a department, or the person whose files it holds."""
    return f"person {node.owner_id}" if node.owner_id is not None else str(node.organisation_id)


def is_writer(node: Node, user: User) -> bool:
    """Whether ``user`` may write into ``node``: their own department's, or their own files."""
    if node.owner_id is not None:
        return bool(node.owner_id == user.pk)
    return bool(node.organisation_id == user.organisation_id)


def _node_info(node: Node, user: User) -> NodeInfo:
    return NodeInfo(number=node.number, node_type=node.type, can_write=is_writer(node, user), title=node.name)
