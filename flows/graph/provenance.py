"""Which rows of each source are behind one row of an output: its values pushed back through the steps as conditions.

Works on the relations that the step types build. Where an operation cannot be undone (a figure over neighbouring
rows, "the first 100 rows"), the conditions become wider, never narrower, and a reason says so: what is shown then
holds every row that took part, and perhaps others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import ibis
import ibis.expr.operations as ops

from flows.graph.influence import SUBQUERIES, first_of_each
from flows.graph.lineage import StepRelations
from node_catalog.sdk.open_columns import open_columns, promised_columns
from node_catalog.sdk.text import Text, text

OTHER_ROWS = (ops.WindowFunction, ops.Analytic, ops.Reduction, ops.Unnest, *SUBQUERIES)

WHY: Mapping[str, Text] = {
    "window": text(
        "the value was worked out over several rows of its group; all rows of the group are shown",
        "该值由所在分组的多行计算得到，因此列出整个分组的行",
    ),
    "derived": text(
        "a column was worked out over other rows, so it cannot be used to find the row",
        "有一列由其他行计算得到，无法据此定位行",
    ),
    "limit": text("only the first rows were taken here", "此处只取了前若干行"),
    "group": text("a column by which rows were grouped is no longer in the result", "用于分组的某一列已不在结果中"),
    "first": text("of several equal rows only the first was kept here", "此处相同的行只保留了第一行"),
    "pair": text("rows were matched by more than equal columns", "此处的匹配条件不只是列相等"),
    "unknown": text("this step's rows cannot be traced back", "该步骤的行无法回溯"),
    "taken_away": text("rows of this input were only taken away from the other", "该输入的行只用于从另一输入中剔除"),
}


@dataclass(frozen=True)
class Within:
    """``needle`` (over a table) must be one of the values in the only column of ``rel``."""

    needle: Any
    rel: Any


@dataclass(frozen=True)
class Reason:
    """Why more rows are shown than took part: a key of ``WHY``, and the step."""

    code: str
    step: str


@dataclass(frozen=True)
class Demand:
    """Rows of one relation: those for which all conditions hold. Conditions are values over that relation."""

    conditions: tuple[Any, ...] = ()
    within: tuple[Within, ...] = ()
    target: frozenset[str] = frozenset()
    """Columns that the traced value is computed from."""
    is_none: bool = False
    reasons: tuple[Reason, ...] = ()

    def because(self, code: str, step: str) -> Demand:
        reason = Reason(code, step)
        return self if reason in self.reasons else replace(self, reasons=(*self.reasons, reason))


@dataclass(frozen=True)
class SourceRows:
    """The rows of one read step: those that fit any of ``demands``."""

    step: str
    dataset: str
    demands: tuple[Demand, ...]

    @property
    def is_exact(self) -> bool:
        return not any(demand.reasons for demand in self.demands)

    @property
    def is_none(self) -> bool:
        return all(demand.is_none for demand in self.demands)


def trace_row(relations: StepRelations, port: str, row: Mapping[str, Any], column: str) -> list[SourceRows]:
    """The source rows behind the value of ``column`` in the ``row`` of a port, read step by read step."""
    relation = relations.by_port[port]
    known = set(relation.columns)
    first = Demand(
        conditions=tuple(
            _equal(relation.op(), name, value)
            for name, value in row.items()
            if name in known and (value is None or not relation[name].type().is_geospatial())  # those have no equality
        ),
        target=frozenset(promised_columns(relation.columns, open_columns(relation), column)),
    )
    demands: dict[str, list[Demand]] = defaultdict(list, {port: [first]})
    for step in reversed(relations.order):
        for at in relations.ports.get(step, ()):
            if step in relations.datasets:
                continue
            node = relations.by_port[at].op()
            for demand in demands.get(at, ()):
                own = demand if at == port else _on(node, at, demand)
                for table, found in _Push(step).through(node, own).items():
                    demands[table].extend(found)
    return [
        SourceRows(step, number, tuple(dict.fromkeys(demands[f"{step}.out"])))
        for step, number in relations.datasets.items()
        if demands.get(f"{step}.out")
    ]


def _equal(node: Any, name: str, value: Any) -> Any:
    field = ops.Field(node, name)
    if value is None:
        return ops.IsNull(field)
    return ops.Equals(field, ibis.literal(value, type=field.dtype).op())


class _Push:
    """Pushes a demand on the output of one step down to the tables that the step reads."""

    def __init__(self, step: str) -> None:
        self.step = step
        self.found: dict[str, list[Demand]] = defaultdict(list)

    def through(self, node: Any, demand: Demand) -> Mapping[str, list[Demand]]:
        stack = [(node, demand)]
        while stack:
            node, demand = stack.pop()
            if isinstance(node, ops.UnboundTable):
                self.found[node.name].append(demand)
            else:
                stack.extend(self._below(node, demand))
        return self.found

    def _below(self, node: Any, demand: Demand) -> list[tuple[Any, Demand]]:
        if isinstance(node, ops.Project):
            return [(node.parent, self._project(node, demand))]
        if isinstance(node, ops.JoinReference | ops.SelfReference | ops.DropColumns | ops.Sort | ops.Distinct):
            return [(node.parent, _renamed(node, node.parent, demand))]
        if isinstance(node, ops.Filter):
            return [(node.parent, self._filter(node, demand))]
        if isinstance(node, ops.Limit):
            return [(node.parent, _renamed(node, node.parent, demand).because("limit", self.step))]
        if isinstance(node, ops.Aggregate):
            return [(node.parent, self._aggregate(node, demand))]
        if isinstance(node, ops.JoinChain):
            return self._join(node, demand)
        if isinstance(node, ops.Set):
            right = _renamed(node, node.right, demand)
            if isinstance(node, ops.Difference):
                right = Demand(is_none=True).because("taken_away", self.step)
            return [(node.left, _renamed(node, node.left, demand)), (node.right, right)]
        tables = [one for one in node.find_below(ops.Relation) if isinstance(one, ops.UnboundTable)]
        nothing_known = Demand(reasons=demand.reasons, is_none=demand.is_none).because("unknown", self.step)
        return [(table, nothing_known) for table in dict.fromkeys(tables)]

    def _project(self, node: Any, demand: Demand) -> Demand:
        mapping = {ops.Field(node, name): value for name, value in node.values.items()}
        target = [node.values[name] for name in demand.target if name in node.values]
        windows = [one for value in target for one in value.find(ops.WindowFunction, filter=ops.Value)]
        swapped = [swap(one, mapping) for one in demand.conditions]
        kept = [one for one in swapped if not one.find(OTHER_ROWS, filter=ops.Value)]
        needles = [Within(swap(one.needle, mapping), one.rel) for one in demand.within]
        within = [one for one in needles if not one.needle.find(OTHER_ROWS, filter=ops.Value)]
        lost = len(kept) < len(swapped) or len(within) < len(needles)
        below = replace(demand, conditions=tuple(kept), within=tuple(within), target=_names(target))
        if windows:
            groups = {name for one in windows for name in _names(one.group_by)}
            kept = [one for one in kept if _names([one]) <= groups]
            return replace(below, conditions=tuple(kept), within=()).because("window", self.step)
        return below.because("derived", self.step) if lost and not _finds_rows(kept) else below

    def _filter(self, node: Any, demand: Demand) -> Demand:
        below = _renamed(node, node.parent, demand)
        if first_of_each(node) is not None:
            return below.because("first", self.step)
        own = [one for one in node.predicates if not one.find(OTHER_ROWS, filter=ops.Value)]
        below = replace(below, conditions=(*below.conditions, *own))
        return below if len(own) == len(node.predicates) else below.because("derived", self.step)

    def _aggregate(self, node: Any, demand: Demand) -> Demand:
        mapping = {ops.Field(node, name): value for name, value in node.groups.items()}
        kept = [one for one in demand.conditions if _names([one]) <= set(node.groups)]
        found = {name for one in kept for name in _names([one]) if _is_fixed(one)}
        metrics = [node.metrics[name] for name in demand.target if name in node.metrics]
        wheres = {one.where for value in metrics for one in value.find(ops.Reduction, filter=ops.Value)}
        tests = [one for one in wheres if one is not None] if len(wheres) == 1 else []
        groups = [node.groups[name] for name in demand.target if name in node.groups]
        below = replace(
            demand,
            conditions=(*(swap(one, mapping) for one in kept), *tests),
            within=tuple(
                Within(swap(one.needle, mapping), one.rel)
                for one in demand.within
                if _names([one.needle]) <= set(node.groups)
            ),
            target=_names([*metrics, *groups]),
        )
        return below if found >= set(node.groups) else below.because("group", self.step)

    # ── joins ─────────────────────────────────────────────────────────────────────────────────────────────

    def _join(self, node: Any, demand: Demand) -> list[tuple[Any, Demand]]:
        mapping = {ops.Field(node, name): value for name, value in node.values.items()}
        tables = [node.first, *(link.table for link in node.rest)]
        conditions = _split([swap(one, mapping) for one in demand.conditions], tables)
        within: dict[Any, list[Within]] = {table: [] for table in tables}
        for one in demand.within:
            needle = swap(one.needle, mapping)
            for table in tables:
                if _rels([needle]) == {table}:
                    within[table].append(Within(needle, one.rel))
        pairs, is_plain = _pairs(node.rest)
        _transfer(pairs, conditions)
        carried = _carried(pairs, conditions, within)
        away = {link.table for link in node.rest if link.how == "anti"}
        values = [node.values[name] for name in demand.target if name in node.values]
        made = []
        for table in tables:
            below = Demand(
                conditions=tuple(dict.fromkeys(conditions[table])),
                within=(*within[table], *carried[table]),
                target=frozenset(name for rel, name in _fields(values) if rel == table),
                is_none=demand.is_none or table in away,
                reasons=demand.reasons,
            )
            if table in away:
                below = below.because("taken_away", self.step)
            elif not is_plain or len(carried[table]) > 1:
                below = below.because("pair", self.step)
            made.append((table, below))
        return made


def swap(value: Any, mapping: Mapping[Any, Any]) -> Any:
    """A value with fields replaced by what they are made of."""
    return mapping[value] if value in mapping else value.replace(dict(mapping), filter=ops.Value)


def _on(node: Any, port: str, demand: Demand) -> Demand:
    """A demand on the table named ``port``, as a demand on the relation behind that port."""

    def moved(value: Any) -> Any:
        fields = [one for one in value.find(ops.Field, filter=ops.Value) if one.rel.name == port]
        return swap(value, {one: ops.Field(node, one.name) for one in fields})

    return replace(
        demand,
        conditions=tuple(moved(one) for one in demand.conditions),
        within=tuple(Within(moved(one.needle), one.rel) for one in demand.within),
    )


def _renamed(node: Any, parent: Any, demand: Demand) -> Demand:
    """The same demand on the relation right below one that changes no column."""
    mapping = {ops.Field(node, name): ops.Field(parent, name) for name in node.schema.names}
    return replace(
        demand,
        conditions=tuple(swap(one, mapping) for one in demand.conditions),
        within=tuple(Within(swap(one.needle, mapping), one.rel) for one in demand.within),
    )


def _fields(values: Iterable[Any]) -> set[tuple[Any, str]]:
    return {(one.rel, one.name) for value in values for one in value.find(ops.Field, filter=ops.Value)}


def _names(values: Iterable[Any]) -> frozenset[str]:
    return frozenset(name for _, name in _fields(values))


def _rels(values: Iterable[Any]) -> set[Any]:
    return {rel for rel, _ in _fields(values)}


def _is_fixed(condition: Any) -> bool:
    """Whether a condition says what one column is."""
    if isinstance(condition, ops.IsNull):
        return isinstance(condition.arg, ops.Field)
    return (
        isinstance(condition, ops.Equals)
        and isinstance(condition.left, ops.Field)
        and isinstance(condition.right, ops.Literal)
    )


def _finds_rows(conditions: Sequence[Any]) -> bool:
    return any(_is_fixed(one) and isinstance(one, ops.Equals) for one in conditions)


def _split(conditions: Iterable[Any], tables: Sequence[Any]) -> dict[Any, list[Any]]:
    """Conditions by the one table they are about; those about a key of both sides go to each of them."""
    found: dict[Any, list[Any]] = {table: [] for table in tables}
    for one in conditions:
        rels = _rels([one])
        if len(rels) == 1 and (table := next(iter(rels))) in found:
            found[table].append(one)
        elif isinstance(one, ops.Equals) and isinstance(one.left, ops.Coalesce):
            for part in one.left.arg:
                sides = _rels([part])
                if len(sides) == 1 and (table := next(iter(sides))) in found:
                    found[table].append(ops.Equals(part, one.right))
    return found


def _pairs(links: Sequence[Any]) -> tuple[list[tuple[Any, Any]], bool]:
    """Values that must be equal across tables, and whether there is no other condition."""
    pairs, is_plain = [], True
    for link in links:
        for test in link.predicates:
            is_pair = isinstance(test, ops.Equals | ops.IdenticalTo)
            if is_pair and len(_rels([test.left])) == 1 and len(_rels([test.right])) == 1:
                pairs.append((test.left, test.right))
            else:
                is_plain = False
    return pairs, is_plain


def _transfer(pairs: Iterable[tuple[Any, Any]], conditions: dict[Any, list[Any]]) -> None:
    """What is known of one side of an equality holds for the other."""
    for left, right in pairs:
        for one, other in ((left, right), (right, left)):
            table, target = next(iter(_rels([one]))), next(iter(_rels([other])))
            for condition in tuple(conditions[table]):
                if isinstance(condition, ops.Equals) and condition.left == one:
                    known = ops.Equals(other, _as(condition.right, other))
                    if known not in conditions[target]:
                        conditions[target].append(known)


def _as(literal: Any, value: Any) -> Any:
    if literal.dtype == value.dtype or not isinstance(literal, ops.Literal):
        return literal
    return ops.Cast(literal, value.dtype)


def _carried(
    pairs: Sequence[tuple[Any, Any]], conditions: Mapping[Any, list[Any]], within: Mapping[Any, list[Within]]
) -> dict[Any, list[Within]]:
    """Where only one side is narrowed, the other side's rows are those that match what is left of it."""
    carried: dict[Any, list[Within]] = {table: [] for table in conditions}
    for left, right in pairs:
        for one, other in ((left, right), (right, left)):
            table, target = next(iter(_rels([one]))), next(iter(_rels([other])))
            # A side without a match has only empty values: they say nothing about which rows there were.
            narrowing = [test for test in conditions[table] if not isinstance(test, ops.IsNull)]
            if not narrowing and not within[table]:
                continue
            if any(isinstance(test, ops.Equals) and test.left == other for test in conditions[target]):
                continue
            carried[target].append(Within(other, _matching(table, one, narrowing, within[table])))
    return carried


