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

    def may_take(self, sql: str, inputs: Mapping[str, pa.Schema]) -> bool:
        """Whether a text is prepared, or can be: there is room, and no other text has another input of that name."""
        if sql in self._prepared:
            return True
        known = {name: self.feeds[name] for name in inputs if name in self.feeds}
        has_room = len(self._prepared) < MOST_TEXTS
        return has_room and all(feed.is_for(inputs[name]) for name, feed in known.items())

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
