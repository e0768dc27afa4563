"""Fixtures: a city with one SQLite node of readings, a worker and a scheduler of this process."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from node_catalog.models import Dataset, Node
from runtime.worker import Worker
from security.models import User
from tests.integration.runtime import city

ROWS = 5000


@dataclass
class City:
    """What the tests work with."""

    staff: User
    worker: Worker
    source: Node
    readings: Dataset


@pytest.fixture
def small_city(transactional_db: None) -> Iterator[City]:
    shutil.rmtree(city.home(""), ignore_errors=True)
    city.make_readings(city.home("source.sqlite3"), ROWS)
    staff = city.make_staff()
    source = city.add_node(staff, "sqlite", "Readings", {"path": str(city.home("source.sqlite3"))})
    with city.worker_and_scheduler() as worker:
        (readings,) = city.discover(source, staff)
        yield City(staff, worker, source, readings)
