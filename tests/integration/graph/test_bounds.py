"""Bounds change no answer: conditions drawn at random, over values that are read as NULL, with bounds and without.

PostgreSQL and Parquet files hold NaN, both infinities, infinite days and NULL; what leaves rows out early must leave
out exactly such as the text would.
"""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows.graph.planner import make_plan
from flows.graph.relation_text import with_relation
from node_catalog.sdk.access import DatasetRef, Remote
from node_catalog.sdk.contract import ConnectContext
from node_catalog.sdk.ports import Schema
from node_catalog.types.connectors.postgresql import Postgresql, PostgresqlSettings
from runtime.engine.stage import run_stage
from runtime.engine.work import Limits, SinkSpec, SourceSpec, StageWork, source_alias
from security.outgoing import OutgoingGuard
from tests.integration.engine.support import quiet
from tests.services import PostgresServer
from tests.unit.graph.support import REMOTE, Json, all_rights, flow, info, load, nodes, registry, step

pytestmark = pytest.mark.services
COLUMNS = [
    ("id", "integer"), ("f8", "number"), ("f4", "number"), ("price", "decimal(10,2)"), ("wide", "number"),
    ("day", "date"), ("ts", "timestamp"),
]  # fmt: skip
NATIVE = "id bigint, f8 double precision, f4 real, price numeric(10,2), wide numeric, day date, ts timestamp"
LOCAL = ("127.0.0.0/8", "::1/128")
NAN, INFINITE = float("nan"), float("inf")
NUMBERS = [None, NAN, INFINITE, -INFINITE, -1e300, -3.5, -0.0, 0.1, 2.0, 2.5, 35.1, 1e300]
SMALL = [None, NAN, INFINITE, -INFINITE, -3.5, 0.0, 0.1, 2.0, 2.5, 35.1]
PRICES = [None, Decimal("NaN"), Decimal("-3.5"), Decimal("0.1"), Decimal("2"), Decimal("2.5"), Decimal("35.1")]
DAYS = [None, "infinity", "-infinity", "2023-12-31", "2024-01-01", "2024-01-02"]
MOMENTS = [*DAYS, "2024-01-01 00:00:00.000001", "2024-01-01 12:30:00"]
ROUNDS, ROWS = 24, 600
GROUPED = step(
    "aggregate",
    by=["day", {"name": "hour", "expression": "date_trunc('hour', ts)"}],
    measures=[
        {"name": "n", "function": "count"},
        {"name": "most", "function": "max", "column": "price"},
        {"name": "known", "function": "count", "column": "f8"},
    ],
)


def _constants(name: str) -> list[str]:
    if name == "day":
        return ["'2024-01-01'", "date '2024-01-02'"]
    if name == "ts":
        return ["'2024-01-01'", "timestamp '2024-01-01 12:30:00'", "timestamp '2024-01-01 00:00:00.000001'"]
    return ["2", "0.1", "35.1", "-3.5", "0", "1e3"] if name != "price" else ["2", "0.1", "35.1", "-3.5", "0"]


def _condition(draw: random.Random) -> str:
    name = draw.choice([column for column, _ in COLUMNS[1:]])
    constant = partial(draw.choice, _constants(name))
    plain = [
        f"{name} {draw.choice(['=', '<', '<=', '>', '>=', '<>'])} {constant()}",
        f"{constant()} {draw.choice(['<', '>='])} {name}",
        f"{name} between {constant()} and {constant()}",
        f"{name} in ({constant()}, {constant()})",
        f"{name} is {draw.choice(['', 'not '])}null",
    ]
    return draw.choice([*plain * 3, f"not ({draw.choice(plain)})", f"({draw.choice(plain)} or id > {ROWS - 20})"])


def _where(draw: random.Random) -> str:
    return " and ".join(_condition(draw) for _ in range(draw.choice([1, 1, 2, 3])))


def _rows(draw: random.Random) -> list[tuple[Any, ...]]:
    """Of each value many rows lie behind each other, so that statistics of a few rows say something."""
    kinds = (NUMBERS, SMALL, PRICES, NUMBERS[:3] + NUMBERS[5:11], DAYS, MOMENTS)
    found: list[tuple[Any, ...]] = []
    while len(found) < ROWS:
        few = [draw.sample(kind, 2) for kind in kinds]
        found += [(len(found) + more, *(draw.choice(two) for two in few)) for more in range(10)]
    return found


