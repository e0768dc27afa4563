"""The attacks on an embedded SQL engine: files, hosts, settings, Python variables. All must be refused.

First with the text check in front (as every stage text meets it), then past it, straight at the locked connection.
"""

from __future__ import annotations

import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows.graph.errors import ExpressionError
from flows.graph.queries.query import compile_query
from flows.graph.render import render
from node_catalog.sdk.access import Attach
from runtime.engine.cancel import Cancel
from runtime.engine.duck import Connection, open_main, open_source
from runtime.engine.errors import EngineError, TextRefusedError
from runtime.engine.extensions import has_extension
from runtime.engine.work import Limits

LIMITS = Limits(memory_mb=128, threads=1)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """Files outside of every allowed folder."""
    folder = tmp_path / "secret"
    folder.mkdir()
    (folder / "x.csv").write_text("a,b\n1,canary\n")
    pq.write_table(pa.table({"a": ["canary"]}), folder / "x.parquet")
    with closing(sqlite3.connect(folder / "x.sqlite")) as database:
        database.execute("create table t (a text)")
        database.execute("insert into t values ('canary')")
        database.commit()
    return folder


@pytest.fixture
def main() -> Iterator[Connection]:
    with open_main(LIMITS, Cancel()) as connection:
        connection.register("src", pa.table({"a": [1]}).to_reader())
        yield connection


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Connection]:
    """A source connection with the SQLite scanner, open for one folder."""
    folder = tmp_path / "open"
    folder.mkdir()
    with closing(sqlite3.connect(folder / "air.sqlite")) as database:
        database.execute("create table t (a integer)")
        database.execute("create table hidden (a text)")
        database.commit()
    attach = Attach(
        (f"attach '{folder}/air.sqlite' as node (type sqlite, read_only)", "create view src as select a from node.t"),
        ("sqlite_scanner",),
        (str(folder),),
    )
    with open_source(LIMITS, Cancel(), attach) as connection:
        yield connection


def attacks(folder: Path, port: int) -> list[str]:
    """Statements that reach for files, hosts, settings and variables. ``{folder}`` holds the canary."""
    outside = str(folder)
    return [
        f"select * from '{outside}/x.csv'",
        f"select * from '{outside}/x.parquet'",
        f"from read_csv('{outside}/x.csv')",
        f"from read_csv_auto('{outside}/../secret/x.csv')",
        f"from read_parquet(['{outside}/x.parquet'])",
        f"from parquet_metadata('{outside}/x.parquet')",
        f"from parquet_schema('{outside}/x.parquet')",
        f"select content from read_text('{outside}/x.csv')",
        f"select content from read_blob('{outside}/x.csv')",
        f"from read_json('{outside}/x.csv')",
        f"from glob('{outside}/*')",
        f"from sniff_csv('{outside}/x.csv')",
        "select content from read_text('/etc/passwd')",
        "select content from read_text('/proc/self/environ')",
        "select content from read_text('file:///etc/passwd')",
        f"copy (select 1) to '{outside}/written.csv'",
        f"copy (select 1) to '{outside}/written.parquet' (format parquet)",
        f"copy src from '{outside}/x.csv'",
        f"export database '{outside}/dump'",
        f"import database '{outside}/dump'",
        f"attach '{outside}/x.sqlite' as other",
        f"attach '{outside}/x.sqlite' as other (type sqlite)",
        f"attach '{outside}/new.duckdb' as other",
        f"attach 'host=127.0.0.1 port={port}' as other (type postgres)",
        f"from sqlite_scan('{outside}/x.sqlite', 't')",
        f"from sqlite_query('{outside}/x.sqlite', 'select * from t')",
        f"from postgres_scan('host=127.0.0.1 port={port}', 'public', 't')",
        f"from postgres_query('host=127.0.0.1 port={port}', 'select 1')",
        f"from read_csv('http://127.0.0.1:{port}/x.csv')",
        f"from 's3://127.0.0.1:{port}/x.parquet'",
        f"install sqlite from 'http://127.0.0.1:{port}'",
        "install httpfs",
        "load httpfs",
        f"load '{outside}/evil.duckdb_extension'",
        "set enable_external_access = true",
        "set memory_limit = '100GB'",
        "set threads = 64",
        "set lock_configuration = false",
        "reset memory_limit",
        f"set temp_directory = '{outside}'",
        f"set allowed_directories = ['{outside}']",
        f"set extension_directory = '{outside}'",
        f"pragma profiling_output = '{outside}/profile.json'",
        "select * from canary_variable",
        "create persistent secret s (type http, bearer_token 'x')",
        "select * from node.hidden",
        "select getenv('PATH')",
        "call pragma_version()",
    ]


