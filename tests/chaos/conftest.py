"""A city in which everything can be struck."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests import services
from tests.chaos import workloads
from tests.chaos.workloads import Copies, Workload
from tests.contract.environments import LOOPBACK
from tests.integration.runtime import city
from tests.integration.runtime.killing import kill_all
from tests.object_store import ObjectStore
from tests.spark_server import spark_url


@pytest.fixture
def exchange(object_store: ObjectStore, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Results and rows between stages go into a bucket, as where several hosts share them, Spark among them."""
    store = object_store.exchange(object_store.bucket())
    for name, value in object_store.for_sail().items():
        monkeypatch.setenv(name, value)
    for name, value in {**store, "SPARK_URL": spark_url(), "SPARK_EXCHANGE": store["EXCHANGE_URL"]}.items():
        monkeypatch.setitem(settings.OPTIONS, name, value)
        monkeypatch.setenv(name, value)


@pytest.fixture
def loads(
    transactional_db: None,
    postgres_server: services.PostgresServer,
    mariadb_server: services.MariadbServer,
    object_store: ObjectStore,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[list[Workload]]:
    """Every workload, in a fresh city."""
    shutil.rmtree(city.home(""), ignore_errors=True)
    city.make_readings(city.home("source.sqlite3"), workloads.ROWS)
    staff = city.make_staff()
    monkeypatch.setitem(settings.OPTIONS, "ALLOWED_NETWORKS", LOOPBACK)
    source = city.add_node(staff, "sqlite", "Readings", {"path": str(city.home("source.sqlite3"))})
    with city.worker_and_scheduler():
        (readings,) = city.discover(source, staff)
        wide = workloads.make_wide(staff)
        city.discover(wide, staff)
        far_node = workloads.make_far(staff, postgres_server)
        (far,) = city.discover(far_node, staff)
    copies = Copies(staff, readings)
    try:
        yield [
            *workloads.sqlite_copies(copies),
            *workloads.postgresql_copies(copies, Copies(staff, far), postgres_server),
            *workloads.mariadb_copies(copies, mariadb_server),
            *workloads.file_copies(copies, Copies(staff, far)),
            *workloads.inside_copies(Copies(staff, far), copies, far_node, postgres_server),
            *workloads.object_copies(copies, object_store),
            copies.result("result"),
            copies.each(),
            copies.stretch(),
            copies.lot(),
            copies.queued(),
            copies.on_spark(),
            *workloads.tasks(staff, wide, readings),
        ]
    finally:
        kill_all()
