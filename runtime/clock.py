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

    def parameters(self, connection: Any) -> list[Any]:
        """What the text is sent with: it is the same for any number of seconds."""
        return [f"{self.seconds:+.3f} seconds"] if connection.vendor == "sqlite" else [round(self.seconds, 3)]

    def as_sql(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, list[Any]]:
        """Plain SQL for databases we have not tried: whole statements see one time."""
        return "CURRENT_TIMESTAMP + %s * INTERVAL '1' SECOND", self.parameters(connection)

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, list[Any]]:
        """Text as Django stores it: UTC, ``YYYY-MM-DD HH:MM:SS.mmm``."""
        return "STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f', 'now', %s)", self.parameters(connection)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, list[Any]]:
        """The real time, also late in a long transaction."""
        return "(clock_timestamp() + %s * INTERVAL '1 second')", self.parameters(connection)


def db_now() -> Soon:
    """The database's time now."""
    return Soon(0.0)
