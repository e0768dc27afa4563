"""MySQL over TLS with its certificate checked: the right name is read, a wrong one or another authority is refused."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node_catalog.palette import registry
from node_catalog.sdk.access import DatasetRef, Through
from node_catalog.sdk.contract import ConnectContext
from node_catalog.sdk.errors import RefusedError
from node_catalog.sdk.ports import Schema
from node_catalog.sdk.schema import parse
from tests import services
from tests.certificates import authority_of, make_certificate
from tests.contract.environments import read_all

MYSQL = registry().connectors["mysql"]
NUMBERS = DatasetRef(("numbers",), Schema.of([("n", "integer")]))
pytestmark = pytest.mark.services


class Here:
    """A guard that finds every name on this machine."""

    def resolve(self, host: str, port: int) -> str:
        return "127.0.0.1"


class Server:
    """A MariaDB that shows a certificate for ``db.example``, signed by itself."""

    def __init__(self, folder: Path, *addresses: str) -> None:
        file = make_certificate(folder, "db.example", *addresses)
        if os.geteuid() == 0:
            shutil.chown(file, "mysql", "mysql")
        self.authority = authority_of(file)
        self.server = services.new_mariadb(f"--ssl-cert={file}", f"--ssl-key={file}")
        name = self.server.create_database("shown")
        with self.server.connect(name) as connection, connection.cursor() as cursor:
            cursor.execute("create table numbers (n int)")
            cursor.execute("insert into numbers values (1), (2)")

    def settings(self, **more: Any) -> Any:
        values = {**self.server.settings("shown"), "host": "db.example", "tls": "verify", "ca": self.authority, **more}
        return parse(MYSQL.Settings, values)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Open to the server, which runs as another user."""
    with tempfile.TemporaryDirectory(prefix="cg-tls-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


@pytest.fixture(scope="module")
def server(folder: Path) -> Server:
    return Server(folder, "127.0.0.1")


@pytest.fixture
def context(tmp_path: Path) -> ConnectContext:
    return ConnectContext(guard=Here(), connect_timeout=5, work_folder=str(tmp_path))


def test_rows_come_over_a_connection_whose_name_was_checked(server: Server, context: ConnectContext) -> None:
    settings = server.settings()
    checked = MYSQL.check(settings, context)
    assert checked.ok and checked.facts["encrypted"] is True
    access = MYSQL.access(settings, NUMBERS, context)
    assert isinstance(access, Through)
    assert any("SSL_MODE 'verify_identity'" in statement for statement in access.statements)
    assert read_all(MYSQL, settings, NUMBERS, context).column("n").to_pylist() == [1, 2]


@pytest.mark.parametrize(("tls", "encrypted"), [("disable", False), ("prefer", True), ("require", True)])
def test_a_line_is_encrypted_as_asked(server: Server, context: ConnectContext, tls: str, encrypted: bool) -> None:
    """No certificate is looked at: this one is of an authority that nobody knows."""
    checked = MYSQL.check(server.settings(tls=tls, ca=""), context)
    assert checked.ok and checked.facts["encrypted"] is encrypted


def test_a_certificate_for_another_name_or_authority_is_refused(
    server: Server, context: ConnectContext, tmp_path: Path
) -> None:
    other = authority_of(make_certificate(tmp_path, "db.example", "127.0.0.1"))
    for wrong in ({"host": "other.example"}, {"ca": other}, {"ca": ""}):
        settings = server.settings(**wrong)
        assert MYSQL.check(settings, context).code == "mysql.encryption"
        with pytest.raises(RefusedError):
            MYSQL.access(settings, NUMBERS, context)


def test_without_the_address_in_it_the_reader_checks_the_authority(
    server: Server, context: ConnectContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A certificate names its server, seldom the server's address; the name was checked a moment before."""
    from node_catalog.types.connectors.mysql.connection import Session

    monkeypatch.setattr(Session, "is_certified_for", lambda self, address: False)
    access = MYSQL.access(server.settings(), NUMBERS, context)
    assert isinstance(access, Through)
    assert any("SSL_MODE 'verify_ca'" in statement for statement in access.statements)
    assert read_all(MYSQL, server.settings(), NUMBERS, context).num_rows == 2
