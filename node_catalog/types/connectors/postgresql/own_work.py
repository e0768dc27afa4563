"""What this process does itself at a server: it is counted here, so that nobody takes it for the work of others."""

from __future__ import annotations

import threading
from collections import Counter
from functools import lru_cache
from typing import Any

CATALOGUE = 5
"""Transactions by which the ADBC driver asks for a server's types."""


class OwnWork:
    """Transactions of this process by server, about: one that holds several statements may be left out."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._done: Counter[tuple[str, int]] = Counter()

    def add(self, host: str, port: int, transactions: int = 1) -> None:
        """That many more."""
        with self._lock:
            self._done[host, port] += transactions

    def of(self, host: str, port: int) -> int:
        """All so far."""
        with self._lock:
            return self._done[host, port]


OWN = OwnWork()
"""This process's."""


@lru_cache(maxsize=1)
def counting_cursor() -> Any:
    """A cursor of psycopg that counts what it asks of the server outside of a transaction."""
    import psycopg

    class CountingCursor(psycopg.Cursor[Any]):
        def execute(self, *args: Any, **more: Any) -> Any:
            self._count()
            return super().execute(*args, **more)

        def copy(self, *args: Any, **more: Any) -> Any:
            self._count()
            return super().copy(*args, **more)

        def _count(self) -> None:
            info = self.connection.info
            if info.transaction_status == psycopg.pq.TransactionStatus.IDLE:
                OWN.add(info.host, info.port)

    return CountingCursor
