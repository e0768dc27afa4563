"""Stages that read from and write to a real MariaDB."""

from __future__ import annotations

import datetime as dt
import threading
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from node_catalog.sdk.contract import ConnectContext, Delivery, Target
from node_catalog.sdk.errors import NodeTypeError
from node_catalog.sdk.ports import Schema, to_arrow
from node_catalog.sdk.registry import Registry
from node_catalog.sdk.schema import parse
from node_catalog.types.connectors.mysql import Mysql
from node_catalog.types.connectors.mysql.connection import connect
from node_catalog.types.connectors.mysql.loading import sending_connection
from node_catalog.types.connectors.mysql.writing import MysqlOutput
from runtime.engine.errors import CancelledError, EngineError
from runtime.engine.pool import ChildPool
from runtime.engine.stage import run_stage
from runtime.engine.work import Limits, SourceSpec
from security.outgoing import OutgoingGuard
from tests.contract.mysql_tables import MYSQL_TABLES
from tests.integration.engine.support import (
    AIR,
    BY_STATION,
    BY_STATION_TEXT,
    binding,
    by_station,
    limits,
    quiet,
    stage,
    work,
)
from tests.services import MariadbServer, wait_until

pytestmark = pytest.mark.services
ROWS = 60_000
LOOPBACK = ("127.0.0.0/8",)


@pytest.fixture(scope="module")
def settings(mariadb_server: MariadbServer) -> dict[str, Any]:
    """A database with table air, 60,000 rows, and the unusual values of the contract suite."""
    name = mariadb_server.create_database("engine_air")
    with mariadb_server.connect(name) as connection, connection.cursor() as cursor:
        cursor.execute("create table air (id bigint primary key, station varchar(20), pm25 double)")
        cursor.execute("insert into air select seq, concat('s', seq mod 30), seq * 7919 mod 1000 from seq_0_to_59999")
        cursor.execute("set sql_mode = '', time_zone = '+08:00'")
        for statement in MYSQL_TABLES[:3]:
            cursor.execute(statement)
    return dict(mariadb_server.settings(name))


def air_source(settings: dict[str, Any]) -> SourceSpec:
    return SourceSpec(alias="air", connector="mysql", settings=settings, path=("air",), schema=AIR)


def there(text: str = "SELECT `t0`.`id`, `t0`.`station`, `t0`.`pm25` FROM `src` AS `t0`", **more: Any) -> Any:
    return binding(text, dialect="mysql", **more)


def open_limits(folder: Path, **more: Any) -> Limits:
    return limits(folder, allowed_networks=LOOPBACK, **more)


def test_a_text_runs_there_streams_and_is_counted(settings: dict[str, Any], tmp_path: Path, registry: Registry) -> None:
    made = stage(BY_STATION_TEXT, BY_STATION, [there()])
    outcome = run_stage(work(tmp_path, made, [air_source(settings)], limits=open_limits(tmp_path)), quiet, registry)
    table = pq.read_table(tmp_path / "out.parquet").to_pydict()
    assert {s: (n, w) for s, n, w in zip(table["station"], table["n"], table["worst"])} == by_station(ROWS)
    assert outcome.counts == {"read_air": ROWS, "out": 30}


def test_unusual_values_follow_the_documented_rules(
    settings: dict[str, Any], tmp_path: Path, registry: Registry
) -> None:
    columns = [
        ("id", "decimal(20,0)"), ("flag", "boolean"), ("one", "boolean"), ("five", "integer"), ("count_", "integer"),
        ("huge", "decimal(20,0)"), ("price", "decimal(12,3)"), ("upper_", "decimal(12,3)"), ("wide", "number"),
        ("value", "number"), ("at", "timestamp"), ("seen", "timestamp"), ("day", "date"), ("clock", "time"),
        ("yy", "integer"), ("feeling", "text"), ("tags", "text"), ("doc", "text"), ("name", "text"),
        ("exact", "text"), ("old", "text"), ("raw", "binary"), ("code", "binary"), ("place", "text"),
        ('Ünusual `name"', "text"), ("50%", "integer"), ("twice", "integer"),
    ]  # fmt: skip
    schema = Schema.of(columns)
    given = SourceSpec(alias="air", connector="mysql", settings=settings, path=("measured",), schema=schema)
    made = stage('select * from "air"', schema, [there("SELECT * FROM `src` AS `t0` ORDER BY 1", schema=schema)])
    run_stage(work(tmp_path, made, [given], limits=open_limits(tmp_path)), quiet, registry)
    first, second, third = pq.read_table(tmp_path / "out.parquet").to_pylist()
    assert first == {
        "id": Decimal(1), "flag": True, "one": True, "five": 21, "count_": 4_000_000_000, "huge": Decimal(2**64 - 1),
        "price": Decimal("1.234"), "upper_": Decimal("999999999.999"), "wide": 12345678901234567890.5, "value": 0.1,
        "at": dt.datetime.fromisoformat("2024-01-01 10:00:00.123456"),
        "seen": dt.datetime.fromisoformat("2024-01-01 02:00:00"),
        "day": dt.date(2024, 2, 29), "clock": dt.time(23, 59, 59, 500_000), "yy": 2024, "feeling": "good",
        "tags": "x,y", "doc": '{"a": 1}', "name": "Abc", "exact": "Abc", "old": "é", "raw": b"\0\xff",
        "code": b"\1\0\0\0", "place": "POINT(1 2)", 'Ünusual `name"': "中文", "50%": 5, "twice": 10,
    }  # fmt: skip
    assert (second["at"], second["seen"], second["day"], second["clock"], second["yy"]) == (None,) * 5
    assert (third["at"], third["day"], third["clock"], third["flag"], third["name"]) == (None, None, None, True, "a'b")


