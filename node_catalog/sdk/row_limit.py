"""A limit on rows or columns that a step makes: checked before they are made, told in words when it is passed."""

from __future__ import annotations

from typing import Any

ROWS = "more rows than the limit of "
COLUMNS = "more columns than the limit of "
"""How the engine's error begins; the number follows (``runtime.engine.translate`` turns it into words)."""


def at_most(value: Any, count: Any, most: int, mark: str = ROWS) -> Any:
    """``value``, or the end of the stage when ``count`` (a value of the same row) is beyond ``most``."""
    import ibis

    from node_catalog.sdk.engine_calls import engine_call

    return ibis.ifelse(count > most, engine_call("error", value.type(), f"{mark}{most}"), value)
