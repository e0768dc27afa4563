"""Errors of apps and flows.

FlowError             base: code, message (both languages), where, retry
├── DraftStaleError   operations no longer apply to the newest draft; carries what happened since     409
├── FlowRightError    the person sees the app but may not do this with it                       403
├── FlowCheckError    the flow does not reach the level that the action needs; carries the findings   422
└── BundleError       an imported file is no bundle of ours                                           400
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from flows.graph.findings import Finding


class FlowError(Exception):
    """Base of all errors of this package; ``status`` is the HTTP status that fits."""

    retry: ClassVar[str] = "fatal"
    status: ClassVar[int] = 400

    def __init__(self, code: str, message: dict[str, str], where: str = "") -> None:
        super().__init__(f"{code}: {message.get('en', '')}")
        self.code = code
        self.message = message
        self.where = where

    @property
    def extra(self) -> dict[str, Any]:
        """Further members of the problem body."""
        return {}


class DraftStaleError(FlowError):
    """Someone else's edit makes these operations impossible; nothing of this batch was stored."""

    status = 409

    def __init__(self, message: dict[str, str], revision: int, operations_since: list[dict[str, Any]]) -> None:
        super().__init__("draft.stale", message)
        self.revision = revision
        self.operations_since = operations_since

    @property
    def extra(self) -> dict[str, Any]:
        return {"revision": self.revision, "operations_since": self.operations_since}


class FlowRightError(FlowError):
    """Looking is allowed, this action is not."""

    status = 403


class FlowCheckError(FlowError):
    """The findings stand in the way of what was asked."""

    status = 422

    def __init__(self, findings: Sequence[Finding], message: dict[str, str] | None = None) -> None:
        first = findings[0] if findings else None
        super().__init__(
            "flow.not_ready",
            message
            or {
                "en": f"The flow has {len(findings)} problem(s) to solve first: "
                + (first.message.get("en", "") if first else ""),
                "zh-CN": f"流程还有 {len(findings)} 个问题需要先解决："
                + (first.message.get("zh-CN", "") if first else ""),
            },
            where=first.pointer if first else "",
        )
        self.findings = tuple(findings)

    @property
    def problems(self) -> list[dict[str, Any]]:
        return [
            {"pointer": f.pointer, "code": f.code, "message": f.message, "step": f.step, "level": f.level}
            for f in self.findings
        ]


class BundleError(FlowError):
    """The file is not a bundle that can be imported."""
