"""Bells that say alike: of a thousand runs of one flow, as many are rung for as somebody seems to hear.

Whoever hears a bell goes on until nothing is due, so that one more for the same kind of work costs its sender and its
hearer some milliseconds and changes nothing while all slots are at work. A few such bells are out at a time; the others
wait until the tasks of those have been claimed, and are forgotten when their own have. A bell that waits for longer
than a moment is left to ``runtime.dispatcher.Reminder``, as a lost one is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

AT_ONCE = 4
"""Bells of one kind that are out, for all that is known: rung, and their tasks not claimed."""
PATIENCE = 1.0
"""Seconds after which a bell is no longer thought of."""


@dataclass(frozen=True)
class Bell:
    """One row of the outbox."""

    row: int
    key: str
    like: str = ""
    """Bells with the same words call for the same kind of work; empty: for something of its own."""
    at: float = 0.0
    """When it came (``time.monotonic``)."""

    @property
    def task(self) -> str:
        return self.key.partition("/")[0]


@dataclass
class _Kind:
    out: list[Bell] = field(default_factory=list)
    held: deque[Bell] = field(default_factory=deque)


class Alike:
    """Which bells of one process are out, and which wait. For one thread."""

    def __init__(self, ring: Callable[[str], bool]) -> None:
        self._ring = ring
        self._kinds: dict[str, _Kind] = {}

    @property
    def is_waiting(self) -> bool:
        """Whether there is something to look for."""
        return bool(self._kinds)

    def hear(self, bell: Bell) -> bool:
        """Ring, or keep it until those before it are heard; False when the broker does not take it."""
        if not bell.like:
            return self._ring(bell.key)
        kind = self._kinds.get(bell.like)
        if kind is not None and len(kind.out) >= AT_ONCE:
            kind.held.append(bell)
            return True
        if not self._ring(bell.key):
            return False
        self._kinds.setdefault(bell.like, _Kind()).out.append(bell)
        return True

    def look(self, ready: Callable[[Collection[str]], Collection[str]], now: float) -> None:
        """Ring for those that wait in place of those that were heard; ``ready``: which tasks nobody has claimed."""
        left = ready([bell.task for kind in self._kinds.values() for bell in (*kind.out, *kind.held)])
        for like, kind in list(self._kinds.items()):
            kind.out = [bell for bell in kind.out if bell.task in left and now - bell.at < PATIENCE]
            kind.held = deque(bell for bell in kind.held if bell.task in left and now - bell.at < PATIENCE)
            while kind.held and len(kind.out) < AT_ONCE:
                bell = kind.held.popleft()
                if not self._ring(bell.key):
                    kind.held.clear()  # the scheduler rings again when there is a broker
                    break
                kind.out.append(bell)
            if not kind.out:
                del self._kinds[like]

    def forget(self) -> None:
        """Nothing is known any more: the database is away, and the scheduler rings again when it is back."""
        self._kinds.clear()
