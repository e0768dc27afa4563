"""How long until a stage is at work again whose process was killed: the child, the whole worker, or its machine.

Two workers under ``manage.py up``. A stage that would never end is begun; the moment of the fault is compared with the
start of the next try. The loss of a machine is played by freezing a worker with its children: nobody can see that it
is gone, so its lease has to run out. RECOVERY_KILLS says how often each fault is tried (10; the loss of a machine a
fifth of that).
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.api_client import ApiClient
from tests.bench.measure import Comparison, cpu_seconds, process_tree
from tests.bench.ours import Ours
from tests.bench.ours import ours as our_studio
from tests.services import wait_until

KILLS = int(os.environ.get("RECOVERY_KILLS", "10"))
SEED = 20261123
RESTARTS_PER_MINUTE = 5
"""The supervisor gives up on a process that falls more often than six times a minute."""


def fill(path: Path) -> None:
    """200,000 rows in ten groups: joined with themselves they are four billion."""
    with sqlite3.connect(path) as connection:
        connection.execute("create table many (id integer, part integer)")
        connection.executemany("insert into many values (?, ?)", ((n, n % 10) for n in range(200_000)))
    connection.close()


def document(dataset: str) -> dict[str, Any]:
    """Counts the pairs within each group: minutes, unless it is stopped."""
    join = {"how": "inner", "on": [{"left": "part", "right": "part"}], "suffix": "_r"}
    count = {"by": ["id"], "measures": [{"name": "n", "function": "count"}]}
    steps = {
        "left": ("read", {"dataset": "data"}), "right": ("read", {"dataset": "data"}), "all": ("join", join),
        "sum": ("aggregate", count), "out": ("output", {"name": "out"}),
    }  # fmt: skip
    wires = [("left.out", "all.left"), ("right.out", "all.right"), ("all.out", "sum.in"), ("sum.out", "out.in")]
    return {
        "kind": "flow", "spec": "1", "title": {"en": "Endless", "zh-CN": "无尽"}, "datasets": {"data": dataset},
        "steps": {key: {"type": kind, "version": 1, "settings": settings} for key, (kind, settings) in steps.items()},
        "wires": [{"from": source, "to": target} for source, target in wires],
    }  # fmt: skip


def kill_child(worker: int) -> None:
    """The child that is at work: the one that uses the most processor time now."""
    before = {child: cpu_seconds([child]) for child in process_tree([worker]) - {worker}}
    time.sleep(0.3)
    os.kill(max(before, key=lambda child: cpu_seconds([child]) - before[child]), signal.SIGKILL)


def kill_worker(worker: int) -> None:
    """The worker; its children die with it."""
    os.kill(worker, signal.SIGKILL)


def freeze(worker: int) -> None:
    """The worker and its children stand still, and nobody is told."""
    for process in process_tree([worker]):
        os.kill(process, signal.SIGSTOP)


class Trials:
    """One studio, one endless flow, and how often each worker was killed lately."""

    def __init__(self, ours: Ours, flow: str) -> None:
        self._ours = ours
        self._watcher = ApiClient(ours.studio, "zhao.min")
        self._flow = flow
        self._rng = random.Random(SEED)
        self._killed: deque[float] = deque(maxlen=RESTARTS_PER_MINUTE)

    def seconds_until_restart(self, fault: Callable[[int], None]) -> float:
        """Begin the flow, strike, and wait until another try is at work."""
        if fault is not kill_child:
            self._rest()
        run = self._ours.start(self._flow)
        wait_until(lambda: self._tries(run), 60, "the stage is at work")
        time.sleep(self._rng.uniform(0.3, 1.0))
        worker = self._tries(run)[0]["process"]
        fault(worker)
        struck_at = time.time()
        if fault is not kill_child:
            self._killed.append(struck_at)
        wait_until(lambda: len(self._tries(run)) == 2, 60, "the next try is at work")
        began = datetime.fromisoformat(self._tries(run)[1]["started_at"]).timestamp()
        self._ours.post(f"runs/{run['id']}/cancel")
        if fault is freeze:
            kill_worker(worker)
        self._ours.await_run(run)
        wait_until(self._is_whole, 60, "both workers are there and idle")
        return began - struck_at

    def _tries(self, run: dict[str, Any]) -> list[dict[str, Any]]:
        tries: list[dict[str, Any]] = self._ours.get(f"runs/{run['id']}")["tasks"][0]["attempts"]
        return tries

    def _is_whole(self) -> bool:
        workers = [one for one in self._watcher.get("monitor")["workers"] if Path(f"/proc/{one['process']}").exists()]
        return len(workers) == 2 and not any(one["busy"] for one in workers)

    def _rest(self) -> None:
        if len(self._killed) == RESTARTS_PER_MINUTE:
            time.sleep(max(0.0, self._killed[0] + 61 - time.time()))


def p95(values: list[float]) -> float:
    """The value that nineteen of twenty do not exceed."""
    return sorted(values)[min(len(values) - 1, int(0.95 * len(values)))]


def run() -> list[Comparison]:
    """p95 of the seconds from the fault to the next try, by fault."""
    rows = []
    with our_studio(WORKER_PROCESSES=2) as ours:
        fill(ours.folder / "many.sqlite3")
        node = ours.add_node("sqlite", "Many", {"path": str(ours.folder / "many.sqlite3")})
        trials = Trials(ours, ours.add_flow("Endless", document(ours.dataset(node, "many"))))
        for name, fault, number, goal in (
            ("child killed", kill_child, KILLS, 2.0),
            ("worker killed", kill_worker, KILLS, 2.0),
            ("machine lost", freeze, max(1, KILLS // 5), 20.0),
        ):
            took = [trials.seconds_until_restart(fault) for _ in range(number)]
            print(f"{name}: {[round(seconds, 2) for seconds in sorted(took)]}", flush=True)
            figure = f"{name}, p95 of {number}"
            rows.append(Comparison("recovery", figure, p95(took), goal, "goal", 1, "at_most", runs={"ours": took}))
    return rows
