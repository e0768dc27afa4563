"""Calls, errors and times of published flows: added up in this process and written every few seconds.

The audit trail gets one record for each person, flow and write with the number of calls: a record for every call would
make all calls wait for each other. What a killed process had not written yet is lost with it.
"""

from __future__ import annotations

import atexit
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Greatest

from flows.models import CallCount
from security import audit, clock
from security.access import Principal

EVERY = 5.0
log = logging.getLogger(__name__)


@dataclass
class Sum:
    """What was not written yet of one flow."""

    calls: int = 0
    errors: int = 0
    milliseconds: int = 0
    slowest: int = 0
    rows: int = 0
    last_error: dict[str, Any] | None = None
    people: dict[Any, tuple[Principal, int]] = field(default_factory=dict)


class Tally:
    """Counts of this process. ``every``: seconds between two writes; 0 writes at once, None when it is told to."""

    def __init__(self, every: float | None = EVERY) -> None:
        self.every = every
        self._lock = threading.Lock()
        self._sums: dict[Any, Sum] = {}
        self._timer: threading.Timer | None = None

    def note(
        self, flow: Any, principal: Principal, seconds: float, rows: int = 0, error: Exception | None = None
    ) -> None:
        """One call has ended."""
        spent = round(seconds * 1000)
        with self._lock:
            one = self._sums.setdefault(flow, Sum())
            one.calls += 1
            one.milliseconds += spent
            one.slowest = max(one.slowest, spent)
            one.rows += rows
            if error is not None:
                one.errors += 1
                one.last_error = {"code": getattr(error, "code", ""), "message": getattr(error, "message", {})}
            one.people[principal.id] = (principal, one.people.get(principal.id, (principal, 0))[1] + 1)
            if self.every and self._timer is None:
                self._timer = threading.Timer(self.every, self._write_later)
                self._timer.daemon = True
                self._timer.start()
        if self.every == 0:
            self.write()

    def write(self) -> None:
        """Write what is new. What cannot be written is told in the log and forgotten: counts are no promise."""
        with self._lock:
            sums, self._sums = self._sums, {}
        for flow, one in sums.items():
            try:
                _store(flow, one)
            except Exception as error:
                log.warning("calls of flow %s were not counted (%s)", flow, type(error).__name__)

    def _write_later(self) -> None:
        with self._lock:
            self._timer = None
        self.write()
        connection.close()


@transaction.atomic
def _store(flow: Any, one: Sum) -> None:
    hour = clock.now().replace(minute=0, second=0, microsecond=0)
    row, _ = CallCount.objects.get_or_create(flow_id=flow, hour=hour)
    changes: dict[str, Any] = {
        "calls": F("calls") + one.calls,
        "errors": F("errors") + one.errors,
        "milliseconds": F("milliseconds") + one.milliseconds,
        "slowest": Greatest("slowest", one.slowest),
        "rows": F("rows") + one.rows,
    }
    if one.last_error is not None:
        changes["last_error"] = {**one.last_error, "at": clock.now().isoformat()}
    CallCount.objects.filter(pk=row.pk).update(**changes)
    for principal, calls in one.people.values():
        audit.record("flow.call", "flow", str(flow), principal=principal, detail={"calls": calls})


def counts_of(flow: Any) -> list[Mapping[str, Any]]:
    """The newest hours of a flow, newest first."""
    rows = CallCount.objects.filter(flow_id=flow).order_by("-hour")[:48]
    return [
        {
            "hour": row.hour.isoformat(),
            "calls": row.calls,
            "errors": row.errors,
            "mean_ms": round(row.milliseconds / row.calls) if row.calls else 0,
            "slowest_ms": row.slowest,
            "rows": row.rows,
            "last_error": row.last_error,
        }
        for row in rows
    ]


TALLY = Tally()
atexit.register(TALLY.write)
