"""One run over four kinds of node at once: PostgreSQL, MariaDB, Parquet files and a web service, > 100 million rows.

The nodes are registered, discovered and profiled through the running studio; one flow puts all rows together and writes
them as Parquet; a socket watches the run as a browser does. What is checked: every row is there once, the counts told
live only grow and end as the database says, and no process outgrows its bound. ``ACCEPTANCE_ROWS`` scales it.
"""

from __future__ import annotations

import json
import os
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import duckdb
import psycopg
from websockets.sync.client import ClientConnection, connect

from tests.bench.measure import Comparison, measure
from tests.bench.ours import Ours
from tests.bench.ours import ours as our_studio
from tests.services import MariadbServer, PostgresServer, mariadb_server, postgres_server
from tests.web_service import Asked, Reply, WebService

ROWS = int(os.environ.get("ACCEPTANCE_ROWS", "101000000"))
SHARES = {"postgresql": 0.45, "mysql": 0.25, "http": 0.005}
"""The rest lies in files; the web service has whole pages, at least one."""
PAGE = 10_000
PARTS = 8
MEMORY_MIB = 1024
"""Bound of one process: what CHILD_MEMORY_MB lets the engine use, and as much again for rows on their way."""
COLUMNS = ("id", "station", "pm25", "district")
FORMULAS = "i as id, 1 + (i * 7919) % 300 as station, (i * 31 % 5000) / 10.0 as pm25, 'd' || i % 10 as district"


def sizes() -> dict[str, int]:
    """Rows by kind of node."""
    counts = {kind: int(ROWS * share) for kind, share in SHARES.items()}
    counts["http"] = max(PAGE, counts["http"] - counts["http"] % PAGE)
    return {**counts, "files": ROWS - sum(counts.values())}


def starts() -> dict[str, int]:
    """The first id of each kind: ids do not overlap."""
    found, at = {}, 0
    for kind, rows in sizes().items():
        found[kind], at = at, at + rows
    return found


# ── Data ──────────────────────────────────────────────────────────────────────────────────────────────────


def fill_postgres(server: PostgresServer, first: int, rows: int) -> dict[str, object]:
    with psycopg.connect(server.create_database("acceptance"), autocommit=True) as connection:
        connection.execute(
            f"create table obs as select i::bigint as id, (1 + (i * 7919) % 300)::int as station,"
            f" ((i * 31 % 5000) / 10.0)::float8 as pm25, 'd' || i % 10 as district"
            f" from generate_series({first}::bigint, {first + rows - 1}) as i".encode()
        )
        connection.execute(b"analyze obs")
    return server.settings("acceptance")


def fill_mariadb(server: MariadbServer, first: int, rows: int) -> dict[str, object]:
    database = server.create_database("acceptance")
    with server.connect(database) as connection, connection.cursor() as cursor:
        cursor.execute("create table obs (id bigint, station int, pm25 double, district varchar(8))")
        for at in range(first, first + rows, 1_000_000):
            until = min(at + 1_000_000, first + rows) - 1
            cursor.execute(
                "insert into obs select seq, 1 + (seq * 7919) % 300, (seq * 31 % 5000) / 10, concat('d', seq % 10)"
                f" from seq_{at}_to_{until}"
            )
        cursor.execute("analyze table obs")
    return server.settings(database)


