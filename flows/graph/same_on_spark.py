"""What gives exactly the same rows on Spark (4.0, ANSI mode, UTC) as in the engine: what a stage may have to go there.

Everything else stays in the engine, with the reason in words. Spark tells NaN and NULL apart and orders them as the
engine does, compares texts by code point, rounds decimals half up, and fails where whole numbers or decimals overflow.
It differs, among others, in casts of and to texts, roundings of floats, changes of case, and what is first in a group.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import ibis.expr.operations as ops

from flows.graph.spark_text import CALLS
from node_catalog.sdk.text import Text, text

_RELATIONS = (
    ops.UnboundTable, ops.Project, ops.Filter, ops.Sort, ops.Limit, ops.Aggregate, ops.Distinct, ops.DropColumns,
    ops.JoinChain, ops.JoinReference, ops.Union, ops.Intersection, ops.Difference,
)  # fmt: skip
_JOINS = ("inner", "left", "right", "outer", "semi", "anti", "cross")
_PLAIN = (
    ops.Field, ops.Alias, ops.And, ops.Or, ops.Not, ops.Equals, ops.NotEquals, ops.Less, ops.LessEqual, ops.Greater,
    ops.GreaterEqual, ops.Between, ops.IdenticalTo, ops.IsNull, ops.NotNull, ops.InValues, ops.InSubquery, ops.Coalesce,
    ops.NullIf, ops.IfElse, ops.SearchedCase, ops.SimpleCase, ops.Negate, ops.Abs, ops.StringConcat, ops.SortKey,
    ops.Count, ops.CountStar, ops.CountDistinct, ops.Sum, ops.Mean, ops.Min, ops.Max,
    ops.RowNumber, ops.MinRank, ops.DenseRank, ops.NTile, ops.Lag, ops.Lead,
)  # fmt: skip
_ARITHMETIC = (ops.Add, ops.Subtract, ops.Multiply, ops.Divide, ops.Modulus)
_TRUNCATED = ("year", "quarter", "month", "week", "day", "hour", "minute", "second")
_UNSURE = (ops.Limit, ops.WindowFunction)
_FLOATS = (ops.Sum, ops.Mean)
_LIKE = re.compile(r"[^\\]*")


def refusal(relations: Iterable[Any]) -> Text | None:
    """Why the steps with these relations stay in the engine; None when Spark's rows would be the very same."""
    for relation in relations:
        found = _node_refused(relation.op())
        if found is not None:
            return found
    return None


def is_unsure(relations: Iterable[Any]) -> bool:
    """Whether what they compute may differ when it is done twice, as Spark does with what two steps read."""
    for relation in relations:
        nodes = relation.op().find(ops.Node)
        if any(isinstance(one, _UNSURE) or (isinstance(one, _FLOATS) and one.arg.dtype.is_floating()) for one in nodes):
            return True
    return False


def _node_refused(root: Any) -> Text | None:
    for node in root.find(ops.Node):
        if isinstance(node, ops.Relation):
            found = _relation_refused(node)
        elif isinstance(node, ops.Value):
            found = _value_refused(node)
        else:
            found = None
        if found is not None:
            return found
    return None


def _relation_refused(node: Any) -> Text | None:
    if isinstance(node, ops.DummyTable):
        return text("rows that were typed by hand are made in the engine", "手工录入的数据由引擎生成")
    if not isinstance(node, _RELATIONS):
        return text("Spark has nothing that does the same", "Spark 没有等价的做法")
    if isinstance(node, ops.JoinChain) and any(link.how not in _JOINS for link in node.rest):
        return text("this kind of join is made in the engine", "这种连接方式在引擎中进行")
    if isinstance(node, ops.Limit) and not (isinstance(node.n, int | None) and isinstance(node.offset, int)):
        return text("its limit is worked out", "行数限制由计算得出")
    names = [name.casefold() for name in node.schema.names]
    if len({*names}) < len(names):
        return text("columns differ in upper and lower case only", "有列名仅大小写不同")
    for kind in node.schema.types:
        if not _is_known(kind):
            return text("values of a type that Spark does not have pass through it", "含有 Spark 不支持的类型")
    return None


def _is_known(kind: Any) -> bool:
    return bool(
        kind.is_boolean() or kind.is_integer() or kind.is_floating() or kind.is_decimal() or kind.is_string()
        or kind.is_date() or kind.is_timestamp()
    )  # fmt: skip


