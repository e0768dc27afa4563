"""What means exactly the same in another system: the operations of a region that may become one query there.

The list is short on purpose. What is not on it stays in the engine, with the reason in words: arithmetic (it overflows
differently), functions of texts and of times (but for the beginning of an hour or day), order (a language's rules),
and in MySQL whatever tells texts apart or adds floats up.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

import ibis.expr.operations as ops

from flows.graph.descend import is_key
from flows.graph.estimate import truncated
from flows.graph.optimise import is_plain
from node_catalog.sdk.text import Text, text

SERVERS = ("postgres", "mysql")
"""Dialects of servers that are given whole regions; a SQLite file is read by the engine itself."""
_JOINS = ("inner", "left", "semi", "anti")
LONGEST_NAME = {"postgres": 63, "mysql": 64}
"""PostgreSQL cuts longer names (bytes), MySQL refuses them (characters)."""


def refusal(relation: Any, dialect: str) -> Text | None:
    """Why a step's relation stays in the engine; None when the server's answer would be the very same."""
    node = relation.op()
    while not isinstance(node, ops.UnboundTable | ops.JoinChain | ops.Set):
        found = _refused(node, dialect)
        if found is not None:
            return found
        node = node.parent
    if isinstance(node, ops.UnboundTable):
        return _names_refused(relation, dialect)
    found = _join_refused(node, dialect) if isinstance(node, ops.JoinChain) else _union_refused(node)
    return found or _names_refused(relation, dialect)


def _refused(node: Any, dialect: str) -> Text | None:
    if isinstance(node, ops.Project):
        return _values_refused(node.values.values())
    if isinstance(node, ops.Filter):
        return _values_refused(node.predicates)
    if isinstance(node, ops.Distinct):
        return _compared_refused((ops.Field(node, name) for name in node.schema.names), dialect)
    if isinstance(node, ops.Aggregate):
        figures = (_figure_refused(value, dialect) for value in node.metrics.values())
        return _compared_refused(node.groups.values(), dialect) or next(filter(None, figures), None)
    if isinstance(node, ops.Limit) and isinstance(node.n, int) and isinstance(node.offset, int):
        return None
    if isinstance(node, ops.Sort):
        return text("the order of rows is made in the engine", "排序在引擎中进行")
    return text("servers do it in ways of their own", "各数据库的做法各不相同")


def _values_refused(values: Iterable[Any]) -> Text | None:
    for value in values:
        if not is_plain(value):
            return text(
                "arithmetic and functions end differently in other systems where a value is too large or odd",
                "遇到过大或特殊的取值时，算术和函数在其他系统中的结果可能不同",
            )
    return None


def _join_refused(node: Any, dialect: str) -> Text | None:
    sides = [node.first, *(link.table for link in node.rest)]
    if len(node.rest) != 1 or node.rest[0].how not in _JOINS:
        return text("this kind of join is made in the engine", "这种连接方式在引擎中进行")
    for side in sides:
        if not isinstance(side.parent, ops.UnboundTable | ops.Project):
            return text("this kind of join is made in the engine", "这种连接方式在引擎中进行")
    keys = [test for test in node.rest[0].predicates if is_key(test)]
    if not keys or any(key.left.dtype.copy(nullable=True) != key.right.dtype.copy(nullable=True) for key in keys):
        return text("its keys are of two types, or there are none", "连接键类型不同，或没有连接键")
    if any(isinstance(key, ops.IdenticalTo) for key in keys):
        return text("empty keys match each other here", "此处空键也互相匹配")
    return (
        _compared_refused((side for key in keys for side in (key.left, key.right)), dialect)
        or _values_refused(node.rest[0].predicates)
        or _values_refused(node.values.values())
    )


def _union_refused(node: Any) -> Text | None:
    alike = [kind.copy(nullable=True) for kind in node.left.schema.types] == [
        kind.copy(nullable=True) for kind in node.right.schema.types
    ]
    flat = all(isinstance(side, ops.UnboundTable | ops.Project) for side in (node.left, node.right))
    if isinstance(node, ops.Union) and not node.distinct and alike and flat:
        return next(
            filter(None, (_values_refused(s.values.values()) for s in (node.left, node.right) if hasattr(s, "values"))),
            None,
        )
    return text("rows are compared with each other in the engine", "行与行之间的比较在引擎中进行")


def _figure_refused(value: Any, dialect: str) -> Text | None:
    while isinstance(value, ops.Cast) and isinstance(value.arg, ops.Cast | ops.Sum):
        value = value.arg  # a sum's own casts, see exact_sum
    if getattr(value, "where", None) is not None:
        return text("a figure has a condition of its own", "统计项带有自己的条件")
    if isinstance(value, ops.CountStar | ops.Count):
        return None if not isinstance(value, ops.Count) or isinstance(value.arg, ops.Field) else _odd()
    if isinstance(value, ops.Mean) or (isinstance(value, ops.Sum) and value.arg.dtype.is_floating()):
        return _float_refused(value.arg, dialect)
    if isinstance(value, ops.Sum) and isinstance(value.arg, ops.Field):
        if value.arg.dtype.is_integer() and dialect == "mysql":
            return text("MySQL clips a sum that is too large instead of failing", "求和溢出时，MySQL 会截断而不报错")
        return None
    if isinstance(value, ops.CountDistinct) and isinstance(value.arg, ops.Field):
        return _compared_refused((value.arg,), dialect)
    if isinstance(value, ops.Min | ops.Max) and isinstance(value.arg, ops.Field):
        if value.arg.dtype.is_boolean():
            return _odd()
        return None if value.arg.dtype.is_floating() else _compared_refused((value.arg,), dialect)
    return _odd()


def _float_refused(value: Any, dialect: str) -> Text | None:
    """A sum of floats has no one last digit anywhere, the engine's own threads add in any order; so may PostgreSQL."""
    if dialect != "postgres":
        return text("sums of floating-point numbers may differ in their last digits", "浮点数求和的末位数字可能不同")
    if isinstance(value, ops.Cast) and value.to.is_float64() and value.arg.dtype.is_integer():
        value = value.arg
    return None if isinstance(value, ops.Field) and not value.dtype.is_decimal() else _odd()