def fill_files(folder: Path, first: int, rows: int) -> dict[str, object]:
    place = folder / "lake" / "obs"
    place.mkdir(parents=True)
    step = -(-rows // PARTS)
    with duckdb.connect() as connection:
        for number, at in enumerate(range(first, first + rows, step)):
            connection.execute(
                f"copy (select {FORMULAS} from range({at}, {min(at + step, first + rows)}) t(i))"
                f" to '{place / f'part-{number}.parquet'}' (format parquet)"
            )
    return {"folder": str(place.parent), "patterns": ["obs/*.parquet"]}


def web_service(first: int, rows: int) -> WebService:
    """Pages of rows as JSON."""

    def page(asked: Asked) -> Reply:
        at = first + (int(asked.query.get("page", "1")) - 1) * PAGE
        ids = range(at, min(at + PAGE, first + rows))
        values = (
            {"id": i, "station": 1 + (i * 7919) % 300, "pm25": (i * 31 % 5000) / 10 + 0.0, "district": f"d{i % 10}"}
            for i in ids
        )
        return Reply({"rows": list(values)})

    return WebService({"/obs": page})


# ── The work ──────────────────────────────────────────────────────────────────────────────────────────────


def document(datasets: dict[str, str], target: str) -> dict[str, Any]:
    """Everything put together and written."""
    steps: dict[str, Any] = {
        kind: {"type": "read", "version": 1, "settings": {"dataset": kind, "columns": list(COLUMNS)}}
        for kind in datasets
    }
    steps["all"] = {"type": "union", "version": 1, "settings": {}}
    put = {"node": target, "path": ["all"], "mode": "replace", "create": True}
    steps["out"] = {"type": "write", "version": 1, "settings": put}
    wires = [{"from": f"{kind}.out", "to": "all.in"} for kind in datasets]
    return {
        "kind": "flow", "spec": "1", "title": {"en": "Acceptance", "zh-CN": "验收"}, "datasets": datasets,
        "steps": steps, "wires": [*wires, {"from": "all.out", "to": "out.in"}],
    }  # fmt: skip


class Watcher:
    """A browser's socket on one run: the counts of each step as they are told."""

    def __init__(self, studio: Ours, run: str) -> None:
        self.told: dict[str, list[int]] = {}
        self.events = 0
        cookie = "; ".join(f"{one.name}={urllib.parse.quote(one.value or '')}" for one in studio._jar)
        self._socket: ClientConnection = connect(
            studio.studio.url.replace("http", "ws") + "/ws/live",
            origin=studio.studio.url,  # type: ignore[arg-type]
            additional_headers={"Cookie": cookie},
        )
        self._socket.send(json.dumps({"type": "subscribe", "topic": f"run:{run}", "after": None}))
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        for frame in self._socket:
            said = json.loads(frame)
            if said["type"] == "ping":
                self._socket.send('{"type":"pong"}')
            for event in said.get("events", ()):
                self.events += 1
                for step, change in event["data"].get("steps", {}).items() if event["kind"] == "steps" else ():
                    if change.get("rows") is not None:
                        self.told.setdefault(step, []).append(change["rows"])

    def close(self) -> None:
        self._socket.close()
        self._thread.join(10)


def run() -> list[Comparison]:
    """Seconds of the parts against nothing (they are told, not judged), and the largest process against its bound."""
    with ExitStack() as stack:
        counts, first = sizes(), starts()
        print(f"{ROWS:,} rows: {counts}", flush=True)
        service = stack.enter_context(web_service(first["http"], counts["http"]).running())
        postgres, mariadb = postgres_server(), mariadb_server()
        places = {
            "postgresql": fill_postgres(postgres, first["postgresql"], counts["postgresql"]),
            "mysql": fill_mariadb(mariadb, first["mysql"], counts["mysql"]),
        }
        print("databases are filled", flush=True)
        studio = stack.enter_context(our_studio(CHILD_MEMORY_MB=512))
        places["files"] = fill_files(studio.folder, first["files"], counts["files"])
        paged = {"name": "obs", "path": "obs", "rows_at": "/rows", "paging": "page", "page_size": PAGE}
        places["http_json"] = {"url": service.url, "datasets": [paged]}
        (studio.folder / "written").mkdir()
        return list(_of(studio, places, [postgres, mariadb]))


def _of(studio: Ours, places: dict[str, Any], servers: list[Any]) -> Iterator[Comparison]:
    nodes: dict[str, str] = {}
    roots = [studio.pid, *(server.process.pid for server in servers)]

    def catalogue() -> None:
        for kind, settings in places.items():
            nodes[kind] = studio.add_node(kind, f"Acceptance {kind}", settings)
        for node in nodes.values():
            task = studio.post(f"nodes/{studio._node_ids[node]}/profile")["task"]
            if task:
                studio.await_task(task)

    cost = measure(catalogue, lambda: roots, lambda: [studio.pid])
    print(f"catalogued in {cost}", flush=True)
    yield _told("catalogue", cost.wall)
    target = studio.add_node("files", "Acceptance target", {"folder": str(studio.folder / "written")})
    # Each node has one dataset.
    datasets = {kind: studio.dataset(node, "") for kind, node in nodes.items()}
    flow = studio.add_flow("Acceptance", document(datasets, target))
    ended: dict[str, Any] = {}
    watchers: list[Watcher] = []

    def work() -> None:
        begun = studio.start(flow)
        watchers.append(Watcher(studio, begun["id"]))
        ended.update(studio.await_run(begun, 7200))

    cost = measure(work, lambda: roots, lambda: [studio.pid])
    (watcher,) = watchers
    watcher.close()
    assert ended["state"] == "done", ended["error"]
    _check(studio.folder / "written" / "all")
    for step, told in watcher.told.items():
        assert told == sorted(told), f"{step}: the counts went back"
    assert watcher.told["out"][-1] == ROWS, watcher.told["out"][-1]
    print(
        f"run: {cost}; {watcher.events} events watched, { ({s: len(t) for s, t in watcher.told.items()}) }", flush=True
    )
    yield _told("wall", cost.wall, f"{watcher.events} events watched live")
    yield _told("CPU, sources included", cost.cpu)
    yield _told("rows per second", ROWS / cost.wall, unit="rows/s")
    yield Comparison(
        _work(), "peak memory MiB", cost.peak_rss / 2**20, MEMORY_MIB, "bound", 1.0, "at_most", unit="MiB",
        doubts="largest single process, shared pages counted",
    )  # fmt: skip


def _work() -> str:
    return f"acceptance {ROWS // 1_000_000} M rows"


def _told(figure: str, value: float, doubts: str = "", unit: str = "s") -> Comparison:
    return Comparison(_work(), figure, value, value, "itself", 1.0, "at_most", unit=unit, doubts=doubts)


def _check(folder: Path) -> None:
    """Every id once, and the values that belong to it."""
    with duckdb.connect() as connection:
        found = connection.execute(
            "select count(*), sum(id), min(id), max(id), sum(station), sum(pm25)::bigint"
            f" from read_parquet('{folder}/*.parquet')"
        ).fetchone()
        wanted = connection.execute(
            "select count(*), sum(i), min(i), max(i), sum(1 + (i * 7919) % 300), sum((i * 31 % 5000) / 10.0)::bigint"
            f" from range({ROWS}) t(i)"
        ).fetchone()
    assert found == wanted, (found, wanted)
