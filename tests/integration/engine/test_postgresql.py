"""Stages that read from and write to a real PostgreSQL."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import ibis
import msgspec
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows.graph.render import render
from node_catalog.sdk.errors import NodeTypeError
from node_catalog.sdk.failpoint import FailpointError, arm
from node_catalog.sdk.ports import Schema, to_ibis
from node_catalog.sdk.registry import Registry, load_registry
from node_catalog.sdk.schema import parse
from node_catalog.types.connectors.postgresql.copying import CopyIn
from runtime.engine import events
from runtime.engine.errors import CancelledError, EngineError
from runtime.engine.pool import ChildPool
from runtime.engine.profile import profile_source
from runtime.engine.sources import connect_context
from runtime.engine.stage import run_stage
from runtime.engine.work import DeliverySpec, Limits, ProfileWork, SinkSpec, SourceSpec, StageWork
from tests.integration.engine.support import (
    AIR,
    BY_STATION,
    BY_STATION_TEXT,
    binding,
    by_station,
    limits,
    quiet,
    source,
    stage,
    work,
)
from tests.services import PostgresServer, wait_until

pytestmark = pytest.mark.services
ROWS = 60_000
LOOPBACK = ("127.0.0.0/8", "::1/128")


@pytest.fixture(scope="module")
def url(postgres_server: PostgresServer) -> str:
    """A database with table air, 60,000 rows."""
    found = postgres_server.create_database("engine_air")
    with psycopg.connect(found) as connection:
        connection.execute("create table air (id bigint primary key, station text, pm25 double precision)")
        connection.execute(
            "insert into air select i, 's' || (i %% 30), (i * 7919 %% 1000)::float8 "
            "from generate_series(0, %s) i", (ROWS - 1,),
        )  # fmt: skip
    return found


def settings_of(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    return {"host": parts.hostname, "port": parts.port, "user": parts.username, "password": parts.password,
            "database": parts.path[1:], "sslmode": "disable"}  # fmt: skip


def air_source(url: str, table: str = "air") -> SourceSpec:
    return SourceSpec(
        alias="air", connector="postgresql", settings=settings_of(url), path=("public", table), schema=AIR
    )


def remote(text: str = 'select "t0"."id", "t0"."station", "t0"."pm25" from "src" as "t0"', **more: Any) -> Any:
    return binding(text, dialect="postgres", **more)


def open_limits(folder: Path, **more: Any) -> Limits:
    return limits(folder, allowed_networks=LOOPBACK, **more)


def test_a_remote_text_streams_and_is_counted(url: str, tmp_path: Path, registry: Registry) -> None:
    made = stage(BY_STATION_TEXT, BY_STATION, [remote()])
    outcome = run_stage(work(tmp_path, made, [air_source(url)], limits=open_limits(tmp_path)), quiet, registry)
    table = pq.read_table(tmp_path / "out.parquet").to_pydict()
    assert {s: (n, w) for s, n, w in zip(table["station"], table["n"], table["worst"])} == by_station(ROWS)
    assert outcome.counts == {"read_air": ROWS, "out": 30}


def test_a_pushed_filter_runs_in_the_server(url: str, tmp_path: Path, registry: Registry) -> None:
    text = 'select "t0"."station" from "src" as "t0" where "t0"."pm25" >= 900'
    pushed = remote(text, schema=Schema.of([("station", "text")]), counts_step="high", pushed=("read_air", "high"))
    made = stage(
        'select "station" from "air"', Schema.of([("station", "text")]), [pushed], steps=["read_air", "high", "out"]
    )
    outcome = run_stage(work(tmp_path, made, [air_source(url)], limits=open_limits(tmp_path)), quiet, registry)
    assert outcome.counts["high"] == ROWS // 10
    assert outcome.counted == {"read_air": "pushed", "high": "live", "out": "live"}


def test_a_profile_reads_it_once(url: str, tmp_path: Path, registry: Registry) -> None:
    given = ProfileWork(binding=remote(), source=air_source(url), limits=open_limits(tmp_path), sample_rows=5000)
    outcome = profile_source(given, quiet, registry)
    assert outcome.rows == ROWS and outcome.columns["pm25"]["approximate"] == ["distinct", "top", "histogram"]


@pytest.mark.parametrize(
    "change, retry",
    [({"password": "wrong"}, "fatal"), ({"port": 1}, "retry"), ({"database": "nowhere"}, "fatal")],
)  # fmt: skip
def test_an_unreachable_server_is_told_in_words(
    url: str, tmp_path: Path, registry: Registry, change: dict[str, Any], retry: str
) -> None:
    given = SourceSpec(
        alias="air", connector="postgresql", settings={**settings_of(url), **change}, path=("air",), schema=AIR
    )
    made = stage(BY_STATION_TEXT, BY_STATION, [remote()])
    with pytest.raises((NodeTypeError, EngineError)) as caught:
        run_stage(work(tmp_path, made, [given], limits=open_limits(tmp_path)), quiet, registry)
    assert caught.value.retry == retry and caught.value.message["zh-CN"]
    assert settings_of(url)["password"] not in str(caught.value.message) + caught.value.detail


def test_a_private_address_needs_to_be_opened(url: str, tmp_path: Path, registry: Registry) -> None:
    made = stage(BY_STATION_TEXT, BY_STATION, [remote()])
    with pytest.raises(NodeTypeError) as caught:
        run_stage(work(tmp_path, made, [air_source(url)], limits=limits(tmp_path)), quiet, registry)
    assert caught.value.retry == "fatal"


def test_a_value_that_breaks_in_the_server_is_told(url: str, tmp_path: Path, registry: Registry) -> None:
    text = 'select cast("t0"."station" as bigint) as "id" from "src" as "t0"'
    made = stage(
        'select "id" from "air"', Schema.of([("id", "integer")]), [remote(text, schema=Schema.of([("id", "integer")]))]
    )
    with pytest.raises((NodeTypeError, EngineError)) as caught:
        run_stage(work(tmp_path, made, [air_source(url)], limits=open_limits(tmp_path)), quiet, registry)
    assert caught.value.code != "engine.unexpected"
    assert '"s' not in str(caught.value.message)


def test_a_slow_source_is_cancelled_within_two_seconds(url: str, tmp_path: Path) -> None:
    text = 'select "t0"."id", "t0"."station", "t0"."pm25" from "src" as "t0" cross join pg_sleep(30)'
    made = work(
        tmp_path, stage(BY_STATION_TEXT, BY_STATION, [remote(text)]), [air_source(url)], limits=open_limits(tmp_path)
    )
    cancel, errors = threading.Event(), []

    def run(pool: ChildPool) -> None:
        try:
            pool.run(made, None, cancel)
        except EngineError as error:
            errors.append(error)

    with ChildPool(1, Limits(memory_mb=256)) as pool:
        thread = threading.Thread(target=run, args=(pool,))
        thread.start()
        wait_until(lambda: sleeping(url), 30, "the statement runs in the server")
        started = time.monotonic()
        cancel.set()
        thread.join(10)
    assert time.monotonic() - started < 2
    assert isinstance(errors[0], CancelledError)


def sleeping(url: str) -> bool:
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "select count(*) from pg_stat_activity where query like '%pg_sleep%' and pid <> pg_backend_pid()"
        ).fetchone()
    return bool(found and found[0])


# ── Writing ───────────────────────────────────────────────────────────────────────────────────────────────


def write_work(air: Path, url: str, attempt: int, task: str) -> StageWork:
    made = stage('select * from "air"', AIR, [binding()], "write")
    target = SinkSpec(
        kind="write", connector="postgresql", settings=settings_of(url), target_path=("public", f"copy_{task}"),
        create=True,
        delivery=DeliverySpec(sink="stage1", run="run1", task=task, attempt=attempt),
    )  # fmt: skip
    return work(air, made, [source(air, "parquet")], sink=target, limits=open_limits(air, batch_rows=8192))


def tables(url: str) -> dict[str, int]:
    with psycopg.connect(url) as connection:
        names = [row[0] for row in connection.execute("select tablename from pg_tables where schemaname = 'public'")]
        return {
            name: (connection.execute(f'select count(*) from "{name}"').fetchone() or (0,))[0]
            for name in names
            if not name.startswith("citygo")
        }


def test_rows_are_delivered_once(air: Path, url: str, registry: Registry) -> None:
    first = run_stage(write_work(air, url, 1, "once"), quiet, registry)
    again = run_stage(write_work(air, url, 2, "once"), quiet, registry)
    assert (first.rows, first.adopted, again.rows, again.adopted) == (ROWS, False, ROWS, True)
    assert tables(url)["copy_once"] == ROWS


@pytest.mark.parametrize(
    "fault", ["engine.source_batch=raise@4", "engine.sink_write=raise@3", "engine.before_commit=raise"]
)
def test_a_source_that_fails_in_the_middle_leaves_nothing(air: Path, url: str, registry: Registry, fault: str) -> None:
    before = tables(url)
    task = fault.partition("=")[0].rpartition(".")[2]
    arm(fault)
    try:
        with pytest.raises(FailpointError):
            run_stage(write_work(air, url, 1, task), quiet, registry)
    finally:
        arm("")
    assert tables(url) == before
    run_stage(write_work(air, url, 2, task), quiet, registry)
    assert tables(url) == {**before, f"copy_{task}": ROWS}


def test_a_source_that_loses_its_server_in_the_middle(
    url: str, tmp_path: Path, registry: Registry, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server cuts the reading connection after the first batch."""
    monkeypatch.setattr(events, "MOMENT", 0.0)  # each phase is told at once
    small = open_limits(tmp_path, batch_rows=1000)
    text = 'select "t0"."id", "t0"."station" || repeat(\'x\', 2000) as "station", "t0"."pm25" from "src" as "t0"'
    made = stage('select * from "air"', AIR, [remote(text)])

    def cut(report: Any) -> None:
        if report.phase == "writing":
            with psycopg.connect(postgres_server.url("postgres"), autocommit=True) as connection:
                connection.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity where datname = 'engine_air'"
                )

    with pytest.raises((NodeTypeError, EngineError)) as caught:
        run_stage(work(tmp_path, made, [air_source(url)], limits=small), cut, registry)
    assert caught.value.code != "engine.unexpected"
    assert caught.value.retry == "retry"
    assert not list(tmp_path.glob("out*"))


