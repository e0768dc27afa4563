"""Open connections that one work leaves to the next: opening two databases costs more than a small stage.

A connection of the engine's own, which holds nothing, serves any next work with the same limits. One that has a source
open serves works that name the same ``StageWork.keep``: runs of one plan for one person as long as it locks nothing
there (``Attach.is_light``), iterations of one for-each in any case; and only with the very same statements and files.
What has broken, spilled or grown old is closed. A child does one work at a time, so there is one keeper per process.

Works of one ``keep`` also leave the few rows of small files to each other, which would be read back at once, and their
texts, prepared.
"""

from __future__ import annotations

import os
import time
from collections.abc import Hashable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

import pyarrow as pa

from runtime.engine.folders import make_folder

MOST_SECONDS = 5.0
"""A source's connection older than that is closed after its work: a server is let go."""
OWN_SECONDS = 300.0
"""The same for connections without a source: whatever the allocator has gathered goes."""
MOST_FREE = 8
"""Connections that wait; of more, the one that was used longest ago is closed."""
REST_SECONDS = 0.5
"""Without a next work for so long, all sources are closed, and rows forgotten."""
SMALL_BYTES = 256 * 1024
"""Of memory for the rows of one file that are kept beside it."""
MOST_SMALL = 32
"""So many files' rows are kept; of more, the oldest go."""


class Closable(Protocol):
    """A connection of the engine."""

    def close(self) -> None:
        """Let go of its files and servers."""


@dataclass
class Kept:
    """A connection, what it was opened for, and the folder into which it would spill."""

    raw: Closable
    key: Hashable
    spill: str
    has_source: bool = True
    texts: Any = None
    """What is prepared in it, when it is there for that."""
    opened_at: float = field(default_factory=time.monotonic)

    def drop(self) -> None:
        """Close it, with the folder that was made for what it might have spilled."""
        self.raw.close()
        self.fold()

    def fold(self) -> None:
        """Remove the empty folder; it is made again when the connection is taken."""
        if self.spill:
            with suppress(OSError):
                os.rmdir(os.path.dirname(self.spill))

    @property
    def is_worn(self) -> bool:
        """Whether the next work should rather have a new one."""
        most = MOST_SECONDS if self.has_source else OWN_SECONDS
        return time.monotonic() - self.opened_at > most or bool(self.spill and os.path.exists(self.spill))


class Keeper:
    """Connections that wait for the next work."""

    def __init__(self) -> None:
        self._word = ""
        self._keeps_all = False
        self._is_at_work = False
        self._free: list[Kept] = []
        self._rows: dict[str, pa.Table] = {}

    @property
    def has_sources(self) -> bool:
        """Whether a source is open, or rows of one are held."""
        return bool(self._rows) or any(kept.has_source for kept in self._free)

    @property
    def has_texts(self) -> bool:
        """Whether texts are held prepared."""
        return any(kept.texts is not None for kept in self._free)

    @property
    def word(self) -> str:
        """What the works of now have in common; empty: nothing is left to the next one."""
        return self._word if self._is_at_work else ""

    def begin(self, word: str, *, keeps_all: bool = False) -> None:
        """The next work names this; sources that others have left open are closed. ``keeps_all``: also those whose
        connections lock something.
        """
        self._is_at_work = True
        self._keeps_all = keeps_all
        if word != self._word:
            self.close_sources()
            self._word = word

    def may_keep(self, *, is_light: bool) -> bool:
        """Whether a source's connection may stay open behind this work."""
        return bool(self._word) and (is_light or self._keeps_all)

    def take(self, key: Hashable) -> Kept | None:
        """A connection that was opened for the very same."""
        for kept in self._free:
            if kept.key == key:
                self._free.remove(kept)
                if kept.spill:
                    make_folder(os.path.dirname(kept.spill))
                return kept
        return None

    def give(self, kept: Kept) -> None:
        """Its work is done, without an error. Outside of a child nothing is kept."""
        if not self._is_at_work or kept.is_worn:
            kept.drop()
            return
        kept.fold()
        self._free.append(kept)
        if len(self._free) > MOST_FREE:
            self._free.pop(0).drop()

    def keep_rows(self, path: str, rows: pa.Table) -> None:
        """Few rows that have just been written to a file of ours: the next work of this word need not read it."""
        if not self.word or rows.get_total_buffer_size() > SMALL_BYTES:
            return
        self._rows[path] = rows
        if len(self._rows) > MOST_SMALL:
            del self._rows[next(iter(self._rows))]

    def forget_rows(self, path: str) -> None:
        """A file is written anew."""
        self._rows.pop(path, None)

    def rows_of(self, path: str) -> pa.Table | None:
        """The rows of a file that a work of this word has written."""
        return self._rows.get(path)

    def close_texts(self) -> None:
        """Let go of what is prepared."""
        self._drop([kept for kept in self._free if kept.texts is not None])

    def close_sources(self) -> None:
        """Let go of all sources."""
        self._rows.clear()
        self._drop([kept for kept in self._free if kept.has_source])

    def close(self) -> None:
        """Close everything that waits."""
        self._rows.clear()
        self._drop([*self._free])
        self._word, self._is_at_work = "", False

    def _drop(self, some: Sequence[Kept]) -> None:
        for kept in some:
            self._free.remove(kept)
            kept.drop()


KEEPER = Keeper()
"""This process's keeper."""
