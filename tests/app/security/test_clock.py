"""The time is the control database's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from security import clock

HOUR = timedelta(hours=1)
NEAR = timedelta(seconds=10)


class Far:
    """A connection to a server whose clock is an hour ahead."""

    vendor = "postgresql"

    @contextmanager
    def cursor(self) -> Iterator[Far]:
        yield self

    def execute(self, statement: str) -> None:
        assert "clock_timestamp" in statement

    def fetchone(self) -> tuple[datetime]:
        return (timezone.now() + HOUR,)


def test_a_process_learns_how_far_it_is_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "_behind", timedelta())
    far: Any = Far()
    assert abs(clock.learn(far) - HOUR) < NEAR
    assert abs(clock.now() - timezone.now() - HOUR) < NEAR
