"""Joins and groups that a real server makes: exactly what the engine would, down to odd texts and days."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pyarrow.parquet as pq
import pytest

from flows.graph.plan import Plan
from runtime.engine.stage import run_stage
from runtime.engine.work import Limits, SinkSpec, SourceSpec, StageWork, source_alias
from tests.integration.engine.support import quiet
from tests.services import MariadbServer, PostgresServer, wait_until
from tests.unit.graph.support import REMOTE, flow, registry, step
from tests.unit.graph.test_parts import PLACES, catalogue, grouped, joined, planned

pytestmark = pytest.mark.services
PATHS = {REMOTE: ("air",), PLACES: ("places",)}
AIR = (
    "station varchar(20), ts {moment}, pm25 double precision, pm10 bigint, cost decimal(10,2), day date, "
    "valid boolean, code varchar(9)"
)
ROWS = "('a', null, 1.5, 5, 0.1, '2024-01-01', true, 'x'), ('A', null, null, 6, 0.2, null, true, 'y'), "
ROWS += "('a ', null, 2.5, 7, null, '2024-01-02', null, null), (null, null, 0, 5, 0.3, '2024-01-01', true, 'x')"


def run(plan: Plan, connector: str, settings: dict[str, Any], folder: Path) -> list[tuple[Any, ...]]:
    (stage,) = plan.stages
    (binding,) = stage.bindings
    schemas = {number: one.schema for number, one in catalogue().items()}
    sources = tuple(
        SourceSpec(
            alias=source_alias(binding, read),
            connector=connector,
            settings=settings,
            path=PATHS[read.dataset],
            schema=schemas[read.dataset],
            compared=read.compared,
        )
        for read in binding.reads
    )
    limits = Limits(memory_mb=256, temp_folder=str(folder / "spill"), allowed_networks=("127.0.0.0/8", "::1/128"))
    sink = SinkSpec(kind="result", path=str(folder / "out.parquet"))
    outcome = run_stage(StageWork(stage=stage, sources=sources, sink=sink, limits=limits), quiet, registry())
    table = pq.read_table(folder / "out.parquet")
    if binding.sources:
        assert outcome.counts[binding.counts_step] == table.num_rows
    return sorted((tuple(row.values()) for row in table.to_pylist()), key=repr)


@pytest.fixture(scope="module")
def postgres(postgres_server: PostgresServer) -> dict[str, Any]:
    """Texts compare by a language's rules, without case; a day is infinite."""
    url = postgres_server.create_database("parts")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("create collation ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false)")
        made = AIR.format(moment="timestamp").replace("varchar(20)", "varchar(20) collate ci")
        connection.execute(f"create table air ({made})")
        connection.execute(f"insert into air values {ROWS}, ('b', null, 1, 9, 1, 'infinity', true, '')")
        connection.execute("create table places (id varchar(20) collate ci, district text, people bigint)")
        connection.execute("insert into places values ('a', 'east', 5), ('b', 'west', 9), (null, 'none', null)")
    parts = urlsplit(url)
    return {"host": parts.hostname, "port": parts.port, "user": parts.username, "password": parts.password,
            "database": parts.path[1:], "sslmode": "disable"}  # fmt: skip


@pytest.fixture(scope="module")
def mariadb(mariadb_server: MariadbServer) -> dict[str, Any]:
    name = mariadb_server.create_database("parts")
    with mariadb_server.connect(name) as connection, connection.cursor() as cursor:
        cursor.execute(f"create table air ({AIR.format(moment='datetime(6)')})")
        cursor.execute(f"insert into air values {ROWS}")
        cursor.execute("create table places (id varchar(20), district varchar(20), people bigint primary key)")
        cursor.execute("insert into places values ('a', 'east', 5), ('b', 'west', 9)")
    return dict(mariadb_server.settings(name))


def test_postgresql_groups_as_the_engine_does(postgres: dict[str, Any], tmp_path: Path) -> None:
    most = {"name": "last", "function": "max", "column": "day"}
    total = {"name": "sum", "function": "sum", "column": "cost"}
    found = run(planned(grouped(["station"], most, total)), "postgresql", postgres, tmp_path)
    assert [(row[0], row[1], str(row[2]), str(row[3])) for row in found] == [
        ("A", 1, "None", "0.20"),
        ("a ", 1, "2024-01-02", "None"),
        ("a", 1, "2024-01-01", "0.10"),
        ("b", 1, "None", "1.00"),
        (None, 1, "2024-01-01", "0.30"),
    ]


def test_postgresql_joins_as_the_engine_does(postgres: dict[str, Any], tmp_path: Path) -> None:
    found = run(planned(joined()), "postgresql", postgres, tmp_path)
    assert [(str(day), count) for day, count in found] == [("None", 1), ("2024-01-01", 1)]


def test_mariadb_joins_and_groups_as_the_engine_does(mariadb: dict[str, Any], tmp_path: Path) -> None:
    found = run(planned(joined(on=("pm10", "people")), catalogue("mysql")), "mysql", mariadb, tmp_path)
    assert [(str(day), count) for day, count in found] == [("2024-01-01", 2)]
    (tmp_path / "more").mkdir()
    most = {"name": "most", "function": "max", "column": "pm25"}
    found = run(planned(grouped(["day"], most), catalogue("mysql")), "mysql", mariadb, tmp_path / "more")
    assert [(str(row[0]), *row[1:]) for row in found] == [
        ("None", 1, None),
        ("2024-01-01", 2, 1.5),
        ("2024-01-02", 1, 2.5),
    ]


def test_a_table_that_two_steps_read_is_scanned_once(postgres: dict[str, Any], tmp_path: Path) -> None:
    """By the server's own count; the answer is that of two reads."""
    steps = {
        "low": step("read", dataset="remote"),
        "few": step("filter", where="pm10 < 6"),
        "high": step("read", dataset="remote"),
        "many": step("filter", where="pm10 > 5"),
        "both": step("join", how="left", on=[{"left": "valid", "right": "valid"}]),
        "out": step("output", name="x"),
    }
    plan = planned(flow(steps, "low > few", "high > many", "few > both.left", "many > both.right", "both > out"))
    before = scans(postgres)
    found = run(plan, "postgresql", postgres, tmp_path)
    assert scans(postgres) == before + 1
    assert [(row[0], row[3], row[8], row[11]) for row in found] == [
        ("a", 5, "A", 6),
        ("a", 5, "b", 9),
        (None, 5, "A", 6),
        (None, 5, "b", 9),
    ]


def scans(settings: dict[str, Any]) -> int:
    """How often the server has read the table: it knows when the sessions that read are gone."""
    url = "postgresql://{user}@{host}:{port}/{database}?password={password}".format(**settings)
    others = "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
    with psycopg.connect(url, autocommit=True) as connection:

        def row(query: str) -> Any:
            found = connection.execute(query.encode()).fetchone()
            assert found is not None
            return found[0]

        wait_until(lambda: row(f"{others} and backend_type = 'client backend'") == 0, 60, "the readers are gone")
        return int(row("select seq_scan from pg_stat_user_tables where relname = 'air'"))