@pytest.fixture(scope="module")
def postgres(postgres_server: PostgresServer) -> dict[str, Any]:
    url = postgres_server.create_database("bounds")
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(f"create table obs ({NATIVE})".encode())
        cursor.executemany("insert into obs values (%s, %s, %s, %s, %s, %s, %s)", _rows(random.Random(1)))
        cursor.execute("create table many as select i::bigint as id, i::float8 as f8 from generate_series(1, 20000) i")
        cursor.execute("create index on many (f8)")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("analyze")
    parts = urlsplit(url)
    return {"host": parts.hostname, "port": parts.port, "user": parts.username, "password": parts.password,
            "database": parts.path[1:], "sslmode": "disable"}  # fmt: skip


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The same as Parquet with ten rows a group; what the files' types cannot say is NULL."""
    folder = tmp_path_factory.mktemp("bounds")
    kinds = [
        pa.int64(),
        pa.float64(),
        pa.float32(),
        pa.decimal128(10, 2),
        pa.float64(),
        pa.date32(),
        pa.timestamp("us"),
    ]

    def said(value: Any, kind: pa.DataType) -> Any:
        if isinstance(value, str):
            moment = None if value.endswith("infinity") else dt.datetime.fromisoformat(value)
            return moment.date() if moment is not None and pa.types.is_date(kind) else moment
        return None if isinstance(value, Decimal) and value.is_nan() else value

    columns = list(zip(*_rows(random.Random(1))))
    arrays = [pa.array([said(one, kind) for one in values], kind) for values, kind in zip(columns, kinds, strict=True)]
    pq.write_table(pa.table(arrays, [name for name, _ in COLUMNS]), folder / "obs.parquet", row_group_size=10)
    return {"folder": str(folder)}


def _answers(
    connector: str, settings: dict[str, Any], document: Json, folder: Path
) -> tuple[list[Any], list[Any], Any]:
    """The rows with bounds, the rows without, and the binding."""
    path = ("public", "obs") if connector == "postgresql" else ("obs.parquet",)
    counts = {"day": 4.0}
    known = {
        REMOTE: info(
            REMOTE, COLUMNS, node_type=connector, rows=10_000_000, distinct=counts, seconds={"ts": 2 * 86400.0}
        )
    }
    (stage,) = make_plan(load(document), registry(), known, all_rights(known), nodes()).stages
    (binding,) = stage.bindings
    (read,) = binding.reads
    spec = SourceSpec(
        alias=source_alias(binding, read), connector=connector, settings=settings, path=path,
        schema=Schema.of(COLUMNS), compared=read.compared, bounds=read.bounds,
    )  # fmt: skip
    roots = (settings["folder"],) if "folder" in settings else ()
    limits = Limits(memory_mb=256, temp_folder=str(folder / "spill"), allowed_networks=LOCAL, file_roots=roots)
    sink = SinkSpec(kind="result", path=str(folder / "out.parquet"))

    def rows(one: SourceSpec) -> list[Any]:
        run_stage(StageWork(stage=stage, sources=(one,), sink=sink, limits=limits), quiet, registry())
        return sorted(map(repr, pq.read_table(folder / "out.parquet").to_pylist()))

    return rows(spec), rows(msgspec.structs.replace(spec, bounds=())), binding


def _flow(where: str, *, is_grouped: bool) -> Json:
    steps = {"r": step("read", dataset="remote"), "f": step("filter", where=where), "o": step("output", name="x")}
    if is_grouped:
        return flow({**steps, "g": GROUPED}, "r > f", "f > g", "g > o")
    return flow(steps, "r > f", "f > o")


@pytest.mark.parametrize("is_grouped", [False, True])
@pytest.mark.parametrize("connector", ["postgresql", "files"])
def test_answers_are_those_without_bounds(
    connector: str, is_grouped: bool, postgres: dict[str, Any], files: dict[str, Any], tmp_path: Path
) -> None:
    settings = postgres if connector == "postgresql" else files
    draw, bounded, found = random.Random(f"{connector} {is_grouped}"), 0, 0
    for _ in range(ROUNDS):
        where = _where(draw)
        with_bounds, without, binding = _answers(connector, settings, _flow(where, is_grouped=is_grouped), tmp_path)
        assert with_bounds == without, where
        assert bool(binding.sources) == (is_grouped and connector == "postgresql"), where
        bounded += bool(binding.reads[0].bounds)
        found += bool(with_bounds)
    assert bounded > ROUNDS // 2 and found > ROUNDS // 2


def test_postgresql_finds_the_rows_by_an_index(postgres: dict[str, Any]) -> None:
    columns = COLUMNS[:2]
    known = {REMOTE: info(REMOTE, columns, node_type="postgresql", rows=20_000)}
    plan = make_plan(load(_flow("f8 > 19990", is_grouped=False)), registry(), known, all_rights(known), nodes())
    (binding,) = plan.stages[0].bindings
    context = ConnectContext(guard=OutgoingGuard(LOCAL))

    def explained(**more: Any) -> str:
        dataset = DatasetRef(("public", "many"), Schema.of(columns), **more)
        access = Postgresql.access(PostgresqlSettings(**postgres), dataset, context)
        assert isinstance(access, Remote)
        text = with_relation(binding.text, "postgres", {"src": access.relation})
        with psycopg.connect(
            host=postgres["host"], port=postgres["port"], user=postgres["user"], password=postgres["password"],
            dbname=postgres["database"],
        ) as connection:  # fmt: skip
            return "\n".join(row[0] for row in connection.execute(f"explain {text}".encode()).fetchall())

    assert "Seq Scan" in explained()
    assert "Index Cond: ((f8 > '19990'::double precision)" in explained(bounds=binding.bounds)
