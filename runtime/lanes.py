"""Lanes of a worker: slots for one class of tasks each."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from runtime.engine.pool import ChildPool
from runtime.turns import Turns


@dataclass
class Lane:
    """Slots for one class of tasks: what people wait for never queues behind what takes minutes."""

    kinds: Collection[str]
    slots: int
    pool: ChildPool
    turns: Turns = field(default_factory=Turns)
    busy: int = 0
    was_rung: bool = False
    """A bell came while all slots were busy: look once more before a slot rests."""
    lock: threading.Lock = field(default_factory=threading.Lock)
    _rested: threading.Condition = field(init=False)
    _resting: int = 0
    """Threads that have given their slot back and wait for the next bell, with their connection to the database."""
    _bells: deque[str] = field(default_factory=deque)
    """The tasks that resting threads were woken for."""

    _is_closed: bool = False

    def __post_init__(self) -> None:
        self._rested = threading.Condition(self.lock)

    def enter(self, task_id: str, serve: Callable[[str], None]) -> None:
        """Take a slot if one is free, and let a thread ``serve`` it, with ``task_id`` first: one that rests, or a new
        one.
        """
        with self.lock:
            if self.busy >= self.slots:
                self.was_rung = True
                return
            self.busy += 1
            if self._resting > len(self._bells):
                self._bells.append(task_id)
                self._rested.notify()
                return
        threading.Thread(target=serve, args=(task_id,), name="worker-slot", daemon=True).start()

    def rest(self, seconds: float) -> str | None:
        """Wait for a bell after the slot was given back: the task to begin with ("": any); None: the thread may end."""
        with self.lock:
            self._resting += 1
            self._rested.wait_for(lambda: bool(self._bells) or self._is_closed, seconds)
            self._resting -= 1
            return self._bells.popleft() if self._bells else None

    def leave(self) -> bool:
        """Give the slot back, unless a bell came meanwhile: True means look again."""
        with self.lock:
            if self.was_rung:
                self.was_rung = False
                return True
            self.busy -= 1
            return False

    def close(self) -> None:
        """End the children, and the threads that rest."""
        with self.lock:
            self._is_closed = True
            self._rested.notify_all()
        self.pool.close()
