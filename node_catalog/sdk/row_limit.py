"""A limit on rows that a step makes out of few: checked before they are made, told in words when it is passed."""

from __future__ import annotations

from functools import cache
from typing import Any

MARK = "more rows than the limit of "
"""How the engine's error begins; the number follows (``runtime.engine.translate`` turns it into words)."""


@cache
def _fail() -> Any:
    import ibis

    def error(message: str) -> int:  # type: ignore[empty-body]
        """The engine's own function: ends the statement with this message."""

    return ibis.udf.scalar.builtin(error, signature=((ibis.dtype("string"),), ibis.dtype("int64")))


def at_most(value: Any, rows: Any, most: int) -> Any:
    """The integer ``value``, or the end of the stage when ``rows`` (a value of the same row) is beyond ``most``."""
    import ibis

    return ibis.ifelse(rows > most, _fail()(f"{MARK}{most}"), value)