def _value_refused(node: Any) -> Text | None:
    if isinstance(node, ops.Literal):
        plain = node.dtype.is_null() or node.dtype.is_interval() or _is_known(node.dtype)
        return None if plain else _other()
    if isinstance(node, ops.WindowFunction):
        return _window_refused(node)
    if isinstance(node, ops.Cast):
        return _cast_refused(node)
    if isinstance(node, _ARITHMETIC):
        return _arithmetic_refused(node)
    if isinstance(node, ops.ScalarUDF):
        return _call_refused(node)
    if isinstance(node, ops.StringSQLLike):
        is_plain = (
            isinstance(node.pattern, ops.Literal) and _LIKE.fullmatch(str(node.pattern.value)) and not node.escape
        )
        return None if is_plain else text("Spark reads such a pattern in another way", "Spark 对这种匹配模式的解释不同")
    if isinstance(node, ops.TimestampAdd | ops.TimestampSub):
        return None if isinstance(node.right, ops.Literal) else _other()
    return None if isinstance(node, _PLAIN) else _other()


def _window_refused(node: Any) -> Text | None:
    if node.how == "rows" or not node.order_by:
        return None
    edges = [edge for edge in (node.start, node.end) if edge is not None]
    if all(isinstance(edge.value, ops.Literal) and edge.value.value == 0 for edge in edges):
        return None
    return text("a range of values around each row is worked out in the engine", "按取值范围计算的窗口在引擎中进行")


def _arithmetic_refused(node: Any) -> Text | None:
    kinds = [side.dtype for side in (node.left, node.right)]
    if isinstance(node, ops.Divide):
        return None if all(kind.is_floating() for kind in kinds) else _other()
    if all(kind.is_floating() for kind in kinds) or all(kind.is_integer() for kind in kinds):
        return None
    return _other()


def _cast_refused(node: Any) -> Text | None:
    here, there, value = node.arg.dtype, node.to, node.arg
    if here.copy(nullable=True) == there.copy(nullable=True) or here.is_null():
        return None
    if isinstance(value, ops.Literal) and (here.is_string() or here.is_numeric()) and there.is_floating():
        return None
    good = (
        (here.is_integer() and (there.is_numeric() or there.is_string()))
        or (here.is_boolean() and (there.is_integer() or there.is_string()))
        or (here.is_floating() and there.is_floating())
        or (here.is_decimal() and (there.is_decimal() or there.is_floating() or _is_whole_sum(node)))
        or (here.is_date() and there.is_timestamp())
        or (here.is_timestamp() and (there.is_date() or there.is_timestamp()))
    )
    return None if good else text("it changes a type, which Spark does in another way", "类型转换的方式与 Spark 不同")


def _is_whole_sum(node: Any) -> bool:
    """A sum of whole numbers on its way back to whole numbers: see ``exact_sum``."""
    return bool(node.arg.dtype.scale == 0 and node.to.is_integer())


# ── functions ─────────────────────────────────────────────────────────────────────────────────────────────


def _call_refused(node: Any) -> Text | None:
    name = node.__func_name__
    check = _CHECKS.get(name)
    if name not in CALLS or (check is not None and not check(node.args)):
        return text(f"“{name}” may end differently on Spark", f"“{name}”在 Spark 中的结果可能不同")
    return None


def _constant(value: Any) -> Any:
    while isinstance(value, ops.Cast):
        value = value.arg
    return value.value if isinstance(value, ops.Literal) else None


def _fits(args: Any) -> bool:
    """Decimals whose result keeps all its digits there: Spark gives some up beyond 38, but for six behind the point."""
    kinds = [one.dtype for one in args]
    if not all(kind.is_decimal() or kind.is_integer() for kind in kinds):
        return False
    digits = sum(kind.precision if kind.is_decimal() else 20 for kind in kinds)
    return digits < 38 or sum(kind.scale for kind in kinds if kind.is_decimal()) <= 6


def _from(least: int, *places: int) -> Callable[[Any], bool]:
    """Whether the arguments at these places are constants from ``least``."""

    def check(args: Any) -> bool:
        values = [_constant(args[place]) for place in places if place < len(args)]
        return all(isinstance(value, int) and value >= least for value in values)

    return check


_CHECKS: dict[str, Callable[[Any], bool]] = {
    "add": _fits,
    "subtract": _fits,
    "multiply": _fits,
    "substring": lambda args: _from(1, 1)(args) and _from(0, 2)(args),
    "left": _from(0, 1),
    "right": _from(0, 1),
    "replace": lambda args: bool(_constant(args[1])),
    "date_trunc": lambda args: _constant(args[0]) in _TRUNCATED and args[1].dtype.is_timestamp(),
    **{name: lambda args: not args[0].dtype.is_time() for name in ("hour", "minute", "second")},
}


def _other() -> Text:
    return text("Spark may work a value out differently", "Spark 对某个值的计算可能不同")
