"""Constants and casts: what is written out in an expression."""

from __future__ import annotations

import re
from decimal import Decimal

import ibis.expr.operations as ops
from sqlglot import exp

from flows.graph.expressions.parameters import to_python
from flows.graph.expressions.values import Value, decimal_type, force, literal, words
from flows.graph.expressions.walk import Walk
from node_catalog.sdk.ports import ibis_type, is_type
from node_catalog.sdk.text import text

_KINDS = exp.DataType.Type
_TYPES = {
    _KINDS.BOOLEAN: "boolean",
    _KINDS.INT: "integer",
    _KINDS.BIGINT: "integer",
    _KINDS.SMALLINT: "integer",
    _KINDS.TINYINT: "integer",
    _KINDS.DOUBLE: "number",
    _KINDS.FLOAT: "number",
    _KINDS.TEXT: "text",
    _KINDS.VARCHAR: "text",
    _KINDS.DATE: "date",
    _KINDS.TIME: "time",
    _KINDS.TIMESTAMP: "timestamp",
    _KINDS.TIMESTAMPNTZ: "timestamp",
}
_TO = {
    "boolean": {"boolean", "integer", "text"},
    "integer": {"integer", "number", "decimal", "text", "boolean"},
    "number": {"integer", "number", "decimal", "text", "boolean"},
    "decimal": {"integer", "number", "decimal", "text", "boolean"},
    "text": {"boolean", "integer", "number", "decimal", "text", "date", "time", "timestamp"},
    "date": {"date", "timestamp", "text"},
    "time": {"time", "text"},
    "timestamp": {"timestamp", "date", "time", "text"},
    "binary": {"text"},
    "geometry": set(),
    "columns": set(),
}
_UNITS = ("year", "quarter", "month", "week", "day", "hour", "minute", "second")
_WHOLE = re.compile(r"[+-]?\d+\Z")
MAX_AMOUNT = 1_000_000_000


def literal_value(self: Walk, node: exp.Literal) -> Value:
    """A number or text: digits alone are whole, with a point exact decimals, with an exponent floats."""
    written = str(node.this)
    if node.is_string:
        return literal(written, "text")
    if "e" in written.lower():
        value = float(written)
        if value in (float("inf"), float("-inf")):
            raise self.problems.error("number_size", text("This number is too large.", "这个数字过大。"), node)
        return literal(value, "number")
    if "." in written:
        return _decimal(self, node, Decimal(written))
    value = int(written)
    if value < 2**63:
        return literal(value, "integer")
    return _decimal(self, node, Decimal(value))


def _decimal(self: Walk, node: exp.Literal, value: Decimal) -> Value:
    try:
        kind = decimal_type(value)
    except ValueError:
        message = text("A number may have at most 38 digits.", "数字最多 38 位。")
        raise self.problems.error("number_size", message, node) from None
    return literal(value, kind)


# ── casts ─────────────────────────────────────────────────────────────────────────────────────────────────


def cast_value(self: Walk, node: exp.Cast, is_try: bool) -> Value:
    """``cast``, ``try_cast``, ``::`` and ``date '…'``; text constants are read now, so that mistakes show at once."""
    kind = _target(self, node)
    value = self.compile(node.this)
    if value.type == "null":
        return literal(None, kind)
    if value.type == "text" and kind in ("date", "time", "timestamp") and isinstance(value.literal, str):
        return _read(self, node, value.literal, kind, is_try)
    if value.type not in ("interval", "list") and kind.partition("(")[0] in _TO[value.family]:
        if is_try:
            return Value(kind, ops.TryCast(value.expr, ibis_type(kind)).to_expr())
        return Value(kind, force(value.expr, kind))
    a, b = words(value.type), words(kind)
    message = text(
        f"{self.problems.written(node.this) or 'This'} is {a['en']} and cannot become {b['en']}.",
        f"{self.problems.written(node.this)} 是{a['zh-CN']}，不能转换为{b['zh-CN']}。",
    )
    raise self.problems.error("cast", message, node)


def _target(self: Walk, node: exp.Cast) -> str:
    target = node.args["to"]
    kind = _TYPES.get(target.this) if isinstance(target, exp.DataType) else None
    if kind is not None and not (kind != "text" and target.expressions):
        return kind
    if isinstance(target, exp.DataType) and target.this == _KINDS.DECIMAL:
        sizes = [part.name for part in target.expressions] or ["18", "3"]
        found = f"decimal({sizes[0]},{sizes[1] if len(sizes) > 1 else 0})"
        if is_type(found):
            return found
    message = text(
        "This type is not known. Types: boolean, integer, decimal(p,s), number, text, date, time, timestamp.",
        "不认识这个类型。可用类型：boolean、integer、decimal(p,s)、number、text、date、time、timestamp。",
    )
    raise self.problems.error("unknown_type", message, node)


def _read(self: Walk, node: exp.Cast, written: str, kind: str, is_try: bool) -> Value:
    try:
        return literal(to_python(written.strip(), kind), kind)
    except ValueError:
        if is_try:
            return literal(None, kind)
    form = {"date": "2026-01-31", "time": "08:30:00", "timestamp": "2026-01-31 08:30:00"}[kind]
    message = text(
        f"“{written}” is no valid {words(kind)['en']}. Write it like '{form}'.",
        f"“{written}”不是有效的{words(kind)['zh-CN']}，请写成 '{form}' 的形式。",
    )
    raise self.problems.error("bad_date", message, node)


def interval_value(self: Walk, node: exp.Interval) -> Value:
    """``interval '3' hour``: a whole number of a unit."""
    unit = str(node.args["unit"].name).lower().rstrip("s") if node.args.get("unit") else ""
    amount = node.this.name if isinstance(node.this, exp.Literal) else ""
    if unit not in _UNITS or not _WHOLE.match(amount) or abs(int(amount)) > MAX_AMOUNT:
        message = text(
            "A duration is a whole number and a unit, for example interval '3' hour. "
            "For a number from a column use date_add(when, n, 'hour').",
            "时长由整数和单位组成，例如 interval '3' hour。若数值来自某列，请用 date_add(时间, n, 'hour')。",
        )
        raise self.problems.error("interval", message, node)
    return Value("interval", literal=amount, units=((int(amount), unit),))
