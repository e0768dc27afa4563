"""The data of the benchmark works, the same for everybody: fixed seed, fixed formulas (docs/benchmarks.md)."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import psycopg

from tests.services import MariadbServer

DISTRICTS = ("海曙", "江北", "鄞州", "镇海", "北仑", "奉化", "余姚", "慈溪", "宁海", "象山")

OBSERVATIONS = """
create table obs as
select i::bigint as id,
       (1 + (i * 7919) %% 300)::int as station,
       timestamp '2025-01-01' + i * interval '3.1536 seconds' as ts,
       round((-ln(1 - random()) * 35)::numeric, 2)::double precision as pm25,
       round((200 * random())::numeric, 1)::double precision as pm10,
       round((40 * random())::numeric, 1)::double precision as so2,
       (array[{districts}])[1 + ((1 + (i * 7919) %% 300)::int %% 10)] as district
from generate_series(0::bigint, %(rows)s - 1) as i
"""


def stations() -> list[tuple[int, str, str, float, float]]:
    """300 stations: id, name, district, longitude, latitude."""
    return [(n, f"station {n}", DISTRICTS[n % 10], 121 + n / 1000, 29 + n / 1000) for n in range(1, 301)]


def fill_postgres(url: str, rows: int, key: str = "") -> None:
    """Tables obs (``rows`` rows, analysed, no index but for a primary ``key``) and station in one database."""
    districts = ", ".join(f"'{name}'" for name in DISTRICTS)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("select setseed(0.42)")
        connection.execute("set max_parallel_workers_per_gather = 0")
        connection.execute(OBSERVATIONS.format(districts=districts).encode(), {"rows": rows})
        connection.execute("create table station (id int, name text, district text, lon float8, lat float8)")
        with connection.cursor() as cursor:
            cursor.executemany("insert into station values (%s, %s, %s, %s, %s)", stations())
        if key:
            connection.execute(f"alter table obs add primary key ({key})".encode())
        connection.execute("vacuum analyze obs" if key else "analyze")


def fill_sqlite(path: Path) -> None:
    """The stations as a SQLite file."""
    path.unlink(missing_ok=True)
    with sqlite3.connect(path) as connection:
        connection.execute("create table station (id integer, name text, district text, lon real, lat real)")
        connection.executemany("insert into station values (?, ?, ?, ?, ?)", stations())
    connection.close()


def fill_mariadb(server: MariadbServer, database: str) -> None:
    """The stations as a MariaDB table."""
    with server.connect(database) as connection, connection.cursor() as cursor:
        cursor.execute("create table station (id int, name text, district text, lon double, lat double)")
        cursor.executemany("insert into station values (%s, %s, %s, %s, %s)", stations())


def fill_mariadb_observations(server: MariadbServer, database: str, rows: int) -> None:
    """Table obs as PostgreSQL has it (``rows`` rows, no index), with its own random numbers."""
    districts = ", ".join(f"'{name}'" for name in DISTRICTS)
    with server.connect(database) as connection, connection.cursor() as cursor:
        cursor.execute(
            "create table obs (id bigint, station int, ts datetime(6), pm25 double, pm10 double, so2 double,"
            " district varchar(20))"
        )
        for at in range(0, rows, 1_000_000):
            cursor.execute(
                "insert into obs select seq, 1 + (seq * 7919) % 300,"
                " timestamp('2025-01-01') + interval seq * 3153600 microsecond,"
                f" round(-ln(1 - rand({at})) * 35, 2), round(200 * rand({at + 1}), 1), round(40 * rand({at + 2}), 1),"
                f" elt(1 + (1 + (seq * 7919) % 300) % 10, {districts})"
                f" from seq_{at}_to_{min(at + 1_000_000, rows) - 1}"
            )
        cursor.execute("analyze table obs")


PUSHDOWN = """
create table d1_limit as
select s.district, date_trunc('hour', o.ts) as hour, count(*) as hours,
       avg(o.pm25) as pm25, avg(o.pm10) as pm10, avg(o.so2) as so2
from obs o join station s on o.station = s.id
where o.pm25 > 35 group by 1, 2
"""
