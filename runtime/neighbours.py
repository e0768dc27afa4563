"""Worker processes of the same machine: one that has died is noticed at once, long before its leases run out.

A process is known by its machine, its number and the moment at which it began: numbers are given again, and a
container has numbers of its own. Where the system does not tell, the leases alone decide.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

from runtime import reaper
from runtime.models import Worker

REFRESH_SECONDS = 1.0
DEAD = ("Z", "X")
"""States of a process that only waits to be buried."""


def place_of(process: int) -> str:
    """Machine, process space and beginning of a living process; empty when it is gone or the system does not say."""
    with suppress(OSError, IndexError):
        state, began = _state_and_beginning(process)
        return "" if state in DEAD else f"{_machine()}/{began}"
    return ""


def has_ended(process: int, place: str) -> bool:
    """Whether the process of this machine that had this number and ``place`` is no more."""
    try:
        state, began = _state_and_beginning(process)
    except OSError:
        return not _exists(process)
    return state in DEAD or place != f"{_machine()}/{began}"


def _state_and_beginning(process: int) -> tuple[str, str]:
    state, *fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return state, fields[18]


def _exists(process: int) -> bool:
    """Also for a process of another user that we may not look at."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _machine() -> str:
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return f"{boot}/{os.readlink('/proc/self/ns/pid')}"


class Neighbours:
    """Who works on this machine besides this process. ``look`` may be called many times a second."""

    def __init__(self, myself: str = "") -> None:
        self._myself = myself
        self._here = place_of(os.getpid()).rpartition("/")[0]
        self._living: dict[str, tuple[int, str]] = {}
        self._buried: set[str] = set()
        self._refresh_at = 0.0

    def look(self) -> int:
        """Take back the tasks of workers that have died; gives how many tasks that were."""
        if not self._here:
            return 0
        if time.monotonic() >= self._refresh_at:
            self._refresh()
        dead = [name for name, (process, place) in self._living.items() if has_ended(process, place)]
        taken = 0
        for name in dead:
            taken += reaper.take_back_from(name)
            self._buried.add(name)
            del self._living[name]
        return taken

    def _refresh(self) -> None:
        self._refresh_at = time.monotonic() + REFRESH_SECONDS
        rows = Worker.objects.filter(place__startswith=f"{self._here}/").exclude(pk=self._myself)
        known = {name: (process, place) for name, process, place in rows.values_list("pk", "process", "place")}
        self._living = {name: known[name] for name in known.keys() - self._buried}
        self._buried &= known.keys()