def _odd() -> Text:
    return text("a figure is worked out differently in other systems", "有统计项在其他系统中的算法不同")


def _compared_refused(values: Iterable[Any], dialect: str) -> Text | None:
    """Whether values that are told apart, grouped or ordered are so in the same way there."""
    for value in values:
        kind = value.dtype
        moment = truncated(value)
        if moment is not None and dialect == "postgres" and isinstance(moment[1], ops.Field):
            continue
        if not isinstance(value, ops.Field):
            return text("it groups by something that is worked out", "按计算结果分组")
        if kind.is_string() and dialect == "mysql":
            return text(
                "MySQL tells texts apart by a language's rules, and by code points only without its indexes",
                "MySQL 按语言规则比较文本，按码位比较则无法使用索引",
            )
        if kind.is_floating():
            return text("floating-point numbers are told apart", "需要区分浮点数")
        if not (kind.is_string() or kind.is_integer() or kind.is_decimal() or kind.is_boolean() or _is_day(kind)):
            return text("values of this type are not compared in a source", "该类型的值不在数据源中比较")
    return None


def _is_day(kind: Any) -> bool:
    return bool(kind.is_date() or kind.is_timestamp())


def _names_refused(relation: Any, dialect: str) -> Text | None:
    names = list(relation.columns)
    long = [name for name in names if _length(name, dialect) > LONGEST_NAME[dialect]]
    alike = len({_folded(name) for name in names}) < len(names)
    if long or alike or any(name != name.strip() for name in names):
        return text("a column's name cannot be said there", "列名在该数据库中无法使用")
    return None


def _length(name: str, dialect: str) -> int:
    return len(name.encode()) if dialect == "postgres" else len(name)


def _folded(name: str) -> str:
    """Without case and accents: MySQL takes names for the same that differ in these."""
    plain = unicodedata.normalize("NFKD", name)
    return "".join(one for one in plain if not unicodedata.combining(one)).casefold()


# ── columns that are compared ─────────────────────────────────────────────────────────────────────────────


def compared_columns(relation: Any) -> dict[str, set[str]]:
    """For each named table: columns whose values a region tells apart, groups by, matches or orders."""
    found: dict[str, set[str]] = {}
    for node in relation.op().find((ops.Aggregate, ops.Distinct, ops.JoinChain)):
        for value in _compared(node):
            for field in value.find(ops.Field, filter=ops.Value):
                for table, name in bases(field):
                    found.setdefault(table, set()).add(name)
    return found


def _compared(node: Any) -> Iterable[Any]:
    if isinstance(node, ops.Aggregate):
        return [*node.groups.values(), *node.metrics.values()]
    if isinstance(node, ops.Distinct):
        return [ops.Field(node.parent, name) for name in node.schema.names]
    return [test for link in node.rest for test in link.predicates]


def bases(field: Any) -> Iterable[tuple[str, str]]:
    """The columns of named tables that a field's values come from."""
    rel, name = field.rel, field.name
    if isinstance(rel, ops.UnboundTable):
        yield rel.name, name
    elif isinstance(rel, ops.Set):
        for side in (rel.left, rel.right):
            yield from bases(ops.Field(side, name))
    elif isinstance(made := getattr(rel, "values", None), Mapping) and name in made:
        for below in made[name].find(ops.Field, filter=ops.Value):
            if below != field:
                yield from bases(below)
    elif isinstance(rel, ops.Aggregate):
        for below in {**rel.groups, **rel.metrics}[name].find(ops.Field, filter=ops.Value):
            yield from bases(below)
    else:
        yield from bases(ops.Field(rel.parent, name))
