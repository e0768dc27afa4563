"""Estimated rows and bytes at every port, before anything runs: from row counts, distinct values and column types.

Rules of thumb, read off the relations that the step types build (source of the constants: the usual textbook
defaults). They are shown as estimates, and decide how much work is left to a source, never what comes out.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import ibis.expr.operations as ops

from flows.graph.influence import first_of_each
from flows.graph.lineage import StepRelations
from flows.graph.relation_text import SOURCE
from flows.graph.sources import DatasetInfo
from node_catalog.sdk.grant import GrantSpec, visible_values
from node_catalog.sdk.ports import from_ibis
from node_catalog.sdk.typed_rows import rows_made

EQUAL, RANGE, OTHER = 0.1, 1 / 3, 0.5
"""Shares of rows that a condition keeps when nothing is known of its column."""
GROUP_SHARE = 0.1
WIDTHS = {
    "boolean": 1, "date": 4, "integer": 8, "number": 8, "decimal": 16, "time": 8, "timestamp": 8, "text": 24,
    "binary": 64, "geometry": 128, "columns": 160,
}  # fmt: skip
"""Bytes of one value; a text of unknown length counts as eight Chinese characters, columns that
only the data knows as twenty."""
SECONDS = {
    "second": 1, "minute": 60, "hour": 3600, "day": 86_400, "week": 604_800, "month": 2_592_000, "quarter": 7_776_000,
    "year": 31_536_000,
}  # fmt: skip
"""The shortest that a unit of ``date_trunc`` lasts, about."""


@dataclass(frozen=True)
class ColumnFacts:
    """What the catalogue's profile tells about one column: different values, mean bytes of a text."""

    distinct: float | None = None
    width: float | None = None
    seconds: float | None = None
    """Of a moment: how long it is from the earliest to the latest."""


@dataclass(frozen=True)
class Estimate:
    """About how many rows, and for each column how many different values and bytes; None: nobody knows."""

    rows: float | None
    columns: Mapping[str, ColumnFacts]

    def facts(self, name: str) -> ColumnFacts:
        return self.columns.get(name, ColumnFacts())


Sources = Mapping[str, tuple[float | None, Mapping[str, ColumnFacts]]]
"""Dataset number → rows and facts of its columns."""


def estimate_ports(relations: StepRelations, sources: Sources) -> dict[str, dict[str, int | None]]:
    """``{"step.port": {"rows", "bytes"}}`` for every port that can be built, in the data's order."""
    known: dict[str, Estimate] = {}
    answer: dict[str, dict[str, int | None]] = {}
    for step in relations.order:
        for port in relations.ports.get(step, ()):
            relation = relations.by_port[port]
            rows, facts = sources.get(relations.datasets.get(step, ""), (None, {}))
            found = Estimator({**known, SOURCE: Estimate(rows, facts)}).of(relation.op())
            known[port] = found
            answer[port] = _in_bytes(relation, found)
    return answer


def _in_bytes(relation: Any, found: Estimate) -> dict[str, int | None]:
    if found.rows is None:
        return {"rows": None, "bytes": None}
    width = 0.0
    for column in from_ibis(relation.schema()).fields:
        usual = WIDTHS.get(column.type.partition("(")[0], 8)
        width += found.facts(column.name).width or usual
    rows = max(0, round(found.rows))
    return {"rows": rows, "bytes": round(rows * width)}


def source_estimate(info: DatasetInfo, grant: GrantSpec) -> Estimate:
    """What profiles tell of a dataset, as far as a holder of ``grant`` may know it."""
    shown = visible_values(grant)
    names = [name for name in (*info.distinct, *info.seconds) if name in shown]
    return Estimate(info.rows, {n: ColumnFacts(info.distinct.get(n), seconds=info.seconds.get(n)) for n in names})


