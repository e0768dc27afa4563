"""Errors of node types, sorted by what the caller can do.

NodeTypeError               base: code, message (both languages), where, retry
├── SettingsError           the settings are wrong: every problem found, each with its pointer   fatal
├── ConnectError            the system cannot be reached or refuses us                            retry
│   └── RefusedError        wrong password, missing right, address not allowed                    fatal
├── SourceError             the source answered, but not with what the catalogue promised         fatal
│   └── SourceBusyError     the source is overloaded or timed out                                 retry
├── DataError               a value cannot be read or converted (``detail`` may quote data)       fatal
├── TargetError             the target refuses the rows or is gone                                fatal
│   └── TargetBusyError     the target is locked, overloaded or has no room just now              retry
└── FencedError             a newer attempt owns this delivery: stop, write nothing               skip
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from node_catalog.sdk.text import Text

Retry = Literal["fatal", "retry", "skip"]


class NodeTypeError(Exception):
    """Base of all errors that a node type raises.

    ``message`` must be safe for operators: it never quotes rows. What quotes data goes into ``detail``,
    which only people with the right to the data are shown.
    """

    retry: ClassVar[Retry] = "fatal"

    def __init__(self, code: str, message: Text, where: str = "", detail: str = "") -> None:
        super().__init__(f"{code}: {message.get('en', '')}")
        self.code = code
        self.message = message
        self.where = where
        self.detail = detail


@dataclass(frozen=True)
class Problem:
    """One thing wrong with settings: where (RFC 6901 pointer), what, and the value's limits in words."""

    pointer: str
    code: str
    message: Text
    extra: dict[str, Any] = field(default_factory=dict)


class SettingsError(NodeTypeError):
    """The settings do not fit; ``problems`` lists all of them, not just the first."""

    def __init__(self, code: str, message: Text, problems: tuple[Problem, ...] = (), where: str = "") -> None:
        super().__init__(code, message, where)
        self.problems = problems


class ConnectError(NodeTypeError):
    """The system cannot be reached now; a later try may succeed."""

    retry: ClassVar[Retry] = "retry"


class RefusedError(ConnectError):
    """The system is there and says no: password, right, or address. Trying again changes nothing."""

    retry: ClassVar[Retry] = "fatal"


class SourceError(NodeTypeError):
    """A table, file or column that the catalogue knows is missing or has changed."""


class SourceBusyError(SourceError):
    """The source did not answer in time or has no free connection."""

    retry: ClassVar[Retry] = "retry"


class DataError(NodeTypeError):
    """A value cannot be read as its declared type."""


class TargetError(NodeTypeError):
    """The target cannot take the rows."""


class TargetBusyError(TargetError):
    """The target cannot take the rows just now: locked, unreachable, or its disk is full."""

    retry: ClassVar[Retry] = "retry"


class FencedError(NodeTypeError):
    """A newer attempt has raised the fence; this one must stop without writing."""

    retry: ClassVar[Retry] = "skip"
