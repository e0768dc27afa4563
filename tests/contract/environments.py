"""A real system for every connector that the contract suites run against. A new connector needs an entry here."""

from __future__ import annotations

import datetime as dt
import gzip
import importlib.resources
import os
import sqlite3
import uuid
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows.graph.relation_text import with_relation
from node_catalog.palette import registry
from node_catalog.sdk.access import Attach, DatasetRef, Remote, Through
from node_catalog.sdk.contract import ConnectContext, Connector
from node_catalog.sdk.ports import to_arrow
from node_catalog.sdk.sql_node import literal
from node_catalog.sdk.testing_nodes import NodeCase
from security.outgoing import OutgoingGuard
from tests.contract.mysql_tables import MYSQL_TABLES
from tests.web_service import Asked, Reply, Route, WebService, rows

LOOPBACK = ("127.0.0.1/32",)


def read_all(connector: type[Connector], settings: Any, dataset: DatasetRef, context: ConnectContext) -> pa.Table:
    """All rows of a dataset in the promised types, whichever way the connector offers."""
    access = connector.access(settings, dataset, context)
    wanted = to_arrow(dataset.schema)
    if isinstance(access, Attach | Through):
        with closing(duckdb.connect(config={"enable_external_access": "true"})) as connection:
            for extension in access.extensions:
                connection.execute(f"load '{_extension_file(extension)}'")
            if isinstance(access, Attach):
                for name, allowed in (("allowed_directories", access.folders), ("allowed_paths", access.files)):
                    connection.execute(f"set {name} = [{', '.join(map(literal, allowed))}]")
                connection.execute("set enable_external_access = false")
            for statement in access.statements:
                connection.execute(statement)
            if isinstance(access, Attach):
                return connection.sql("select * from src").to_arrow_table()
            text = with_relation("select * from `src` as `t0`", access.dialect, access.relation)
            sql = literal(f"{access.before}{text}{access.after}")
            found = connection.sql(f"select * from {access.function}('node', {sql})").to_arrow_table()
            return pa.Table.from_batches([_cast(batch, wanted) for batch in found.to_batches()], schema=wanted)
    if isinstance(access, Remote):
        text = with_relation('select * from "src" as "t0"', access.dialect, access.relation)
        batches = list(connector.run_sql(settings, text, context))
    else:
        batches = list(connector.read(settings, dataset, dataset.schema.names, context))
    return pa.Table.from_batches([_cast(batch, wanted) for batch in batches], schema=wanted)