class Estimator:
    """Estimates one step's relation over tables that are estimated already."""

    def __init__(self, tables: Mapping[str, Estimate]) -> None:
        self.tables = tables
        self.known: dict[Any, Estimate] = {}

    def of(self, node: Any) -> Estimate:
        if node not in self.known:
            self.known[node] = self._of(node)
        return self.known[node]

    def _of(self, node: Any) -> Estimate:
        if isinstance(node, ops.UnboundTable):
            return self.tables.get(node.name, Estimate(None, {}))
        if isinstance(node, ops.DummyTable):
            return Estimate(rows_made(node), {})
        if isinstance(node, ops.Project):
            below = self.of(node.parent)
            return Estimate(below.rows, self._facts(node.values))
        if isinstance(node, ops.Filter):
            return self._filter(node)
        if isinstance(node, ops.Limit):
            below = self.of(node.parent)
            most = node.n if isinstance(node.n, int) else None
            rows = most if below.rows is None else below.rows if most is None else min(below.rows, most)
            return Estimate(rows, below.columns)
        if isinstance(node, ops.Aggregate):
            rows = self._groups(self.of(node.parent).rows, node.groups.values()) if node.groups else 1
            return Estimate(rows, self._facts({**node.groups, **node.metrics}))
        if isinstance(node, ops.Distinct):
            below = self.of(node.parent)
            fields = [ops.Field(node.parent, name) for name in node.schema.names]
            return Estimate(self._groups(below.rows, fields, 1.0), below.columns)
        if isinstance(node, ops.JoinChain):
            return self._join(node)
        if isinstance(node, ops.Set):
            left, right = self.of(node.left), self.of(node.right)
            if left.rows is None or right.rows is None:
                return Estimate(None, left.columns)
            both = {ops.Union: left.rows + right.rows, ops.Intersection: min(left.rows, right.rows)}
            return Estimate(both.get(type(node), left.rows), left.columns)
        parents = [one for one in node.args if isinstance(one, ops.Relation)]
        return self.of(parents[0]) if len(parents) == 1 else Estimate(None, {})

    def _facts(self, values: Mapping[str, Any]) -> dict[str, ColumnFacts]:
        return {
            name: self.of(value.rel).facts(value.name) for name, value in values.items() if isinstance(value, ops.Field)
        }

    def distinct(self, value: Any) -> float | None:
        """About how many different values a column has, or the hours, days … of a moment."""
        if isinstance(value, ops.Field):
            return self.of(value.rel).facts(value.name).distinct
        unit, moment = truncated(value) or ("", None)
        facts = self.of(moment.rel).facts(moment.name) if isinstance(moment, ops.Field) else ColumnFacts()
        if facts.seconds is None:
            return None
        return min(facts.distinct or math.inf, 1 + facts.seconds / SECONDS[unit])

    def _filter(self, node: Any) -> Estimate:
        below = self.of(node.parent)
        picked = first_of_each(node)
        if picked is not None:
            return Estimate(self._groups(below.rows, [self._through(node, one) for one in picked[0]]), below.columns)
        if below.rows is None:
            return below
        share = 1.0
        for test in node.predicates:
            share *= self._share(test)
        return Estimate(below.rows * share, below.columns)

    @staticmethod
    def _through(node: Any, group: Any) -> Any:
        own = next((name for name, value in node.parent.values.items() if value == group), None)
        return ops.Field(node.parent, own) if own else group

    def _share(self, test: Any) -> float:
        if isinstance(test, ops.And):
            return self._share(test.left) * self._share(test.right)
        if isinstance(test, ops.Or):
            return min(1.0, self._share(test.left) + self._share(test.right))
        if isinstance(test, ops.Not):
            return 1 - self._share(test.arg)
        if isinstance(test, ops.Equals):
            distinct = self.distinct(test.left) or self.distinct(test.right)
            return 1 / max(1.0, distinct) if distinct else EQUAL
        if isinstance(test, ops.InValues):
            distinct = self.distinct(test.value)
            return min(1.0, len(test.options) * (1 / max(1.0, distinct) if distinct else EQUAL))
        if isinstance(test, ops.Less | ops.LessEqual | ops.Greater | ops.GreaterEqual | ops.Between):
            return RANGE
        return OTHER

    def _groups(self, rows: float | None, keys: Iterable[Any], share: float = GROUP_SHARE) -> float | None:
        """So many different combinations of keys there may be."""
        if rows is None:
            return None
        count = 1.0
        for key in keys:
            distinct = self.distinct(key)
            if distinct is None:
                return max(1.0, rows * share) if rows else 0.0
            count *= max(1.0, distinct)
        return min(rows, count)

    def _join(self, node: Any) -> Estimate:
        found = self.of(node.first.parent)
        self.known[node.first] = found
        rows = found.rows
        for link in node.rest:
            other = self.of(link.table.parent)
            self.known[link.table] = other
            rows = self._joined(rows, other.rows, link)
        return Estimate(rows, self._facts(node.values))

    def _joined(self, left: float | None, right: float | None, link: Any) -> float | None:
        if left is None or right is None:
            return left if link.how in ("left", "semi", "anti", "asof") else None
        if link.how in ("semi", "anti"):
            return left * OTHER
        if not link.predicates:
            return left * right
        keys = [test for test in link.predicates if isinstance(test, ops.Equals | ops.IdenticalTo)]
        if not keys:
            return left * right * RANGE
        sides = [(self.distinct(test.left), self.distinct(test.right)) for test in keys]
        known = [max(a, b) for a, b in sides if a and b]
        matched = left * right / max(1.0, *known) if known else max(left, right)
        least = {"left": left, "asof": left, "right": right, "outer": max(left, right)}
        return max(matched, least.get(link.how, 0.0))


def row_width(relation: Any, columns: Collection[str]) -> float:
    """About how many bytes some columns of one row have."""
    fields = from_ibis(relation.schema()).fields
    return float(sum(WIDTHS.get(field.type.partition("(")[0], 8) for field in fields if field.name in columns))


def truncated(value: Any) -> tuple[str, Any] | None:
    """Unit and moment when a value is the beginning of the hour, day … (``date_trunc``) of a timestamp."""
    if getattr(value, "__func_name__", "") != "date_trunc" or len(value.args) != 2:
        return None
    unit, moment = value.args
    is_known = isinstance(unit, ops.Literal) and unit.value in SECONDS and moment.dtype.is_timestamp()
    return (unit.value, moment) if is_known else None
