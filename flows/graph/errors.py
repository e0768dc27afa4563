"""Errors of the flow core.

GraphError             base: code, message (both languages), where (RFC 6901 pointer), retry
├── DocumentError      the JSON is no flow document (too large, too deep, wrong shape)      fatal
├── ExpressionError    an expression does not parse or type-check; has position             fatal
├── StepError          a step's settings do not fit its inputs                              fatal
└── PlanError          a checked document cannot be planned (no right, source moved)        fatal
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from flows.graph.findings import Finding


class GraphError(Exception):
    """Base of all errors of documents, expressions and plans."""

    retry: ClassVar[str] = "fatal"
    column: str = ""
    """The column that is missing, when that is the problem."""

    def __init__(
        self, code: str, message: dict[str, str], where: str = "", fix: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(f"{code}: {message.get('en', '')}")
        self.code = code
        self.message = message
        self.where = where
        self.fix = fix


class DocumentError(GraphError):
    """The JSON is not a document that can be kept: nothing is stored."""


class ExpressionError(GraphError):
    """An expression does not parse or type-check; ``position`` is the character offset."""

    def __init__(
        self,
        code: str,
        message: dict[str, str],
        where: str = "",
        position: int = 0,
        fix: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(code, message, where, fix)
        self.position = position


class StepError(GraphError):
    """Settings that are well-formed but do not fit the step's inputs."""


class PlanError(GraphError):
    """The document cannot be planned today; ``findings`` says everything that stands in the way."""

    def __init__(
        self,
        code: str,
        message: dict[str, str],
        where: str = "",
        fix: Mapping[str, Any] | None = None,
        findings: Sequence[Finding] = (),
    ) -> None:
        super().__init__(code, message, where, fix)
        self.findings = tuple(findings)
