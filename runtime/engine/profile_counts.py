"""Row counts of inner steps, read from DuckDB's profile after the stage has ended: assigned only when certain.

An operator's cardinality is a step's row count only if nothing the optimizer did could have changed it. So a probe
counts when exactly one operator of its kinds exists and exactly one probe asks for these kinds, no filter of the
text could have been moved below it, no join above it narrowed its inputs (dynamic filters), and no limit above it
stopped it early. Otherwise the count stays unknown: never guessed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flows.graph.plan import Probe
from runtime.engine.text_check import Tree, cte_entries, nodes_of

_CUTTING = frozenset(
    {"LIMIT", "STREAMING_LIMIT", "LIMIT_PERCENT", "HASH_JOIN", "NESTED_LOOP_JOIN", "BLOCKWISE_NL_JOIN",
     "PIECEWISE_MERGE_JOIN", "IE_JOIN", "ASOF_JOIN", "LEFT_DELIM_JOIN", "RIGHT_DELIM_JOIN", "CROSS_PRODUCT",
     "POSITIONAL_JOIN"}
)  # fmt: skip
"""Operators that may read less than what stands below them offers, or send filters down."""
_TOP = "TOP_N"
"""Reads all of its input, but may send a filter down to the scans."""


def inner_counts(
    profile: Mapping[str, Any], tree: Tree, probes: Sequence[Probe], known: Mapping[str, int]
) -> dict[str, int]:
    """Rows of the probed steps that are not ``known`` yet; steps without a certain count are missing."""
    found = {}
    for step, operator in _certain(profile, tree, probes).items():
        rows = operator.get("operator_cardinality")
        if isinstance(rows, int) and step not in known:
            found[step] = rows
    return _same(probes, {**known, **found}, known)


def inner_seconds(profile: Mapping[str, Any], tree: Tree, probes: Sequence[Probe]) -> dict[str, float]:
    """Seconds, over all threads, that the operators of the probed steps took; certain ones only."""
    timings = {step: one.get("operator_timing") for step, one in _certain(profile, tree, probes).items()}
    return {step: round(float(spent), 3) for step, spent in timings.items() if isinstance(spent, int | float)}


def _certain(profile: Mapping[str, Any], tree: Tree, probes: Sequence[Probe]) -> dict[str, Mapping[str, Any]]:
    """The operator that is a step and nothing else, for those probes that have one."""
    operators = list(_operators(profile))
    found = {probe.step: _operator_of(probe, probes, operators) for probe in probes}
    certain = {step: operator for step, operator in found.items() if operator is not None}
    return {} if not certain or has_filter_above(tree) else certain


def scanned_rows(profile: Mapping[str, Any], tree: Tree) -> int | None:
    """Rows that left the only scan of a text and the conditions of its own, when nothing else can have changed them.

    That is: no other condition in the text, no limit, no join, and no filter that a later operator sent down.
    """
    if any(node.get(key) is not None for node in nodes_of(tree) for key in ("where_clause", "having", "qualify")):
        return None
    found = list(_operators(profile))
    scans = [(operator, above) for operator, above in found if operator.get("operator_type") == "TABLE_SCAN"]
    if len(scans) != 1:
        return None
    scan, above = scans[0]
    if (_CUTTING | {_TOP}) & set(above) or _has_dynamic_filter(scan):
        return None
    filters = [operator for operator, _ in found if operator.get("operator_type") == "FILTER"]
    rows = (filters[0] if len(filters) == 1 else scan).get("operator_cardinality")
    return rows if isinstance(rows, int) and len(filters) < 2 else None


def _operator_of(
    probe: Probe, probes: Sequence[Probe], operators: Sequence[tuple[Mapping[str, Any], tuple[str, ...]]]
) -> Mapping[str, Any] | None:
    kinds = set(probe.operators)
    if not kinds or sum(1 for other in probes if kinds & set(other.operators)) != 1:
        return None
    matching = [(operator, above) for operator, above in operators if operator.get("operator_type") in kinds]
    if len(matching) != 1:
        return None
    operator, above = matching[0]
    if _CUTTING & set(above) or (_TOP in above and _has_dynamic_filter(operator)):
        return None
    return operator


def _has_dynamic_filter(operator: Mapping[str, Any]) -> bool:
    return any("Dynamic" in str(part.get("extra_info") or "") for part, _ in _operators(operator))


def _operators(
    part: Mapping[str, Any], above: tuple[str, ...] = ()
) -> Iterator[tuple[Mapping[str, Any], tuple[str, ...]]]:
    """Every operator with the kinds of those above it."""
    kind = str(part.get("operator_type") or "")
    if kind:
        yield part, above
    for child in part.get("children") or ():
        yield from _operators(child, (*above, kind) if kind else above)


def _same(probes: Sequence[Probe], counts: dict[str, int], known: Mapping[str, int]) -> dict[str, int]:
    """Add steps that by definition have as many rows as another one whose count is there."""
    changed = True
    while changed:
        changed = False
        for probe in probes:
            if probe.same_as in counts and probe.step not in counts:
                counts[probe.step] = counts[probe.same_as]
                changed = True
    return {step: rows for step, rows in counts.items() if step not in known}


def has_filter_above(tree: Tree) -> bool:
    """Whether some condition of the text stands above a join, a grouping, a set operation or a distinct.

    Such a condition may be moved below it, and then the operator there has fewer rows than the step.
    """
    bodies = {str(entry["key"]).lower(): entry["value"] for node in nodes_of(tree) for entry in cte_entries(node)}
    for node in nodes_of(tree):
        if node.get("type") != "SELECT_NODE":
            continue
        if node.get("having") is not None or node.get("qualify") is not None:
            return True
        if node.get("where_clause") is not None and _combines(node.get("from_table"), bodies, frozenset()):
            return True
    return False


def _combines(part: Any, bodies: Mapping[str, Any], seen: frozenset[str]) -> bool:
    for node in nodes_of(part):
        kind = node.get("type")
        if kind in ("JOIN", "SET_OPERATION_NODE", "PIVOT", "RECURSIVE_CTE_NODE"):
            return True
        if kind == "SELECT_NODE" and (
            node.get("group_expressions") or node.get("group_sets") or _is_distinct(node) or _aggregates(node)
        ):
            return True
        name = str(node.get("table_name") or "").lower() if kind == "BASE_TABLE" else ""
        if name in bodies and name not in seen and _combines(bodies[name], bodies, seen | {name}):
            return True
    return False


def _is_distinct(node: Tree) -> bool:
    return any(modifier.get("type") == "DISTINCT_MODIFIER" for modifier in node.get("modifiers") or ())


def _aggregates(node: Tree) -> bool:
    """An aggregate without groups gives one row whatever was moved below it, yet its own inputs would change."""
    return node.get("aggregate_handling") not in (None, "STANDARD_HANDLING")
