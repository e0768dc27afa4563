"""Sources with 3,000 tables: how long until the catalogue knows their schema, and until every table has a profile.

PostgreSQL and MariaDB, 3 to 30 columns and 100 to 10,000 rows a table, through the running studio with its worker, as
a data admin would: register, discover, profile. ``SCAN_TABLES`` scales it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator

import psycopg

from tests.bench.measure import Comparison, cpu_seconds, process_tree
from tests.bench.ours import Ours
from tests.bench.ours import ours as our_studio
from tests.services import mariadb_server, postgres_server, wait_until

TABLES = int(os.environ.get("SCAN_TABLES", "3000"))
SOURCES = os.environ.get("SCAN_SOURCES", "postgresql,mysql").split(",")
WORKS = os.environ.get("SCAN_WORKS", "schema,profile").split(",")
"""``SCAN_WORKS=schema`` leaves the profiles out."""
SCHEMA_SECONDS, PROFILE_SECONDS = 60.0, 900.0
AT_ONCE = 100
"""Tables that are filled in one transaction."""
# Name, type in PostgreSQL, value there, type in MariaDB, value there; ``i`` is the row's number.
_COLUMNS = (
    ("amount", "numeric(12,2)", "i * 1.25", "decimal(12,2)", "i * 1.25"),
    ("day", "date", "date '2024-01-01' + (i % 700)", "date", "date '2024-01-01' + interval i % 700 day"),
    ("code", "text", "'C' || i % 97", "varchar(20)", "concat('C', i % 97)"),
    ("score", "double precision", "i / 7.0", "double", "i / 7.0"),
    ("at", "timestamp", "timestamp '2024-01-01' + i * interval '1 minute'", "datetime",
     "timestamp '2024-01-01 00:00:00' + interval i minute"),
    ("flag", "boolean", "i % 2 = 0", "boolean", "i % 2 = 0"),
    ("note", "text", "case when i % 3 = 0 then 'note number ' || i end", "varchar(60)",
     "case when i % 3 = 0 then concat('note number ', i) end"),
    ("district", "text", "'D' || i % 9", "varchar(20)", "concat('D', i % 9)"),
)  # fmt: skip


def run() -> list[Comparison]:
    """Both sources; two figures each."""
    makers = {"postgresql": _postgres, "mysql": _mariadb}
    made = {kind: makers[kind]() for kind in SOURCES}
    with our_studio() as studio:
        return [line for kind in SOURCES for line in _of(studio, kind, *made[kind])]


def _of(studio: Ours, kind: str, settings: dict[str, object], server: int) -> Iterator[Comparison]:
    name = {"en": f"Wide {kind}", "zh-CN": f"大库 {kind}"}
    node = studio.post("nodes", {"type": kind, "name": name, "settings": settings})
    found, line = _timed(studio, server, f"nodes/{node['id']}/discover", kind, "schema", SCHEMA_SECONDS)
    assert found["datasets"] == TABLES, found
    yield line
    if "profile" not in WORKS:
        return
    scanned, line = _timed(studio, server, f"nodes/{node['id']}/profile", kind, "profile", PROFILE_SECONDS)
    assert (scanned["done"], scanned["left_out_total"]) == (TABLES, 0), scanned
    assert studio.post(f"nodes/{node['id']}/profile")["task"] is None, "some tables have no profile"
    yield line


def _timed(
    studio: Ours, server: int, path: str, kind: str, figure: str, goal: float
) -> tuple[dict[str, object], Comparison]:
    """The result of a task, and its wall time; ``doubts`` carry the CPU of both sides."""
    print(f"{figure} of {TABLES} tables, {kind} …", flush=True)
    trees = [studio.pid], [server]
    before, began = [cpu_seconds(process_tree(tree)) for tree in trees], time.monotonic()
    task = studio.post(path)["task"]

    def has_ended() -> bool:
        time.sleep(0.5)  # asking costs the studio more than telling: a person's page is told
        return studio.get(f"tasks/{task}")["state"] in ("done", "failed")

    wait_until(has_ended, goal * 4, f"{figure} of {kind}")
    seconds = time.monotonic() - began
    ours, theirs = (cpu_seconds(process_tree(tree)) - was for tree, was in zip(trees, before, strict=True))
    ended = studio.get(f"tasks/{task}")
    assert ended["state"] == "done", ended
    doubts = f"CPU: {ours:.0f} s ours, {theirs:.0f} s the server's"
    work, limit = f"scan of {TABLES} tables, {kind}", "100 to 10,000 rows and 3 to 30 columns each"
    return ended["result"], Comparison(work, figure, seconds, goal, "goal", 1.0, "at_most", limit=limit, doubts=doubts)


def _shape(number: int) -> tuple[int, list[tuple[str, ...]]]:
    """Rows and columns of a table: evenly spread on a logarithmic scale, the same in every run."""
    rows = round(100 * 100 ** (number * 7919 % 1000 / 999))
    width = 2 + number * 31 % 28
    return rows, [(f"{column[0]}_{place}", *column[1:]) for place in range(width) for column in (_COLUMNS[place % 8],)]


def _batches() -> Iterable[range]:
    return (range(start, min(start + AT_ONCE, TABLES)) for start in range(0, TABLES, AT_ONCE))


def _postgres() -> tuple[dict[str, object], int]:
    server = postgres_server()
    with psycopg.connect(server.create_database("wide"), autocommit=True) as connection:
        for batch in _batches():
            with connection.transaction():
                for number in batch:
                    rows, columns = _shape(number)
                    declared = "".join(f", {column[0]} {column[1]}" for column in columns)
                    values = ", ".join(column[2] for column in columns)
                    connection.execute(f"create table t{number:04d} (id integer primary key{declared})")
                    connection.execute(
                        f"insert into t{number:04d} select i, {values} from generate_series(1, {rows}) as s(i)"
                    )
        connection.execute("analyze")
    assert server.process is not None
    return server.settings("wide"), server.process.pid


def _mariadb() -> tuple[dict[str, object], int]:
    server = mariadb_server()
    name = server.create_database("wide")
    with server.connect(name) as connection, connection.cursor() as cursor:
        for number in range(TABLES):
            rows, columns = _shape(number)
            declared = "".join(f", {column[0]} {column[3]}" for column in columns)
            values = ", ".join(column[4] for column in columns)
            cursor.execute(f"create table t{number:04d} (id integer primary key{declared})")
            cursor.execute(
                f"insert into t{number:04d} select i, {values} from (select seq as i from seq_1_to_{rows}) as s"
            )
    assert server.process is not None
    return server.settings(name), server.process.pid