def _matching(table: Any, key: Any, conditions: Sequence[Any], within: Sequence[Within]) -> Any:
    """The values of ``key`` among the rows of a join's side for which the conditions hold."""
    parent = table.parent
    mapping = {ops.Field(table, name): ops.Field(parent, name) for name in table.schema.names}
    demand = Demand(
        tuple(swap(one, mapping) for one in conditions),
        tuple(Within(swap(one.needle, mapping), one.rel) for one in within),
    )
    kept = ops.Filter(parent, (test,)) if (test := condition_of(demand)) is not None else parent
    swapped = swap(key, mapping)
    at = {ops.Field(parent, name): ops.Field(kept, name) for name in parent.schema.names}
    return ops.Project(kept, {"key": swap(swapped, at) if kept is not parent else swapped})


def condition_of(demand: Demand) -> Any:
    """One condition for all of a demand, or None when every row fits."""
    parts = [*demand.conditions, *(ops.InSubquery(one.rel, one.needle) for one in demand.within)]
    if demand.is_none:
        parts.append(ibis.literal(False).op())
    whole = None
    for part in parts:
        whole = part if whole is None else ops.And(whole, part)
    return whole


def any_of(demands: Sequence[Demand]) -> Any:
    """One condition for all rows that fit any of the demands, or None when every row does."""
    whole = None
    for demand in demands:
        condition = condition_of(demand)
        if condition is None:
            return None
        whole = condition if whole is None else ops.Or(whole, condition)
    return whole
