"""How the row counts of inner steps can be read from the engine's profile once a stage has ended."""

from __future__ import annotations

from typing import Any

import ibis.expr.operations as ops

from flows.graph.plan import Probe
from node_catalog.sdk.typed_rows import rows_made

_JOINS = (
    "HASH_JOIN",
    "NESTED_LOOP_JOIN",
    "BLOCKWISE_NL_JOIN",
    "CROSS_PRODUCT",
    "PIECEWISE_MERGE_JOIN",
    "IE_JOIN",
    "POSITIONAL_JOIN",
)
_GROUPS = ("HASH_GROUP_BY", "PERFECT_HASH_GROUP_BY", "UNGROUPED_AGGREGATE", "PARTITIONED_AGGREGATE")
_OPERATORS: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (ops.Filter, ("FILTER",)),
    (ops.Aggregate, _GROUPS),
    (ops.Distinct, _GROUPS),
    (ops.JoinChain, _JOINS),
    (ops.Limit, ("LIMIT", "STREAMING_LIMIT", "TOP_N", "LIMIT_PERCENT")),
    (ops.Union, ("UNION",)),
)


def probe_of(step: str, relation: Any, keeps_rows: bool, before: str) -> Probe:
    """The probe of a step: as many rows as the step ``before``, or the operators whose output is this step's."""
    if keeps_rows and before:
        return Probe(step, same_as=before)
    node = relation.op()
    if isinstance(node, ops.DummyTable):
        return Probe(step, rows=rows_made(node))
    while isinstance(node, ops.Project | ops.Sort) and not isinstance(node, ops.JoinChain):
        node = node.parent
    if isinstance(node, ops.JoinChain) and any(link.how == "asof" for link in node.rest):
        return Probe(step)  # the engine may build it of several joins
    return Probe(step, next((names for kind, names in _OPERATORS if isinstance(node, kind)), ()))


def same_counts(probes: tuple[Probe, ...]) -> tuple[Probe, ...]:
    """What is left of probes where there is no profile of operators: steps with as many rows as another."""
    return tuple(Probe(probe.step, same_as=probe.same_as) for probe in probes)
