"""What a source's own users notice while the studio discovers, profiles and reads it at default limits.

pgbench on PostgreSQL and sysbench on MariaDB go on all the time; phases in which the studio rests and phases in which
it works take turns, and each client's throughput and 95th percentile are compared between them. ``IMPACT_ROWS`` scales
the table that is read. The studio runs on the source's own machine here, which it never does in a city: it has the
lowest priority and writes to memory, so that what is measured is what its statements do to the server rather than two
programs' struggle for one processor and one disk.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from tests.bench.copying import millions
from tests.bench.data import fill_postgres
from tests.bench.measure import Comparison, process_tree
from tests.bench.ours import Ours
from tests.bench.ours import ours as our_studio
from tests.services import mariadb_server, postgres_server

ROWS = int(os.environ.get("IMPACT_ROWS", "100_000_000"))
SOURCES = os.environ.get("IMPACT_SOURCES", "postgresql,mysql").split(",")
LOADS = os.environ.get("IMPACT_LOADS", "rate,full").split(",")
"""``rate``: clients that come at a third of what the server could do; ``full``: as fast as it answers."""
PAIRS = int(os.environ.get("IMPACT_PAIRS", "3"))
QUIET_SECONDS = float(os.environ.get("IMPACT_QUIET", "30"))
LONGEST = float(os.environ.get("IMPACT_BUSY", "240"))
"""A phase of work ends when all is read, or after so many seconds."""
CLIENTS, SCALE = 4, 10
SETTLE_SECONDS = 3.0
THROUGHPUT, P95 = 0.9, 1.2
WORDS = {"rate": "clients at a third of full speed", "full": "clients at full speed"}


@dataclass(frozen=True)
class Noticed:
    """What clients saw in a phase: transactions a second, and the 95th percentile of their milliseconds."""

    per_second: float
    p95: float


@dataclass(frozen=True)
class Clients:
    """Clients at work in the background; ``noticed`` looks at what they saw between two moments (``time.time``)."""

    noticed: Callable[[float, float], Noticed]


def run() -> list[Comparison]:
    """Two figures for each source and kind of clients."""
    sources = {"postgresql": _postgres, "mysql": _mariadb}
    made = {kind: sources[kind]() for kind in SOURCES}
    lines: list[Comparison] = []
    with _other_disk(), our_studio() as studio:
        _step_back(studio.pid)
        for kind in SOURCES:
            settings, clients = made[kind]
            node = studio.add_node(kind, f"Impact {kind}", settings)
            for load in LOADS:
                lines += _compare(studio, kind, node, load, clients)
    return lines


def _compare(studio: Ours, kind: str, node: str, load: str, clients: Callable[[str], Any]) -> Iterator[Comparison]:
    quiet: list[Noticed] = []
    busy: list[Noticed] = []
    read = 0
    with clients(load) as there:
        time.sleep(SETTLE_SECONDS)
        for _ in range(PAIRS):
            began = time.time()
            time.sleep(QUIET_SECONDS)
            ended = time.time()
            rows = _work(studio, node, LONGEST)
            finished = time.time()
            read += rows
            quiet.append(there.noticed(began, ended))
            busy.append(there.noticed(ended, finished))
            print(f"{kind}, {load}: quiet {quiet[-1]}, busy {busy[-1]}, {rows:,} rows in {finished - ended:.0f} s")
            time.sleep(SETTLE_SECONDS)
    work = f"impact {kind}, {millions(ROWS)}, {WORDS[load]}"
    doubts = f"{read:,} rows read in {PAIRS} phases; all on one machine"
    figures = (("throughput", "per_second", THROUGHPUT, "at_least", "1/s"), ("p95", "p95", P95, "at_most", "ms"))
    for figure, name, goal, sense, unit in figures:
        with_us = [float(getattr(one, name)) for one in busy]
        without = [float(getattr(one, name)) for one in quiet]
        yield Comparison(
            work, figure, statistics.median(with_us), statistics.median(without), "the same without us", goal,
            sense, unit=unit, limit="default limits", doubts=doubts,
            runs={"busy": with_us, "quiet": without},
        )  # type: ignore[arg-type]  # fmt: skip


def _work(studio: Ours, node: str, longest: float) -> int:
    """Discover the node, profile its large table and read all of it into files, ``longest`` seconds at most.

    Rows that were read.
    """
    deadline = time.monotonic() + longest
    studio.discover(node)
    large = next(one for one in studio.datasets(node) if one["name"].endswith("obs"))
    profile = studio.post(f"datasets/{large['id']}/profile")["task"]
    read = _until(deadline, studio, f"tasks/{profile}")
    folder = studio.folder / f"out-{time.monotonic_ns()}"
    folder.mkdir()
    target = studio.add_node("files", folder.name, {"folder": str(folder)})
    flow = studio.add_flow(folder.name, _copy(str(large["number"]), target))
    run = studio.start(flow)
    read += _until(deadline, studio, f"runs/{run['id']}")
    shutil.rmtree(folder, ignore_errors=True)
    return read


def _copy(dataset: str, target: str) -> dict[str, Any]:
    return {
        "kind": "flow", "spec": "1", "title": {"en": "Copy", "zh-CN": "复制"},
        "steps": {
            "read": {"type": "read", "version": 1, "settings": {"dataset": dataset}},
            "write": {"type": "write", "version": 1, "settings": {"node": target, "path": ["obs"], "create": True}},
        },
        "wires": [{"from": "read.out", "to": "write.in"}],
    }  # fmt: skip


def _until(deadline: float, studio: Ours, path: str) -> int:
    """Wait for the end of a run or task, or stop it at the deadline; rows that it had read."""
    while time.monotonic() < deadline:
        seen = studio.get(path)
        if seen["state"] in ("done", "failed", "cancelled", "dead"):
            assert seen["state"] == "done", seen
            return int((seen.get("result") or {}).get("rows") or seen.get("rows_out") or 0)
        time.sleep(0.5)
    seen = studio.get(path)
    counts = (seen.get("progress") or {}).get("counts") or {}
    steps = seen.get("steps") or {}
    rows = max([0, *counts.values(), *(one.get("rows") or 0 for one in steps.values())])
    with contextlib.suppress(AssertionError):
        studio.post(f"{path}/cancel")
    while studio.get(path)["state"] not in ("done", "failed", "cancelled", "dead"):
        time.sleep(0.2)
    return int(rows)


@contextlib.contextmanager
def _other_disk() -> Iterator[None]:
    """What the studio writes goes to memory, not to the disk on which the source waits for its own commits."""
    before, tempfile.tempdir = tempfile.tempdir, "/dev/shm" if Path("/dev/shm").is_dir() else None
    try:
        yield
    finally:
        tempfile.tempdir = before


def _step_back(supervisor: int) -> None:
    """Give the studio's processes the lowest priority, thread by thread; what they start inherits it."""
    for process in process_tree([supervisor]):
        for thread in Path(f"/proc/{process}/task").iterdir():
            with contextlib.suppress(ProcessLookupError):
                os.setpriority(os.PRIO_PROCESS, int(thread.name), 19)


