"""The database's clock: the one clock that leases are measured by. Workers never compare their own."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Func


class Soon(Func):
    """The database's time now, plus ``seconds`` (may be negative), to the millisecond."""

    output_field = models.DateTimeField()

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = float(seconds)
        super().__init__()

    def as_sql(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, list[Any]]:
        """Plain SQL for databases we have not tried: whole statements see one time."""
        return f"CURRENT_TIMESTAMP + INTERVAL '{self.seconds:.3f}' SECOND", []

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, list[Any]]:
        """Text as Django stores it: UTC, ``YYYY-MM-DD HH:MM:SS.mmm``."""
        return f"STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f', 'now', '{self.seconds:+.3f} seconds')", []

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, list[Any]]:
        """The real time, also late in a long transaction."""
        return f"(clock_timestamp() + INTERVAL '{self.seconds:.3f} seconds')", []


def db_now() -> Soon:
    """The database's time now."""
    return Soon(0.0)
