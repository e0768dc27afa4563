"""D3: seven columns from MariaDB to PostgreSQL; beside the client's dump of the rows piped into psql's COPY.

``D3_ROWS`` scales it (10 million unless set). The target is a new table each time, logged, on both sides.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess

import psycopg

from tests.bench.copying import document, lines, millions, pairs, psql
from tests.bench.d2 import COLUMNS, same_rows
from tests.bench.data import fill_mariadb_observations
from tests.bench.measure import Comparison, Cost, measure
from tests.bench.ours import ours as our_studio
from tests.services import MariadbServer, mariadb_server, postgres_server

ROWS = int(os.environ.get("D3_ROWS", "10000000"))
PAIRS = int(os.environ.get("D3_PAIRS", "3"))
WORK = f"d3 {millions(ROWS)}"
MOST_MIB = 250


def run() -> list[Comparison]:
    """Wall, CPU and memory."""
    server, second = postgres_server(), mariadb_server()
    target = server.create_database("d3_target")
    fill_mariadb_observations(second, second.create_database("d3"), ROWS)
    assert server.process is not None and second.process is not None
    servers = [server.process.pid, second.process.pid]
    pipe = f"{_dump(second)} | " + psql(server, target, "copy d3_limit from stdin (null 'NULL')")

    def fresh(*statements: str) -> None:
        with psycopg.connect(target, autocommit=True) as connection:
            for statement in ("drop table if exists d3_limit, d3_ours", *statements, "checkpoint"):
                connection.execute(statement.encode())

    def limit() -> Cost:
        fresh(f"create table d3_limit ({COLUMNS})")
        roots = [*servers, os.getpid()]
        return measure(lambda: subprocess.run(pipe, shell=True, check=True), lambda: roots, lambda: servers)

    with our_studio(STATEMENT_SECONDS="3600") as studio:
        node = studio.add_node("mysql", "D3 MariaDB", second.settings("d3"))
        there = studio.add_node("postgresql", "D3 target", server.settings("d3_target"))
        place = {"node": there, "path": ["public", "d3_ours"]}
        flow = studio.add_flow("D3", document("D3", studio.dataset(node, "obs"), place))

        def own() -> Cost:
            with psycopg.connect(target, autocommit=True) as connection:
                connection.execute("drop table if exists d3_ours")
                connection.execute("checkpoint")
            found = measure(lambda: studio.run(flow), lambda: [studio.pid, *servers], lambda: [studio.pid])
            same_rows(target, "d3_limit", target, "d3_ours")
            return found

        return lines(WORK, *pairs(WORK, PAIRS, limit, own), "mariadb -B | psql COPY", 1.3, MOST_MIB)


def _dump(server: MariadbServer) -> str:
    """The client's own export of all rows: it holds none of them back."""
    client = shutil.which("mariadb") or "mysql"
    to = f"-h {server.host} -P {server.port} -u {server.user} -p{shlex.quote(server.password)}"
    return f"{client} --no-defaults {to} --skip-ssl --batch --quick --skip-column-names d3 -e 'select * from obs'"
