"""The guard: every read of a plan starts from what ``narrow()`` leaves of a dataset, never from the dataset itself."""

from __future__ import annotations

from typing import Any

import ibis

from flows.graph.relation_text import SOURCE
from flows.graph.sources import DatasetInfo
from node_catalog.sdk import grant as grants
from node_catalog.sdk.grant import GrantSpec
from node_catalog.sdk.memory import Memory
from node_catalog.sdk.ports import Schema, from_ibis, to_ibis
from node_catalog.sdk.registry import Registry
from node_catalog.sdk.row_filter import columns_of

_REMOTE = {"postgresql": "postgres", "mysql": "mysql"}
"""Dialects of the platform's own connectors that run SQL themselves, for callers without a registry."""


def narrowed_source(info: DatasetInfo, grant: GrantSpec) -> Any:
    """The relation a holder of ``grant`` may read, over a table named ``src`` with the dataset's columns."""
    source = ibis.table(to_ibis(info.schema), name=SOURCE)
    return grants.narrow(source, grant)


def narrowed_schema(info: DatasetInfo, grant: GrantSpec) -> Schema:
    """The columns that ``narrow`` leaves, asked of ``narrow`` itself so that nothing else decides.

    Raises NodeTypeError when no column is left or the row filter cannot be applied.
    """
    key = (grants.narrow, info.schema, grant.digest)
    return _schemas.get(key, lambda: from_ibis(narrowed_source(info, grant).schema()))


_schemas: Memory[Schema] = Memory(2_000)


def source_columns(info: DatasetInfo, grant: GrantSpec, wanted: set[str]) -> tuple[str, ...]:
    """Columns of the dataset that must be fetched for ``wanted``: also those that only the row filter tests."""
    needed = wanted | columns_of(grant.row_filter)
    return tuple(name for name in info.schema.names if name in needed)


def hides_rows_or_values(grant: GrantSpec) -> bool:
    """Whether there is something behind the grant that an expression must not be able to probe."""
    return grant.row_filter is not None or any(grant.masks.values())


def dialect_of(node_type: str, registry: Registry | None = None) -> str:
    """The SQL dialect in which a node's texts are written."""
    connector = registry.connectors.get(node_type) if registry is not None else None
    return connector.dialect() if connector is not None else _REMOTE.get(node_type, "duckdb")
