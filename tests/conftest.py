"""What every test may rely on: a temporary DATA_HOME (tests/settings.py), and no way out of this machine."""

from __future__ import annotations

import ipaddress
import socket
from pathlib import Path
from typing import Any

import pytest

from tests import services
from tests.object_store import object_store

__all__ = ["object_store"]

SLOW_FIRST = (
    "tests/integration/graph/test_random_flows",
    "tests/chaos/test_kills",
    "tests/integration/runtime/test_kills",
    "tests/integration/studio/",
    "tests/contract/test_outputs",
    "tests/e2e/test_killed",
)
"""Files that take minutes: begun first, so that no process waits for them at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: next((n for n, part in enumerate(SLOW_FIRST) if part in item.path.as_posix()), 99))


_connect = socket.socket.connect
_connect_ex = socket.socket.connect_ex


def _is_local(address: Any) -> bool:
    if not isinstance(address, tuple):
        return True
    host = str(address[0])
    if host in {"", "localhost"}:
        return True
    try:
        return ipaddress.ip_address(host.split("%")[0]).is_loopback
    except ValueError:
        return False


def _guarded_connect(self: socket.socket, address: Any) -> None:
    if not _is_local(address):
        raise PermissionError(f"A test tried to reach {address!r}: tests use no network.")
    _connect(self, address)


def _guarded_connect_ex(self: socket.socket, address: Any) -> int:
    if not _is_local(address):
        raise PermissionError(f"A test tried to reach {address!r}: tests use no network.")
    return _connect_ex(self, address)


def pytest_configure(config: pytest.Config) -> None:
    socket.socket.connect = _guarded_connect  # type: ignore[method-assign]
    socket.socket.connect_ex = _guarded_connect_ex  # type: ignore[method-assign]


def pytest_unconfigure(config: pytest.Config) -> None:
    socket.socket.connect = _connect  # type: ignore[method-assign]
    socket.socket.connect_ex = _connect_ex  # type: ignore[method-assign]
    services.stop_all()


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """Each xdist worker has its own DATA_HOME, so no database name needs a suffix (PostgreSQL gets one here)."""
    from django.conf import settings

    worker = services.worker_name()
    database = settings.DATABASES["default"]
    if worker and not database["ENGINE"].endswith("sqlite3"):
        database.setdefault("TEST", {})["NAME"] = f"test_{database['NAME']}_{worker}"


@pytest.fixture(scope="session")
def repo() -> Path:
    """The root of the repository."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def postgres_server() -> services.PostgresServer:
    """A real PostgreSQL, started once per test run on a private port and socket."""
    return services.postgres_server()


@pytest.fixture(scope="session")
def mariadb_server() -> services.MariadbServer:
    """A real MariaDB, started once per test run on a private port and socket."""
    return services.mariadb_server()


@pytest.fixture(scope="session")
def redis_server() -> services.RedisServer:
    """A real Redis (or Valkey), started once per test run on a private port."""
    return services.redis_server()


@pytest.fixture(scope="session")
def rabbitmq_server() -> services.RabbitServer:
    """A real RabbitMQ, started once per test run on a private port."""
    return services.rabbitmq_server()
