"""The small city, for the tests of security."""

from __future__ import annotations

import pytest

from tests.app.city import City, make_city


@pytest.fixture
def city(db: None) -> City:
    return make_city()
