"""What the operating system holds a child process to. Linux has all of it; elsewhere what is missing is skipped."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from pathlib import Path

from runtime.engine.work import MEBIBYTE

HEADROOM_MB = 3072
"""Address space beyond the engine's memory limit: code, thread stacks, allocator arenas, Arrow batches in flight."""

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_STATUS = Path("/proc/self/status")
_SIZES = Path("/proc/self/statm")
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


def die_with_parent(parent: int) -> None:
    """Be killed when the parent's thread that started us ends; leave at once when the parent is gone already."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        libc.prctl(_PR_SET_DUMPABLE, 0)
    if os.getppid() != parent:
        os._exit(0)


def limit_address_space(memory_mb: int) -> None:
    """Bound what the process may map: a single runaway call then fails instead of taking the machine along."""
    if sys.platform == "linux":
        import resource

        most = (memory_mb + HEADROOM_MB) * MEBIBYTE
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def resident_bytes(field: str = "VmRSS") -> int:
    """Resident memory of this process now (``VmRSS``) or at its highest (``VmHWM``); 0 where it cannot be told."""
    try:
        if field == "VmRSS":  # asked for with every work, and this file is made up much faster
            return int(_SIZES.read_text().split()[1]) * _PAGE
        for line in _STATUS.read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    return 0


def forget_peak() -> None:
    """Start ``VmHWM`` anew, so that a recycled process reports each work's own peak."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pass