@pytest.mark.parametrize(
    "change, retry",
    [({"password": "wrong"}, "fatal"), ({"port": 1}, "retry"), ({"database": "nowhere"}, "fatal")],
)  # fmt: skip
def test_an_unreachable_server_is_told_in_words(
    settings: dict[str, Any], tmp_path: Path, registry: Registry, change: dict[str, Any], retry: str
) -> None:
    made = stage(BY_STATION_TEXT, BY_STATION, [there()])
    given = air_source({**settings, **change})
    with pytest.raises((NodeTypeError, EngineError)) as caught:
        run_stage(work(tmp_path, made, [given], limits=open_limits(tmp_path)), quiet, registry)
    assert caught.value.retry == retry and caught.value.message["zh-CN"]
    assert settings["password"] not in str(caught.value.message) + caught.value.detail


def test_a_server_without_encryption_is_spoken_to_only_where_that_may_be(settings: dict[str, Any]) -> None:
    context = ConnectContext(guard=OutgoingGuard(LOOPBACK))
    for tls, code in (("disable", "ok"), ("prefer", "ok"), ("require", "mysql.encryption")):
        checked = Mysql().check(parse(Mysql.Settings, {**settings, "tls": tls}), context)
        assert (checked.code, checked.facts.get("encrypted")) == (code, False if code == "ok" else None)


def test_a_private_address_needs_to_be_opened(settings: dict[str, Any], tmp_path: Path, registry: Registry) -> None:
    made = stage(BY_STATION_TEXT, BY_STATION, [there()])
    with pytest.raises(NodeTypeError) as caught:
        run_stage(work(tmp_path, made, [air_source(settings)], limits=limits(tmp_path)), quiet, registry)
    assert caught.value.retry == "fatal"


def test_a_statement_that_takes_too_long_is_ended_by_the_server(
    settings: dict[str, Any], tmp_path: Path, registry: Registry
) -> None:
    # One statement for so long that the server alone can end it: 60,000 × 60,000 pairs.
    text = "SELECT count(*) AS `id`, 'x' AS `station`, 0e0 AS `pm25` FROM `src` AS `a`, air AS `b` "
    made = stage(BY_STATION_TEXT, BY_STATION, [there(f"{text} WHERE `a`.`pm25` < `b`.`pm25` - 999")])
    soon = open_limits(tmp_path, statement_seconds=1.0)
    started = time.monotonic()
    with pytest.raises((NodeTypeError, EngineError)) as caught:
        run_stage(work(tmp_path, made, [air_source(settings)], limits=soon), quiet, registry)
    assert caught.value.retry == "retry" and time.monotonic() - started < 30


def test_the_source_is_attached_for_reading_only(settings: dict[str, Any], tmp_path: Path, registry: Registry) -> None:
    made = stage(BY_STATION_TEXT, BY_STATION, [there("DELETE FROM `src`")])
    with pytest.raises((NodeTypeError, EngineError)):
        run_stage(work(tmp_path, made, [air_source(settings)], limits=open_limits(tmp_path)), quiet, registry)


def test_a_slow_source_is_cancelled_within_two_seconds(
    settings: dict[str, Any], tmp_path: Path, mariadb_server: MariadbServer
) -> None:
    text = "SELECT `t0`.`id`, `t0`.`station`, `t0`.`pm25` FROM `src` AS `t0` WHERE SLEEP(20) = 0"
    made = work(
        tmp_path,
        stage(BY_STATION_TEXT, BY_STATION, [there(text)]),
        [air_source(settings)],
        limits=open_limits(tmp_path),
    )
    cancel, errors = threading.Event(), []

    def run(pool: ChildPool) -> None:
        try:
            pool.run(made, None, cancel)
        except EngineError as error:
            errors.append(error)

    def is_sleeping() -> bool:
        with mariadb_server.connect() as connection, connection.cursor() as cursor:
            cursor.execute("select count(*) from information_schema.processlist where state = 'User sleep'")
            return bool((cursor.fetchone() or (0,))[0])

    with ChildPool(1, Limits(memory_mb=256)) as pool:
        thread = threading.Thread(target=run, args=(pool,))
        thread.start()
        wait_until(is_sleeping, 30, "the statement runs in the server")
        started = time.monotonic()
        cancel.set()
        thread.join(10)
    assert time.monotonic() - started < 2
    assert isinstance(errors[0], CancelledError)


