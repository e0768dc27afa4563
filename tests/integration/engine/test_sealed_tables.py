"""A long copy from PostgreSQL into PostgreSQL: an attempt that breaks off leaves what it has sealed to the next one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest

from node_catalog.sdk.errors import NodeTypeError
from node_catalog.sdk.registry import Registry
from node_catalog.types.connectors.postgresql import sealing
from node_catalog.types.connectors.postgresql.sealing import SEALED
from runtime.engine.errors import ChildDiedError
from runtime.engine.pool import ChildPool
from runtime.engine.stage import run_stage
from runtime.engine.work import DeliverySpec, Report, Sealed, SinkSpec, StageWork
from tests.integration.engine.support import AIR, stage, work
from tests.integration.engine.test_postgresql import air_source, open_limits, remote, settings_of
from tests.integration.engine.test_spans import ALL, AS_PLANNED
from tests.services import PostgresServer

pytestmark = pytest.mark.services
ROWS, EACH = 30_000, 5_000
WANTED = (ROWS, ROWS, ROWS * (ROWS - 1) // 2)


class StoppedError(Exception):
    """The process is gone, for all that the target can see."""


class Copying:
    """One delivery into table ``copied`` of another database, attempt after attempt; ``told``: what is known of it."""

    def __init__(self, server: PostgresServer, folder: Path) -> None:
        self.source, self.target = (server.create_database(f"sealed_{name}") for name in ("source", "target"))
        self.folder, self.attempt = folder, 0
        self.told: list[Sealed] = []
        with psycopg.connect(self.source) as connection:
            connection.execute("create table air (id bigint primary key, station text, pm25 double precision)")
            connection.execute(
                f"insert into air select i, 's' || i % 30, i % 1000 from generate_series(0, {ROWS - 1}) i".encode()
            )
            connection.execute("analyze air")

    def work(self, mode: Any = "replace") -> StageWork:
        """The next attempt."""
        self.attempt += 1
        sink = SinkSpec(
            kind="write", connector="postgresql", settings=settings_of(self.target), target_path=("public", "copied"),
            mode=mode, create=True, key=("id",) if mode == "upsert" else (),
            delivery=DeliverySpec(sink="there", run="run1", task="task1", attempt=self.attempt),
        )  # fmt: skip
        limits = open_limits(self.folder, span_rows=EACH)
        made = stage(AS_PLANNED, AIR, [remote(ALL)], kind="write")
        return work(self.folder, made, [air_source(self.source)], sink=sink, limits=limits, sealed=tuple(self.told))

    def note(self, report: Report) -> None:
        if isinstance(report.part, Sealed):
            self.told = [*([] if report.part.is_first else self.told), report.part]

    def stop_after(self, parts: int) -> Any:
        def note(report: Report) -> None:
            self.note(report)
            if isinstance(report.part, Sealed) and len(self.told) == parts:
                raise StoppedError

        return note

    def ask(self, statement: str) -> Any:
        with psycopg.connect(self.target) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else None

    def check(self) -> None:
        """Each row is there once, and nothing of ours is left but the ledger, the fence and an empty note."""
        assert self.ask("select count(*), count(distinct id), sum(id) from copied") == [WANTED]
        assert self.ask("select tablename from pg_tables where starts_with(tablename, 'citygo_stage')") == []
        assert self.ask(f"select count(*) from {SEALED}") == [(0,)]


@pytest.fixture
def copying(postgres_server: PostgresServer, tmp_path: Path) -> Copying:
    return Copying(postgres_server, tmp_path)


@pytest.mark.parametrize(("mode", "is_there"), [("replace", False), ("replace", True), ("upsert", True)])
def test_a_killed_attempt_is_gone_on_with(copying: Copying, mode: str, is_there: bool) -> None:
    """Killed at different points; what was copied in behind the last seal is not there twice, nor read before it."""
    if is_there:
        copying.ask("create table copied (id integer primary key, station text, pm25 double precision)")
    points = ("postgresql.seal.before=kill@2", "postgresql.seal.after=kill@2", "engine.sealed=kill@2")
    for point in points:
        with ChildPool(1, failpoints=point) as armed, pytest.raises(ChildDiedError):
            armed.run(copying.work(mode), copying.note)
    assert len(copying.told) == len(points), "each attempt has added a part"
    with ChildPool(1) as plain:
        outcome = plain.run(copying.work(mode), copying.note)
    copying.check()
    assert outcome.rows == ROWS and outcome.counts == {"read_air": ROWS, "out": ROWS}
    assert outcome.bytes_read < 0.7 * ROWS * 22, "a row has more than 22 bytes; three parts of six were there"


def test_the_server_waits_for_its_disk_where_rows_are_sealed_and_delivered(
    copying: Copying, registry: Registry
) -> None:
    """Not while they are staged; what the delivery takes along is in the same log."""
    copying.ask("create table copied (id bigint, station text, pm25 double precision)")
    copying.ask(f"create table {SEALED} (stage text primary key, sealed_at timestamptz not null default now())")
    copying.ask("create table waits (at text, waits text)")
    copying.ask(
        "create function note() returns trigger language plpgsql as "
        "$$ begin insert into waits values (tg_relname, current_setting('synchronous_commit')); return null; end $$"
    )
    for table in ("copied", SEALED):
        copying.ask(f"create trigger noted after insert on {table} for each statement execute function note()")
    run_stage(copying.work("append"), copying.note, registry)
    assert set(copying.ask("select at, waits from waits")) == {("copied", "on"), (SEALED, "on")}
    assert copying.ask("select count(*), count(distinct id), sum(id) from copied") == [WANTED]


def test_an_error_on_the_way_keeps_what_is_sealed(copying: Copying, registry: Registry) -> None:
    with pytest.raises(StoppedError):
        run_stage(copying.work(), copying.stop_after(2), registry)
    seen = copying.told[:]
    run_stage(copying.work(), copying.note, registry)
    assert copying.told[:2] == seen and not any(one.is_first for one in copying.told[2:])
    copying.check()


@pytest.mark.parametrize("damage", ["truncate {}", "drop table {}", "alter table {} add column more text"])
def test_what_is_not_whole_any_more_is_read_again(copying: Copying, registry: Registry, damage: str) -> None:
    """As after a crash of the server, which empties unlogged tables."""
    with pytest.raises(StoppedError):
        run_stage(copying.work(), copying.stop_after(3), registry)
    [(stage_table,)] = copying.ask("select tablename from pg_tables where starts_with(tablename, 'citygo_stage')")
    copying.ask(damage.format(stage_table))
    run_stage(copying.work(), copying.note, registry)
    assert copying.told[0].is_first
    assert copying.ask("select count(*), count(distinct id), sum(id) from copied") == [WANTED]


def test_a_table_that_another_attempt_still_holds_is_left_to_it(
    copying: Copying, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "LOCK_SECONDS", 1)
    with pytest.raises(StoppedError):
        run_stage(copying.work(), copying.stop_after(2), registry)
    [(stage_table,)] = copying.ask("select tablename from pg_tables where starts_with(tablename, 'citygo_stage')")
    with psycopg.connect(copying.target) as holder:
        holder.execute(f"lock table {stage_table} in row exclusive mode".encode())
        run_stage(copying.work(), copying.note, registry)
    assert copying.told[0].is_first
    assert copying.ask("select count(*), count(distinct id), sum(id) from copied") == [WANTED]


def test_a_key_that_is_gone_ends_the_copy(copying: Copying, registry: Registry) -> None:
    """The rest cannot be told from what is there already."""
    with pytest.raises(StoppedError):
        run_stage(copying.work(), copying.stop_after(2), registry)
    with psycopg.connect(copying.source) as connection:
        connection.execute("alter table air drop constraint air_pkey")
    with pytest.raises(NodeTypeError) as caught:
        run_stage(copying.work(), copying.note, registry)
    assert caught.value.code == "source.key_gone"


def test_what_nobody_comes_for_goes_with_a_later_delivery(copying: Copying, registry: Registry) -> None:
    with pytest.raises(StoppedError):
        run_stage(copying.work(), copying.stop_after(2), registry)
    copying.ask(f"update {SEALED} set sealed_at = now() - interval '8 days'")
    copying.told = []
    run_stage(copying.work(), copying.note, registry)
    copying.check()
