"""Open connections that one work leaves to the next: opening two databases costs more than a small iteration.

Only works that name the same ``StageWork.keep`` (the iterations of one for-each in one run, for one person) use each
other's connections, and only one with the very same statements and limits. What has broken, spilled or grown old is
closed. A child does one work at a time, so there is one keeper per process; outside of a child nothing is kept.
"""

from __future__ import annotations

import os
import time
from collections.abc import Hashable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

MOST_SECONDS = 5.0
"""A connection older than that is closed after its work: a file that was replaced is seen, a server is let go."""
REST_SECONDS = 0.5
"""Without a next work for so long, everything is closed."""


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
    opened_at: float = field(default_factory=time.monotonic)

    def drop(self) -> None:
        """Close it, with the folder that was made for what it might have spilled."""
        self.raw.close()
        if self.spill:
            with suppress(OSError):
                os.rmdir(os.path.dirname(self.spill))

    @property
    def is_worn(self) -> bool:
        """Whether the next work should rather have a new one."""
        return time.monotonic() - self.opened_at > MOST_SECONDS or bool(self.spill and os.path.exists(self.spill))


class Keeper:
    """Connections that wait for the next work."""

    def __init__(self) -> None:
        self._word = ""
        self._free: list[Kept] = []

    @property
    def is_keeping(self) -> bool:
        """Whether anything is open."""
        return bool(self._free)

    def begin(self, word: str) -> None:
        """The next work names this; what others have left is closed."""
        if word != self._word:
            self.close()
            self._word = word

    def take(self, key: Hashable) -> Kept | None:
        """A connection that was opened for the very same."""
        for kept in self._free:
            if kept.key == key:
                self._free.remove(kept)
                if kept.spill:
                    os.makedirs(os.path.dirname(kept.spill), exist_ok=True)
                return kept
        return None

    def give(self, kept: Kept) -> None:
        """Its work is done, without an error."""
        if self._word and not kept.is_worn:
            self._free.append(kept)
        else:
            kept.drop()

    def close(self) -> None:
        """Close everything that waits."""
        while self._free:
            self._free.pop().drop()
        self._word = ""


KEEPER = Keeper()
"""This process's keeper."""