def _cast(batch: pa.RecordBatch, wanted: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([batch.column(f.name).cast(f.type) for f in wanted], schema=wanted)


def _extension_file(name: str) -> Path:
    package = f"duckdb_extension_{name}_scanner"
    folder = importlib.resources.files(package) / "extensions" / f"v{duckdb.__version__}"
    return Path(str(folder)) / f"{name}_scanner.duckdb_extension"


def sqlite_case(folder: Path, request: pytest.FixtureRequest) -> NodeCase:
    """A SQLite file with clean and unclean columns, a view and a reserved word."""
    path = folder / "city.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            """
            create table station (id integer primary key, name varchar(40) not null, lon real, opened date,
              seen timestamp, active boolean, fee decimal(8,2), photo blob);
            insert into station values (1, '奥体中心', 116.4, '2013-03-01', '2024-01-01 10:00:00', 1, 12.5, x'00ff'),
              (2, 'O''Neil', null, null, '2024-01-01T10:00:00.250', 0, 3, null);
            create table "order" ("group" text, mixed real, day date);
            insert into "order" values ('a', 1.5, '2024-01-01'), ('b', 'NA', 'soon');
            create view station_names as select id, name || '!' as shout from station;
            create table empty (a integer);
            """
        )
    (folder / "broken.db").write_bytes(b"this is not a database " * 100)
    return NodeCase(
        registry().connectors["sqlite"],
        {"path": str(path)},
        ConnectContext(file_roots=(str(folder),)),
        read_all,
        expected={("station",): 2, ("order",): 2, ("station_names",): 2, ("empty",): 0},
        wrong={
            "outside": {"path": "/etc/passwd"},
            "dots": {"path": f"{folder}/../../etc/passwd"},
            "missing": {"path": str(folder / "gone.db")},
            "no database": {"path": str(folder / "broken.db")},
            "a folder": {"path": str(folder)},
        },
    )


def files_case(folder: Path, request: pytest.FixtureRequest) -> NodeCase:
    """CSV in several dialects, Parquet with foreign types, a pattern, links that lead out."""
    (folder / "air").mkdir()
    (folder / "air" / "a.csv.gz").write_bytes(gzip.compress(b'"No","PM2.5","wd"\n1,NA,"N"\n2,8.5,NA\n'))
    (folder / "air" / "b.csv.gz").write_bytes(gzip.compress(b'"wd","No","PM2.5"\n"S",3,1\n'))
    (folder / "gb.csv").write_bytes("编号,名称,日期\n001,北京,2024/1/5\n002,上海,2024/12/31\n".encode("gb18030"))
    (folder / "semi.csv").write_text('Report\n\na;b;c\n1,5;x;2024-01-01 10:00\n2,5;"y;z";2024-01-02 11:30\n')
    (folder / "log.jsonl").write_text(
        '{"no": 1, "at": "2024-01-31T08:00:00+08:00", "tags": ["a", {"b": 1.10}], "mixed": 5}\n\n'
        '{"no": 2, "at": "2024-01-31 08:00:00Z", "tags": null, "mixed": "x", "late": 2.5}\n'
    )
    (folder / "packed.ndjson.gz").write_bytes(gzip.compress(b'\xef\xbb\xbf{"a": true}\n{}\n'))
    book = openpyxl.Workbook()
    for row in (["2026 报表"], [], ["编号", "数值", "日期"], ["001", 1.5, dt.date(2026, 1, 1)], ["002", None, None]):
        book.active.append(row)
    book.active.merge_cells("A1:C1")
    book.save(folder / "book.xlsx")
    (folder / "broken.xlsx").write_bytes((folder / "book.xlsx").read_bytes()[:1000])
    (folder / "big5.txt").write_bytes("編號\t名稱\n1\t臺北市政府資料開放平臺\n".encode("big5"))
    values = {
        "i": pa.array([1, None], pa.int32()),
        "x": pa.array([float("nan"), 2.5]),
        "at": pa.array([0, 1], pa.timestamp("ns", tz="Asia/Shanghai")),
        "many": pa.array([[1], [2]]),
        "word": pa.array(["a", "b"]).dictionary_encode(),
    }
    pq.write_table(pa.table(values), folder / "p.parquet")
    os.symlink("/etc/passwd", folder / "out.csv")
    return NodeCase(
        registry().connectors["files"],
        {"folder": str(folder), "patterns": ["air/*.csv.gz"]},
        ConnectContext(file_roots=(str(folder),)),
        read_all,
        expected={
            ("air", "*.csv.gz"): 3,
            ("gb.csv",): 2,
            ("semi.csv",): 2,
            ("p.parquet",): 2,
            ("log.jsonl",): 2,
            ("packed.ndjson.gz",): 2,
            ("big5.txt",): 1,
            ("book.xlsx", "Sheet"): 2,
            ("broken.xlsx",): None,
        },
        wrong={
            "outside": {"folder": "/etc"},
            "dots": {"folder": f"{folder}/../.."},
            "missing": {"folder": str(folder / "gone")},
            "a file": {"folder": str(folder / "gb.csv")},
            "relative": {"folder": "data"},
        },
    )


def postgresql_case(folder: Path, request: pytest.FixtureRequest) -> NodeCase:
    """A database of its own on the run's real server."""
    server = request.getfixturevalue("postgres_server")
    name = f"contract_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server.create_database(name), autocommit=True) as connection:
        connection.execute(
            """
            create type mood as enum ('good', 'bad');
            create table measured (id serial primary key, station int not null, value double precision,
              price numeric(10,2), any_number numeric, at timestamptz, day date, clock time,
              feeling mood, doc jsonb, note varchar(10),
              raw bytea, "Ünusual ""name" text, "50%" int);
            insert into measured (station, value, price, any_number, at, day, clock, feeling, doc, note, raw, "50%")
              values
              (1, 'NaN', 1.25, 'NaN', '2024-01-01 10:00+08', '2024-01-01', '10:00', 'good', '{"a": 1}', 'x',
               '\\x00ff', 5),
              (2, 'inf', 'NaN', 1e100, 'infinity', 'infinity', null, null, null, null, null, null);
            create view halves as select id, value / 2 as half from measured;
            create table nothing (a int)
            """
        )
    settings = server.settings(name)
    return NodeCase(
        registry().connectors["postgresql"],
        settings,
        ConnectContext(guard=OutgoingGuard(LOOPBACK), connect_timeout=2),
        read_all,
        expected={("public", "measured"): 2, ("public", "nothing"): 0},
        wrong={
            "password": {"password": "wrong"},
            "user": {"user": "nobody"},
            "database": {"database": "no_such"},
            "port": {"port": 9},
            "schema": {"schema": "no_such"},
            "address": {"host": "127.0.0.2"},
            "metadata": {"host": "169.254.169.254"},
            "encryption": {"sslmode": "require"},
        },
    )


def http_json_case(folder: Path, request: pytest.FixtureRequest) -> NodeCase:
    """A real web service: every way of paging, nested values, sparse fields, a key in a header."""

    def guarded(route: Route) -> Route:
        return lambda asked: route(asked) if asked.headers.get("x-api-key") == "canary-key" else Reply({}, 401)

    def stations(asked: Asked) -> Reply:
        wanted = [
            {"id": 1, "at": "2024-01-01T10:00:00+08:00", "day": "2024-01-01", "geo": {"lon": 116.4}, "ok": True},
            {"id": 2, "at": None, "day": None, "geo": None, "ok": False, "note": "only here"},
        ]
        return Reply({"data": {"items": wanted}})

    def numbered(asked: Asked) -> Reply:
        page = int(asked.query.get("page", 1))
        return Reply({"rows": rows(page * 10 - 9, min(page * 10, 25))})

    service = WebService({"/v1/stations": guarded(stations), "/v1/numbered": guarded(numbered)})
    running = service.running()
    running.__enter__()
    request.addfinalizer(lambda: running.__exit__(None, None, None))
    return NodeCase(
        registry().connectors["http_json"],
        {
            "url": f"{service.url}/v1",
            "sign_in": "key_header",
            "secret": "canary-key",
            "retries": 0,
            "timeout_seconds": 5,
            "datasets": [
                {"name": "stations", "path": "stations", "rows_at": "/data/items"},
                {"name": "numbered", "path": "numbered", "rows_at": "/rows", "paging": "page"},
            ],
        },
        ConnectContext(guard=OutgoingGuard(LOOPBACK), connect_timeout=2),
        read_all,
        expected={("stations",): 2},
        wrong={
            "key": {"secret": "wrong"},
            "port": {"url": "http://127.0.0.1:9"},
            "address": {"url": "http://127.0.0.2/v1"},
            "metadata": {"url": "http://169.254.169.254/latest"},
            "path": {"url": f"{service.url}/v2"},
            "pointer": {"datasets": [{"name": "stations", "path": "stations", "rows_at": "/nowhere"}]},
            "tls": {"url": f"https://127.0.0.1:{service.port}/v1"},
        },
    )


def mysql_case(folder: Path, request: pytest.FixtureRequest) -> NodeCase:
    """A database of its own on the run's real server, with what only old MySQL data have."""
    server = request.getfixturevalue("mariadb_server")
    name = server.create_database(f"contract_{uuid.uuid4().hex[:12]}")
    with server.connect(name) as connection, connection.cursor() as cursor:
        cursor.execute("set sql_mode = '', time_zone = '+08:00'")
        for statement in MYSQL_TABLES:
            cursor.execute(statement)
    return NodeCase(
        registry().connectors["mysql"],
        server.settings(name),
        ConnectContext(guard=OutgoingGuard(LOOPBACK), connect_timeout=2, work_folder=str(folder)),
        read_all,
        expected={("measured",): 3, ("nothing",): 0},
        wrong={
            "password": {"password": "wrong"},
            "user": {"user": "nobody"},
            "database": {"database": "no_such"},
            "port": {"port": 9},
            "address": {"host": "127.0.0.2"},
            "metadata": {"host": "169.254.169.254"},
            "encryption": {"tls": "require"},
            "certificate": {"tls": "verify"},
        },
    )


def duckdb_case(folder: Path, request: pytest.FixtureRequest) -> NodeCase:
    """A DuckDB file with every kind of type, two schemas, a good view and views that reach for other files."""
    path, outside = folder / "city.duckdb", folder / "other.csv"
    outside.write_text("a\ncanary\n")
    with closing(duckdb.connect(str(path))) as connection:
        connection.execute(
            f"""
            create table station (id integer primary key, name varchar not null, lon double, opened date,
              seen timestamptz, exact decimal(12,3), big hugeint, wide ubigint, photo blob, tags varchar[],
              "Ünusual ""name" struct(a integer), feeling enum('good', 'bad'), clock time, active boolean);
            insert into station values
              (1, '奥体中心', 'nan', 'infinity', '2024-01-01 10:00:00+08', 1.25, 1, 2, '\\x00'::blob, ['a', null],
               {{'a': 1}}, 'good', '10:00', true),
              (2, 'O''Neil', 1.5, '2013-03-01', null, null, null, null, null, null, null, null, null, null);
            create schema old; create table old."order" (a integer);
            create view names as select id, name || '!' as shout from station;
            create view evil as select * from read_csv('{outside}');
            create macro secret() as (select content from read_text('/etc/hostname'));
            create view evil_too as select secret() as a
            """
        )
    (folder / "broken.duckdb").write_bytes(b"this is not a database " * 100)
    return NodeCase(
        registry().connectors["duckdb"],
        {"path": str(path)},
        ConnectContext(file_roots=(str(folder),)),
        read_all,
        expected={("main", "station"): 2, ("old", "order"): 0, ("main", "names"): None, ("main", "evil"): None},
        wrong={
            "outside": {"path": "/etc/passwd"},
            "dots": {"path": f"{folder}/../../etc/passwd"},
            "missing": {"path": str(folder / "gone.duckdb")},
            "no database": {"path": str(folder / "broken.duckdb")},
            "another format": {"path": str(outside)},
            "a folder": {"path": str(folder)},
        },
    )


def s3_case(folder: Path, request: pytest.FixtureRequest) -> NodeCase:
    """A bucket with CSV, JSON Lines and Parquet, a pattern, odd keys, and a prefix that hides the rest."""
    store = request.getfixturevalue("object_store")
    bucket = store.bucket()
    sink = pa.BufferOutputStream()
    values = {"i": pa.array([1, None], pa.int32()), "x": pa.array([float("nan"), 2.5]), "many": pa.array([[1], [2]])}
    pq.write_table(pa.table(values), sink)
    store.put(bucket, "city/p.parquet", sink.getvalue().to_pybytes())
    store.put(bucket, "city/air/a.csv.gz", gzip.compress(b"No,wd\n1,N\n2,NA\n"))
    store.put(bucket, "city/air/b.csv.gz", gzip.compress(b"wd,No\nS,3\n"))
    store.put(bucket, "city/站点 (1)+.csv", "编号,名称\n001,北京\n002,上海\n".encode("gb18030"))
    store.put(bucket, "city/log.jsonl", b'{"a": 1, "b": {"c": 1}}\n{"a": 2}\n')
    store.put(bucket, "city/empty.csv", b"")
    store.put(bucket, "city/_hidden/x.csv", b"a\n1\n")
    store.put(bucket, "elsewhere/x.csv", b"a\n1\n")
    (folder / "work").mkdir(exist_ok=True)
    return NodeCase(
        registry().connectors["s3"],
        store.settings(bucket, prefix="city/", patterns=["air/*.csv.gz"]),
        ConnectContext(guard=OutgoingGuard(LOOPBACK), connect_timeout=2, work_folder=str(folder / "work")),
        read_all,
        expected={
            ("air", "*.csv.gz"): 3,
            ("p.parquet",): 2,
            ("站点 (1)+.csv",): 2,
            ("log.jsonl",): 2,
            ("empty.csv",): 0,
        },
        wrong={
            "bucket": {"bucket": "no-such-bucket"},
            "port": {"endpoint": "http://127.0.0.1:9"},
            "address": {"endpoint": f"http://127.0.0.2:{store.port}"},
            "metadata": {"endpoint": "http://169.254.169.254"},
            "no tls": {"endpoint": f"https://127.0.0.1:{store.port}"},
        },
    )


CASES: dict[str, Callable[[Path, pytest.FixtureRequest], NodeCase]] = {
    "sqlite": sqlite_case,
    "files": files_case,
    "duckdb": duckdb_case,
    "s3": s3_case,
    "postgresql": postgresql_case,
    "mysql": mysql_case,
    "http_json": http_json_case,
}


def connectors(writing: bool = False) -> list[Any]:
    """Every connector as a pytest parameter (those with an output when ``writing``)."""
    return [
        pytest.param(key, id=key, marks=[pytest.mark.services] if key in ("postgresql", "mysql") else [])
        for key, connector in registry().connectors.items()
        # A connector that says it is not tested against a server has none here either.
        if connector.label is None and (not writing or connector.output is not None)
    ]


def make_case(key: str, folder: Path, request: pytest.FixtureRequest) -> NodeCase:
    """The real system of a connector."""
    assert key in CASES, f"the connector {key!r} has no real system in tests/contract/environments.py"
    return CASES[key](folder, request)
