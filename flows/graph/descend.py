"""Which conditions of a stage may already be tested where its rows are read.

Conditions are followed from the step that tests them down to the reads and *copied* there, never moved: the step
tests its rows again, which costs next to nothing once most of them are gone. So all that must be shown is that a row
that the copy drops could not have had any effect on the stage's rows: a condition passes an operation only when the
operation makes no row out of several (or only out of such as are all kept or all dropped).

Only conditions that cannot fail go down (``is_plain``): below another step they see rows that they would not have
seen, and must not stop the run because of one. What else happens on the way sees fewer rows than before, which the
engine's own optimiser may cause as well: no step may count on failing by a row that a later step drops.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

import ibis.expr.operations as ops

from flows.graph.optimise import conjuncts, is_plain
from flows.graph.step_ports import part_name
from flows.graph.topology import Topology

_SUBQUERIES = (ops.ScalarSubquery, ops.InSubquery, ops.ExistsSubquery)
_NOT_BY_ROW = (ops.Reduction, ops.Analytic, ops.WindowFunction, ops.AggUDF, ops.Unnest, *_SUBQUERIES)
"""Values that depend on other rows, or make rows."""
_LEFT_PASSES = ("inner", "left", "semi", "anti", "cross")
_RIGHT_PASSES = ("inner", "right", "cross")
_KEYS_PASS = ("inner", "left", "semi", "anti")
"""Joins whose right rows matter only where their keys equal those of a left row."""


@dataclass(frozen=True)
class Test:
    """A condition on the rows of one table: ``origin`` tests it, ``through`` are steps whose rows it makes fewer."""

    value: Any
    origin: str
    through: tuple[str, ...] = ()


def find_tests(
    steps: Sequence[str], topology: Topology, relations: Mapping[str, Mapping[str, Any]]
) -> dict[str, list[Test]]:
    """Conditions of later steps, by the table of the stage (``part_name``) whose rows they may be tested on already.

    A step with several wires or out ports needs its rows for more than one purpose: nothing passes it.
    """
    found: dict[str, list[Test]] = {}
    wires = Counter(part_name(wire.source_step, wire.source_port) for step in steps for wire in topology.into[step])
    for step in reversed(steps):
        if not topology.into[step] or len(relations[step]) != 1:
            continue
        ((port, relation),) = relations[step].items()
        below = tests_below(step, relation, found.get(part_name(step, port), ()))
        found.update({table: tests for table, tests in below.items() if wires[table] == 1 and tests})
    return found


def with_tests(relation: Any, tests: Sequence[Test]) -> Any:
    """A relation with those tests that it does not make already."""
    node = relation.op()
    known, below = (conjuncts(node.predicates), node.parent) if isinstance(node, ops.Filter) else ([], node)
    values = dict.fromkeys(on_rows_of(test, node) for test in tests if on_rows_of(test, below) not in known)
    return relation.filter(reduce(lambda a, b: a & b, (one.to_expr() for one in values))) if values else relation


def tests_below(step: str, relation: Any, tests: Iterable[Test]) -> dict[str, list[Test]]:
    """The tests that rows of the tables below ``relation`` must pass to have any effect on it.

    ``tests`` are on the rows of ``relation`` itself (over any table with its columns). Tables that a relation names
    several times are left out: one of their rows may be dropped on one way and needed on another.
    """
    found: dict[str, list[list[Test]]] = {}
    own = [_carried(test, relation.op(), step) for test in tests]
    _descend(relation.op(), own, step, found)
    return {name: ways[0] for name, ways in found.items() if len(ways) == 1}


def _carried(test: Test, node: Any, step: str) -> Test:
    through = test.through if step in test.through else (*test.through, step)
    return Test(on_rows_of(test, node), test.origin, through)


def on_rows_of(test: Test, node: Any) -> Any:
    """A test's condition on the rows of a relation that has its columns."""
    return _moved(test.value, lambda name: ops.Field(node, name))


def _moved(value: Any, target: Callable[[str], Any]) -> Any:
    """A condition with each of its columns (all of one table) replaced."""
    fields = {one: target(one.name) for one in value.find(ops.Field, filter=ops.Value)}
    return fields[value] if value in fields else value.replace(fields, filter=ops.Value)


# ── down through one step ─────────────────────────────────────────────────────────────────────────────────


def _descend(node: Any, tests: list[Test], step: str, found: dict[str, list[list[Test]]]) -> None:
    if isinstance(node, ops.UnboundTable):
        found.setdefault(node.name, []).append(tests)
        return
    for value in _values(node):
        for query in value.find(_SUBQUERIES, filter=ops.Value):
            _descend(query.rel, [], step, found)
    for below, passed in _below(node, tests, step):
        _descend(below, passed, step, found)


