"""The walk over a syntax tree: an allow-list of forms, types checked before anything is built, Ibis as the result."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ibis
from sqlglot import exp

from flows.graph.expressions.calls import call
from flows.graph.expressions.operators import arithmetic, compare, negate
from flows.graph.expressions.parameters import Parameter
from flows.graph.expressions.problems import Problems
from flows.graph.expressions.tokens import cast_value, interval_value, literal_value
from flows.graph.expressions.values import Value, coerce, common_type, literal
from flows.graph.expressions.walk import same_type
from node_catalog.sdk.ports import type_of_ibis
from node_catalog.sdk.text import text

CONDITION = text("a condition (true or false)", "一个条件（成立或不成立）")
TEXT_WORDS = text("text", "文本")
_SIDES = ("left", "right")


class Compiler:
    """Compiles one expression over the columns of ``tables``."""

    def __init__(
        self,
        tables: Sequence[Any],
        parameters: Mapping[str, Parameter],
        problems: Problems,
        aggregate: bool = False,
    ) -> None:
        self.tables, self.parameters, self.problems = tables, parameters, problems
        self.aggregate = aggregate
        self.inside_aggregate = False

    def compile(self, node: exp.Expression) -> Value:
        """The typed value of ``node``; raises ExpressionError."""
        form = _FORMS.get(type(node))
        if form is None:
            raise self.problems.not_allowed(node)
        return form(self, node)

    def condition(self, node: exp.Expression) -> Any:
        """The Ibis boolean of ``node``."""
        value = self.compile(node)
        if value.type == "null":
            return literal(None, "boolean").expr
        if value.type != "boolean":
            raise self.problems.operand(node, CONDITION, value)
        return value.expr

    def words(self, node: exp.Expression) -> Value:
        """``node`` as text."""
        value = self.compile(node)
        if value.type == "null":
            return literal(None, "text")
        if value.type != "text":
            raise self.problems.operand(node, TEXT_WORDS, value)
        return value


# ── leaves ────────────────────────────────────────────────────────────────────────────────────────────────


def _column(self: Compiler, node: exp.Column) -> Value:
    if not isinstance(node.this, exp.Identifier) or node.args.get("db") or node.args.get("catalog"):
        raise self.problems.not_allowed(node)
    name, side = node.this.name, node.table
    tables = list(self.tables)
    if side:
        if len(tables) != 2 or side not in _SIDES:
            raise self.problems.not_allowed(node)
        tables = [tables[_SIDES.index(side)]]
    found = [table for table in tables if name in table.columns]
    if not found:
        names = list(dict.fromkeys(column for table in tables for column in table.columns))
        if not node.this.args.get("quoted") and name.casefold() in ("current_date", "current_timestamp"):
            return call(self, exp.Anonymous(this="today" if name.casefold() == "current_date" else "now"))
        raise self.problems.unknown_column(node, name, names)
    if len(found) > 1:
        message = text(
            f"Both sides have a column {name}. Write left.{name} or right.{name}.",
            f"两边都有列 {name}，请写明 left.{name} 或 right.{name}。",
        )
        raise self.problems.error("ambiguous", message, node)
    expr = found[0][name]
    return Value(type_of_ibis(expr.type()), expr, column=name)


def _placeholder(self: Compiler, node: exp.Placeholder) -> Value:
    parameter = self.parameters.get(node.name) if node.name else None
    if parameter is None:
        known = ", ".join(f":{name}" for name in self.parameters) or "–"
        message = text(
            f"The flow has no input “{node.name}”. Inputs: {known}.", f"流程没有参数“{node.name}”。现有参数：{known}。"
        )
        raise self.problems.error("unknown_parameter", message, node)
    return parameter.as_value()


def _null(self: Compiler, node: exp.Null) -> Value:
    return literal(None, "null")


def _boolean(self: Compiler, node: exp.Boolean) -> Value:
    return literal(bool(node.this), "boolean")


def _paren(self: Compiler, node: exp.Paren) -> Value:
    return self.compile(node.this)


# ── logic ─────────────────────────────────────────────────────────────────────────────────────────────────


def _chain(self: Compiler, node: exp.Expression) -> Value:
    """A list of conditions, put together as a balanced tree: a hundred of them are no deeper than seven levels."""
    kind, parts, stack = type(node), [], [node]
    while stack:
        part = stack.pop()
        if isinstance(part, kind):
            stack.extend([part.expression, part.this])
        else:
            parts.append(self.condition(part))
    while len(parts) > 1:
        pairs = [parts[index : index + 2] for index in range(0, len(parts), 2)]
        parts = [_both(kind, *pair) if len(pair) == 2 else pair[0] for pair in pairs]
    return Value("boolean", parts[0])


def _both(kind: type, left: Any, right: Any) -> Any:
    return left & right if kind is exp.And else left | right


def _not(self: Compiler, node: exp.Not) -> Value:
    return Value("boolean", ~self.condition(node.this))


def _is(self: Compiler, node: exp.Is) -> Value:
    other = node.expression
    if isinstance(other, exp.Null):
        return Value("boolean", self.compile(node.this).expr.isnull())
    if isinstance(other, exp.Boolean):
        return Value("boolean", self.condition(node.this).identical_to(ibis.literal(bool(other.this))))
    raise self.problems.not_allowed(node)


def _in(self: Compiler, node: exp.In) -> Value:
    value = self.compile(node.this)
    nodes = [node.args["field"]] if node.args.get("field") else node.expressions
    if not nodes or node.args.get("query") or node.args.get("unnest"):
        raise self.problems.not_allowed(node)
    items: list[tuple[exp.Expression, Value]] = []
    for part in nodes:
        item = self.compile(part)
        items.extend((part, inner) for inner in (item.items if item.type == "list" else (item,)))
    pairs = [compare(self, exp.EQ(this=node.this, expression=part), value, item) for part, item in items]
    kind = common_type([value.type, *(right.type for _, right in pairs)]) or pairs[0][0].type
    left = coerce(value, kind) if common_type([value.type, kind]) else value
    if not all(right.is_literal for _, right in pairs):
        return Value("boolean", _any_equal(pairs))
    options = [coerce(right, kind).expr for _, right in pairs]
    return Value("boolean", left.expr.isin(options))


def _any_equal(pairs: Sequence[tuple[Value, Value]]) -> Any:
    parts = [left.expr == right.expr for left, right in pairs]
    result = parts[0]
    for part in parts[1:]:
        result = result | part
    return result


def _between(self: Compiler, node: exp.Between) -> Value:
    if node.args.get("symmetric"):
        raise self.problems.not_allowed(node)
    value, low, high = (self.compile(node.args[key]) for key in ("this", "low", "high"))
    first, lowest = compare(self, exp.GTE(this=node.this, expression=node.args["low"]), value, low)
    second, highest = compare(self, exp.LTE(this=node.this, expression=node.args["high"]), value, high)
    return Value("boolean", (first.expr >= lowest.expr) & (second.expr <= highest.expr))


def _like(self: Compiler, node: exp.Like | exp.ILike) -> Value:
    left, pattern = self.words(node.this), self.words(node.expression)
    if not (pattern.is_literal and isinstance(pattern.literal, str)):
        message = text("The pattern after “like” must be a fixed text.", "“like”之后必须是固定的文本。")
        raise self.problems.error("like_pattern", message, node.expression)
    method = left.expr.ilike if isinstance(node, exp.ILike) else left.expr.like
    found = method(pattern.literal)
    return Value("boolean", ~found if node.args.get("negate") else found)


# ── choosing ──────────────────────────────────────────────────────────────────────────────────────────────


def _case(self: Compiler, node: exp.Case) -> Value:
    subject = node.args.get("this")
    conditions, results = [], []
    for branch in node.args["ifs"]:
        if subject is not None:
            left, right = self.compile(subject), self.compile(branch.this)
            first, second = compare(self, exp.EQ(this=subject, expression=branch.this), left, right)
            conditions.append(first.expr == second.expr)
        else:
            conditions.append(self.condition(branch.this))
        results.append((branch.args["true"], self.compile(branch.args["true"])))
    default = node.args.get("default")
    results.append((default or node, self.compile(default) if default is not None else literal(None, "null")))
    return _choose(self, node, conditions, results)


def _if(self: Compiler, node: exp.If) -> Value:
    default = node.args.get("false")
    results = [
        (node.args["true"], self.compile(node.args["true"])),
        (default or node, self.compile(default) if default is not None else literal(None, "null")),
    ]
    return _choose(self, node, [self.condition(node.this)], results)


def _choose(
    self: Compiler, node: exp.Expression, conditions: list[Any], results: list[tuple[exp.Expression, Value]]
) -> Value:
    kind = same_type(self, node, results)
    values = [coerce(value, kind).expr for _, value in results]
    return Value(kind, ibis.cases(*zip(conditions, values[:-1], strict=True), else_=values[-1]))


# ── operators ─────────────────────────────────────────────────────────────────────────────────────────────

_COMPARISONS: dict[type, Callable[[Any, Any], Any]] = {
    exp.EQ: lambda a, b: a == b,
    exp.NEQ: lambda a, b: a != b,
    exp.LT: lambda a, b: a < b,
    exp.LTE: lambda a, b: a <= b,
    exp.GT: lambda a, b: a > b,
    exp.GTE: lambda a, b: a >= b,
    exp.NullSafeEQ: lambda a, b: a.identical_to(b),
    exp.NullSafeNEQ: lambda a, b: ~a.identical_to(b),
}


def _comparison(self: Compiler, node: Any) -> Value:
    left, right = self.compile(node.this), self.compile(node.expression)
    first, second = compare(self, node, left, right)
    return Value("boolean", _COMPARISONS[type(node)](first.expr, second.expr))


def _binary(self: Compiler, node: Any) -> Value:
    return arithmetic(self, node, self.compile(node.this), self.compile(node.expression))


def _negative(self: Compiler, node: exp.Neg) -> Value:
    return negate(self, node, self.compile(node.this))


def _join_text(self: Compiler, node: exp.DPipe) -> Value:
    return Value("text", self.words(node.this).expr + self.words(node.expression).expr)


def _cast(self: Compiler, node: exp.Cast) -> Value:
    return cast_value(self, node, isinstance(node, exp.TryCast))


def _interval(self: Compiler, node: exp.Interval) -> Value:
    return interval_value(self, node)


def _literal(self: Compiler, node: exp.Literal) -> Value:
    return literal_value(self, node)


def _named(name: str, *keys: str) -> Callable[[Compiler, exp.Expression], Value]:
    """Special syntax that is a call of ours, e.g. ``extract(year from ts)``."""

    def form(self: Compiler, node: exp.Expression) -> Value:
        arguments = [node.args[key] for key in keys if node.args.get(key) is not None]
        known = {key for key, value in node.args.items() if value not in (None, False, [])}
        if known - set(keys):
            raise self.problems.not_allowed(node)
        return call(self, exp.Anonymous(this=name, expressions=arguments), node)

    return form


def _extract(self: Compiler, node: exp.Extract) -> Value:
    made = exp.Anonymous(this=node.name.lower(), expressions=[node.expression])
    return call(self, made, node, parts_only=True)


_FORMS: dict[type, Callable[[Compiler, Any], Value]] = {
    exp.Column: _column,
    exp.Literal: _literal,
    exp.Boolean: _boolean,
    exp.Null: _null,
    exp.Placeholder: _placeholder,
    exp.Paren: _paren,
    exp.And: _chain,
    exp.Or: _chain,
    exp.Not: _not,
    exp.Is: _is,
    exp.In: _in,
    exp.Between: _between,
    exp.Like: _like,
    exp.ILike: _like,
    exp.Case: _case,
    exp.If: _if,
    **dict.fromkeys(_COMPARISONS, _comparison),
    **dict.fromkeys((exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod), _binary),
    exp.Neg: _negative,
    exp.DPipe: _join_text,
    exp.Cast: _cast,
    exp.TryCast: _cast,
    exp.Interval: _interval,
    exp.Extract: _extract,
    exp.Substring: _named("substring", "this", "start", "length"),
    exp.StrPosition: _named("strpos", "this", "substr"),
    exp.Anonymous: call,
}
