"""Texts that stand prepared in a connection, and the places into which each run of them puts its streams."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import pyarrow as pa

from node_catalog.sdk.memory import Memory
from runtime.engine.given import Values, arguments
from runtime.engine.one_scan import Feed

MOST_TEXTS = 128
"""So many texts may be prepared in one connection."""
SEEN: Memory[bool] = Memory(4096)
"""Texts that were run lately (as numbers), each with the word of its work: one that comes again is prepared."""


class Texts:
    """What is prepared in one connection."""

    def __init__(self) -> None:
        self._prepared: dict[str, tuple[str, Collection[str]]] = {}
        self.feeds: dict[str, Feed] = {}

    def __contains__(self, sql: str) -> bool:
        return sql in self._prepared

    def has_room(self, inputs: Mapping[str, pa.Schema]) -> bool:
        """Whether one more text can be prepared: none before it has another input of such a name."""
        if len(self._prepared) >= MOST_TEXTS:
            return False
        return all(self.feeds[name].is_for(schema) for name, schema in inputs.items() if name in self.feeds)

    def new_feeds(self, inputs: Mapping[str, pa.Schema]) -> Iterator[Feed]:
        """The places of inputs that no text has had yet; they are to be registered."""
        for name, schema in inputs.items():
            if name not in self.feeds:
                self.feeds[name] = Feed(name, schema)
                yield self.feeds[name]

    def next_name(self) -> str:
        """How the next text is called."""
        return f"text_{len(self._prepared)}"

    def add(self, sql: str, names: Collection[str]) -> None:
        """It is prepared, for values with these ``names``."""
        self._prepared[sql] = self.next_name(), names

    def execution(self, sql: str, values: Values | None, where: str) -> str:
        """What runs a prepared text. Raises TextRefusedError."""
        name, names = self._prepared[sql]
        return f"execute {name}{arguments(names, values or {}, where)}"