@pytest.fixture
def listener() -> Iterator[tuple[int, list[object]]]:
    """A port of this machine that notes every connection."""
    heard: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        ended = threading.Event()

        def listen() -> None:
            while not ended.is_set():
                try:
                    connection, address = server.accept()
                except TimeoutError:
                    continue
                heard.append(address)
                connection.close()

        thread = threading.Thread(target=listen)
        thread.start()
        yield server.getsockname()[1], heard
        ended.set()
        thread.join()


@pytest.mark.parametrize("kind", ["main", "source"])
def test_no_attack_passes_the_text_check(
    request: pytest.FixtureRequest, kind: str, secret: Path, listener: tuple[int, list[object]]
) -> None:
    connection: Connection = request.getfixturevalue(kind)
    canary_variable = pa.table({"a": ["canary"]})
    assert canary_variable.num_rows == 1
    for sql in attacks(secret, listener[0]):
        with pytest.raises(TextRefusedError), connection.run(sql, ("src",), 1024):
            pytest.fail(f"ran: {sql}")
    assert listener[1] == []


@pytest.fixture
def spatial() -> Iterator[Connection]:
    """A main connection of a stage that uses geometries: the extension brings readers of files."""
    with open_main(LIMITS, Cancel(), extensions=("spatial",)) as connection:
        connection.register("src", pa.table({"a": [1]}).to_reader())
        yield connection


def test_geometries_open_no_way_to_files(spatial: Connection, secret: Path, listener: tuple[int, list[object]]) -> None:
    settings = dict(spatial.script("select name, value from duckdb_settings()"))
    assert settings["enable_external_access"] == "false" and settings["lock_configuration"] == "true"
    readers = [
        f"from st_read('{secret}/x.csv')",
        f"from ST_Read('/vsicurl/http://127.0.0.1:{listener[0]}/x.geojson')",
        f"from st_read_meta('{secret}/x.csv')",
        f"from st_readosm('{secret}/x.pbf')",
        f"from st_readshp('{secret}/x.shp')",
        f"from '{secret}/x.shp'",
        "from st_drivers()",
        f"select st_transform(st_point(1, 2), '+init={secret}/x.csv:1', 'EPSG:4326')",
        f"select ST_Transform(st_point(1, 2), 'EPSG:4326', '+proj=longlat +nadgrids={secret}/x.csv')",
        f"select (select \"st_transform\"(st_point(a, 2), '+init={secret}/x.csv:1', 'EPSG:4326')) from src",
    ]
    for sql in [*readers, *attacks(secret, listener[0])]:
        with pytest.raises(TextRefusedError), spatial.run(sql, ("src",), 1024):
            pytest.fail(f"ran: {sql}")
    written = f"copy (select 1 as a, st_point(1, 2) as g) to '{secret}/written.gpkg' with (format gdal, driver 'GPKG')"
    for sql in [written, f"from st_read('{secret}/x.csv')", f"from st_readosm('{secret}/x.csv')"]:
        with pytest.raises(EngineError):
            pytest.fail(f"{sql} gave {spatial.script(sql)}")
    assert not list(secret.glob("written*")) and listener[1] == []
    with spatial.run("select st_astext(st_point(a, 2)) as g from src", ("src",), 1024) as rows:
        assert rows.read_all().to_pylist() == [{"g": "POINT (1 2)"}]


def test_no_attack_passes_the_sql_step(secret: Path, listener: tuple[int, list[object]]) -> None:
    """The first of three walls: alone, behind a WITH, in a subquery, or after a query that is fine."""
    tables = {"src": ibis.table({"a": "int64"}, name="src")}
    for sql in attacks(secret, listener[0]):
        wrapped = (f"with x as ({sql}) select * from x", f"select * from src where a in ({sql})", f"from src; {sql}")
        for query in (sql, *wrapped):
            with pytest.raises(ExpressionError):
                pytest.fail(f"{query} became {render(compile_query(query, tables))}")
    assert listener[1] == []


def test_what_a_query_becomes_passes_the_text_check_and_holds_no_word_of_it(main: Connection) -> None:
    hostile = "'; attach 'x' as y; -- \" union select content from read_text('/etc/passwd')"
    written = hostile.replace("'", "''")
    name = hostile.replace('"', '""')
    query = f"select a as \"{name}\", '{written}' as b from src where '{written}' <> ''"
    text = render(compile_query(query, {"src": ibis.table({"a": "int64"}, name="src")}))
    with main.run(text, ("src",), 1024) as rows:
        assert rows.read_all().to_pylist() == [{hostile: 1, "b": hostile}]


