"""A thousand runs at once: none lost, how long they wait for their claim, and a single run of another app among them.

The runs are started by eight clients without waiting for their ends. What a run waits is told by the database's clock.
"""

from __future__ import annotations

import os
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.bench.each import document
from tests.bench.measure import Comparison, cpu_seconds, process_tree
from tests.bench.ours import Ours
from tests.bench.ours import ours as our_studio
from tests.services import wait_until

RUNS = int(os.environ.get("MANY_RUNS", "1000"))
CLIENTS = 8
GOAL = 3.0
QUERY = """
    select cast(r.number as integer), r.state, r.app_id, r.created_at, min(a.started_at)
    from runtime_run r left join runtime_task t on t.run_id = r.id left join runtime_attempt a on a.task_id = t.id
    group by r.id order by r.number
"""


def light_flow(ours: Ours, dataset: str, title: str) -> str:
    """Read one row, keep it."""
    steps: dict[str, tuple[str, dict[str, Any]]] = {
        "read": ("read", {"dataset": "data", "columns": ["id"]}),
        "one": ("filter", {"where": "id = 1"}),
        "out": ("output", {"name": "rows"}),
    }
    return ours.add_flow(title, document(dataset, steps))


def seconds(start: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()


def are_over(database: Path) -> bool:
    """Whether no run goes on; read from the file, since whoever asks the studio takes its processor from the runs."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as reader:
        left = "select count(*) from runtime_run where state not in ('done', 'failed', 'cancelled')"
        return not reader.execute(left).fetchone()[0]


def run() -> list[Comparison]:
    """Waits of the thousand and of the single one; runs per second and CPU of the whole."""
    with our_studio() as ours:
        dataset = ours.add_stations()
        flood, single = light_flow(ours, dataset, "Many"), light_flow(ours, dataset, "Single")
        for flow in (flood, single):
            ours.run(flow)
        before, began = cpu_seconds(process_tree([ours.pid])), time.perf_counter()
        with ThreadPoolExecutor(CLIENTS) as threads:
            started = [*threads.map(lambda _: ours.start(flood), range(RUNS // 2)), ours.start(single)]
            started += threads.map(lambda _: ours.start(flood), range(RUNS - RUNS // 2))
        accepted = time.perf_counter() - began
        wait_until(lambda: are_over(ours.studio.home / "studio.sqlite3"), 1200, "all runs have ended")
        whole = time.perf_counter() - began
        spent = cpu_seconds(process_tree([ours.pid])) - before
        with closing(sqlite3.connect(ours.studio.home / "studio.sqlite3")) as database:
            rows = database.execute(QUERY).fetchall()
    rows = rows[-len(started) :]
    lost = sum(state != "done" for _, state, *_ in rows)
    waits = sorted(seconds(created, claimed) for _, _, _, created, claimed in rows if claimed)
    apps = [app for _, _, app, *_ in rows]
    alone = next(seconds(row[3], row[4]) for row in rows if apps.count(row[2]) == 1)
    cost = f"{RUNS / whole:.1f} runs/s, {spent / RUNS * 1000:.0f} ms of CPU a run, all accepted after {accepted:.1f} s"
    work = f"{RUNS:,} runs at once"
    return [
        Comparison(work, "lost", lost + RUNS + 1 - len(rows), 1, "none", 0, "at_most", "runs"),
        Comparison(work, "wait p95 s", waits[int(0.95 * len(waits))], GOAL, "goal", 1, "at_most", "s",
                   doubts=cost, runs={"ours": waits[:: max(1, len(waits) // 20)]}),
        Comparison(work, "single run's wait s", alone, GOAL, "goal", 1, "at_most", "s", doubts=cost),
    ]  # fmt: skip
