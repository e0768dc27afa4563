"""Calls: the function's name, the number and the kinds of its arguments, then the function builds itself."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from flows.graph.expressions import functions_text, functions_time
from flows.graph.expressions.functions import FUNCTIONS, Function
from flows.graph.expressions.values import MOMENT, NUMERIC, Value, coerce, forced, literal
from flows.graph.expressions.walk import Walk, same_type
from node_catalog.sdk.text import Text, text

_WANTED: dict[str, Text] = {
    "number": text("a number", "数字"),
    "integer": text("a whole number", "整数"),
    "count": text("a fixed whole number, 0–10000", "固定的整数（0–10000）"),
    "digits": text("a fixed whole number, -15–15", "固定的整数（-15–15）"),
    "text": text("text", "文本"),
    "moment": text("a date or a moment", "日期或日期时间"),
    "clock": text("a moment or a time of day", "日期时间或时间"),
    "any": text("a value", "一个值"),
    "unit": text("a unit in quotes, e.g. 'hour'", "引号中的单位，如 'hour'"),
    "format": text("a format in quotes, e.g. '%Y-%m-%d'", "引号中的格式，如 '%Y-%m-%d'"),
    "pattern": text("a regular expression in quotes", "引号中的正则表达式"),
}


def call(self: Walk, node: exp.Anonymous, place: exp.Expression | None = None, parts_only: bool = False) -> Value:
    """The value of a function call; ``place`` is where errors point to when ``node`` was made up."""
    place = place or node
    name = str(node.this).lower()
    known = functions_time.PARTS if parts_only else FUNCTIONS
    entry = FUNCTIONS.get(name) if name in known else None
    if entry is None:
        raise self.problems.unknown_function(place, name, known)
    if entry.aggregate:
        return _aggregate(self, node, entry, place)
    values = _arguments(self, node, entry, place)
    return entry.build(values)


def _aggregate(self: Walk, node: exp.Anonymous, entry: Function, place: exp.Expression) -> Value:
    if not self.aggregate:
        message = text(
            f"{entry.name} looks at many rows, but here only one row is seen. Use the step “Summarise”.",
            f"{entry.name} 需要多行数据，而这里只能看到一行。请使用“汇总”步骤。",
        )
        raise self.problems.error("aggregate", message, place)
    if self.inside_aggregate:
        message = text("A summary cannot stand inside a summary.", "汇总函数不能嵌套。")
        raise self.problems.error("aggregate_nested", message, place)
    arguments = list(node.expressions)
    if entry.name == "count":
        if len(arguments) == 1 and isinstance(arguments[0], exp.Star):
            return forced(self.tables[0].count(), "integer")
        if len(arguments) == 1 and isinstance(arguments[0], exp.Distinct):
            inner = exp.Anonymous(this="count_distinct", expressions=arguments[0].expressions)
            return call(self, inner, place)
    self.inside_aggregate = True
    try:
        return entry.build(_arguments(self, node, entry, place))
    finally:
        self.inside_aggregate = False


def _arguments(self: Walk, node: exp.Anonymous, entry: Function, place: exp.Expression) -> list[Value]:
    nodes = list(node.expressions)
    if not entry.least <= len(nodes) <= entry.most:
        message = text(
            f"{entry.signature} needs {_number(entry)} argument{'s' if entry.most != 1 else ''}, not {len(nodes)}. "
            f"Example: {entry.example}",
            f"{entry.signature} 需要 {_number(entry)} 个参数，而这里有 {len(nodes)} 个。例如：{entry.example}",
        )
        raise self.problems.error("arguments", message, place)
    if "same" in entry.params:
        return _same(self, nodes, place)
    return [_argument(self, part, entry, index) for index, part in enumerate(nodes)]


def _same(self: Walk, nodes: list[exp.Expression], place: exp.Expression) -> list[Value]:
    values = [self.compile(part) for part in nodes]
    kind = same_type(self, place, list(zip(nodes, values, strict=True)))
    return [coerce(value, kind) for value in values]


def _argument(self: Walk, node: exp.Expression, entry: Function, index: int) -> Value:
    kind = entry.kind(index)
    if kind == "unit" and isinstance(node, exp.Column) and not node.table:
        node = exp.Literal.string(node.name)
    value = self.compile(node)
    if value.type == "null" and kind not in ("unit", "format", "pattern", "count", "digits"):
        return literal(None, {"moment": "timestamp", "clock": "timestamp", "any": "text"}.get(kind, kind))
    if not _fits(value, kind):
        raise self.problems.argument(node, entry.name, index, _WANTED[kind], value)
    if kind == "unit":
        return literal(str(value.literal).lower().removesuffix("s"), "text")
    return value


def _fits(value: Value, kind: str) -> bool:
    match kind:
        case "number":
            return value.family in NUMERIC
        case "moment":
            return value.type in MOMENT
        case "clock":
            return value.type in ("timestamp", "time")
        case "any":
            return value.type not in ("interval", "list")
        case "count" | "digits" | "unit" | "format" | "pattern":
            return _fits_as_constant(value.literal if value.is_literal else None, kind)
    return value.family == kind


def _fits_as_constant(fixed: Any, kind: str) -> bool:
    whole = isinstance(fixed, int) and not isinstance(fixed, bool)
    match kind:
        case "count":
            return whole and 0 <= int(fixed or 0) <= 10_000
        case "digits":
            return whole and -15 <= int(fixed or 0) <= 15
        case "unit":
            return isinstance(fixed, str) and fixed.lower().removesuffix("s") in functions_time.UNITS
        case "format":
            return isinstance(fixed, str) and functions_time.is_format(fixed)
        case _:
            return isinstance(fixed, str) and functions_text.is_pattern(fixed)


def _number(entry: Function) -> str:
    if entry.least == entry.most:
        return str(entry.least)
    return f"≥ {entry.least}" if "…" in entry.params else f"{entry.least}–{entry.most}"
