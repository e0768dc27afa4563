"""Grants at work: the one function that every read of data passes through.

Run, preview, profile, sample, result and delivery all call ``narrow``; nothing else in the product decides which
columns and rows a reader may see.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from node_catalog.sdk.errors import SourceError
from node_catalog.sdk.ports import Field, Schema
from node_catalog.sdk.row_filter import condition
from node_catalog.sdk.text import text

Expr = Mapping[str, Any]
"""A row filter as data: ``{"op": "and", "args": [{"op": ">=", "column": "ts", "value": "2024-01-01"}]}``."""


class GrantSpec(msgspec.Struct, frozen=True):
    """The right to read one dataset, compiled from whatever gave it (own node, unconditional share, approval).

    ``columns`` is the exact list of readable columns. ``masks`` maps a column to a mask: ``null``, ``constant``,
    ``keep_last:4``, ``keep_first:3``, ``year``. ``epoch`` changes whenever the right changes.
    """

    dataset: str
    columns: tuple[str, ...]
    source: str = "grant"
    grant: str = ""
    epoch: int = 0
    row_filter: dict[str, Any] | None = None
    masks: dict[str, str] = {}

    @property
    def digest(self) -> str:
        """Stable hash of what may be seen: part of every plan, result and cache key."""
        body = msgspec.json.encode(
            [self.dataset, sorted(self.columns), self.row_filter, sorted(self.masks.items()), self.grant, self.epoch],
            order="deterministic",
        )
        return hashlib.sha256(body).hexdigest()


def narrow(relation: Any, grant: GrantSpec) -> Any:
    """What the holder of ``grant`` may see of ``relation`` (an Ibis table with the dataset's columns).

    Rows first (the filter may test columns that are not granted), then columns in the dataset's order, then masks.
    A granted column that the dataset no longer has is ignored; a row filter over one raises SourceError, because
    leaving a filter out would show rows.
    """
    if grant.row_filter is not None:
        relation = relation.filter(condition(relation, grant.row_filter))
    granted = set(grant.columns)
    kept = [_masked(relation, name, grant.masks.get(name)) for name in relation.columns if name in granted]
    if not kept:
        raise SourceError(
            "grant.no_columns",
            text(
                "None of the granted columns is left in this dataset. Ask its owner for a new grant.",
                "已授权的列在该数据集中均已不存在，请向数据提供方重新申请。",
            ),
            grant.dataset,
        )
    return relation.select(*kept)


def narrow_schema(schema: Schema, grant: GrantSpec) -> Schema:
    """The schema that ``narrow`` gives, without building a relation."""
    granted = set(grant.columns)
    return Schema(tuple(_masked_field(field, grant.masks) for field in schema.fields if field.name in granted))


def visible_values(grant: GrantSpec) -> set[str]:
    """Columns whose profile values (min, max, top, histogram) may be shown: unmasked, and no row is hidden."""
    if grant.row_filter is not None:
        return set()
    return {name for name in grant.columns if not grant.masks.get(name)}


# ── masks ─────────────────────────────────────────────────────────────────────────────────────────────────

STARS = "***"
"""What stands for a hidden value or part; always three, so that the length is not told either."""
_MASK = re.compile(r"^(null|constant|year|keep_last:\d{1,3}|keep_first:\d{1,3})$")


def is_mask(mask: str) -> bool:
    """Whether ``mask`` is one that ``narrow`` can apply."""
    return bool(_MASK.match(mask))


def _masked_field(field: Field, masks: Mapping[str, str]) -> Field:
    mask = masks.get(field.name)
    if not mask:
        return field
    if mask == "null" or (mask == "year" and field.type not in ("date", "timestamp")):
        return Field(field.name, field.type)
    return Field(field.name, "integer" if mask == "year" else "text")


def _masked(relation: Any, name: str, mask: str | None) -> Any:
    import ibis

    column = relation[name]
    if not mask:
        return column
    if not is_mask(mask):
        raise SourceError(
            "grant.mask_unknown",
            text(f"The mask “{mask}” of column “{name}” is not known.", f"列“{name}”的脱敏规则“{mask}”无法识别。"),
            name,
        )
    kind, _, count = mask.partition(":")
    if kind == "year":
        dated = column.type().is_date() or column.type().is_timestamp()
        return (column.year().cast("int64") if dated else ibis.null(column.type())).name(name)
    if kind == "null":
        return ibis.null(column.type()).name(name)
    if kind == "constant" or not int(count) or column.type().is_binary():
        return ibis.literal(STARS).name(name)
    return _kept(column.cast("string"), int(count), last=kind == "keep_last").name(name)


def _kept(words: Any, count: int, *, last: bool) -> Any:
    """The first or last ``count`` characters beside stars; a value no longer than that is hidden as a whole."""
    import ibis

    part = ibis.literal(STARS) + words.right(count) if last else words.left(count) + ibis.literal(STARS)
    return ibis.cases((words.isnull(), ibis.null("string")), (words.length() <= count, STARS), else_=part)
