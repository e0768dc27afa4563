"""One dataset that several steps of a stage read: it is asked once, for what any of them needs.

Their source is spared a second scan, and they all see the same rows. Only where the conditions that stand in each
read leave so little that the reads apart fetch less, by the estimate, each step still asks for itself.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

from flows.graph.descend import Test, on_rows_of
from flows.graph.estimate import Estimator, row_width, source_estimate
from flows.graph.relation_text import SOURCE
from flows.graph.sources import DatasetInfo
from node_catalog.sdk.grant import GrantSpec

SCANNED = 8.0
"""What one more scan costs the source for every row of the dataset, in bytes fetched."""


@dataclass(frozen=True)
class Use:
    """What one step needs of the dataset as the grant shows it: columns, and conditions that its rows must pass."""

    columns: Collection[str]
    tests: Sequence[Test]


def shared_relation(narrowed: Any, uses: Sequence[Use]) -> tuple[Any, set[str]]:
    """The rows and columns of ``narrowed`` (what the grant leaves of the dataset) that any of ``uses`` needs."""
    columns = set[str]().union(*(use.columns for use in uses))
    if not all(use.tests for use in uses):
        return narrowed, columns
    conditions = {condition.op(): condition for condition in (_all(narrowed, use.tests) for use in uses)}
    return narrowed.filter(reduce(lambda a, b: a | b, conditions.values())), columns


def is_dearer(info: DatasetInfo, grant: GrantSpec, narrowed: Any, uses: Sequence[Use]) -> bool:
    """Whether one read would fetch more than the reads apart, the scans that these take besides counted in."""
    if info.rows is None:
        return False
    known = Estimator({SOURCE: source_estimate(info, grant)})

    def size(relation: Any, columns: Collection[str]) -> float:
        return (known.of(relation.op()).rows or 0.0) * row_width(relation, columns)

    once = size(*shared_relation(narrowed, uses))
    apart = sum(size(*shared_relation(narrowed, [use])) for use in uses)
    return once > apart + SCANNED * info.rows * (len(uses) - 1)


def _all(table: Any, tests: Sequence[Test]) -> Any:
    return reduce(lambda a, b: a & b, (on_rows_of(test, table.op()).to_expr() for test in tests))
