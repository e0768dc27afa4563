"""D1: filter, join, group by district and hour, write to PostgreSQL; beside hand-written SQL and beside n8n.

The observations lie in PostgreSQL, the stations in MariaDB.
"""

from __future__ import annotations

from typing import Any

import psycopg

from tests.bench.data import PUSHDOWN, fill_mariadb, fill_postgres
from tests.bench.measure import Comparison, Cost, measure, medians
from tests.bench.ours import ours as our_studio
from tests.bench.peers import n8n
from tests.services import PostgresServer, mariadb_server, postgres_server

ROWS = 1_000_000
PAIRS = 5


def document(observations: str, stations: str, target: str) -> dict[str, Any]:
    """The flow as a business user would draw it."""
    mean = [{"name": name, "function": "mean", "column": name} for name in ("pm25", "pm10", "so2")]
    steps: dict[str, Any] = {
        "obs": ("read", {"dataset": "obs", "columns": ["station", "ts", "pm25", "pm10", "so2"]}),
        "high": ("filter", {"where": "pm25 > 35"}),
        "station": ("read", {"dataset": "station", "columns": ["id", "district"]}),
        "joined": ("join", {"how": "inner", "on": [{"left": "station", "right": "id"}]}),
        "hourly": (
            "aggregate",
            {
                "by": ["district", {"name": "hour", "expression": "date_trunc('hour', ts)"}],
                "measures": [{"name": "hours", "function": "count"}, *mean],
            },
        ),
        "out": ("write", {"node": target, "path": ["public", "d1_ours"], "mode": "replace", "create": True}),
    }
    wires = [
        ("obs.out", "high.in"), ("high.out", "joined.left"), ("station.out", "joined.right"),
        ("joined.out", "hourly.in"), ("hourly.out", "out.in"),
    ]  # fmt: skip
    return {
        "kind": "flow",
        "spec": "1",
        "title": {"en": "D1", "zh-CN": "D1"},
        "datasets": {"obs": observations, "station": stations},
        "steps": {key: {"type": kind, "version": 1, "settings": settings} for key, (kind, settings) in steps.items()},
        "wires": [{"from": source, "to": target} for source, target in wires],
    }


def peer_workflow() -> dict[str, Any]:
    """The same work in n8n: two queries, merge by key, summarise, insert."""
    access = {"credentials": {"postgres": {"id": "bench", "name": "bench"}}}
    select = "select station, date_trunc('hour', ts)::text as hour, pm25, pm10, so2 from obs where pm25 > 35"
    fields = [
        {"field": "station", "aggregation": "count"},
        *({"field": name, "aggregation": "average"} for name in ("pm25", "pm10", "so2")),
    ]
    query = {"operation": "executeQuery", "options": {}}
    nodes = [
        n8n.node("hook", "webhook", 2, _hook("d1"), 0, webhookId="d1"),
        n8n.node("obs", "postgres", 2.6, {**query, "query": select}, 200, **access),
        n8n.node("station", "postgres", 2.6, {**query, "query": "select id, district from station"}, 200, **access),
        n8n.node(
            "merge", "merge", 3.2,
            {
                "mode": "combine", "advanced": True, "joinMode": "keepMatches", "options": {},
                "mergeByFields": {"values": [{"field1": "station", "field2": "id"}]},
            }, 400,
        ),
        n8n.node(
            "summarize", "summarize", 1.1,
            {"fieldsToSummarize": {"values": fields}, "fieldsToSplitBy": "district, hour", "options": {}}, 600,
        ),
        n8n.node(
            "insert", "postgres", 2.6,
            {
                "operation": "insert", "schema": {"__rl": True, "mode": "name", "value": "public"},
                "table": {"__rl": True, "mode": "name", "value": "d1_n8n"},
                "columns": {"mappingMode": "autoMapInputData", "value": {}}, "options": {"queryBatching": "single"},
            }, 800, **access,
        ),
        n8n.node("end", "summarize", 1.1, {
            "fieldsToSummarize": {"values": [{"field": "district", "aggregation": "count"}]}, "options": {},
        }, 1000),
    ]  # fmt: skip
    wire = {"type": "main"}
    return n8n.chain(
        "d1",
        nodes,
        {
            "hook": {"main": [[{"node": "obs", "index": 0, **wire}, {"node": "station", "index": 0, **wire}]]},
            "obs": {"main": [[{"node": "merge", "index": 0, **wire}]]},
            "station": {"main": [[{"node": "merge", "index": 1, **wire}]]},
        },
    )


