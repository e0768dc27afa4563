"""Targets that are full, locked, forbidden, or vanish: words, nothing half-written, and the next attempt delivers."""

from __future__ import annotations

import resource
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from node_catalog.sdk.errors import NodeTypeError, RefusedError, TargetBusyError, TargetError
from node_catalog.sdk.testing_nodes import NodeCase, words
from node_catalog.sdk.testing_outputs import Mode, delivery, expected, open_writer, same, sample, write
from node_catalog.types.connectors.mysql import connection as mysql_connection
from node_catalog.types.connectors.postgresql import connection as postgresql_connection
from node_catalog.types.connectors.postgresql import writing as postgresql_writing
from tests.contract.environments import make_case

BEFORE, FIRST, MORE = range(4), range(10, 15), range(10, 20)


@dataclass
class Server:
    """A node on a real server, and somebody else at work there."""

    case: NodeCase
    run: Callable[[str], Any]
    lock: str
    table: str
    others: str
    """Gives the numbers of all other sessions in the database."""
    kill: str


@contextmanager
def _postgres(case: NodeCase) -> Iterator[Server]:
    settings = case.settings
    with psycopg.connect(
        host=settings["host"], port=settings["port"], dbname=settings["database"], user=settings["user"],
        password=settings["password"], autocommit=True,
    ) as connection:  # fmt: skip

        def run(statement: str) -> Any:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else None

        table = f'"{case.target[-1]}"'
        others = "select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        lock = f"begin; lock table {table} in access exclusive mode"
        yield Server(case, run, lock, table, others, "select pg_terminate_backend({})")


@contextmanager
def _mariadb(case: NodeCase, server: Any) -> Iterator[Server]:
    with server.connect(case.settings["database"]) as connection, connection.cursor() as cursor:

        def run(statement: str) -> Any:
            cursor.execute(statement)
            return cursor.fetchall()

        table = f"`{case.target[-1]}`"
        others = "select id from information_schema.processlist where db = database() and id <> connection_id()"
        yield Server(case, run, f"lock tables {table} write", table, others, "kill {}")


@pytest.fixture(params=["postgresql", "mysql"])
def server(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A table with four rows; nobody waits longer than a second for a lock."""
    monkeypatch.setattr(postgresql_connection, "LOCK_SECONDS", 1)
    monkeypatch.setattr(postgresql_writing, "EXCHANGE_TRIES", 1)
    monkeypatch.setattr(mysql_connection, "LOCK_SECONDS", 1)
    case = make_case(request.param, tmp_path, request)
    write(case, delivery("before"), BEFORE)
    if request.param == "postgresql":
        with _postgres(case) as made:
            yield made
    else:
        with _mariadb(case, request.getfixturevalue("mariadb_server")) as made:
            yield made


def fails(case: NodeCase, mode: Mode, kind: type[NodeTypeError], meanwhile: Callable[[], Any]) -> NodeTypeError:
    """One attempt during which something happens after its first rows; its error, in words."""
    writer = open_writer(case, delivery("bad", 1), mode, create=False)
    try:
        writer.write(sample(len(FIRST), FIRST.start))
        meanwhile()
        with pytest.raises(kind) as caught:
            writer.write(sample(len(MORE) - len(FIRST), FIRST.stop))
            writer.commit()
    finally:
        writer.abort()
    words(caught.value.message)
    return caught.value


services = pytest.mark.services


@services
@pytest.mark.parametrize("mode", ["append", "replace", "upsert"])
def test_a_locked_table_is_told_and_tried_again(server: Server, mode: Mode) -> None:
    case = server.case
    if mode == "upsert":
        server.run(f"alter table {server.table} add primary key ({_key(server)})")
    error = fails(case, mode, TargetBusyError, lambda: server.run(server.lock))
    assert error.retry == "retry"
    server.run("rollback" if server.lock.startswith("begin") else "unlock tables")
    same(case, expected(BEFORE), "after a failed attempt")
    write(case, delivery("bad", 2), MORE, mode)
    same(case, expected(*([] if mode == "replace" else [BEFORE]), MORE), "after the second attempt")


@services
@pytest.mark.parametrize("mode", ["append", "replace"])
def test_a_table_that_vanishes_is_told(server: Server, mode: Mode) -> None:
    fails(server.case, mode, TargetError, lambda: server.run(f"drop table {server.table}"))
    assert server.case.rows() is None, "nothing has been made in its place"


@services
def test_cut_connections_are_told_and_tried_again(server: Server) -> None:
    def cut() -> None:
        for (session,) in server.run(server.others):
            server.run(server.kill.format(session))

    assert fails(server.case, "append", TargetBusyError, cut).retry == "retry"
    same(server.case, expected(BEFORE), "after a failed attempt")
    write(server.case, delivery("bad", 2), MORE)
    same(server.case, expected(BEFORE, MORE), "after the second attempt")


@services
@pytest.mark.parametrize("server", ["postgresql"], indirect=True)
def test_a_user_who_may_only_read_is_told(server: Server) -> None:
    server.run("drop role if exists only_reads")
    server.run("create role only_reads login password 'Only-Reads-1'")
    server.run("grant pg_read_all_data to only_reads")
    case = server.case
    reader = replace(case, settings={**case.settings, "user": "only_reads", "password": "Only-Reads-1"})
    with pytest.raises((RefusedError, TargetError)) as caught:
        write(reader, delivery("bad", 1), FIRST)
    words(caught.value.message)
    assert caught.value.retry == "fatal"
    same(case, expected(BEFORE), "after a refused attempt")


def _key(server: Server) -> str:
    return '"编号"' if server.case.connector.key == "postgresql" else "`编号`"


# ── files ─────────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """No file of this process may grow beyond ``size`` bytes, as on a full disk."""
    was = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, was[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, was)


@pytest.fixture(params=["made", "made.csv"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> NodeCase:
    """A dataset of four rows as Parquet and as CSV."""
    case = replace(make_case("files", tmp_path, request), target=(request.param,))
    write(case, delivery("before"), BEFORE)
    return case


@pytest.mark.parametrize("mode", ["append", "replace"])
def test_a_full_disk_leaves_the_files_as_they_were(files: NodeCase, mode: Mode) -> None:
    folder = Path(files.settings["folder"]) / files.target[0]
    before = sorted(file.name for file in folder.iterdir())
    writer = open_writer(files, delivery("bad", 1), mode)
    with files_of_at_most(8192), pytest.raises(TargetBusyError) as caught:
        for start in range(0, 200_000, 20_000):
            writer.write(sample(20_000, start))
        writer.commit()
    writer.abort()
    words(caught.value.message)
    assert (caught.value.code, caught.value.retry) == ("target.disk_full", "retry")
    same(files, expected(BEFORE), "after a full disk")
    assert sorted(file.name for file in folder.iterdir()) == before, "nothing half-written stays"
    write(files, delivery("bad", 2), MORE, mode)
    same(files, expected(*([] if mode == "replace" else [BEFORE]), MORE), "after the second attempt")


def test_a_folder_that_vanishes_is_told(files: NodeCase) -> None:
    folder = Path(files.settings["folder"]) / files.target[0]
    error = fails(files, "append", NodeTypeError, lambda: shutil.rmtree(folder))
    assert error.code.startswith("target.")
    assert not folder.exists()
