"""Functions with OVER: places, neighbours, and summaries over a frame of rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import ibis
import ibis.expr.operations as ops
from sqlglot import exp

from flows.graph.expressions.calls import call
from flows.graph.expressions.functions import FUNCTIONS
from flows.graph.expressions.values import Value, coerce, common_type, forced
from flows.graph.expressions.walk import Walk
from flows.graph.queries.parse import only
from flows.graph.queries.problems import QueryProblems
from node_catalog.sdk.text import Text, text

_PLACES: Mapping[str, Callable[[], Any]] = {
    "row_number": ibis.row_number,
    "rank": ibis.rank,
    "dense_rank": ibis.dense_rank,
}
_SHARES: Mapping[str, Callable[[], Any]] = {"percent_rank": ibis.percent_rank, "cume_dist": ibis.cume_dist}
_NEIGHBOURS = ("lag", "lead")
_ENDS = {"first_value": "first", "last_value": "last", "first": "first", "last": "last"}
FUNCTIONS_OVER: Mapping[str, tuple[str, Text]] = {
    "row_number": ("row_number()", text("number of the row", "行号")),
    "rank": ("rank()", text("place; equal rows share one, and a gap follows", "名次，并列后跳号")),
    "dense_rank": ("dense_rank()", text("place; equal rows share one, without a gap", "名次，并列后不跳号")),
    "percent_rank": ("percent_rank()", text("place between 0 and 1", "名次的百分位，0 到 1")),
    "cume_dist": ("cume_dist()", text("share of rows up to this one", "累计占比，即到本行为止的行数比例")),
    "ntile": ("ntile(n)", text("which of n equal groups", "分成 n 等份后的组号")),
    "lag": ("lag(x, offset, otherwise)", text("value of an earlier row", "前面某一行的值")),
    "lead": ("lead(x, offset, otherwise)", text("value of a later row", "后面某一行的值")),
    "first_value": ("first_value(x)", text("value of the first row", "首行的值")),
    "last_value": ("last_value(x)", text("value of the last row", "末行的值")),
}
"""What a window knows beside the summaries: how each is written, and what it gives."""


class Windows(Walk, Protocol):
    """What a window needs of the compiler of rows."""

    @property
    def problems(self) -> QueryProblems:
        """Makes the errors."""


def over_window(self: Windows, node: exp.Window) -> Value:
    """The value of ``function(…) over (partition by … order by … frame)``."""
    only(self.problems, node, "this", "partition_by", "order", "spec", "over")
    function = node.this
    groups = [self.compile(part).expr for part in node.args.get("partition_by") or ()]
    order_node = node.args.get("order")
    order = [sorted_by(self.compile(part.this).expr, part) for part in (order_node.expressions if order_node else ())]
    common: dict[str, Any] = {"group_by": groups or None, "order_by": order or None}
    name = str(function.this).lower() if isinstance(function, exp.Anonymous) else ""
    if name in _PLACES or name in _SHARES or name == "ntile":
        return _place(self, function, name, ibis.window(**common))
    if name in _NEIGHBOURS:
        return _neighbour(self, function, name, ibis.window(**common))
    window = ibis.window(**common, **_frame(self, node.args.get("spec"), bool(order)))
    if name in _ENDS and name not in FUNCTIONS:
        return _end(self, function, name, window)
    return _summary(self, function, window)


def sorted_by(value: Any, ordered: exp.Ordered) -> Any:
    """An Ibis sort key with the place of NULLs said: last, unless NULLS FIRST is written."""
    direction = ibis.desc if ordered.args.get("desc") else ibis.asc
    return direction(value, nulls_first=bool(ordered.args.get("nulls_first")))


def _place(self: Windows, function: exp.Anonymous, name: str, window: Any) -> Value:
    arguments = list(function.expressions)
    if name == "ntile":
        return forced(ibis.ntile(_constant(self, function, arguments)).over(window) + 1, "integer")
    if arguments:
        raise self.problems.not_possible(function)
    if name in _SHARES:
        return forced(_SHARES[name]().over(window), "number")
    return forced(_PLACES[name]().over(window) + 1, "integer")


def _neighbour(self: Windows, function: exp.Anonymous, name: str, window: Any) -> Value:
    arguments = list(function.expressions)
    if not 1 <= len(arguments) <= 3:
        raise _arguments(self, function, f"{name}(x, 1, 0)")
    value = self.compile(arguments[0])
    offset = _constant(self, function, arguments[1:2]) if len(arguments) > 1 else 1
    if len(arguments) < 3:
        return Value(value.type, getattr(value.expr, name)(offset).over(window))
    default = self.compile(arguments[2])
    kind = common_type([value.type, default.type])
    if kind is None:
        wanted = text("a value of the column's type", "与该列类型相同的值")
        raise self.problems.argument(arguments[2], name, 2, wanted, default)
    value, default = coerce(value, kind), coerce(default, kind)
    return Value(kind, getattr(value.expr, name)(offset, default.expr).over(window))


def _end(self: Windows, function: exp.Anonymous, name: str, window: Any) -> Value:
    if len(function.expressions) != 1:
        raise _arguments(self, function, f"{name}(x)")
    value = self.compile(function.expressions[0])
    return Value(value.type, getattr(value.expr, _ENDS[name])(include_null=True).over(window))


def _summary(self: Windows, function: exp.Expression, window: Any) -> Value:
    """A summary keeps its casts: the window goes around the summary itself."""
    if not isinstance(function, exp.Anonymous | exp.Filter):
        raise self.problems.not_possible(function)
    before, self.aggregate = self.aggregate, True
    try:
        if isinstance(function, exp.Filter):
            value = self.compile(function)
        elif str(function.this).lower() in FUNCTIONS:
            value = call(self, function)
        else:
            raise self.problems.unknown_function(function, str(function.this), [*FUNCTIONS, *FUNCTIONS_OVER])
    finally:
        self.aggregate = before
    node = value.expr.op()
    inner = {one: one.to_expr().over(window).op() for one in node.find(ops.Reduction, filter=ops.Value)}
    if not inner:
        raise self.problems.not_possible(function)
    return Value(value.type, node.replace(inner, filter=ops.Value).to_expr())


def _constant(self: Windows, function: exp.Anonymous, arguments: list[exp.Expression]) -> int:
    value = self.compile(arguments[0]) if len(arguments) == 1 else None
    if value is None or not isinstance(value.literal, int) or isinstance(value.literal, bool) or value.literal < 0:
        raise _arguments(self, function, f"{str(function.this).lower()}(…, 1)")
    return value.literal


def _arguments(self: Windows, function: exp.Anonymous, example: str) -> Exception:
    message = text(
        f"{function.this} does not take these arguments. Example: {example}",
        f"{function.this} 的参数不对，例如：{example}",
    )
    return self.problems.of("arguments", message, function)


def _frame(self: Windows, spec: exp.WindowSpec | None, is_ordered: bool) -> dict[str, Any]:
    """The rows that a summary sees: as SQL says, up to the current row where there is an order, else all."""
    if spec is None:
        return {"range": (None, 0)} if is_ordered else {"rows": (None, None)}
    only(self.problems, spec, "kind", "start", "start_side", "end", "end_side")
    kind = str(spec.args["kind"]).lower()
    edges = (
        _edge(self, spec, "start"),
        0 if spec.args.get("end") is None else _edge(self, spec, "end"),
    )
    if kind not in ("rows", "range") or (kind == "range" and set(edges) - {None, 0}):
        message = text(
            "This frame is not possible in a query. Use ROWS, or the step “Window” for frames by time.",
            "查询中不支持这种窗口范围。请使用 ROWS，按时间的范围请使用“窗口计算”步骤。",
        )
        raise self.problems.of("frame", message, spec)
    if kind == "range" and not is_ordered:
        return {"rows": (None, None)}
    return {kind: edges}


def _edge(self: Windows, spec: exp.WindowSpec, name: str) -> int | None:
    value, side = spec.args.get(name), str(spec.args.get(f"{name}_side") or "").lower()
    if value == "CURRENT ROW":
        return 0
    if value == "UNBOUNDED":
        return None
    if isinstance(value, exp.Literal) and not value.is_string and value.name.isdigit():
        return -int(value.name) if side == "preceding" else int(value.name)
    raise self.problems.not_possible(spec)
