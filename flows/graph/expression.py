"""The one expression language of the product: SQL scalar syntax in, a typed Ibis value out.

``compile_expression`` is what filter, derive, aggregate, join and check call while they build their relation; the
same call is the type check. Everything not on the allow-list is refused with its place and what to do instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flows.graph.errors import ExpressionError
from flows.graph.expressions.compiler import Compiler
from flows.graph.expressions.functions import listed
from flows.graph.expressions.parameters import Parameter
from flows.graph.expressions.parse import parse_expression
from flows.graph.expressions.parse import too_deep as _too_deep
from flows.graph.expressions.problems import Problems
from node_catalog.sdk.text import text

__all__ = ["check_syntax", "compile_expression", "functions"]


def compile_expression(
    source: str,
    tables: Sequence[Any],
    parameters: Mapping[str, Parameter] | None = None,
    pointer: str = "",
    aggregate: bool = False,
) -> Any:
    """The Ibis value of ``source`` over the columns of ``tables`` (one, or left and right of a join).

    ``aggregate`` allows summaries such as ``sum(x) / count(*)``. Raises ExpressionError with ``pointer``, the
    position in the text and, where one is sure, a fix.
    """
    tree = parse_expression(source, pointer)
    problems = Problems(source, pointer)
    try:
        value = Compiler(tables, parameters or {}, problems, aggregate).compile(tree)
    except RecursionError:
        raise _too_deep(pointer) from None
    if value.type in ("null", "interval", "list"):
        message = text(
            "The result is no value that a column can hold. An empty value needs a type: cast(null as text).",
            "结果不是列可以存放的值。空值需要写明类型，例如 cast(null as text)。",
        )
        raise ExpressionError("expression.no_type", message, pointer)
    return value.expr


def check_syntax(source: str, pointer: str = "") -> None:
    """Raise ExpressionError when ``source`` is not one expression (columns and types are not looked at)."""
    parse_expression(source, pointer)


def functions() -> list[dict[str, Any]]:
    """All functions: name, signature, summary in both languages, example, group."""
    return listed()
