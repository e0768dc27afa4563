"""What each column of one step's relation is computed from, and what decides which rows there are.

Read off the relations that the step types build, so a new step type needs no rule of its own: an operation that is
not known here simply lets everything below it influence everything above.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import ibis.expr.operations as ops

Origin = tuple[str, str]
"""A table below the step, and one of its columns."""

_KEEPS_ROWS_AND_ORDER = (ops.DropColumns,)
SUBQUERIES = (ops.ScalarSubquery, ops.InSubquery, ops.ExistsSubquery)


@dataclass(frozen=True)
class Influence:
    """One relation: per column the values it is computed from, and what decides about the rows as a whole."""

    values: Mapping[str, frozenset[Origin]]
    rows: frozenset[Origin] = frozenset()
    """A change in these may add, remove or regroup rows."""
    order: frozenset[Origin] = frozenset()
    """By these the rows are sorted; that matters to whoever takes the first ones."""
    tables: frozenset[str] = frozenset()
    """All tables below."""
    ordered_like: frozenset[str] = frozenset()
    """Tables whose own order is still that of the rows."""
    cut: frozenset[str] = frozenset()
    """Tables of whose rows only the first ones in their own order are taken."""
    computed: frozenset[str] = frozenset()
    """Columns that are more than a column of a table under another name."""


def influence_of(relation: Any) -> Influence:
    """The influence on an Ibis relation of the unbound tables below it.

    Never fails: a step type is foreign code, and what cannot be read means that everything may influence everything.
    """
    try:
        return _influence_of(relation)
    except Exception:
        return _opaque(relation.op())


def _opaque(node: Any) -> Influence:
    tables = [one for one in [node, *node.find_below(ops.Relation)] if isinstance(one, ops.UnboundTable)]
    everything = frozenset((one.name, name) for one in tables for name in one.schema.names)
    names = frozenset(one.name for one in tables)
    values = dict.fromkeys(node.schema.names, everything)
    return Influence(values, rows=everything, tables=names, cut=names, computed=frozenset(values))


def _influence_of(relation: Any) -> Influence:
    known: dict[Any, Influence] = {}
    stack = [relation.op()]
    while stack:
        node = stack[-1]
        below = [one for one in _relations_of(node) if one not in known]
        if below:
            stack.extend(below)
            continue
        stack.pop()
        if node not in known:
            known[node] = _influence(node, known)
    return known[relation.op()]


def _relations_of(node: Any) -> list[Any]:
    """Relations right below a relation, those of subqueries included."""
    found: list[Any] = []
    for arg in node.args:
        for item in _items(arg):
            if isinstance(item, ops.Relation):
                found.append(item)
            elif isinstance(item, ops.JoinLink):
                found.append(item.table)
                found.extend(_subrelations(item.predicates))
            elif isinstance(item, ops.Value):
                found.extend(_subrelations([item]))
    return found


def _items(arg: Any) -> Iterable[Any]:
    if isinstance(arg, Mapping):
        return arg.values()
    return arg if isinstance(arg, tuple | list) else (arg,)


def _subrelations(values: Iterable[Any]) -> list[Any]:
    return [query.rel for value in values for query in value.find(SUBQUERIES, filter=ops.Value)]


@dataclass
class _Below:
    """Collects what values refer to."""

    known: Mapping[Any, Influence]
    origins: set[Origin] = field(default_factory=set)

    def add(self, *values: Any) -> _Below:
        for value in values:
            for one in value.find(ops.Field, filter=ops.Value):
                self.origins |= self.known[one.rel].values[one.name]
            for query in value.find(SUBQUERIES, filter=ops.Value):
                inner = self.known[query.rel]
                self.origins |= inner.rows.union(*inner.values.values())
        return self


def _influence(node: Any, known: Mapping[Any, Influence]) -> Influence:
    if isinstance(node, ops.UnboundTable):
        values = {name: frozenset({(node.name, name)}) for name in node.schema.names}
        return Influence(values, tables=frozenset({node.name}), ordered_like=frozenset({node.name}))
    if isinstance(node, ops.Project):
        return _project(node, known)
    if isinstance(node, ops.JoinReference | ops.SelfReference | ops.DropColumns):
        below = known[node.parent]
        return _like(below, values={name: below.values[name] for name in node.schema.names})
    if isinstance(node, ops.Filter):
        below = known[node.parent]
        picked = first_of_each(node)
        if picked is not None:
            return _first_of_each(node, *picked, known)
        return _like(below, rows=below.rows | _Below(known).add(*node.predicates).origins)
    if isinstance(node, ops.Sort):
        below = known[node.parent]
        keys = frozenset(_Below(known).add(*node.keys).origins)
        return _like(below, order=keys | below.order)
    if isinstance(node, ops.Limit):
        below = known[node.parent]
        return _like(below, rows=below.rows | below.order, cut=below.cut | below.ordered_like)
    if isinstance(node, ops.Aggregate):
        return _aggregate(node, known)
    if isinstance(node, ops.JoinChain):
        return _join(node, known)
    if isinstance(node, ops.Distinct):
        below = known[node.parent]
        return _unordered(below, rows=below.rows.union(*below.values.values()))
    if isinstance(node, ops.Set):
        return _set(node, known)
    return _anything(node, known)


def first_of_each(node: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]] | None:
    """Groups and order when a filter keeps exactly the first row of each group, else None."""
    if len(node.predicates) != 1 or not isinstance(node.predicates[0], ops.Equals):
        return None
    left, right = node.predicates[0].left, node.predicates[0].right
    if not (isinstance(left, ops.Field) and isinstance(right, ops.Literal) and right.value == 0):
        return None
    rank = node.parent.values.get(left.name) if isinstance(node.parent, ops.Project) else None
    if not isinstance(rank, ops.WindowFunction) or not isinstance(rank.func, ops.RowNumber):
        return None
    return tuple(rank.group_by), tuple(rank.order_by)


def _first_of_each(node: Any, groups: Any, order: Any, known: Mapping[Any, Influence]) -> Influence:
    """There is one row per group whatever the order; the order decides the values beside the group's own."""
    below = known[node.parent]
    keys, picking = _Below(known).add(*groups).origins, _Below(known).add(*order).origins
    own = {name for name, value in node.parent.values.items() if value in groups}
    values = {name: found if name in own else found | picking for name, found in below.values.items()}
    return _like(below, values=values, rows=below.rows | keys)


