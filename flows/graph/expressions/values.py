"""Typed values of the expression language and the rules by which types meet.

Types are the ten column types, and inside an expression also ``interval``, ``null`` and ``list``. An Ibis value
always carries the type that DuckDB gives it: where the two disagree, a cast is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import ibis
import ibis.expr.operations as ops

from node_catalog.sdk.ports import digits_of, ibis_type
from node_catalog.sdk.text import Text, text

MISSING: Any = object()
"""Stands for "no literal": None is a literal."""

NUMERIC = ("integer", "decimal", "number")
MOMENT = ("date", "timestamp")

TYPE_WORDS: dict[str, Text] = {
    "boolean": text("true/false", "是/否"),
    "integer": text("whole number", "整数"),
    "number": text("number", "小数"),
    "decimal": text("exact decimal", "精确小数"),
    "text": text("text", "文本"),
    "date": text("date", "日期"),
    "time": text("time of day", "时间"),
    "timestamp": text("date and time", "日期时间"),
    "binary": text("bytes", "二进制"),
    "geometry": text("geometry", "几何"),
    "columns": text("further columns from the data", "由数据决定的更多列"),
    "interval": text("duration", "时长"),
    "null": text("empty value", "空值"),
    "list": text("list", "列表"),
}


@dataclass(frozen=True)
class Value:
    """A typed value; ``literal`` is its Python value when it is a constant. ``items`` belongs to lists."""

    type: str
    built: Any = None
    literal: Any = MISSING
    items: tuple[Value, ...] = ()
    column: str = ""
    """The column's name when the value is nothing but a column."""
    units: tuple[tuple[int, str], ...] = field(default=())
    """For intervals: amounts with their units."""

    @property
    def expr(self) -> Any:
        """The Ibis value. A constant's is made when it is asked for: beside a column it often becomes another type."""
        return self.built if self.built is not None else _literal_expr(self.literal, self.type)

    @property
    def is_literal(self) -> bool:
        return self.literal is not MISSING

    @property
    def is_open(self) -> bool:
        """Whether it is a constant whose value is given when the text runs (``open_values``): do not ask for it."""
        return False

    @property
    def family(self) -> str:
        """The type without its parameters: ``decimal(10,2)`` → ``decimal``."""
        return self.type.partition("(")[0]


def words(kind: str) -> Text:
    """A type in words, e.g. ``decimal(10,2)`` → exact decimal."""
    return TYPE_WORDS.get(kind.partition("(")[0], text(kind, kind))


def force(expr: Any, kind: str) -> Any:
    """``expr`` with a cast to ``kind`` in the SQL even when Ibis believes that it already has that type."""
    return ops.Cast(expr, ibis_type(kind)).to_expr()


def typed(expr: Any, kind: str) -> Value:
    """A value of a native operation, cast where Ibis knows another type than ours."""
    return Value(kind, expr if expr.type() == ibis_type(kind) else expr.cast(ibis_type(kind)))


def forced(expr: Any, kind: str) -> Value:
    """A value whose SQL type may differ from what Ibis believes: always cast."""
    return Value(kind, force(expr, kind))


# ── literals ──────────────────────────────────────────────────────────────────────────────────────────────


def literal(value: Any, kind: str) -> Value:
    """A constant of type ``kind`` (``value`` already is the matching Python value)."""
    return Value(kind, literal=value)


def _literal_expr(value: Any, kind: str) -> Any:
    if value is None or value is MISSING:
        return ibis.null(ibis_type(kind)) if kind != "null" else ibis.null()
    if kind == "number":
        return force(ibis.literal(repr(float(value))), kind)
    if kind == "integer":
        return force(ibis.literal(int(value), type="int64"), kind)
    return ibis.literal(Decimal(value) if kind.startswith("decimal") else value, type=ibis_type(kind))


def decimal_type(value: Decimal) -> str:
    """The narrowest decimal type that holds ``value`` exactly; raises ValueError beyond 38 digits."""
    _, digits, exponent = value.as_tuple()
    scale = max(-int(exponent), 0)
    precision = max(len(digits) + max(int(exponent), 0), scale, 1)
    if precision > 38:
        raise ValueError("more than 38 digits")
    return f"decimal({precision},{scale})"


# ── meeting types ─────────────────────────────────────────────────────────────────────────────────────────


def decimal_parts(kind: str) -> tuple[int, int]:
    """Precision and scale; an integer column counts as decimal(19,0), as in DuckDB."""
    return digits_of(kind) or (19, 0)


def common_type(kinds: Sequence[str]) -> str | None:
    """The type in which values of these types can be compared and mixed; None when there is none."""
    present = [kind for kind in kinds if kind != "null"]
    families = {kind.partition("(")[0] for kind in present}
    if not families:
        return "null"
    if families <= set(NUMERIC):
        if "number" in families:
            return "number"
        return _widest_decimal(present) if "decimal" in families else "integer"
    if families <= set(MOMENT):
        return "timestamp" if "timestamp" in families else "date"
    return present[0] if len(families) == 1 else None


def _widest_decimal(kinds: Sequence[str]) -> str:
    parts = [decimal_parts(kind) for kind in kinds]
    scale = max(scale for _, scale in parts)
    whole = max(precision - scale for precision, scale in parts)
    if whole + scale > 38:
        return "number"
    return f"decimal({whole + scale},{scale})"


def coerce(value: Value, kind: str) -> Value:
    """``value`` as ``kind``; the caller knows that the types can meet."""
    if value.type == kind:
        return value
    if value.is_open and not kind.startswith("decimal"):
        return Value(kind, force(value.expr, kind))
    if value.is_literal and value.literal is None:
        return literal(None, kind)
    if value.is_literal and kind.startswith("decimal") and isinstance(value.literal, int | Decimal):
        return literal(Decimal(value.literal), kind)
    if value.is_literal and kind == "number":
        return literal(float(value.literal), kind)
    return Value(kind, force(value.expr, kind))


def fitted(values: Sequence[Value]) -> list[Value]:
    """Whole-number constants beside decimals become decimals of just their digits, which keeps results narrow."""
    if not any(value.family == "decimal" for value in values):
        return list(values)
    return [
        coerce(value, decimal_type(Decimal(value.literal)))
        if value.type == "integer" and value.is_literal and value.literal is not None
        else value
        for value in values
    ]


def sum_type(left: str, right: str) -> str:
    """The decimal type of a sum or difference, as DuckDB gives it: one more digit, held at 18 and at 38."""
    (p1, s1), (p2, s2) = decimal_parts(left), decimal_parts(right)
    width, scale = max(p1, p2), max(s1, s2)
    needed = max(scale + max(p1 - s1, p2 - s2), width) + 1
    if needed > 18 and width <= 18:
        needed = 18
    return f"decimal({min(needed, 38)},{scale})"


def product_type(left: str, right: str) -> str | None:
    """The decimal type of a product, as DuckDB gives it: scales add up; None beyond scale 38."""
    (p1, s1), (p2, s2) = decimal_parts(left), decimal_parts(right)
    width, scale = p1 + p2, s1 + s2
    if scale > 38:
        return None
    if width > 18 and max(p1, p2) <= 18 and scale < 18:
        width = 18
    return f"decimal({min(width, 38)},{scale})"
