"""What a source can do for a flow: which columns are needed at all, and which filters mean the same over there.

Both questions are answered on the relations that the step types built, so a new step type needs no rule of its own:
an operation that is not known here simply needs all columns and is not pushed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import ibis.expr.operations as ops

from flows.graph.expressions.open_values import GivenLater, ValueNeededError

_KEEPS_COLUMNS = (ops.Filter, ops.Sort, ops.Limit, ops.Sample, ops.DropColumns)

_SAFE = (
    ops.And,
    ops.Or,
    ops.Not,
    ops.Equals,
    ops.NotEquals,
    ops.Less,
    ops.LessEqual,
    ops.Greater,
    ops.GreaterEqual,
    ops.IsNull,
    ops.NotNull,
    ops.InValues,
    ops.Field,
    ops.Literal,
)
"""Comparisons that can raise no error and mean the same in every engine (text: see ``render``)."""
_LOSSLESS = {("integer", "number"), ("date", "timestamp"), ("text", "number"), ("integer", "integer")}
_CONSTANTS = (ops.Literal, GivenLater)
_ELSEWHERE = (ops.ScalarSubquery, ops.InSubquery, ops.ExistsSubquery)
_CHANGING = (ops.TimestampNow, ops.DateNow, ops.RandomScalar, ops.RandomUUID)


# ── columns ───────────────────────────────────────────────────────────────────────────────────────────────


def needed_columns(relation: Any, wanted: Iterable[str]) -> dict[str, set[str]]:
    """For each named table below ``relation``: the columns without which ``wanted`` cannot be computed.

    Columns that decide which rows there are (filters, join keys, groups, duplicates) count as needed.
    """
    needed: dict[str, set[str]] = {}
    stack: list[tuple[Any, frozenset[str]]] = [(relation.op(), frozenset(wanted))]
    seen: set[tuple[Any, frozenset[str]]] = set()
    while stack:
        item = stack.pop()
        if item in seen:
            continue
        seen.add(item)
        node, columns = item
        if isinstance(node, ops.UnboundTable):
            needed.setdefault(node.name, set()).update(columns)
        else:
            stack.extend((parent, frozenset(names)) for parent, names in _demand(node, set(columns)).items())
    return needed


def _demand(node: Any, columns: set[str]) -> dict[Any, set[str]]:
    """What a relation needs of the relations right below it to give ``columns``."""
    if isinstance(node, ops.Project):
        needed = [value for name, value in node.values.items() if name in columns or _makes_rows(value)]
        return _fields(needed, [node.parent])
    if isinstance(node, ops.Aggregate):
        metrics = [value for name, value in node.metrics.items() if name in columns]
        return _fields([*node.groups.values(), *metrics], [node.parent])
    if isinstance(node, ops.JoinChain):
        tables = [node.first, *(link.table for link in node.rest)]
        tests = [test for link in node.rest for test in link.predicates]
        return _fields([*(node.values[name] for name in columns), *tests], tables)
    if isinstance(node, ops.JoinReference | ops.SelfReference):
        return {node.parent: columns}
    if isinstance(node, ops.Set) and not node.distinct and isinstance(node, ops.Union):
        return _add({node.left: set(columns)}, node.right, columns)
    if isinstance(node, _KEEPS_COLUMNS):
        own = [value for value in node.args if isinstance(value, ops.Value)]
        several = [
            value for arg in node.args if isinstance(arg, tuple) for value in arg if isinstance(value, ops.Value)
        ]
        return _add(_fields([*own, *several], [node.parent]), node.parent, columns)
    return {parent: set(parent.schema.names) for parent in _parents(node)}


def _makes_rows(value: Any) -> bool:
    """Whether a column decides how many rows there are: a list taken apart."""
    return bool(value.find(ops.Unnest, filter=ops.Value))


def _fields(values: Iterable[Any], tables: Iterable[Any]) -> dict[Any, set[str]]:
    found: dict[Any, set[str]] = {table: set() for table in tables}
    for value in values:
        if value.find((ops.ScalarSubquery, ops.InSubquery, ops.ExistsSubquery), filter=ops.Value):
            for table in _relations_below(value):
                found[table] = set(table.schema.names)
        for field in value.find(ops.Field, filter=ops.Value):
            found.setdefault(field.rel, set()).add(field.name)
    return found


def _parents(node: Any) -> list[Any]:
    """The relations right below an operation that is not known here; all tables below when it holds anything odd."""
    several = [item for arg in node.args for item in (arg if isinstance(arg, tuple) else (arg,))]
    parents = [item for item in several if isinstance(item, ops.Relation)]
    values = [item for item in several if isinstance(item, ops.Value)]
    return parents if parents and not values else _relations_below(node)


def _relations_below(node: Any) -> list[Any]:
    return [child for child in node.find_below(ops.Relation) if isinstance(child, ops.UnboundTable)]


def _add(found: dict[Any, set[str]], table: Any, columns: Iterable[str]) -> dict[Any, set[str]]:
    found.setdefault(table, set()).update(columns)
    return found


# ── filters and limits ────────────────────────────────────────────────────────────────────────────────────


def filter_of(relation: Any, table: Any) -> tuple[Any, ...] | None:
    """The conditions when ``relation`` is nothing but a filter over ``table``, else None."""
    node = relation.op()
    return tuple(node.predicates) if isinstance(node, ops.Filter) and node.parent == table.op() else None


def limit_of(relation: Any, table: Any) -> int | None:
    """How many rows at the start ``relation`` looks at when it is nothing but a fixed limit over ``table``."""
    node = relation.op()
    if not isinstance(node, ops.Limit) or node.parent != table.op():
        return None
    return node.n + node.offset if isinstance(node.n, int) and isinstance(node.offset, int) else None


def conjuncts(predicates: Iterable[Any]) -> list[Any]:
    """The conditions that must all hold, one by one."""
    parts: list[Any] = []
    stack = list(reversed(list(predicates)))
    while stack:
        part = stack.pop()
        if isinstance(part, ops.And):
            stack.extend([part.right, part.left])
        else:
            parts.append(part)
    return parts


def can_push(predicate: Any, dialect: str, is_guarded: bool) -> bool:
    """Whether a condition may run in the source.

    In the engine's own dialect everything that gives the same answer each time may. In another system, and over a
    dataset that hides rows or values (where an error message could tell about them), only plain comparisons may.
    """
    nodes = predicate.find(ops.Value, filter=ops.Value)
    if any(isinstance(node, _CHANGING + _ELSEWHERE) for node in nodes):
        return False
    if dialect == "duckdb" and not is_guarded:
        return not predicate.find(ops.Relation, filter=ops.Value)
    return _are_safe(nodes)


def is_plain(predicate: Any) -> bool:
    """Whether a condition is made of comparisons alone that can raise no error and mean the same everywhere."""
    return _are_safe(predicate.find(ops.Value, filter=ops.Value))


def _are_safe(nodes: Sequence[Any]) -> bool:
    """Raises ValueNeededError where that is up to a value that is given later: the source would be told it."""
    later = [node for node in nodes if isinstance(node, GivenLater)]
    if not all(_is_safe(node) for node in nodes if not isinstance(node, GivenLater)):
        return False
    if later:
        raise ValueNeededError(later[0].input)
    return True


def _is_safe(node: Any) -> bool:
    if isinstance(node, ops.Cast):
        pair = (_family(node.arg.dtype), _family(node.to))
        if pair == ("text", "number"):
            return isinstance(node.arg, _CONSTANTS)
        return pair in _LOSSLESS or isinstance(node.arg, _CONSTANTS)
    if not isinstance(node, _SAFE) or node.dtype.is_binary() or node.dtype.is_geospatial():
        return False
    value = node.value if isinstance(node, ops.Literal) else None
    if isinstance(value, float) and not math.isfinite(value):
        return False  # not every system has a word for it
    return not (isinstance(value, str) and "\0" in value)


def _family(kind: Any) -> str:
    tests: Mapping[str, bool] = {
        "boolean": kind.is_boolean(),
        "integer": kind.is_integer(),
        "number": kind.is_floating(),
        "text": kind.is_string(),
        "date": kind.is_date(),
        "timestamp": kind.is_timestamp(),
    }
    return next((name for name, holds in tests.items() if holds), "other")
