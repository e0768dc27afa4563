"""What the ADBC driver has learnt of a server's types: it asks for them over a connection of its own, several times.

That takes longer than a connection does, so it is kept for the next connections to the same database as the same user.
Nothing is open at the server meanwhile.
"""

from __future__ import annotations

import threading
import time
from typing import Any

IDLE_SECONDS = 60.0
"""A catalogue that nobody has used for so long goes, and with it the words to sign in with."""
MOST = 8


class Catalogues:
    """The driver's catalogues of this process, by the whole text that says where to connect, and as whom."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, tuple[Any, float]] = {}

    def connect(self, target: str) -> tuple[Any, bool]:
        """A new connection, and whether the driver had to ask for types: when nobody has connected there lately."""
        import adbc_driver_manager
        from adbc_driver_manager import dbapi
        from adbc_driver_postgresql import connect

        with self._lock:
            known, _ = self._known.pop(target, (None, 0.0))
        database = known or connect(target)
        try:
            opened = adbc_driver_manager.AdbcConnection(database)
            connection = dbapi.Connection(_Lasting(), opened)  # type: ignore[arg-type]
        except BaseException:
            _close(database)
            raise
        with self._lock:
            unwanted = self._stale()
            twin, _ = self._known.pop(target, (None, 0.0))
            self._known[target] = database, time.monotonic()
        if twin is not None:
            unwanted.append(twin)
        for one in unwanted:
            _close(one)
        return connection, known is None

    def forget(self) -> None:
        """Ask all servers again."""
        with self._lock:
            known, self._known = self._known, {}
        for database, _ in known.values():
            _close(database)

    def _stale(self) -> list[Any]:
        """Forget what is old or too much, the oldest first."""
        now, found = time.monotonic(), []
        for target, (database, used_at) in list(self._known.items()):
            if now - used_at > IDLE_SECONDS or len(self._known) >= MOST:
                found.append(database)
                del self._known[target]
        return found


class _Lasting:
    """Stands for a database that stays when a connection to it is closed."""

    def close(self) -> None:
        """Nothing to do: others use it."""


def _close(database: Any) -> None:
    try:
        database.close()
    except RuntimeError:
        pass  # a connection over it is still open; it goes with that one


CATALOGUES = Catalogues()
"""This process's."""