def _like(below: Influence, **change: Any) -> Influence:
    return Influence(**{**{name: getattr(below, name) for name in below.__dataclass_fields__}, **change})


def _unordered(below: Influence, **change: Any) -> Influence:
    return _like(below, **{"order": frozenset(), "ordered_like": frozenset(), **change})


def _project(node: Any, known: Mapping[Any, Influence]) -> Influence:
    below = known[node.parent]
    values = {name: frozenset(_Below(known).add(value).origins) for name, value in node.values.items()}
    apart = [value for value in node.values.values() if value.find(ops.Unnest, filter=ops.Value)]
    computed = {
        name
        for name, value in node.values.items()
        if not isinstance(value, ops.Field) or value.name in known[value.rel].computed
    }
    return _like(
        below,
        values=values,
        rows=below.rows | _Below(known).add(*apart).origins,
        computed=frozenset(computed),
        tables=below.tables | _tables_of(node.values.values(), known),
    )


def _tables_of(values: Iterable[Any], known: Mapping[Any, Influence]) -> frozenset[str]:
    return frozenset().union(*(known[one].tables for one in _subrelations(values)))


def _aggregate(node: Any, known: Mapping[Any, Influence]) -> Influence:
    below = known[node.parent]
    named = {**node.groups, **node.metrics}
    values = {name: frozenset(_Below(known).add(value).origins) for name, value in named.items()}
    rows = below.rows | _Below(known).add(*node.groups.values()).origins
    computed = {name for name, value in named.items() if not isinstance(value, ops.Field)}
    return _unordered(below, values=values, rows=rows, computed=frozenset(computed))


def _join(node: Any, known: Mapping[Any, Influence]) -> Influence:
    sides = [known[node.first], *(known[link.table] for link in node.rest)]
    tests = [test for link in node.rest for test in link.predicates]
    rows = frozenset().union(*(side.rows for side in sides)) | _Below(known).add(*tests).origins
    computed = {
        name
        for name, value in node.values.items()
        if not isinstance(value, ops.Field) or value.name in known[value.rel].computed
    }
    return Influence(
        values={name: frozenset(_Below(known).add(value).origins) for name, value in node.values.items()},
        rows=rows,
        tables=frozenset().union(*(side.tables for side in sides)),
        cut=frozenset().union(*(side.cut for side in sides)),
        computed=frozenset(computed),
    )


def _set(node: Any, known: Mapping[Any, Influence]) -> Influence:
    left, right = known[node.left], known[node.right]
    values = {
        name: left.values[name] if isinstance(node, ops.Difference) else left.values[name] | right.values[name]
        for name in node.schema.names
    }
    everything = frozenset().union(*left.values.values(), *right.values.values())
    is_plain = isinstance(node, ops.Union) and not node.distinct
    return Influence(
        values=values,
        rows=left.rows | right.rows | (frozenset() if is_plain else everything),
        tables=left.tables | right.tables,
        cut=left.cut | right.cut,
        computed=left.computed | right.computed,
    )


def _anything(node: Any, known: Mapping[Any, Influence]) -> Influence:
    """An operation without a rule: all of what lies below decides about all of it."""
    below = [known[one] for one in _relations_of(node)]
    everything = frozenset().union(*(part for one in below for part in (one.rows, *one.values.values())))
    return Influence(
        values=dict.fromkeys(node.schema.names, everything),
        rows=everything,
        tables=frozenset().union(*(one.tables for one in below)),
        cut=frozenset().union(*(one.tables for one in below)),
        computed=frozenset(node.schema.names),
    )
