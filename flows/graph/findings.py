"""Findings of the validation ladder: one shape for every problem a document can have."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Severity = Literal["error", "warning", "info"]
Level = Literal["L0", "L1", "L2", "L3", "L4", "L5"]


class Finding(msgspec.Struct, frozen=True, omit_defaults=False):
    """What is wrong, where, and how to mend it.

    ``pointer`` is an RFC 6901 pointer into the document. ``fix`` is ``{"label": {en, zh-CN}, "operations": […]}``
    with operations of ``flows.graph.operations`` that mend the problem in one click.
    """

    code: str
    level: Level
    message: dict[str, str]
    severity: Severity = "error"
    pointer: str = ""
    step: str = ""
    port: str = ""
    fix: dict[str, Any] | None = None
