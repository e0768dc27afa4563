"""The one clock of the studio: the control database's. Machines' own clocks may be wrong by hours.

What is written down and compared later (terms, locks, leases, who was seen when) must come from one clock, whichever
process writes it. A process learns how far its own is off whenever it connects to the database, so asking costs
nothing. Leases need more than that and are written in the database itself (``runtime.clock``).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.utils import timezone

ASK = {"postgresql": "select clock_timestamp()"}
"""By vendor. A SQLite file is on this machine, so its clock is ours."""

_behind = timedelta()


def now() -> datetime:
    """The control database's time, as well as this process knows it."""
    return timezone.now() + _behind


def learn(connection: BaseDatabaseWrapper) -> timedelta:
    """Ask the database for its time; gives how far this process is behind it."""
    global _behind
    if (ask := ASK.get(connection.vendor)) is not None:
        before = timezone.now()
        with connection.cursor() as cursor:
            cursor.execute(ask)
            told: datetime = cursor.fetchone()[0]
        after = timezone.now()
        _behind = told - (before + (after - before) / 2)
    return _behind


def _learn_from_new(sender: Any, connection: BaseDatabaseWrapper, **_: Any) -> None:
    if connection.alias == "default":
        learn(connection)


def follow_database() -> None:
    """From now on every new connection tells the time."""
    connection_created.connect(_learn_from_new, dispatch_uid="security.clock")