def test_postgis_columns_are_geometries_with_their_system(postgres_server: PostgresServer, tmp_path: Path) -> None:
    url = postgres_server.create_database("engine_places")
    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute("select 1 from pg_available_extensions where name = 'postgis'").fetchone()
        if found is None:
            pytest.skip("PostGIS is not installed: postgresql-postgis")
        connection.execute('create schema "Geo Ext"')
        connection.execute('create extension postgis schema "Geo Ext"')
        connection.execute('set search_path = public, "Geo Ext"')
        connection.execute(
            "create table places (id bigint primary key, at geometry(Point,4326), flown geography(Point), "
            "official geometry(PointZ,4490), web geometry(Point,3857), loose geometry)"
        )
        point = "'SRID={};POINT{}(116.4 39.9{})'"
        values = ", ".join(
            [point.format(4326, "", ""), point.format(4326, "", ""), point.format(4490, " Z", " 7"),
             point.format(3857, "", ""), point.format(4326, "", "")]
        )  # fmt: skip
        connection.execute(f"insert into places values (1, {values}), (2, null, null, null, null, null)")
    connector = load_registry().connectors["postgresql"]
    settings = parse(connector.Settings, settings_of(url))
    context = connect_context(limits(tmp_path, allowed_networks=LOOPBACK), "postgresql")
    (table,) = connector.discover(settings, context)
    schema = Schema.of([(column.name, column.type) for column in table.columns])
    assert [field.type for field in schema.fields] == [
        "integer", "geometry(WGS84)", "geometry(WGS84)", "geometry(CGCS2000)", "text", "text",
    ]  # fmt: skip

    relation = ibis.table(to_ibis(schema), name="src")
    text = render(relation.filter(relation["id"] < 9).order_by("id"), "postgres")
    read = binding(text, schema, "places", dialect="postgres")
    statement = 'select "id", st_astext("at") as "at", st_x("official") as "x", "web" from "places" order by "id"'
    made = stage(
        statement, Schema.of([("id", "integer"), ("at", "text"), ("x", "number"), ("web", "text")]), [read],
        steps=("read_places", "out"),
    )  # fmt: skip
    made = msgspec.structs.replace(made, extensions=("spatial",))
    spec = SourceSpec(
        alias="places", connector="postgresql", settings=settings_of(url), path=("public", "places"), schema=schema
    )
    run_stage(work(tmp_path, made, [spec], limits=limits(tmp_path, allowed_networks=LOOPBACK)), quiet)
    first, second = pq.read_table(tmp_path / "out.parquet").to_pylist()
    assert (first["at"], first["x"]) == ("POINT (116.4 39.9)", 116.4)
    assert first["web"].startswith("0101"), "a system that we lack stays text"
    assert second == {"id": 2, "at": None, "x": None, "web": None}


def test_a_copy_that_fails_is_told_with_the_next_one(url: str) -> None:
    """Rows are copied in beside their maker: all of what is sent at once or none of it, and nothing is kept quiet."""
    rows = [pa.record_batch({"id": pa.array(ids, pa.int64())}) for ids in ([1, 2], [3, 7], [4])]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("create table small (id bigint check (id < 5))")
        copies = CopyIn(connection, "small", Schema.of([("id", "integer")]))
        for batch in rows[:2]:
            copies.add(batch)
            copies.send()
        with pytest.raises(psycopg.errors.CheckViolation):
            copies.settle()
        assert connection.execute("select id from small order by id").fetchall() == [(1,), (2,)]
        copies.add(rows[1])
        copies.send()
        copies.add(rows[2])
        with pytest.raises(psycopg.errors.CheckViolation):
            copies.send()
        copies.send()
        copies.close()
        assert connection.execute("select id from small order by id").fetchall() == [(1,), (2,), (4,)]
        connection.execute("drop table small")
