"""Servers that stall, reset, hang up or are full, and hostile files: words in time, nothing half-written.

The same child pool does a healthy work after each.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from node_catalog.sdk.errors import NodeTypeError
from node_catalog.sdk.ports import Schema
from runtime.engine.errors import EngineError, MemoryLimitError
from runtime.engine.pool import ChildPool
from runtime.engine.sinks import LONG_STATEMENTS
from runtime.engine.sources import MARGIN_SECONDS
from runtime.engine.work import DeliverySpec, Limits, SourceSpec, StageOutcome, StageWork
from tests.integration.engine.conftest import ROWS as AIR_ROWS
from tests.integration.engine.support import AIR, binding, limits, sink, source, stage, work
from tests.services import MariadbServer, PostgresServer, patience
from tests.unruly_proxy import Fault, UnrulyProxy, unruly_proxy

ROWS = 200_000
STATEMENT_SECONDS = 2.0
SOON = 5.0
"""Seconds after a limit within which its failure must be told."""
LOOPBACK = ("127.0.0.0/8",)


@pytest.fixture(scope="module")
def pool() -> Iterator[ChildPool]:
    with ChildPool(1, Limits(memory_mb=256)) as made:
        yield made


@dataclass
class Behind:
    """Table air on a real server, reached through a proxy."""

    kind: str
    settings: dict[str, Any]
    proxy: UnrulyProxy

    def work(self, folder: Path, settings: dict[str, Any] | None = None) -> StageWork:
        path = ("public", "air") if self.kind == "postgresql" else ("air",)
        given = SourceSpec(alias="air", connector=self.kind, settings=settings or self.settings, path=path, schema=AIR)
        dialect, quote = ("postgres", '"') if self.kind == "postgresql" else ("mysql", "`")
        columns = ", ".join(f"{quote}t0{quote}.{quote}{name}{quote}" for name in AIR.names)
        text = f"SELECT {columns} FROM {quote}src{quote} AS {quote}t0{quote}"
        made = stage('select * from "air"', AIR, [binding(text, dialect=dialect)])
        soon = limits(folder, allowed_networks=LOOPBACK, statement_seconds=STATEMENT_SECONDS, connect_seconds=2.0)
        return work(folder, made, [given], limits=soon, sink=sink(folder))


@pytest.fixture(scope="module", params=["postgresql", "mysql"])
def server(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    """A kind of server and the settings that reach it directly."""
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        with psycopg.connect(server.create_database("bad_sources")) as connection:
            connection.execute("create table air (id bigint primary key, station text, pm25 double precision)")
            rows = f"select i, 's' || i, i from generate_series(1, {ROWS}) i"
            connection.execute(f"insert into air {rows}".encode())
        return request.param, dict(server.settings("bad_sources"))
    other: MariadbServer = request.getfixturevalue("mariadb_server")
    name = other.create_database("bad_sources")
    with other.connect(name) as connection, connection.cursor() as cursor:
        cursor.execute("create table air (id bigint primary key, station varchar(20), pm25 double)")
        cursor.execute(f"insert into air select seq, concat('s', seq), seq from seq_1_to_{ROWS}")
    return request.param, dict(other.settings(name))


@pytest.fixture
def behind(server: tuple[str, dict[str, Any]]) -> Iterator[Behind]:
    kind, settings = server
    with unruly_proxy(settings["host"], settings["port"]) as proxy:
        yield Behind(kind, {**settings, "host": "127.0.0.1", "port": proxy.port}, proxy)


def fails(pool: ChildPool, made: StageWork, folder: Path) -> EngineError | NodeTypeError:
    """Do it; the error must be in words and leave nothing."""
    with pytest.raises((EngineError, NodeTypeError)) as caught:
        pool.run(made)
    error = caught.value
    assert error.message["en"] and error.message["zh-CN"] and error.code != "engine.unexpected", error
    assert not (folder / "out.parquet").exists()
    return error


def works(pool: ChildPool, made: StageWork) -> None:
    outcome = pool.run(made)
    assert isinstance(outcome, StageOutcome) and outcome.rows == ROWS


@pytest.mark.services
def test_a_server_that_stands_still_is_given_up_in_time(pool: ChildPool, behind: Behind, tmp_path: Path) -> None:
    works(pool, behind.work(tmp_path))
    os.remove(tmp_path / "out.parquet")
    behind.proxy.fault, behind.proxy.after = "stall", 1_000_000
    started = time.monotonic()
    assert fails(pool, behind.work(tmp_path), tmp_path).retry == "retry"
    assert time.monotonic() - started < (STATEMENT_SECONDS + MARGIN_SECONDS + SOON) * patience()
    behind.proxy.fault = None
    works(pool, behind.work(tmp_path))


@pytest.mark.services
@pytest.mark.parametrize("after", [800, 1_500])
def test_a_target_that_stands_still_is_given_up_in_time(
    pool: ChildPool, behind: Behind, air: Path, tmp_path: Path, after: int
) -> None:
    folder = ("public",) if behind.kind == "postgresql" else ()
    given = {"connector": behind.kind, "settings": behind.settings, "target_path": (*folder, f"copied{after}")}

    def writing(attempt: int) -> StageWork:
        soon = limits(air, allowed_networks=LOOPBACK, statement_seconds=0.5, connect_seconds=2.0)
        made = stage('select * from "air"', AIR, [binding()], "write")
        delivery = DeliverySpec(sink="stage1", run="run1", task=f"stall{after}", attempt=attempt)
        into = msgspec.structs.replace(sink(tmp_path, "write", mode="append", create=True, **given), delivery=delivery)
        return work(air, made, [source(air, "parquet")], limits=soon, sink=into)

    behind.proxy.fault, behind.proxy.after = "stall", after
    started = time.monotonic()
    with pytest.raises((EngineError, NodeTypeError)) as caught:
        pool.run(writing(1))
    assert caught.value.retry == "retry"
    assert time.monotonic() - started < (LONG_STATEMENTS * 0.5 + MARGIN_SECONDS + SOON) * patience()
    behind.proxy.fault = None
    outcome = pool.run(writing(2))
    assert isinstance(outcome, StageOutcome) and outcome.rows == AIR_ROWS


@pytest.mark.services
@pytest.mark.parametrize("fault", ["reset", "close"])
@pytest.mark.parametrize("after", [20_000, 1_000_000])
def test_a_connection_that_breaks_is_told_and_tried_again(
    pool: ChildPool, behind: Behind, tmp_path: Path, fault: Fault, after: int
) -> None:
    behind.proxy.fault, behind.proxy.after = fault, after
    started = time.monotonic()
    assert fails(pool, behind.work(tmp_path), tmp_path).retry == "retry"
    assert time.monotonic() - started < (STATEMENT_SECONDS + MARGIN_SECONDS + SOON) * patience()
    behind.proxy.fault = None
    works(pool, behind.work(tmp_path))


@pytest.mark.services
def test_a_server_without_a_free_connection_is_told(
    pool: ChildPool, behind: Behind, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    narrow = {**behind.settings, "user": "narrow", "password": "n"}
    with ExitStack() as stack:
        if behind.kind == "postgresql":
            server: PostgresServer = request.getfixturevalue("postgres_server")
            admin = stack.enter_context(psycopg.connect(server.url("bad_sources"), autocommit=True))
            admin.execute("drop role if exists narrow")
            admin.execute("create role narrow login password 'n' connection limit 0")
        else:
            other: MariadbServer = request.getfixturevalue("mariadb_server")
            database = behind.settings["database"]
            cursor = stack.enter_context(stack.enter_context(other.connect(database)).cursor())
            cursor.execute("create or replace user narrow identified by 'n' with max_user_connections 1")
            taken = {**other.settings(database), "user": "narrow", "password": "n"}
            stack.enter_context(_session(taken))
        assert fails(pool, behind.work(tmp_path, narrow), tmp_path).retry == "retry"
    works(pool, behind.work(tmp_path))


def _session(settings: dict[str, Any]) -> Any:
    import pymysql

    return pymysql.connect(
        host=settings["host"], port=settings["port"], user=settings["user"], password=settings["password"]
    )


# ── Hostile files ─────────────────────────────────────────────────────────────────────────────────────────

WORDS = Schema.of([("word", "text")])
BOMB_ROWS, WORD = 4_000_000, "x" * 4_000
"""16 GB of text in a file of one megabyte or two: one word, told once, and how often it comes."""


def bomb_work(folder: Path, text: str, schema: Schema, kind: Any = "result") -> StageWork:
    given = SourceSpec(
        alias="air", connector="files", settings={"folder": str(folder)}, path=("bomb.parquet",), schema=WORDS
    )
    made = stage(text, schema, [binding('select "word" from "src"', WORDS)], kind)
    return work(folder, made, [given], sink=sink(folder, kind))


@pytest.fixture(scope="module")
def bomb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bomb")
    column = pa.DictionaryArray.from_arrays(pa.array([0] * BOMB_ROWS, pa.int32()), pa.array([WORD]))
    pq.write_table(pa.table({"word": column}), folder / "bomb.parquet")
    assert (folder / "bomb.parquet").stat().st_size < 2_000_000
    return folder


def test_a_parquet_bomb_is_counted_within_its_memory(pool: ChildPool, bomb: Path) -> None:
    counted = Schema.of([("n", "integer"), ("size", "integer")])
    outcome = pool.run(bomb_work(bomb, 'select count(*) as "n", max(length("word")) as "size" from "air"', counted))
    assert isinstance(outcome, StageOutcome) and outcome.rows == 1


def test_a_parquet_bomb_that_must_be_held_ends_in_words(pool: ChildPool, bomb: Path, air: Path) -> None:
    held = Schema.of([("word", "text")])
    with pytest.raises(MemoryLimitError) as caught:
        pool.run(bomb_work(bomb, 'select string_agg("word", \'\') as "word" from "air"', held))
    assert caught.value.retry == "fatal"
    assert isinstance(pool.run(work(air, stage('select * from "air"', AIR, [binding()]), [source(air, "csv")],
                                    sink=sink(bomb))), StageOutcome)  # fmt: skip


def test_a_file_that_is_cut_short_is_told(pool: ChildPool, air: Path, tmp_path: Path) -> None:
    whole = (air / "air.parquet").read_bytes()
    (tmp_path / "air.parquet").write_bytes(whole[: len(whole) // 2])
    made = work(tmp_path, stage('select * from "air"', AIR, [binding()]), [source(tmp_path, "parquet")])
    assert fails(pool, made, tmp_path).retry in ("fatal", "retry")
