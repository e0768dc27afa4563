"""What the parts of the compiler see of it: operators, casts and calls compile their own operands through this."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from sqlglot import exp

from flows.graph.expressions.parameters import Parameter
from flows.graph.expressions.problems import Problems
from flows.graph.expressions.values import Value, common_type
from node_catalog.sdk.text import text


class Walk(Protocol):
    """One expression while it is compiled over the columns of ``tables``."""

    tables: Sequence[Any]
    parameters: Mapping[str, Parameter]
    aggregate: bool
    inside_aggregate: bool

    @property
    def problems(self) -> Problems:
        """Makes the errors."""

    def compile(self, node: exp.Expression) -> Value:
        """The typed value of ``node``; raises ExpressionError."""


def same_type(walk: Walk, node: exp.Expression, results: Sequence[tuple[exp.Expression, Value]]) -> str:
    """The common type of alternatives; raises ExpressionError at the first that does not fit."""
    kind = "null"
    for part, value in results:
        wide = common_type([kind, value.type])
        if wide is None or value.type in ("interval", "list"):
            first = next(found for _, found in results if found.type != "null")
            doing = text("alternatives of one value", "作为同一结果的不同取值")
            raise walk.problems.mismatch(part, first, value, doing)
        kind = wide
    if kind == "null":
        message = text(
            "All alternatives are empty, so the result has no type. Write cast(null as text), for example.",
            "所有取值都为空，无法确定结果类型。可写成 cast(null as text)。",
        )
        raise walk.problems.error("no_type", message, node)
    return kind
