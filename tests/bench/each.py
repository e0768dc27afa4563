"""A map of 100: a for-each over a hundred rows whose sub-flow reads one row of a database; from the request to the end.

The request freezes the version and plans it; every iteration is a durable task of its own.
"""

from __future__ import annotations

import itertools
import statistics
import time
from typing import Any

from tests.bench.measure import Comparison, cpu_seconds, process_tree
from tests.bench.ours import Ours
from tests.bench.ours import ours as our_studio

ITEMS = 100
TRIES = 5
GOAL = 2.0


def document(dataset: str, steps: dict[str, tuple[str, dict[str, Any]]], **more: Any) -> dict[str, Any]:
    """A chain of steps over one dataset."""
    order = list(steps)
    return {
        "kind": "flow", "spec": "1", "title": {"en": "Map", "zh-CN": "逐项"}, "datasets": {"data": dataset},
        "steps": {key: {"type": kind, "version": 1, "settings": settings} for key, (kind, settings) in steps.items()},
        "wires": [{"from": f"{a}.out", "to": f"{b}.in"} for a, b in itertools.pairwise(order)],
        **more,
    }  # fmt: skip


def sub_flow(ours: Ours, dataset: str) -> dict[str, Any]:
    """A saved version of the flow that every iteration runs, as the setting of a for-each."""
    inputs = {"type": "object", "properties": {"number": {"type": "integer", "default": 1}}}
    steps = {
        "read": ("read", {"dataset": "data"}),
        "one": ("filter", {"where": "id = :number"}),
        "out": ("output", {"name": "rows"}),
    }
    return ours.add_sub_flow("One station", document(dataset, steps, inputs=inputs))


def run() -> list[Comparison]:
    """Seconds of a run, and what it cost."""
    walls, cpus = [], []
    with our_studio() as ours:
        dataset = ours.add_stations()
        each = {"flow": sub_flow(ours, dataset), "parameters": {"number": {"column": "id"}}, "concurrency": 8}
        steps = {
            "read": ("read", {"dataset": "data", "columns": ["id"]}),
            "few": ("filter", {"where": f"id <= {ITEMS}"}),
            "each": ("for_each", each),
            "out": ("output", {"name": "all"}),
        }
        flow = ours.add_flow("A map", document(dataset, steps))
        for _ in range(TRIES + 1):
            before, began = cpu_seconds(process_tree([ours.pid])), time.perf_counter()
            answer = ours.run(flow)
            walls.append(time.perf_counter() - began)
            cpus.append(cpu_seconds(process_tree([ours.pid])) - before)
            assert answer["steps"]["each"]["iterations"] == {"total": ITEMS, "done": ITEMS, "failed": 0}
    walls, cpus = walls[1:], cpus[1:]
    wall, cpu = statistics.median(walls), statistics.median(cpus)
    cost = f"{cpu:.2f} s of CPU in all processes"
    return [Comparison("a map of 100", "s", wall, GOAL, "goal", 1, "at_most", runs={"ours": walls}, doubts=cost)]
