"""The same starter app gives the same rows on the embedded default, on PostgreSQL + Redis with two worker processes,
and on PostgreSQL + RabbitMQ; and they equal DuckDB's own answer over the same files."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests import services
from tests.api_client import ApiClient
from tests.studio_process import Studio, running_studio

TITLE = {"en": "Air", "zh-CN": "空气"}


def independent_answer(home: Path) -> list[tuple[Any, ...]]:
    """The starter app's rows by hand-written SQL over the demo's files, without any code of ours."""
    connection = duckdb.connect()
    connection.execute(
        f"create table air as select * from read_csv('{home}/demo/air/PRSA_Data_*.csv.gz', nullstr='NA', header=true)"
    )
    connection.execute("create table station (station text, district text)")
    connection.executemany("insert into station values (?, ?)", _stations(home / "demo" / "stations.sqlite"))
    return connection.execute(
        """
        select s.district, a.hour, count(*), avg(a."PM2.5"), max(a."PM2.5"), avg(a."PM10")
        from air a join station s using (station) where a."PM2.5" is not null
        group by all order by 1, 2
        """
    ).fetchall()


def _stations(path: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("select station, district from stations").fetchall()


def rows_of_starter(studio: Studio) -> list[list[Any]]:
    client = ApiClient(studio, "wang.fang")
    app = client.post("apps", {"title": TITLE, "template": "air_quality"})
    return client.rows(client.run(app["flows"][0]["id"]), "hourly")


def assert_same(found: list[list[Any]], expected: list[tuple[Any, ...]]) -> None:
    assert len(found) == len(expected) == 6 * 24
    for ours, theirs in zip(sorted(found), expected, strict=True):
        assert ours[:3] == list(theirs[:3])
        assert [float(value) for value in ours[3:]] == pytest.approx([float(value) for value in theirs[3:]])


def options_of(name: str) -> dict[str, Any]:
    if name == "embedded":
        return {}
    database = services.postgres_server().create_database(f"control_{name}")
    if name == "redis":
        return {"DATABASE_URL": database, "REDIS_URL": services.redis_server().url, "WORKER_PROCESSES": 2}
    return {"DATABASE_URL": database, "BROKER_URL": services.rabbitmq_server().url}


@pytest.mark.services
@pytest.mark.parametrize("name", ["embedded", "redis", "rabbitmq"])
def test_same_rows_on_every_configuration(name: str) -> None:
    with running_studio(**options_of(name)) as studio:
        checks = studio.get("/readyz")["checks"]
        print(name, json.dumps(checks))
        services.wait_until(
            lambda: studio.get("/readyz")["checks"]["workers"] >= (2 if name == "redis" else 1), 30, "workers signed on"
        )
        assert_same(rows_of_starter(studio), independent_answer(studio.home))
