"""Files that outlive a loss of power."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path


def sync(path: Path) -> None:
    """What is in a file, or which files are in a folder, is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_durable(paths: Iterable[Path]) -> None:
    """Several files with their folders: together they cost less than each by itself."""
    files = list(paths)
    for path in files:
        sync(path)
    for folder in dict.fromkeys(path.parent for path in files):
        sync(folder)
