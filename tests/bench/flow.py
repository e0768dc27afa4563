"""The durable flow: ten trivial steps as one run whose ten step states can be read afterwards; beside n8n.

200 runs with 1 and with 8 in flight, from the request to the answer that the run is done. What Celery alone adds is the
CPU of a bell, from its sender through the broker to the worker, which looks into the database: a flow has one.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import redis
from celery import Celery

from tests.bench.measure import Comparison, cpu_seconds, drive, process_tree
from tests.bench.ours import Ours
from tests.bench.ours import ours as our_studio
from tests.bench.peers import n8n
from tests.services import postgres_server, wait_until

RUNS = int(os.environ.get("FLOW_RUNS", "200"))
BELLS = 500


def document(dataset: str = "") -> dict[str, Any]:
    """One row, read or (without a dataset) typed into the first step, eight light steps, one output."""
    typed = {"columns": [{"name": "id", "type": "integer"}], "rows": [[1]]}
    steps: dict[str, Any] = {
        "s0": ("read", {"dataset": "data", "columns": ["id"]}) if dataset else ("table", typed),
        "s1": ("filter", {"where": "id = 1"}),
        "s9": ("output", {"name": "out"}),
    }
    for number in range(2, 9):
        steps[f"s{number}"] = ("derive", {"columns": [{"name": f"v{number}", "expression": f"id + {number}"}]})
    order = [f"s{number}" for number in range(10)]
    return {
        "kind": "flow", "spec": "1", "title": {"en": "Ten steps", "zh-CN": "十步"},
        "datasets": {"data": dataset} if dataset else {},
        "steps": {key: {"type": steps[key][0], "version": 1, "settings": steps[key][1]} for key in order},
        "wires": [{"from": f"{a}.out", "to": f"{b}.in"} for a, b in itertools.pairwise(order)],
    }  # fmt: skip


def peer_workflow() -> dict[str, Any]:
    """A webhook and ten Set nodes."""
    hook = {"httpMethod": "POST", "path": "flow", "responseMode": "lastNode"}
    nodes = [n8n.node("hook", "webhook", 2, hook, 0, webhookId="flow")]
    for number in range(10):
        assignment = {"id": f"a{number}", "name": f"v{number}", "value": number, "type": "number"}
        settings = {"assignments": {"assignments": [assignment]}, "includeOtherFields": True, "options": {}}
        nodes.append(n8n.node(f"s{number}", "set", 3.4, settings, 200 * (number + 1)))
    return n8n.chain("flow", nodes)


def warm(once: Callable[[], Any]) -> Callable[[], Any]:
    """The same, after ten that nobody counts."""
    for _ in range(10):
        once()
    return once


def bell_ms(ours: Ours) -> float:
    """CPU ms of a bell: its sender, the broker, and the worker that looks for the task in the database, in vain."""
    (broker,) = ours.studio.home.glob("run/*.sock")
    post = Celery("bench", broker=f"redis+socket://{broker}")
    queue = redis.Redis(unix_socket_path=str(broker))

    def spent() -> float:
        return cpu_seconds(process_tree([ours.pid])) + time.thread_time()

    def ring(bells: int) -> None:
        for _ in range(bells):
            post.send_task("runtime.run_task", args=[str(uuid4()), 1], queue="citygo", ignore_result=True)
        wait_until(lambda: not queue.llen("citygo"), 60, "all bells are heard")

    ring(50)
    before = spent()
    ring(BELLS)
    found = (spent() - before) / BELLS * 1000
    queue.close()
    post.close()
    return found


def run() -> list[Comparison]:
    """All figures of the work."""
    rows: list[Comparison] = []
    figures: dict[tuple[str, int], dict[str, float]] = {}
    with our_studio() as ours:
        flow = ours.add_flow("Ten steps", document(ours.add_stations()))
        answer = ours.run(flow)
        assert len(answer["steps"]) == 10, "ten step states can be read afterwards"
        for in_flight in (1, 8):
            figures["ours", in_flight] = drive(warm(lambda: ours.run(flow)), RUNS, in_flight, ours.pid)
        bell = bell_ms(ours)
    with n8n.running(postgres_server(), [peer_workflow()], []) as studio:
        for in_flight in (1, 8):
            figures["n8n", in_flight] = drive(warm(lambda: studio.call("flow")), RUNS, in_flight, studio.process.pid)
    peer = f"n8n {n8n.VERSION}"
    for in_flight in (1, 8):
        own, other = figures["ours", in_flight], figures["n8n", in_flight]
        work = f"durable flow, {in_flight} in flight"
        rows += [
            Comparison(work, "flows per second", own["per_second"], other["per_second"], peer, 5, "at_least", "1/s"),
            Comparison(work, "p50 ms", own["p50_ms"], other["p50_ms"], peer, 0.5, "at_most", "ms"),
            Comparison(work, "p95 ms", own["p95_ms"], other["p95_ms"], peer, 0.5, "at_most", "ms"),
            Comparison(work, "CPU ms per flow", own["cpu_ms"], other["cpu_ms"], peer, 1, "at_most", "ms"),
        ]
    return [*rows, Comparison("durable flow", "CPU ms of a bell", bell, 4, "goal", 1, "at_most", "ms")]
