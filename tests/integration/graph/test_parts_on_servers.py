"""Joins and groups that a real server makes: exactly what the engine would, down to odd texts and days."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows.graph.plan import Plan, Stage
from node_catalog.sdk.contract import ConnectContext
from node_catalog.sdk.ports import Schema, to_arrow
from node_catalog.sdk.schema import parse
from runtime.engine import shipping
from runtime.engine.stage import run_stage
from runtime.engine.work import Limits, Report, SinkSpec, SourceSpec, StageWork, source_alias
from security.outgoing import OutgoingGuard
from tests.integration.engine.support import quiet
from tests.services import MariadbServer, PostgresServer, wait_until
from tests.unit.graph.support import REMOTE, flow, registry, step
from tests.unit.graph.test_parts import PLACES, apart, catalogue, grouped, joined, planned

pytestmark = pytest.mark.services
PATHS = {REMOTE: ("air",), PLACES: ("places",)}
AIR = (
    "station varchar(20), ts {moment}, pm25 double precision, pm10 bigint, cost decimal(10,2), day date, "
    "valid boolean, code varchar(9)"
)
ROWS = "('a', null, 1.5, 5, 0.1, '2024-01-01', true, 'x'), ('A', null, null, 6, 0.2, null, true, 'y'), "
ROWS += "('a ', null, 2.5, 7, null, '2024-01-02', null, null), (null, null, 0, 5, 0.3, '2024-01-01', true, 'x')"


Node = tuple[str, dict[str, Any]]
"""Connector and settings."""


def work_of(plan: Plan, nodes: Mapping[str, Node], folder: Path) -> StageWork:
    """The work of a plan's only stage; ``nodes`` say by dataset where it lies."""

    def made(stage: Stage) -> StageWork:
        sources = tuple(
            SourceSpec(
                alias=source_alias(binding, read),
                connector=nodes[read.dataset][0],
                settings=nodes[read.dataset][1],
                path=PATHS[read.dataset],
                schema=catalogue()[read.dataset].schema,
                compared=read.compared,
                bounds=read.bounds,
            )
            for binding in stage.bindings
            for read in binding.reads
        )
        limits = Limits(memory_mb=256, temp_folder=str(folder / "spill"), allowed_networks=("127.0.0.0/8", "::1/128"))
        sink = SinkSpec(kind="result", path=str(folder / "out.parquet"))
        instead = made(stage.instead) if stage.instead is not None else None
        return StageWork(stage=stage, sources=sources, sink=sink, limits=limits, instead=instead)

    (stage,) = plan.stages
    return made(stage)


def run(plan: Plan, connector: str, settings: dict[str, Any], folder: Path) -> list[tuple[Any, ...]]:
    return answer(work_of(plan, dict.fromkeys(PATHS, (connector, settings)), folder), folder)


def answer(work: StageWork, folder: Path, report: Callable[[Report], None] = quiet) -> list[tuple[Any, ...]]:
    outcome = run_stage(work, report, registry())
    table = pq.read_table(folder / "out.parquet")
    assert outcome.counts["out"] == table.num_rows
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


@pytest.fixture
def two_nodes(postgres: dict[str, Any], mariadb: dict[str, Any]) -> dict[str, Node]:
    return {REMOTE: ("postgresql", postgres), PLACES: ("mysql", mariadb)}


def test_rows_of_mariadb_are_joined_in_postgresql(two_nodes: dict[str, Node], tmp_path: Path) -> None:
    """Texts by code point, though the table's own collation is blind to case."""
    work = work_of(planned(joined(), apart(node_type="mysql")), two_nodes, tmp_path)
    assert work.instead is not None and len(work.stage.bindings) == 1
    found = answer(work, tmp_path)
    assert [(str(day), count) for day, count in found] == [("None", 1), ("2024-01-01", 1)]
    assert answer(work.instead, tmp_path) == found


def test_more_rows_than_may_be_sent_are_joined_in_the_engine(
    two_nodes: dict[str, Node], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipping, "MOST_BYTES", 1)
    said: list[str] = []
    work = work_of(planned(joined(), apart(node_type="mysql")), two_nodes, tmp_path)
    found = answer(work, tmp_path, lambda report: said.append(report.message.get("en", "")))
    assert [(str(day), count) for day, count in found] == [("None", 1), ("2024-01-01", 1)]
    assert any("joined in the engine" in one for one in said)


def test_values_arrive_exactly(postgres: dict[str, Any]) -> None:
    """Every type that is sent, with what is odd about it; a session in which nothing can be written."""
    kinds = {
        "b": "boolean", "i": "integer", "n": "number", "d": "decimal(20,3)", "t": "text", "y": "date", "m": "timestamp",
        "none": "text",
    }  # fmt: skip
    schema = Schema.of(kinds.items())
    moment = dt.datetime.fromisoformat
    rows = [
        (True, -(2**63), 0.1, Decimal("1234567890123456.891"), 'a"\\{},NULL\n', dt.date(1, 1, 1), moment("9999-12-31")),
        (False, 2**63 - 1, float("inf"), Decimal("-0.001"), "NULL", dt.date(2024, 2, 29), moment("1969-01-01 01:00")),
        (None,) * 7,
        (True, 0, 5e-324, Decimal(0), "", dt.date(9999, 12, 31), moment("0001-01-01")),
    ]  # fmt: skip
    names = list(kinds)[:7]
    arrow = to_arrow(schema)
    table = pa.table(
        [pa.array([row[place] for row in rows], arrow.field(name).type) for place, name in enumerate(names)], names
    )
    connector = registry().connectors["postgresql"]
    given = connector.give("src_2", schema, table)
    assert given is not None and 'a"' not in given.relation
    context = ConnectContext(guard=OutgoingGuard(("127.0.0.0/8", "::1/128")))
    found = connector.run_sql(
        parse(connector.Settings, postgres), f"SELECT * FROM {given.relation} AS x", context, values=given.values
    )
    read = pa.Table.from_batches(list(found)).cast(arrow)
    assert sorted((tuple(row.values()) for row in read.to_pylist()), key=repr) == sorted(
        ((*row, None) for row in rows), key=repr
    )
    assert connector.give("src_2", Schema.of([("t", "text")]), pa.table({"t": ["\0"]})) is None
    keyed = connector.give("src_2", Schema.of([("t", "text")]), pa.table({"t": ["a", "b"]}), ["t"])
    twice = connector.give("src_2", Schema.of([("t", "text")]), pa.table({"t": ["a", "a"]}), ["t"])
    assert keyed is not None and "DISTINCT ON" in keyed.relation and keyed.values["enable_sort"] == "off"
    assert twice is not None and "DISTINCT" not in twice.relation and "enable_sort" not in twice.values
    odd = pa.table({"y": pa.array([-10_000_000], pa.int32()).cast(pa.date32())})
    assert connector.give("src_2", Schema.of([("y", "date")]), odd) is None