def _below(node: Any, tests: list[Test], step: str) -> list[tuple[Any, list[Test]]]:
    """The relations right below with the tests that reach them."""
    if isinstance(node, ops.JoinChain):
        return _through_join(node, tests)
    if isinstance(node, ops.Project):
        return [(node.parent, _substituted(tests, node.values) if _by_row(node.values.values()) else [])]
    if isinstance(node, ops.Filter):
        if not _by_row(node.predicates):
            return [(node.parent, [])]  # the first row of each group, say: a row that is dropped would let another in
        own = [Test(one, step) for one in conjuncts(node.predicates) if _is_useful(one)]
        return [(node.parent, _renamed([*tests, *own], node.parent))]
    if isinstance(node, ops.Sort):
        passes = _by_row(node.keys)
        return [(node.parent, _renamed(tests, node.parent) if passes else [])]
    if isinstance(node, ops.Distinct | ops.JoinReference | ops.SelfReference):
        return [(node.parent, _renamed(tests, node.parent))]
    if isinstance(node, ops.Aggregate):
        # Whole groups go or stay. Without groups there is one row whatever comes in.
        return [(node.parent, _substituted(tests, node.groups) if _by_row(node.groups.values()) else [])]
    if isinstance(node, ops.Set):
        return [(side, _renamed(tests, side)) for side in (node.left, node.right)]
    return [(parent, []) for parent in _relations(node)]


def _through_join(node: Any, tests: list[Test]) -> list[tuple[Any, list[Test]]]:
    tables = [node.first, *(link.table for link in node.rest)]
    if len(tables) != 2 or not _by_row(node.values.values()):
        return [(table, []) for table in tables]
    (link,) = node.rest
    inside = _substituted(tests, node.values)
    left = _of(inside, node.first) if link.how in _LEFT_PASSES else []
    right = _of(inside, link.table) if link.how in _RIGHT_PASSES else []
    if link.how in _KEYS_PASS:
        right += _by_key(left, link)
    if link.how == "inner":
        left += [one for one in _by_key(right, link) if one.value not in {other.value for other in left}]
    return [(node.first, left), (link.table, list({one.value: one for one in right}.values()))]


def _by_key(tests: Sequence[Test], link: Any) -> list[Test]:
    """Tests on one side's keys, as tests on the other side's: their values are the same wherever two rows meet."""
    same: dict[Any, Any] = {}
    for test in link.predicates:
        if is_key(test) and test.left.dtype == test.right.dtype:
            same |= {test.left: test.right, test.right: test.left}
    made = []
    for test in tests:
        fields = set(test.value.find(ops.Field, filter=ops.Value))
        if fields <= set(same):
            value = test.value
            value = (
                same[value] if value in same else value.replace({one: same[one] for one in fields}, filter=ops.Value)
            )
            made.append(replace(test, value=value))
    return made


def is_key(test: Any) -> bool:
    """Whether a join's condition is that two columns are equal."""
    is_equal = isinstance(test, ops.Equals | ops.IdenticalTo)
    return is_equal and isinstance(test.left, ops.Field) and isinstance(test.right, ops.Field)


def _of(tests: Iterable[Test], table: Any) -> list[Test]:
    return [test for test in tests if {one.rel for one in test.value.find(ops.Field, filter=ops.Value)} == {table}]


def _substituted(tests: Iterable[Test], values: Mapping[str, Any]) -> list[Test]:
    """Tests on made columns as tests on what these are made of; those that might fail then are left out."""
    made = []
    for test in tests:
        names = {one.name for one in test.value.find(ops.Field, filter=ops.Value)}
        if names <= set(values):
            value = _moved(test.value, values.__getitem__)
            if _is_useful(value):
                made.append(replace(test, value=value))
    return made


def _renamed(tests: Iterable[Test], node: Any) -> list[Test]:
    moved = [replace(test, value=on_rows_of(test, node)) for test in tests]
    return [one for one in moved if _is_useful(one.value)]


def _is_useful(value: Any) -> bool:
    """Whether a condition looks at a row, and can neither fail nor depend on anything else."""
    return bool(value.find(ops.Field, filter=ops.Value)) and is_plain(value)


def _by_row(values: Iterable[Any]) -> bool:
    return not any(value.find(_NOT_BY_ROW, filter=ops.Value) for value in values)


def _values(node: Any) -> list[Any]:
    """All values in an operation, those of its joins, too."""
    parts = [*_flat(node.args), *(part for link in getattr(node, "rest", ()) for part in _flat(link.args))]
    return [part for part in parts if isinstance(part, ops.Value)]


def _relations(node: Any) -> list[Any]:
    return [part for part in _flat(node.args) if isinstance(part, ops.Relation)]


def _flat(args: Iterable[Any]) -> Iterable[Any]:
    for arg in args:
        if isinstance(arg, Mapping):
            yield from _flat(arg.values())
        elif isinstance(arg, tuple):
            yield from _flat(arg)
        else:
            yield arg
