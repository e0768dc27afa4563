"""Fixtures of the runtime tests."""

from __future__ import annotations

import pytest

from runtime import lot_work, stretches
from tests.app.runtime.factory import World, make_world


@pytest.fixture
def world(db: None) -> World:
    return make_world()


@pytest.fixture
def shared_world(transactional_db: None) -> World:
    """The same in committed rows, for tests with threads or sockets."""
    return make_world()


@pytest.fixture
def slow_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the test takes, nothing is written down, handed back or handed over by the clock alone."""
    for module, name in ((lot_work, "LATE_SECONDS"), (stretches, "STRETCH_SECONDS")):
        monkeypatch.setattr(module, name, 1000.0)
        monkeypatch.setattr(module, "RECORD_SECONDS", 1000.0)
