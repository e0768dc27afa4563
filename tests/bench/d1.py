"""D1: filter, join, group by district and hour, write to PostgreSQL; beside hand-written SQL and beside n8n.

The observations lie in PostgreSQL, the stations in MariaDB. Pushed: the stations are sent to PostgreSQL, which works.
Fused: the node takes no rows of others, so our engine reads both and writes. ``D1_ROWS`` and ``D1_PAIRS`` scale it,
``D1_PEER=1`` installs and runs n8n.
"""

from __future__ import annotations

import os
from functools import partial
from typing import Any

import psycopg

from tests.bench.copying import millions, pairs, wall_and_cpu
from tests.bench.data import PUSHDOWN, fill_mariadb, fill_postgres
from tests.bench.measure import Comparison, Cost, measure, medians
from tests.bench.ours import Ours
from tests.bench.ours import ours as our_studio
from tests.bench.peers import n8n
from tests.services import MariadbServer, PostgresServer, mariadb_server, postgres_server

SIZES = [int(rows) for rows in os.environ.get("D1_ROWS", "1000000,10000000").split(",")]
PAIRS = int(os.environ.get("D1_PAIRS", "5"))
GOALS = {"pushed": (1.15, 1.15), "fused": (1.3, 1.4)}
"""Wall and CPU, as times of the hand-written SQL's."""
PEER_ROWS = 1_000_000
RECORDED = Cost(wall=PEER_ROWS / 12_563, cpu=0.0, peak_rss=3_012 * 2**20)
SHARED = "largest single process, shared pages counted"


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


def run_peer(server: PostgresServer, database: str) -> Cost:
    """One run of n8n over the rows in ``database``; checks that every group arrived."""
    with psycopg.connect(server.url(database), autocommit=True) as connection:
        connection.execute("drop table if exists d1_n8n")
        connection.execute(
            "create table d1_n8n (district text, hour text, count_station int, average_pm25 float8, "
            "average_pm10 float8, average_so2 float8)"
        )
    credential = {
        "id": "bench", "name": "bench", "type": "postgres",
        "data": {
            "host": server.host, "port": server.port, "database": database, "user": server.user,
            "password": server.password, "ssl": "disable", "maxConnections": 5, "allowUnauthorizedCerts": False,
        },
    }  # fmt: skip
    with n8n.running(server, [peer_workflow()], [credential]) as studio:
        roots = [studio.process.pid, server.process.pid] if server.process else [studio.process.pid]
        cost = measure(lambda: studio.call("d1"), lambda: roots, lambda: [studio.process.pid])
    with psycopg.connect(server.url(database)) as connection:
        groups = connection.execute("select count(*), sum(count_station) from d1_n8n").fetchone()
    print("n8n wrote", groups)
    return cost


def run_limit(server: PostgresServer, database: str) -> Cost:
    """The hand-written SQL, everything inside PostgreSQL."""

    def work() -> None:
        with psycopg.connect(server.url(database), autocommit=True) as connection:
            connection.execute("drop table if exists d1_limit")
            connection.execute(PUSHDOWN.encode())

    roots = [server.process.pid] if server.process else []
    return measure(work, lambda: roots, lambda: roots)


def run() -> list[Comparison]:
    """All figures of the work."""
    server, second = postgres_server(), mariadb_server()
    fill_mariadb(second, second.create_database("d1"))
    found: list[Comparison] = []
    with our_studio(STATEMENT_SECONDS="3600") as ours:
        stations = ours.dataset(small := ours.add_node("mysql", "D1 MariaDB", second.settings("d1")), "station")
        ours.profile(small)
        for rows in SIZES:
            found += _both_ways(ours, server, second, stations, rows)
    return found


def _both_ways(ours: Ours, server: PostgresServer, second: MariadbServer, stations: str, rows: int) -> list[Comparison]:
    """The stations sent to PostgreSQL, where everything is done; and both read into our engine, which writes."""
    database = f"d1_{rows}"
    server.create_database(database)
    fill_postgres(server.url(database), rows)
    flows = {}
    for way, takes in (("pushed", "own"), ("fused", "never")):
        node = ours.add_node("postgresql", f"D1 {rows} {way}", {**server.settings(database), "takes_rows": takes})
        ours.profile(node)
        flows[way] = ours.add_flow(f"D1 {rows} {way}", document(ours.dataset(node, "obs"), stations, node))
    roots = [ours.pid, *(each.process.pid for each in (server, second) if each.process)]

    def own(flow: str) -> Cost:
        cost = measure(partial(ours.run, flow), lambda: roots, lambda: [ours.pid])
        _same_answer(server, database)
        return cost

    found, costs = [], {}
    # One way after the other: a child keeps memory, so that the peak of the first would be that of both.
    for way, flow in flows.items():
        work = f"d1 {millions(rows)}, {way}"
        limits, costs[way] = pairs(work, PAIRS, partial(run_limit, server, database), partial(own, flow))
        found += wall_and_cpu(work, limits, costs[way], "hand-written SQL in PostgreSQL", GOALS[way])
    memory = medians(costs["fused"]).peak_rss / 2**20
    found.append(
        Comparison(
            f"d1 {millions(rows)}, fused", "peak memory MiB", memory, 350, "goal", 1, "at_most", "MiB", doubts=SHARED
        )
    )
    return found + (_beside_peer(server, database, rows, medians(costs["pushed"])) if rows == PEER_ROWS else [])


def _beside_peer(server: PostgresServer, database: str, rows: int, cost: Cost) -> list[Comparison]:
    """n8n, measured now with D1_PEER=1; otherwise as it was recorded, since installing it takes long."""
    peer, doubts = RECORDED, "n8n's figures recorded on 2026-11-22"
    if os.environ.get("D1_PEER"):
        peer, doubts = run_peer(server, database), ""
    name = f"n8n {n8n.VERSION}"
    return [
        Comparison(
            f"d1 {millions(rows)}", "rows per second", rows / cost.wall, rows / peer.wall, name, 100,
            "at_least", unit="rows/s", doubts=doubts,
        ),
        Comparison(
            f"d1 {millions(rows)}", "peak memory MiB", cost.peak_rss / 2**20, peer.peak_rss / 2**20, name,
            0.1, "at_most", unit="MiB", doubts=f"{SHARED} {doubts}".strip(),
        ),
    ]  # fmt: skip


def _same_answer(server: PostgresServer, database: str) -> None:
    """Our table must equal the hand-written one; a fast wrong answer is no result."""
    with psycopg.connect(server.url(database)) as connection:
        different = connection.execute(
            "select count(*) from d1_limit l full join d1_ours o using (district, hour) where l.hours is distinct from "
            "o.hours or abs(l.pm25 - o.pm25) > 1e-6 or abs(l.pm10 - o.pm10) > 1e-6 or abs(l.so2 - o.so2) > 1e-6"
        ).fetchone()
    assert different == (0,), f"{different} groups differ"
