"""Fixtures of the runtime tests."""

from __future__ import annotations

import pytest

from tests.app.runtime.factory import World, make_world


@pytest.fixture
def world(db: None) -> World:
    return make_world()


@pytest.fixture
def shared_world(transactional_db: None) -> World:
    """The same in committed rows, for tests with threads or sockets."""
    return make_world()
