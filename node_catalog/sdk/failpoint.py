"""Named places where a test may kill, stop or fail the process: a no-op unless armed.

The product calls ``failpoint("name")`` at every commit, file and network boundary. ``studio/env`` arms them at start
from the option FAILPOINTS: ``name=fault@hit`` separated by commas; ``hit`` counts from 1 (default 1).
"""

from __future__ import annotations

import errno
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

FAULTS = ("kill", "stop", "raise", "enospc", "eio")

_armed: dict[str, list[tuple[str, int]]] = {}
_hits: dict[str, int] = {}
_lock = threading.Lock()
_recorded: list[str] | None = None


class FailpointError(RuntimeError):
    """Raised by a failpoint that is armed with ``raise``."""


def failpoint(name: str) -> None:
    """Do what ``name`` is armed with at this hit; nothing when it is not armed."""
    if _recorded is not None:
        _recorded.append(name)
    if not _armed:
        return
    with _lock:
        faults = _armed.get(name)
        if not faults:
            return
        _hits[name] = hit = _hits.get(name, 0) + 1
        due = [fault for fault, at in faults if at == hit]
    for fault in due:
        _strike(fault, name)


def arm(spec: str) -> None:
    """Arm failpoints from ``name=fault@hit,…`` and forget earlier ones; an empty text disarms all.

    Raises ValueError naming the part that cannot be read.
    """
    armed: dict[str, list[tuple[str, int]]] = {}
    for part in filter(None, (part.strip() for part in spec.split(","))):
        name, equals, rest = part.partition("=")
        fault, _, hit = rest.partition("@")
        if not equals or fault not in FAULTS or (hit and not hit.isdigit()):
            raise ValueError(f"failpoint {part!r} is not name=fault@hit with a fault of {', '.join(FAULTS)}")
        armed.setdefault(name, []).append((fault, int(hit or 1)))
    with _lock:
        _armed.clear()
        _armed.update(armed)
        _hits.clear()


@contextmanager
def recording() -> Iterator[list[str]]:
    """Collect the names of the failpoints passed inside the block, so that a test can then arm each of them."""
    global _recorded
    names: list[str] = []
    _recorded = names
    try:
        yield names
    finally:
        _recorded = None


def _strike(fault: str, name: str) -> None:
    match fault:
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        case "enospc" | "eio":
            number = errno.ENOSPC if fault == "enospc" else errno.EIO
            raise OSError(number, os.strerror(number), name)
        case _:
            raise FailpointError(name)