# ── PostgreSQL ────────────────────────────────────────────────────────────────────────────────────────────


def _postgres() -> tuple[dict[str, Any], Callable[[str], Any]]:
    server = postgres_server()
    url = server.create_database("impact")
    print(f"PostgreSQL: {ROWS:,} rows", flush=True)
    fill_postgres(url, ROWS)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("alter table obs add primary key (id)")
        connection.execute("vacuum analyze")
    pgbench = str(server.binaries / "pgbench")
    subprocess.run([pgbench, "-iq", "-s", str(SCALE), url], check=True, capture_output=True)
    full = _rate_of(pgbench, url)

    @contextlib.contextmanager
    def clients(load: str) -> Iterator[Clients]:
        with tempfile.TemporaryDirectory(prefix="cg-pgbench-") as folder:
            pace = ["-R", str(full // 3)] if load == "rate" else ["--sampling-rate=0.1"]
            process = subprocess.Popen(
                [pgbench, *_SCRIPTS, "-T", "86400", "--log", f"--log-prefix={folder}/log", *pace, url],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            try:
                yield Clients(lambda began, ended: _of_log(Path(folder), began, ended, 1 if load == "rate" else 10))
            finally:
                process.terminate()
                process.wait()

    return server.settings("impact"), clients


_SCRIPTS = ("-c", str(CLIENTS), "-j", "1", "-n", "-b", "select-only@8", "-b", "simple-update@2")


def _rate_of(pgbench: str, url: str) -> int:
    said = subprocess.run([pgbench, *_SCRIPTS, "-T", "10", url], check=True, capture_output=True, text=True).stdout
    found = re.search(r"tps = ([0-9.]+)", said)
    assert found is not None, said
    print(f"PostgreSQL: {found[1]} transactions a second at full speed", flush=True)
    return int(float(found[1]))


def _of_log(folder: Path, began: float, ended: float, weight: int) -> Noticed:
    """Its log has a line a transaction: client, number, microseconds (from when it was due), script, time."""
    times = []
    for path in folder.iterdir():
        for line in path.read_text().splitlines():
            fields = line.split()
            if len(fields) >= 6 and began <= int(fields[4]) + int(fields[5]) / 1e6 < ended:
                times.append(int(fields[2]) / 1000)
    times.sort()
    return Noticed(round(len(times) * weight / (ended - began), 1), times[int(len(times) * 0.95)])


# ── MariaDB ───────────────────────────────────────────────────────────────────────────────────────────────

_SECOND = re.compile(r"tps: ([0-9.]+).*lat \(ms,95%\): ([0-9.]+)")


def _mariadb() -> tuple[dict[str, Any], Callable[[str], Any]]:
    _install_sysbench()
    server = mariadb_server()
    name = server.create_database("impact")
    print(f"MariaDB: {ROWS:,} rows", flush=True)
    with server.connect(name) as connection, connection.cursor() as cursor:
        cursor.execute(
            "create table obs (id bigint primary key, station int, ts datetime, pm25 double, pm10 double, so2 double, "
            "district varchar(20))"
        )
        for start in range(0, ROWS, 1_000_000):
            cursor.execute(
                "insert into obs select seq, 1 + (seq * 7919) % 300, "
                "timestamp '2025-01-01 00:00:00' + interval seq second, round(-ln(1 - rand(seq)) * 35, 2), "
                "round(200 * rand(), 1), round(40 * rand(), 1), concat('D', seq % 10) "
                f"from seq_{start + 1}_to_{min(start + 1_000_000, ROWS)}"
            )
        cursor.execute("analyze table obs")
    settings = server.settings(name)
    base = [
        "sysbench", "oltp_read_write", "--db-driver=mysql", f"--mysql-host={settings['host']}",
        f"--mysql-port={settings['port']}", f"--mysql-user={settings['user']}",
        f"--mysql-password={settings['password']}", f"--mysql-db={name}", "--tables=4", "--table-size=50000",
        f"--threads={CLIENTS}", "--report-interval=1", "--percentile=95",
    ]  # fmt: skip
    subprocess.run([*base, "prepare"], check=True, capture_output=True)
    said = subprocess.run([*base, "--time=10", "run"], check=True, capture_output=True, text=True).stdout
    full = statistics.median(float(found[1]) for found in _SECOND.finditer(said))
    print(f"MariaDB: {full} transactions a second at full speed", flush=True)

    @contextlib.contextmanager
    def clients(load: str) -> Iterator[Clients]:
        pace = [f"--rate={max(1, int(full / 3))}"] if load == "rate" else []
        process = subprocess.Popen([*base, "--time=86400", *pace, "run"], stdout=subprocess.PIPE, text=True)
        seconds: list[tuple[float, float, float]] = []

        def listen() -> None:
            assert process.stdout is not None
            for line in process.stdout:
                if found := _SECOND.search(line):
                    seconds.append((time.time(), float(found[1]), float(found[2])))

        listener = threading.Thread(target=listen)
        listener.start()

        def noticed(began: float, ended: float) -> Noticed:
            seen = [(tps, p95) for at, tps, p95 in seconds if began + 1 <= at < ended]
            means = [statistics.fmean(values) for values in zip(*seen, strict=True)]
            return Noticed(round(means[0], 1), round(means[1], 3))

        try:
            yield Clients(noticed)
        finally:
            process.terminate()
            process.wait()
            listener.join()

    return settings, clients


def _install_sysbench() -> None:
    """It is a Debian package, and needed here alone."""
    if shutil.which("sysbench") is None:
        subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "sysbench"], check=True)
