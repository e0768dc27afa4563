"""Values that a text is given when it runs: for a text that runs once, and as SQL for one that stands prepared."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from node_catalog.sdk.sql_node import literal
from runtime.engine.translate import refused_error

Values = Mapping[str, tuple[str, str]]
"""By their names in the text: type and words (``flows.graph.given_values``)."""
_TYPES = {
    "text": "varchar", "integer": "bigint", "number": "double", "boolean": "boolean", "date": "date", "time": "time",
    "timestamp": "timestamp",
}  # fmt: skip


def words_of(names: Collection[str], values: Values, where: str = "") -> dict[str, str]:
    """The words of those in ``names``: the engine wants no others. Raises TextRefusedError."""
    return {name: words for name, (_, words) in _named(names, values, where)}


def arguments(names: Collection[str], values: Values, where: str = "") -> str:
    """The same behind ``execute``. Each value has exactly the type that the text was prepared for: with any other one
    the whole text would be planned anew.
    """
    given = [f"{name} := {_typed(*value)}" for name, value in _named(names, values, where)]
    return f"({', '.join(given)})" if given else ""


def _named(names: Collection[str], values: Values, where: str) -> Iterator[tuple[str, tuple[str, str]]]:
    for name, value in values.items():
        if name in names:
            if "\x00" in value[1]:
                raise refused_error("a NUL character", where)
            yield name, value


def _typed(kind: str, words: str) -> str:
    return literal(words) if kind == "text" else f"cast({literal(words)} as {_TYPES[kind]})"