def test_no_attack_gets_past_the_locks_of_the_main_connection(
    main: Connection, secret: Path, listener: tuple[int, list[object]]
) -> None:
    canary_variable = pa.table({"a": ["canary"]})
    assert canary_variable.num_rows == 1
    before = sorted(path.name for path in secret.iterdir())
    harmless = {"select getenv('PATH')", "call pragma_version()"}
    for sql in attacks(secret, listener[0]):
        if sql in harmless:
            continue
        with pytest.raises(EngineError):
            pytest.fail(f"{sql} gave {main.script(sql)}")
    assert sorted(path.name for path in secret.iterdir()) == before
    assert listener[1] == []


def test_files_outside_the_folder_stay_closed_to_a_source_connection_even_past_the_check(
    source: Connection, secret: Path
) -> None:
    """What a scanner extension opens in spite of the locks (sqlite_scan, ATTACH) only the text check stops."""
    for sql in attacks(secret, 1):
        if any(word in sql for word in ("sqlite", "hidden", "getenv", "call", "host=", "127.0.0.1")):
            continue
        with pytest.raises(EngineError):
            pytest.fail(f"{sql} gave {source.script(sql)}")
    assert not list(secret.glob("written*"))


def test_a_way_out_through_a_link_is_closed(tmp_path: Path, secret: Path) -> None:
    folder = tmp_path / "linked"
    folder.mkdir()
    pq.write_table(pa.table({"a": [1]}), folder / "a.parquet")
    attach = Attach((f"create view src as select * from read_parquet('{folder}/a.parquet')",), (), (str(folder),))
    with open_source(LIMITS, Cancel(), attach) as connection:
        with connection.run("select * from src", ("src",), 10) as rows:
            assert rows.read_all().num_rows == 1
        for path in (f"{folder}/../secret/x.csv", f"{folder}/./../secret/x.csv"):
            with pytest.raises(EngineError):
                connection.script(f"from read_csv('{path}')")


def test_the_main_connection_has_no_extension_and_its_limits(tmp_path: Path) -> None:
    spill = tmp_path / "spill"
    with open_main(Limits(memory_mb=100, threads=2, temp_folder=str(spill)), Cancel()) as connection:
        settings = dict(connection.script("select name, value from duckdb_settings()"))
        functions = {name for (name,) in connection.script("select function_name from duckdb_functions()")}
    assert "sum" in functions and not functions & {"sqlite_scan", "postgres_scan", "mysql_scan", "sqlite_attach"}
    assert settings["enable_external_access"] == "false" and settings["lock_configuration"] == "true"
    assert settings["threads"] == "2" and settings["memory_limit"].startswith("100")
    assert settings["python_enable_replacements"] == "false" and settings["preserve_insertion_order"] == "false"
    assert settings["autoload_known_extensions"] == "false" and settings["allow_community_extensions"] == "false"
    assert settings["TimeZone"] == "UTC"


def test_work_larger_than_memory_spills_apart_and_cleans_up(tmp_path: Path) -> None:
    """Two databases spill into one folder at the same time and do not disturb each other."""
    limits = Limits(memory_mb=64, threads=1, temp_folder=str(tmp_path / "spill"))
    sql = "select i, 'k' || (i * 7919 % 1500000) as k from range(1500000) t(i) order by k, i"
    with open_main(limits, Cancel()) as one, open_main(limits, Cancel()) as two:
        with one.run(sql, (), 65_536) as first, two.run(sql, (), 65_536) as second:
            for left, right in zip(first, second, strict=True):
                assert left.equals(right)
        assert one.operators()["system_peak_temp_dir_size"] > 0
    assert not any(path.is_file() for path in tmp_path.rglob("*"))


def test_the_extensions_of_the_product_are_installed() -> None:
    assert has_extension("sqlite") and has_extension("sqlite_scanner") and has_extension("postgres")
    assert not has_extension("abacus")


def test_today_is_the_citys_day() -> None:
    """Between midnight in the city and midnight in Greenwich the two differ; the offset shows at any hour."""
    sql = "select date_diff('hour', timezone('UTC', now()), now()::timestamp) as hours"
    for zone, hours in (("UTC", 0), ("Asia/Shanghai", 8)):
        limits = Limits(memory_mb=256, time_zone=zone)
        with open_main(limits, Cancel()) as connection:
            assert connection.script(sql) == [(hours,)]
