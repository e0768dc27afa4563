"""Lanes of a worker: slots for one class of tasks each."""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import dataclass, field

from runtime.engine.pool import ChildPool


@dataclass
class Lane:
    """Slots for one class of tasks: what people wait for never queues behind what takes minutes."""

    kinds: Collection[str]
    slots: int
    pool: ChildPool
    busy: int = 0
    was_rung: bool = False
    """A bell came while all slots were busy: look once more before a slot rests."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def enter(self) -> bool:
        """Take a slot; False when all are busy."""
        with self.lock:
            if self.busy >= self.slots:
                self.was_rung = True
                return False
            self.busy += 1
            return True

    def leave(self) -> bool:
        """Give the slot back, unless a bell came meanwhile: True means look again."""
        with self.lock:
            if self.was_rung:
                self.was_rung = False
                return True
            self.busy -= 1
            return False
