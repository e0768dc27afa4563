"""What a step type may ask for while it builds its relation: expressions, problems, warnings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flows.graph.errors import StepError
from flows.graph.expression import compile_expression
from flows.graph.expressions.parameters import Parameter
from flows.graph.queries.query import compile_query
from node_catalog.sdk.text import Text


class StepContext:
    """The BuildContext of one step (``node_catalog.sdk.contract``)."""

    def __init__(self, parameters: Mapping[str, Parameter]) -> None:
        self.parameters = parameters
        self.warnings: list[tuple[str, Text, str]] = []

    def expression(self, source: str, *tables: Any, pointer: str = "", aggregate: bool = False) -> Any:
        """Compile an expression; raises ExpressionError with ``pointer`` and the position."""
        return compile_expression(source, tables, self.parameters, pointer, aggregate)

    def query(self, source: str, tables: Mapping[str, Any], pointer: str = "") -> Any:
        """Compile a SELECT; raises ExpressionError with ``pointer``, position, line and column."""
        return compile_query(source, tables, self.parameters, pointer)

    def problem(
        self, code: str, message: Text, pointer: str = "", fix: Mapping[str, Any] | None = None, column: str = ""
    ) -> Exception:
        """The error for a problem at ``pointer`` inside the step's settings; ``column`` is the one that is missing."""
        error = StepError(code, message, pointer, fix)
        error.column = column
        return error

    def warn(self, code: str, message: Text, pointer: str = "") -> None:
        """Keep a warning for the findings."""
        self.warnings.append((code, message, pointer))