# ── Writing ───────────────────────────────────────────────────────────────────────────────────────────────

EVERY = Schema.of(
    [("id", "integer"), ("word", "text"), ("raw", "binary"), ("flag", "boolean"), ("value", "number"),
     ("price", "decimal(20,10)"), ("at", "timestamp")]
)  # fmt: skip


def every(count: int) -> pa.RecordBatch:
    """Rows with every kind of cell: quotes, escapes, bytes, NULL, no number."""
    words = ["a\\b", "it's", "tab\there", "line\nbreak\r", "中文 😀", "", None, "\\N", "NULL"]
    rows = [
        {
            "id": i, "word": words[i % 9], "raw": [b"\x00\xff'", b"", None][i % 3], "flag": [True, False, None][i % 3],
            "value": [0.1, float("nan"), -1e-300, float("inf")][i % 4], "price": Decimal(i) / 10**9,
            "at": dt.datetime.fromisoformat("2024-02-29 23:59:59.000001"),
        }
        for i in range(count)
    ]  # fmt: skip
    return pa.RecordBatch.from_pylist(rows, schema=to_arrow(EVERY))


@pytest.mark.parametrize("admits_loading", [True, False])
def test_rows_arrive_unchanged_whether_or_not_the_server_admits_loading(
    settings: dict[str, Any], mariadb_server: MariadbServer, admits_loading: bool
) -> None:
    context = ConnectContext(guard=OutgoingGuard(LOOPBACK))
    parsed, name = parse(Mysql.Settings, settings), f"every_{admits_loading}"
    with mariadb_server.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"set global local_infile = {int(admits_loading)}")
        try:
            writer = MysqlOutput.open(
                parsed, Target((name,), EVERY, "append", True), Delivery("s", name, "t", 1), context
            )
            for _ in range(3):
                writer.write(every(3000))
            assert writer.commit().rows == 9000
        finally:
            cursor.execute("set global local_infile = 1")
        cursor.execute(f"select id, word, raw, flag, value, price, at from `{settings['database']}`.`{name}`")
        found = sorted(cursor.fetchall())
    wanted = []
    for row in every(3000).to_pylist():
        is_number = row["value"] == row["value"] and abs(row["value"]) != float("inf")
        flag = None if row["flag"] is None else int(row["flag"])
        wanted += [(*list(row.values())[:3], flag, row["value"] if is_number else None, row["price"], row["at"])] * 3
    assert found == wanted


def test_a_server_that_asks_for_another_file_gets_nothing(
    settings: dict[str, Any], tmp_path: Path, mariadb_server: MariadbServer
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("77\n")
    context = ConnectContext(guard=OutgoingGuard(LOOPBACK))
    session = connect(parse(Mysql.Settings, settings), context, read_only=False, make=sending_connection)
    session.run("create or replace table stolen (line text)")
    session.run(f"load data local infile '{secret}' into table stolen")
    assert session.value("select count(*) from stolen") == 0
    session.close()


def test_replacing_keeps_indexes_comments_and_defaults(settings: dict[str, Any], mariadb_server: MariadbServer) -> None:
    context = ConnectContext(guard=OutgoingGuard(LOOPBACK))
    parsed = parse(Mysql.Settings, settings)
    schema = Schema.of([("id", "integer"), ("flag", "boolean")])
    rows = pa.RecordBatch.from_pylist([{"id": 7, "flag": True}], schema=to_arrow(schema))
    with mariadb_server.connect(settings["database"]) as connection, connection.cursor() as cursor:
        cursor.execute(
            "create table kept (id int primary key, flag bit(1), note varchar(9) default 'x', key (note)) "
            "comment 'mine'"
        )
        cursor.execute("insert into kept values (1, b'0', 'y')")
        cursor.execute("create table child (kept_id int references kept (id))")
        for run, is_tied in (("tied", True), ("alone", False)):
            if not is_tied:
                cursor.execute("drop table child")
            writer = MysqlOutput.open(parsed, Target(("kept",), schema, "replace"), Delivery("s", run, "t", 1), context)
            writer.write(rows)
            writer.commit()
            cursor.execute("select id, flag + 0, note from kept")
            assert cursor.fetchall() == ((7, 1, "x"),)
            cursor.execute("show create table kept")
            made = cursor.fetchone()[1]
            assert "KEY `note`" in made and "COMMENT='mine'" in made
        cursor.execute("show tables like 'citygo\\_s%'")
        assert not cursor.fetchall()
