"""Comparison and arithmetic: which types meet, and what comes out."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import ibis
from sqlglot import exp

from flows.graph.expressions.functions import native, number
from flows.graph.expressions.parameters import to_python
from flows.graph.expressions.values import (
    MOMENT,
    NUMERIC,
    Value,
    coerce,
    common_type,
    fitted,
    force,
    forced,
    literal,
    product_type,
    sum_type,
    typed,
)
from flows.graph.expressions.walk import Walk
from node_catalog.sdk.ports import ibis_type
from node_catalog.sdk.text import text

COMPARED = text("compared", "比较")
_SYMBOLS: dict[type, str] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.Mod: "%"}
_DECIMAL_CALLS: dict[type, str] = {exp.Add: "add", exp.Sub: "subtract", exp.Mul: "multiply"}


# ── comparison ────────────────────────────────────────────────────────────────────────────────────────────


def compare(self: Walk, node: exp.Expression, left: Value, right: Value) -> tuple[Value, Value]:
    """Both sides in the type in which they can be compared; raises ExpressionError when there is none.

    A text constant beside a date or time is read as one; ``= null`` is refused because it is never true.
    """
    null_safe = isinstance(node, exp.NullSafeEQ | exp.NullSafeNEQ)
    for side, other in ((right, node.this), (left, node.expression)):
        if side.type == "null" and not null_safe and isinstance(node, exp.EQ | exp.NEQ):
            word = "is null" if isinstance(node, exp.EQ) else "is not null"
            message = text(
                f"A comparison with an empty value is never true. Write “{word}”.",
                f"与空值比较永远不成立，请写成“{word}”。",
            )
            raise self.problems.error("compare_null", message, node, self.problems.null_test(other, word))
    left, right = _as_moment(self, node, left, right), _as_moment(self, node, right, left)
    kind = common_type([left.type, right.type])
    if kind is None or kind in ("interval", "list"):
        raise self.problems.mismatch(node, left, right, COMPARED)
    if kind == "null":
        kind = "text"
    if {left.family, right.family} <= {"decimal", "integer"} and left.type != right.type:
        near, far = fitted([left, right])
        if _comparable(near, far):
            return near, far
        return coerce(left, kind), coerce(right, kind)
    return _plain_or(left, kind, right), _plain_or(right, kind, left)


def _comparable(left: Value, right: Value) -> bool:
    """Whether one type holds the other, so that no cast is needed: 0.255 does not fit decimal(10,2)."""
    a, b = left.expr.type(), right.expr.type()
    return bool(a.castable(b) or b.castable(a))


def _plain_or(value: Value, kind: str, other: Value) -> Value:
    """A whole-number constant beside a whole-number column needs no cast: the column decides the type."""
    if value.is_open or value.type != kind or kind != "integer":
        return coerce(value, kind)
    if value.is_literal and (other.is_open or not other.is_literal) and value.literal is not None:
        return Value(kind, ibis.literal(value.literal, type="int64"), value.literal)
    return coerce(value, kind)


def _as_moment(self: Walk, node: exp.Expression, value: Value, other: Value) -> Value:
    if value.type != "text" or other.family not in (*MOMENT, "time") or not isinstance(value.literal, str):
        return value
    for kind in ("date", "timestamp") if other.family in MOMENT else ("time",):
        try:
            return literal(to_python(value.literal.strip(), kind), kind)
        except ValueError:
            continue
    form = text("08:30:00", "08:30:00") if other.family == "time" else text("2026-01-31", "2026-01-31")
    message = text(
        f"“{value.literal}” cannot be read as a date or time. Write it like {form['en']}.",
        f"“{value.literal}”无法识别为日期或时间，请写成 {form['zh-CN']} 的形式。",
    )
    raise self.problems.error("bad_date", message, node)


# ── arithmetic ────────────────────────────────────────────────────────────────────────────────────────────


def arithmetic(self: Walk, node: exp.Expression, left: Value, right: Value) -> Value:
    """``+ - * / %`` over numbers, and sums and differences of dates and durations."""
    if isinstance(node, exp.Add | exp.Sub) and {left.family, right.family} & {*MOMENT, "interval", "time"}:
        return _moments(self, node, left, right)
    if left.type == right.type == "null":
        left = literal(None, "number")
    if left.type == "null" or right.type == "null":
        kind = right.type if left.type == "null" else left.type
        left, right = coerce(left, kind), coerce(right, kind)
    if left.family not in NUMERIC or right.family not in NUMERIC:
        return _not_numbers(self, node, left, right)
    if isinstance(node, exp.Div):
        return Value("number", number(left).expr / number(right).expr.nullif(0))
    if "number" in (left.type, right.type):
        left, right = coerce(left, "number"), coerce(right, "number")
        if isinstance(node, exp.Mod):
            return Value("number", left.expr % right.expr.nullif(0))
        return typed(_applied(node, left.expr, right.expr), "number")
    if left.type == right.type == "integer":
        if isinstance(node, exp.Mod):
            right = Value("integer", right.expr.nullif(ibis.literal(0, type="int64")))
        return typed(_applied(node, left.expr, right.expr), "integer")
    return _decimals(self, node, left, right)


def _applied(node: exp.Expression, left: Any, right: Any) -> Any:
    if isinstance(node, exp.Add):
        return left + right
    if isinstance(node, exp.Sub):
        return left - right
    return left * right if isinstance(node, exp.Mul) else left % right


def _decimals(self: Walk, node: exp.Expression, left: Value, right: Value) -> Value:
    left, right = fitted([left, right])
    if isinstance(node, exp.Mod):
        kind = common_type([left.type, right.type]) or "number"
        zero = ibis.literal(Decimal(0), type=ibis_type("decimal(1,0)"))
        divisor = Value(right.type, right.expr.nullif(zero))
        return Value(kind, force(native("mod", kind, left, divisor).expr, kind))
    found = product_type(left.type, right.type) if isinstance(node, exp.Mul) else sum_type(left.type, right.type)
    if found is None:
        message = text(
            "The product would have more than 38 decimals. Round one of the factors before.",
            "乘积的小数位超过 38 位，请先对其中一个数四舍五入。",
        )
        raise self.problems.error("too_many_decimals", message, node)
    # Ibis refuses some pairs of decimals and types others too narrowly, so the engine's own functions are called
    return Value(found, force(native(_DECIMAL_CALLS[type(node)], found, left, right).expr, found))


def _not_numbers(self: Walk, node: exp.Expression, left: Value, right: Value) -> Value:
    symbol = _SYMBOLS[type(node)]
    if isinstance(node, exp.Add) and "text" in (left.type, right.type) and {left.type, right.type} == {"text"}:
        message = text("Texts are put together with ||, not with +.", "连接文本请用 ||，而不是 +。")
        whole = f"{self.problems.written(node.this)} || {self.problems.written(node.expression)}"
        raise self.problems.error("text_plus", message, node, self.problems.replace(node, whole))
    doing = text(f"combined with {symbol}", f"用 {symbol} 计算")
    if left.family in NUMERIC or right.family in NUMERIC:
        raise self.problems.mismatch(node, left, right, doing)
    raise self.problems.operand(node.this, text("a number", "数字"), left)


def negate(self: Walk, node: exp.Neg, value: Value) -> Value:
    """The value with the other sign."""
    if value.type == "interval":
        return Value("interval", literal=value.literal, units=tuple((-amount, unit) for amount, unit in value.units))
    if value.type == "null":
        return value
    if value.family not in NUMERIC:
        raise self.problems.operand(node.this, text("a number", "数字"), value)
    if value.is_literal and value.literal is not None:
        flipped = -value.literal
        return literal(flipped, value.type)
    return typed(-value.expr, value.type)


# ── dates and durations ───────────────────────────────────────────────────────────────────────────────────


def _moments(self: Walk, node: exp.Expression, left: Value, right: Value) -> Value:
    minus = isinstance(node, exp.Sub)
    if right.type == "interval" and left.type in (*MOMENT, "null"):
        return Value("timestamp", _shift(left, right, minus))
    if left.type == "interval" and right.type in MOMENT and not minus:
        return Value("timestamp", _shift(right, left, False))
    if left.type == right.type == "interval":
        units = tuple((-amount if minus else amount, unit) for amount, unit in right.units)
        return Value("interval", literal=None, units=left.units + units)
    if left.type == right.type == "date" and minus:
        return native("date_diff", "integer", "day", right, left)
    if left.type == "date" and right.type == "integer":
        days = right.expr.cast("int32").as_interval("D")
        start = force(left.expr, "timestamp")
        return forced(start - days if minus else start + days, "date")
    if minus and left.type in MOMENT and right.type in MOMENT:
        message = text(
            "The difference of two moments has no unit. Write date_diff('hour', from, to), or another unit.",
            "两个时间相减没有单位，请写成 date_diff('hour', 起, 止) 或使用其他单位。",
        )
        raise self.problems.error("moment_difference", message, node)
    symbol = _SYMBOLS[type(node)]
    raise self.problems.mismatch(node, left, right, text(f"combined with {symbol}", f"用 {symbol} 计算"))


def _shift(moment: Value, interval: Value, minus: bool) -> Any:
    expr = coerce(moment, "timestamp").expr
    if interval.is_literal and interval.literal is None and not interval.units:
        return literal(None, "timestamp").expr
    for amount, unit in interval.units:
        step = ibis.interval(amount, unit=unit)
        expr = expr - step if minus else expr + step
    return expr
