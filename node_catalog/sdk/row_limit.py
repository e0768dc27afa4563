"""A limit on rows that a step makes out of few: checked before they are made, told in words when it is passed."""

from __future__ import annotations

from typing import Any

MARK = "more rows than the limit of "
"""How the engine's error begins; the number follows (``runtime.engine.translate`` turns it into words)."""


def at_most(value: Any, rows: Any, most: int) -> Any:
    """The integer ``value``, or the end of the stage when ``rows`` (a value of the same row) is beyond ``most``."""
    import ibis
    import ibis.expr.datatypes as dt

    from node_catalog.sdk.engine_calls import engine_call

    return ibis.ifelse(rows > most, engine_call("error", dt.int64, f"{MARK}{most}"), value)
