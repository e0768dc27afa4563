"""Opening a SQLite file."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

SPILL_PAGES = 32_768
"""Pages of a transaction that are held in memory before the first is written (128 MiB at the usual page size)."""


def connect(path: Path, lock_seconds: float, statement_seconds: float, *, read_only: bool = False) -> Any:
    """A connection without Python's own transactions; a statement longer than ``statement_seconds`` is interrupted."""
    import sqlite3

    mode = "ro" if read_only else "rw"
    uri = f"file:{quote(str(path))}?mode={mode}"
    connection = sqlite3.connect(uri, uri=True, timeout=lock_seconds, isolation_level=None, check_same_thread=False)
    deadline = time.monotonic() + statement_seconds
    connection.set_progress_handler(lambda: int(read_only and time.monotonic() > deadline), 100_000)
    connection.execute("pragma trusted_schema = off")
    if not read_only:
        connection.execute("pragma synchronous = full")
        # While pages may not leave the cache, readers are locked out only for the moment of the commit.
        connection.execute(f"pragma cache_spill = {SPILL_PAGES}")
    return connection
