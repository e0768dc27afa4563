"""Parts of a stage that one server does as one query: reads of its tables and the steps behind them, up to a step that
makes rows fewer.

A part is taken only where the server's answer is the very same (``same_there``) and where it is worth it: a server
joins and groups for us when that leaves far fewer rows to fetch, by what is known of its tables. Otherwise it would
work twice as long as the engine, at its own users' cost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ibis.expr.operations as ops

from flows.graph.descend import is_key
from flows.graph.estimate import Estimate, Estimator, source_estimate
from flows.graph.relation_text import SOURCE
from flows.graph.same_there import SERVERS, bases, refusal
from flows.graph.shipping import may_receive, size_refused
from flows.graph.sources import DatasetInfo, is_given
from flows.graph.topology import Topology
from node_catalog.sdk.grant import GrantSpec
from node_catalog.sdk.text import Text, text

FEW = 0.05
"""Groups, as a share of the rows, up to which a server groups."""
FEWER = 0.5
"""Rows of a join, as a share of its larger side, up to which its rows are fetched joined."""
WIDER = 1.2
"""The same share up to which a join may stand inside a part that makes its rows fewer afterwards."""


@dataclass(frozen=True)
class Read:
    """What a read step reads, and the dialect of the server that has it."""

    info: DatasetInfo
    grant: GrantSpec
    dialect: str
    takes_rows: bool = False
    """Whether rows of other nodes can be sent along with a statement for the server."""


@dataclass(frozen=True)
class Part:
    """Steps (in order, the last one's rows leave) that one server does; ``tables``: name in the query → read step.

    ``shipped`` are names of tables that are not the server's own: the rows of the read step, sent along.
    """

    steps: tuple[str, ...]
    tables: Mapping[str, str]
    relation: Any
    shipped: frozenset[str] = frozenset()


class PartFinder:
    """Finds the parts of one stage; ``notes`` say why a step behind such reads is not in one."""

    def __init__(
        self,
        steps: Sequence[str],
        topology: Topology,
        relations: Mapping[str, Mapping[str, Any]],
        reads: Mapping[str, Read],
        ships: bool = True,
    ) -> None:
        self.ships = ships
        """Whether small tables may be sent to the server of a large one."""
        self.steps, self.topology, self.relations, self.reads = steps, topology, relations, reads
        self.notes: dict[str, Text] = {}
        self.parts: dict[str, Part] = {}
        inside = set(steps)
        self._uses = Counter(wire.source_step for step in steps for wire in topology.into[step])
        self._estimates: dict[str, Estimate] = {}
        self._places: dict[str, tuple[str, str]] = {}
        """Step → node and dialect of the server that could do it and all before it."""
        for step in steps:
            if set(topology.sources_of(step)) <= inside:
                self._estimate(step)
                self._place(step)
        claimed: set[str] = set()
        for step in reversed(steps):
            if step in self._places and step not in claimed:
                claimed |= self._claim(step)

    # ── what could be done there ──────────────────────────────────────────────────────────────────────────

    def _estimate(self, step: str) -> None:
        relation = self.relations[step].get("out")
        if relation is None:
            return
        read = self.reads.get(step)
        tables = dict(self._estimates)
        if read is not None:
            tables[SOURCE] = source_estimate(read.info, read.grant)
        self._estimates[f"s_{step}"] = Estimator(tables).of(relation.op())

    def _place(self, step: str) -> None:
        read = self.reads.get(step)
        if read is not None:
            if read.dialect in SERVERS and not is_given(read.info):
                self._places[step] = (read.info.node, read.dialect)
            return
        sources = self.topology.sources_of(step)
        places = {self._places.get(source) for source in sources}
        (place, *others) = places or {None}
        if tuple(self.relations[step]) != ("out",):
            return
        if others:
            place = self._common_place(step, sources)
        if place is None:
            return
        if any(self._uses[source] > 1 or is_one_row(self.relations[source]["out"]) for source in sources):
            return  # somebody else needs these rows, too; or there is nothing left to save
        relation = self.relations[step]["out"]
        found = refusal(relation, place[1]) or self._costs(relation)
        if found is None:
            self._places[step] = place
        else:
            self.notes[step] = found

    def _common_place(self, step: str, sources: Sequence[str]) -> tuple[str, str] | None:
        """The server of the largest side, when the rows of the others may be sent there."""
        if not self.ships:
            return None
        largest = max(sources, key=lambda source: self._rows(source) or 0)
        place = self._places.get(largest)
        if place is None or place[1] != "postgres":
            return None
        large = next(read for read in self._reads_of(largest) if read.info.node == place[0])
        for source in sources:
            if self._places.get(source) != place:
                found = self._not_sent(source, large)
                if found is not None:
                    self.notes[step] = found
                    return None
        return place

    def _not_sent(self, step: str, large: Read) -> Text | None:
        """Why the rows of a side (one dataset, with conditions and choices of columns) cannot go to another server."""
        reads = [one for one in self.topology.upstream([step]) if one in self.reads]
        if not reads:
            return text(
                "one side is typed by hand, and its rows are in the engine", "有一侧是手工录入的数据，位于引擎中"
            )
        if len(reads) != 1 or not large.takes_rows or is_given(self.reads[reads[0]].info):
            return text("the tables lie on different nodes", "表位于不同的节点上")
        small, relation = self.reads[reads[0]], self.relations[reads[0]]["out"]
        for one in self.topology.upstream([step]) - {reads[0]}:
            found = (
                refusal(self.relations[one]["out"], "postgres") if tuple(self.relations[one]) == ("out",) else _odd()
            )
            if found is not None or self._uses[one] > 1:
                return found or _odd()
        if self._uses[reads[0]] > 1:
            return _odd()
        return size_refused(relation, self._estimates.get(f"s_{reads[0]}")) or may_receive(
            small.info, small.grant, large.info
        )

    def _reads_of(self, step: str) -> list[Read]:
        return [self.reads[one] for one in self.topology.upstream([step]) if one in self.reads]

    def _costs(self, relation: Any) -> Text | None:
        """Why a step that could be done by the server is not worth it."""
        known = Estimator(self._estimates)
        for node in relation.op().find((ops.JoinChain, ops.Aggregate, ops.Distinct)):
            found = _join_costs(node, known) if isinstance(node, ops.JoinChain) else _grouping_costs(node, known)
            if found is not None:
                return found
        return None

    def _rows(self, step: str) -> float | None:
        found = self._estimates.get(f"s_{step}")
        return found.rows if found is not None else None

    # ── what is worth it ──────────────────────────────────────────────────────────────────────────────────

    def _claim(self, step: str) -> set[str]:
        """Make the largest parts at or before ``step``; all steps that have been looked at."""
        below = [source for source in self.topology.sources_of(step) if source in self._places]
        if self._makes_fewer(step) and self._make(step):
            return set(self.parts[step].steps)
        return {step}.union(*(self._claim(source) for source in below)) if below else {step}

    def _makes_fewer(self, step: str) -> bool:
        if step in self.reads:
            return False
        node = _core(self.relations[step]["out"])
        if isinstance(node, ops.Aggregate | ops.Distinct):
            return True
        sources = self.topology.sources_of(step)
        if isinstance(node, ops.JoinChain):
            most = max(self._rows(source) or 0 for source in sources)
            return (self._rows(step) or 0) <= FEWER * most
        if isinstance(node, ops.Filter | ops.Limit):
            return self._is_more_than_a_read(sources[0])
        return False

    def _is_more_than_a_read(self, step: str) -> bool:
        """Whether something besides conditions and choices of columns happens up to a step."""
        if step in self.reads:
            return False
        node = _core(self.relations[step]["out"])
        is_more = isinstance(node, ops.Aggregate | ops.Distinct | ops.JoinChain | ops.Union)
        return is_more or any(map(self._is_more_than_a_read, self.topology.sources_of(step)))

    def _make(self, last: str) -> bool:
        before = self.topology.upstream([last])
        steps = tuple(step for step in self.steps if step in before)
        node_there = self._places[last][0]
        sent = [step for step in steps if step in self.reads and self.reads[step].info.node != node_there]
        own = [step for step in steps if step in self.reads and step not in sent]
        names = {step: f"{SOURCE}_{place}" if place > 1 else SOURCE for place, step in enumerate([*own, *sent], 1)}
        made: dict[str, Any] = {}
        for step in steps:
            node = self.relations[step]["out"].op()
            if step in sent:
                made[f"s_{step}"] = ops.UnboundTable(name=names[step], schema=node.schema)
                continue
            tables_below = node.find(ops.UnboundTable)
            below = {one: made.get(one.name) or _named(one, names[step]) for one in tables_below}
            made[f"s_{step}"] = node.replace(below)
        relation, tables = made[f"s_{last}"].to_expr(), {name: step for step, name in names.items()}
        if self._places[last][1] == "mysql" and not self._has_keys(relation, tables):
            self.notes[last] = text(
                "MySQL joins quickly only by a primary or unique key", "MySQL 只有按主键或唯一键连接时才足够快"
            )
            return False
        self.parts[last] = Part(steps, tables, relation, frozenset(names[step] for step in sent))
        return True

    def _has_keys(self, relation: Any, tables: Mapping[str, str]) -> bool:
        """Whether each join has a side whose key the server can look up."""
        for node in relation.op().find(ops.JoinChain):
            sides = [side for test in node.rest[0].predicates if is_key(test) for side in (test.left, test.right)]
            found = [base for side in sides for base in bases(side)]
            if not any(name in self.reads[tables[table]].info.keys for table, name in found):
                return False
        return True


def _odd() -> Text:
    return text("more happens to these rows than can be sent with them", "这些数据在连接前还有其他处理，无法一并发送")


def is_one_row(relation: Any) -> bool:
    """Whether a step gives one row whatever comes in."""
    node = _core(relation)
    return isinstance(node, ops.Aggregate) and not node.groups


def _named(table: Any, name: str) -> Any:
    return ops.UnboundTable(name=name, schema=table.schema)


def _join_costs(node: Any, known: Estimator) -> Text | None:
    rows = known.of(node).rows
    sides = [known.of(side.parent).rows for side in (node.first, *(link.table for link in node.rest))]
    if rows is None or None in sides:
        return _unknown()
    if rows > WIDER * max(side or 0 for side in sides):
        return text("it would make more rows than it reads", "连接后的行数会多于读取的行数")
    return None


def _grouping_costs(node: Any, known: Estimator) -> Text | None:
    is_distinct = isinstance(node, ops.Distinct)
    keys = [ops.Field(node.parent, name) for name in node.schema.names] if is_distinct else node.groups.values()
    if not keys:
        return None  # one row
    before, counts = known.of(node.parent).rows, [known.distinct(key) for key in keys]
    if before is None or None in counts:
        return _unknown()
    groups = 1.0
    for count in counts:
        groups *= max(1.0, count or 1.0)
    if groups <= FEW * before:
        return None
    shown, rows = f"{min(groups, before):,.0f}", f"{before:,.0f}"
    return text(
        f"about {shown} groups are not far fewer than {rows} rows, and the engine groups faster",
        f"约 {shown} 个分组，并不远少于 {rows} 行，在引擎中分组更快",
    )


def _core(relation: Any) -> Any:
    """What a step's relation does, without the choice of columns around it."""
    node = relation.op()
    while isinstance(node, ops.Project):
        node = node.parent
    return node


def _unknown() -> Text:
    return text(
        "it is not known how many rows and different values the data have; profile them in the catalogue",
        "尚不清楚数据的行数和不同取值数，请先在目录中做数据画像",
    )
