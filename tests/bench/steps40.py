"""Forty light steps in sequence: fused into one stage, and as forty stages of one durable run.

The forty stages come from checks that only report: a step that judges ends its stage. Times are medians: from the claim
of the first stage to the end of the run by the database's clock, and from the request to its answer.
"""

from __future__ import annotations

import os
import statistics
import time
from datetime import datetime
from typing import Any

from tests.bench.each import document
from tests.bench.measure import Comparison, cpu_seconds, process_tree
from tests.bench.ours import Ours
from tests.bench.ours import ours as our_studio

STEPS = 40
TRIES = int(os.environ.get("STEPS40_TRIES", "7"))
FUSED, UNFUSED = 0.06, 0.4


def chain(kind: str) -> dict[str, tuple[str, dict[str, Any]]]:
    """Read one row, 38 steps of a kind, one output."""
    steps: dict[str, tuple[str, dict[str, Any]]] = {"s0": ("read", {"dataset": "data", "columns": ["id"]})}
    for number in range(1, STEPS - 1):
        column = {"name": f"v{number}", "expression": f"id + {number}"}
        rule = {"name": "known", "expression": "id is not null"}
        light: dict[str, dict[str, Any]] = {
            "derive": {"columns": [column]},
            "check": {"on_fail": "report", "rules": [rule]},
        }
        steps[f"s{number}"] = (kind, light[kind])
    steps["end"] = ("output", {"name": "rows"})
    return steps


def measured(ours: Ours, flow: str) -> dict[str, Any]:
    """Medians over some runs after two that warm up."""
    inside, outside, cpu = [], [], []
    stages = 0
    for turn in range(TRIES + 2):
        before, began = cpu_seconds(process_tree([ours.pid])), time.perf_counter()
        answer = ours.run(flow)
        if turn < 2:
            continue
        outside.append(time.perf_counter() - began)
        cpu.append(cpu_seconds(process_tree([ours.pid])) - before)
        begun, ended = (datetime.fromisoformat(answer[name]) for name in ("started_at", "finished_at"))
        inside.append((ended - begun).total_seconds())
        stages = stages or len(ours.get(f"runs/{answer['id']}")["tasks"])
    return {"inside": inside, "outside": outside, "cpu": statistics.median(cpu), "stages": stages}


def run() -> list[Comparison]:
    """Both, with their CPU."""
    rows = []
    with our_studio() as ours:
        dataset = ours.add_stations()
        for word, kind, goal in (("fused", "derive", FUSED), ("unfused", "check", UNFUSED)):
            found = measured(ours, ours.add_flow(f"Forty {word}", document(dataset, chain(kind))))
            doubts = f"{found['stages']} stages, {found['cpu'] * 1000:.0f} ms of CPU a run in all processes"
            for figure, name in (("claim to end s", "inside"), ("request to answer s", "outside")):
                value = statistics.median(found[name])
                runs = {"ours": found[name]}
                rows.append(
                    Comparison(f"40 steps {word}", figure, value, goal, "goal", 1, "at_most", runs=runs, doubts=doubts)
                )
    return rows
