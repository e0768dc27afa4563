"""Bindings of datasets: grant, pushed filters, column list and limit as one SELECT in the source's own dialect."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from flows.graph.bounds import bounds_of
from flows.graph.expressions.open_values import need_values
from flows.graph.guard import narrowed_source, source_columns
from flows.graph.optimise import needed_columns
from flows.graph.parts import Part, Read
from flows.graph.plan import Binding, Shipped, SourceRead
from flows.graph.relation_text import SOURCE
from flows.graph.render import render
from flows.graph.same_there import compared_columns
from flows.graph.sources import DatasetInfo, is_given
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
    counts_step: str | None = None,
    thinned: Sequence[str] = (),
) -> Binding:
    """The binding of one read. ``relation`` is built over ``narrowed_source``: by default, that itself.

    ``columns`` are those that leave the source (all when None), ``limit`` the most rows.
    """
    relation = narrowed_source(info, grant) if relation is None else relation
    names = _at_least_one(relation, columns)
    kept = relation.select(*names) if tuple(names) != tuple(relation.columns) else relation
    if limit is not None:
        kept = kept.limit(limit)
    need_values(kept)
    fetched = needed_columns(kept, kept.columns).get(SOURCE, set())
    return Binding(
        alias=f"b_{step}",
        kind="given" if is_given(info) else "dataset",
        schema=from_ibis(kept.schema()),
        step=step,
        counts_step=counts_step if counts_step is not None else pushed[-1] if pushed else step,
        dataset=info.number,
        columns=source_columns(info, grant, fetched) or info.schema.names[:1],
        text=render(kept, dialect),
        dialect=dialect,
        grant_digest=grant.digest,
        grant=grant.grant,
        epoch=grant.epoch,
        pushed=tuple(dict.fromkeys([step, *pushed])),
        thinned=tuple(thinned),
        bounds=() if is_given(info) else bounds_of(kept).get(SOURCE, ()),
    )


def part_binding(
    part: Part,
    reads: Mapping[str, Read],
    relation: Any,
    columns: Iterable[str],
    counts_step: str,
    thinned: Sequence[str],
    ship: Callable[[str, set[str]], Shipped] | None = None,
) -> Binding:
    """The binding of a part that its server does as one query; ``relation`` is the part's, perhaps with more
    conditions, and ``columns`` are those of its rows that leave the source. ``ship`` says how the rows of a read step
    (with those columns) are fetched to be sent along.
    """
    names = _at_least_one(relation, columns)
    kept = relation.select(*names) if tuple(names) != tuple(relation.columns) else relation
    need_values(kept)
    fetched, compared = needed_columns(kept, kept.columns), compared_columns(kept)
    bounds = bounds_of(kept)
    sources = []
    for name, step in part.tables.items():
        info, grant = reads[step].info, reads[step].grant
        shipped = ship(step, fetched.get(name, set())) if ship is not None and name in part.shipped else None
        wanted = source_columns(info, grant, fetched.get(name, set())) or info.schema.names[:1]
        if shipped is not None:
            wanted = shipped.binding.columns
        sources.append(
            SourceRead(
                name=name,
                step=step,
                dataset=info.number,
                schema=Schema(tuple(field for field in info.schema.fields if field.name in wanted)),
                columns=wanted,
                grant_digest=grant.digest,
                grant=grant.grant,
                epoch=grant.epoch,
                compared=tuple(sorted(compared.get(name, ()))),
                bounds=bounds.get(name, ()) if shipped is None else shipped.binding.bounds,
                shipped=shipped,
            )
        )
    first, dialect = sources[0], reads[sources[0].step].dialect
    return Binding(
        alias=f"b_{part.steps[-1]}",
        kind="dataset",
        schema=from_ibis(kept.schema()),
        step=first.step,
        counts_step=counts_step,
        dataset=first.dataset,
        columns=first.columns,
        text=render(kept, dialect),
        dialect=dialect,
        grant_digest=first.grant_digest,
        grant=first.grant,
        epoch=first.epoch,
        pushed=part.steps,
        thinned=tuple(thinned),
        sources=tuple(sources),
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
