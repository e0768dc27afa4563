"""Bindings of datasets: grant, pushed filters, column list and limit as one SELECT in the source's own dialect."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from flows.graph.guard import narrowed_source, source_columns
from flows.graph.optimise import needed_columns
from flows.graph.plan import Binding
from flows.graph.render import SOURCE, render
from flows.graph.sources import GIVEN, DatasetInfo
from node_catalog.sdk.grant import GrantSpec
from node_catalog.sdk.ports import Field, Schema, from_ibis


def dataset_binding(
    step: str,
    info: DatasetInfo,
    grant: GrantSpec,
    *,
    dialect: str = "duckdb",
    relation: Any = None,
    columns: Iterable[str] | None = None,
    limit: int | None = None,
    pushed: Sequence[str] = (),
) -> Binding:
    """The binding of one read. ``relation`` is built over ``narrowed_source``: by default, that itself.

    ``columns`` are those that leave the source (all when None), ``limit`` the most rows.
    """
    relation = narrowed_source(info, grant) if relation is None else relation
    names = _at_least_one(relation, columns)
    kept = relation.select(*names) if tuple(names) != tuple(relation.columns) else relation
    if limit is not None:
        kept = kept.limit(limit)
    fetched = needed_columns(kept, kept.columns).get(SOURCE, set())
    return Binding(
        alias=f"b_{step}",
        kind="given" if info.number.startswith(GIVEN) else "dataset",
        schema=from_ibis(kept.schema()),
        step=step,
        counts_step=pushed[-1] if pushed else step,
        dataset=info.number,
        columns=source_columns(info, grant, fetched) or info.schema.names[:1],
        text=render(kept, dialect),
        dialect=dialect,
        grant_digest=grant.digest,
        grant=grant.grant,
        epoch=grant.epoch,
        pushed=tuple(dict.fromkeys([step, *pushed])),
    )


def exchange_binding(alias: str, stage: str, port: str, schema: Schema) -> Binding:
    """The rows of an earlier stage; ``port`` says which of them when it hands on several kinds."""
    return Binding(alias=alias, kind="exchange", schema=schema, step=stage, stage=stage, port=port)


def _at_least_one(relation: Any, columns: Iterable[str] | None) -> list[str]:
    """The wanted columns in the relation's order; when only the number of rows matters, its cheapest one."""
    if columns is None:
        return list(relation.columns)
    wanted = set(columns)
    return [name for name in relation.columns if name in wanted] or [cheapest(from_ibis(relation.schema())).name]


def cheapest(schema: Schema) -> Field:
    """The column to fetch when only the number of rows matters: not a text when there is another."""
    return next((field for field in schema.fields if field.type not in ("text", "binary")), schema.fields[0])