def _hook(path: str) -> dict[str, Any]:
    return {"httpMethod": "POST", "path": path, "responseMode": "lastNode"}


def run_peer(server: PostgresServer) -> Cost:
    """One run of n8n over the rows in database ``d1``; checks that every group arrived."""
    with psycopg.connect(server.url("d1"), autocommit=True) as connection:
        connection.execute("drop table if exists d1_n8n")
        connection.execute(
            "create table d1_n8n (district text, hour text, count_station int, average_pm25 float8, "
            "average_pm10 float8, average_so2 float8)"
        )
    credential = {
        "id": "bench", "name": "bench", "type": "postgres",
        "data": {
            "host": server.host, "port": server.port, "database": "d1", "user": server.user,
            "password": server.password, "ssl": "disable", "maxConnections": 5, "allowUnauthorizedCerts": False,
        },
    }  # fmt: skip
    with n8n.running(server, [peer_workflow()], [credential]) as studio:
        roots = [studio.process.pid, server.process.pid] if server.process else [studio.process.pid]
        cost = measure(lambda: studio.call("d1"), lambda: roots, lambda: [studio.process.pid])
    with psycopg.connect(server.url("d1")) as connection:
        groups = connection.execute("select count(*), sum(count_station) from d1_n8n").fetchone()
    print("n8n wrote", groups)
    return cost


def run_limit(server: PostgresServer) -> Cost:
    """The hand-written SQL, everything inside PostgreSQL."""

    def work() -> None:
        with psycopg.connect(server.url("d1"), autocommit=True) as connection:
            connection.execute("drop table if exists d1_limit")
            connection.execute(PUSHDOWN.encode())

    roots = [server.process.pid] if server.process else []
    return measure(work, lambda: roots, lambda: roots)


def run() -> list[Comparison]:
    """All figures of the work."""
    server = postgres_server()
    server.create_database("d1")
    fill_postgres(server.url("d1"), ROWS)
    second = mariadb_server()
    fill_mariadb(second, second.create_database("d1"))
    with our_studio() as ours:
        target = ours.add_node("postgresql", "D1 PostgreSQL", server.settings("d1"))
        small = ours.add_node("mysql", "D1 MariaDB", second.settings("d1"))
        observations, stations = ours.dataset(target, "obs"), ours.dataset(small, "station")
        flow = ours.add_flow("D1", document(observations, stations, target))
        servers = [each.process.pid for each in (server, second) if each.process]
        limit: list[Cost] = []
        own: list[Cost] = []
        ours.run(flow)
        for _ in range(PAIRS):
            limit.append(run_limit(server))
            own.append(measure(lambda: ours.run(flow), lambda: [ours.pid, *servers], lambda: [ours.pid]))
        _same_answer(server)
    peer = run_peer(server)
    ours_cost, limit_cost = medians(own), medians(limit)
    raw = {
        "ours_wall": [c.wall for c in own], "limit_wall": [c.wall for c in limit],
        "ours_cpu": [c.cpu for c in own], "limit_cpu": [c.cpu for c in limit],
    }  # fmt: skip
    sql = "hand-written SQL in PostgreSQL"
    return [
        Comparison("d1 1 M rows", "wall", ours_cost.wall, limit_cost.wall, sql, 1.3, "at_most", runs=raw),
        Comparison("d1 1 M rows", "cpu", ours_cost.cpu, limit_cost.cpu, sql, 1.4, "at_most", runs=raw),
        Comparison(
            "d1 1 M rows", "rows per second", ROWS / ours_cost.wall, ROWS / peer.wall, f"n8n {n8n.VERSION}", 100,
            "at_least", unit="rows/s", runs={"peer_wall": [peer.wall], "peer_cpu": [peer.cpu]},
        ),
        Comparison(
            "d1 1 M rows", "peak memory MiB", ours_cost.peak_rss / 2**20, peer.peak_rss / 2**20,
            f"n8n {n8n.VERSION}", 0.1, "at_most", unit="MiB",
            doubts="largest single process, shared pages counted",
        ),
    ]  # fmt: skip


def _same_answer(server: PostgresServer) -> None:
    """Our table must equal the hand-written one; a fast wrong answer is no result."""
    with psycopg.connect(server.url("d1")) as connection:
        different = connection.execute(
            "select count(*) from d1_limit l full join d1_ours o using (district, hour) where l.hours is distinct from "
            "o.hours or abs(l.pm25 - o.pm25) > 1e-6 or abs(l.pm10 - o.pm10) > 1e-6 or abs(l.so2 - o.so2) > 1e-6"
        ).fetchone()
    assert different == (0,), f"{different} groups differ"
