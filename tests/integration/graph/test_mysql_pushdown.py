"""A filter that runs in MariaDB keeps exactly the rows that the engine would keep, whatever the collation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pyarrow.parquet as pq
import pytest

from flows.graph.plan import Plan
from flows.graph.planner import make_plan
from node_catalog.sdk.grant import GrantSpec
from node_catalog.sdk.ports import Schema
from runtime.engine.stage import run_stage
from runtime.engine.work import Limits, SinkSpec, SourceSpec, StageWork
from tests.integration.engine.support import quiet
from tests.integration.graph.test_postgres_pushdown import ROWS, WHERE, answer
from tests.services import MariadbServer
from tests.unit.graph.support import AIR_COLUMNS, REMOTE, arrow, catalogue, flow, load, nodes, registry, step

pytestmark = pytest.mark.services
MORE = [
    "station = 'a '",
    r"station = '北京' or code = '\'",
    "code in ('A', 'é')",
    "cost in (0.25, 0.5)",
    "cost = 0.255",
    "pm25 > 1e300",
    "ts > timestamp '2024-01-02 03:04:05.678901'",
    "day is null or valid = false",
]
RULES = {"any_case": "collate utf8mb4_general_ci", "binary": "collate utf8mb4_bin", "gbk": "character set gbk"}


CASES = [(rule, where) for rule in RULES for where in WHERE + MORE if rule == "any_case" or "station" in where]


@pytest.fixture(scope="module")
def sources(mariadb_server: MariadbServer) -> dict[str, SourceSpec]:
    """The table of the PostgreSQL test, once under each rule for comparing texts."""
    return {rule: made_source(mariadb_server, rule) for rule in RULES}


def made_source(server: MariadbServer, rule: str) -> SourceSpec:
    name = server.create_database(f"push_{rule}")
    with server.connect(name) as connection, connection.cursor() as cursor:
        cursor.execute(
            f"create table air (station varchar(40) {RULES[rule]}, ts datetime(6), pm25 double, pm10 bigint, "
            f"cost decimal(10,2), day date, valid boolean, code varchar(40) {RULES[rule]}, key (station))"
        )
        cursor.executemany(
            "insert into air values (%s, %s, %s, %s, %s, %s, %s, %s)", [tuple(row.values()) for row in ROWS]
        )
    settings = dict(server.settings(name))
    return SourceSpec(alias="b_r", connector="mysql", settings=settings, path=("air",), schema=Schema.of(AIR_COLUMNS))


def planned(where: str, right: GrantSpec | None = None) -> Plan:
    document = flow(
        {"r": step("read", dataset="remote"), "f": step("filter", where=where), "o": step("output", name="x")},
        "r > f",
        "f > o",
    )
    known = catalogue()
    known[REMOTE] = msgspec.structs.replace(known[REMOTE], node_type="mysql")
    rights = {REMOTE: right or GrantSpec(REMOTE, known[REMOTE].schema.names)}
    return make_plan(load(document), registry(), known, rights, nodes())


def run(plan: Plan, source: SourceSpec, folder: Path) -> list[tuple[Any, ...]]:
    """The rows of a plan with one stage, through the engine."""
    limits = Limits(memory_mb=256, temp_folder=str(folder / "spill"), allowed_networks=("127.0.0.0/8",))
    sink = SinkSpec(kind="result", path=str(folder / "out.parquet"))
    (stage,) = plan.stages
    run_stage(StageWork(stage=stage, sources=(source,), sink=sink, limits=limits), quiet, registry())
    return [tuple(row.values()) for row in pq.read_table(folder / "out.parquet").to_pylist()]


@pytest.mark.parametrize(("rule", "where"), CASES)
def test_the_source_keeps_the_rows_that_the_engine_keeps(
    sources: dict[str, SourceSpec], rule: str, where: str, tmp_path: Path
) -> None:
    found = run(planned(where), sources[rule], tmp_path)
    with duckdb.connect() as engine:
        engine.register("everything", arrow(AIR_COLUMNS, ROWS))
        wanted = engine.sql(f"select * from everything where {where}").fetchall()
    assert answer(found) == answer(wanted)


@pytest.mark.parametrize("rule", RULES)
def test_row_filters_of_grants_compare_by_code_point_too(
    sources: dict[str, SourceSpec], rule: str, tmp_path: Path
) -> None:
    right = GrantSpec(REMOTE, ("station",), row_filter={"op": "=", "column": "station", "value": "a"})
    plan = planned("station is not null", right)
    assert {row[0] for row in run(plan, sources[rule], tmp_path)} == {"a"}


def test_plain_conditions_run_in_the_server() -> None:
    plan = planned("station = 'a' and pm10 > 3 and day < date '2024-02-01'")
    (binding,) = plan.stages[0].bindings
    assert binding.pushed == ("r", "f") and "pm10" in binding.text and binding.dialect == "mysql"
