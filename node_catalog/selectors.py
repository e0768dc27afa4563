"""What other packages ask the catalogue: facts about datasets, and a node's settings for workers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from node_catalog.models import Dataset, Node
from node_catalog.sdk.ports import Field, Schema
from security.access import principal_for
from security.secrets import open_secret

usage_counters: list[Callable[[Dataset], int]] = []
"""Packages above add a function that counts where a dataset is used (apps)."""


@dataclass(frozen=True)
class DatasetFacts:
    """One dataset as the flow core needs it, without Django."""

    number: str
    node: str
    node_type: str
    path: tuple[str, ...]
    schema: Schema
    settings: dict[str, Any]
    rows: int | None
    title: dict[str, str]
    state: str
    can_write: bool


def dataset_infos(numbers: Iterable[str], user: Any) -> dict[str, DatasetFacts]:
    """Facts about those of ``numbers`` whose card ``user`` may see (two queries)."""
    principal = principal_for(user)
    datasets = (
        Dataset.objects.visible_to(principal)
        .filter(number__in=list(numbers))
        .select_related("node")
        .prefetch_related("columns")
    )
    return {dataset.number: _facts(dataset, principal) for dataset in datasets}


def _facts(dataset: Dataset, principal: Any) -> DatasetFacts:
    node = dataset.node
    is_own = node.owner_id == principal.id if node.owner_id else node.organisation_id == principal.organisation_id
    return DatasetFacts(
        number=dataset.number,
        node=node.number,
        node_type=node.type,
        path=tuple(dataset.path),
        schema=schema_of(dataset),
        settings=dataset.settings,
        rows=dataset.rows,
        title=title_of(dataset),
        state=dataset.state,
        can_write=is_own,
    )


def schema_of(dataset: Dataset) -> Schema:
    """The columns that the catalogue promises today, in order."""
    columns: Any = sorted(dataset.columns.all(), key=lambda column: column.ordinal)
    return Schema(tuple(Field(column.name, column.type, column.nullable) for column in columns))


def title_of(dataset: Dataset) -> dict[str, str]:
    """The title, or the technical name in both languages."""
    return dataset.title or {"en": dataset.name, "zh-CN": dataset.name}


def connector_settings(node: Node) -> dict[str, Any]:
    """The settings with the sealed ones opened. For workers alone: never log, keep or send this."""
    return {**node.settings, **{name: open_secret(secret) for name, secret in node.secrets.items()}}


def used_by(dataset: Dataset) -> int:
    """How many apps use the dataset, as far as packages above count."""
    return sum(count(dataset) for count in usage_counters)
