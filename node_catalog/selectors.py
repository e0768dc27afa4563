"""What other packages ask the catalogue: facts about datasets, and a node's settings for workers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from node_catalog.models import Dataset, Node
from node_catalog.palette import registry
from node_catalog.sdk.load_limits import LoadLimits, limits_of, settings_for_reading
from node_catalog.sdk.ports import Field, Schema
from security.secrets import open_secret

usage_counters: list[Callable[[Dataset], int]] = []
"""Packages above add a function that counts where a dataset is used (apps)."""


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


def has_limits(node_type: str) -> bool:
    """Whether nodes of this type have load limits at all."""
    connector = registry().connectors.get(node_type)
    return connector is not None and bool(connector.limits)


def load_limits(node: Node) -> LoadLimits:
    """How much may be asked of the node."""
    return limits_of(registry().connectors.get(node.type), node.limits)


def reading_settings(node: Node) -> dict[str, Any]:
    """``connector_settings`` for whoever only reads: of the node's replica, when it has one."""
    return settings_for_reading(connector_settings(node), load_limits(node))


def used_by(dataset: Dataset) -> int:
    """How many apps use the dataset, as far as packages above count."""
    return sum(count(dataset) for count in usage_counters)
