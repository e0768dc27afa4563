"""L0–L3 of a flow of 200 different steps, as the browser waits for it after an edit: cold, and after one change."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

from flows.graph import settings as settings_module
from flows.graph import typecheck
from flows.graph.load import read_document
from flows.graph.validate import check
from tests.bench.measure import Comparison
from tests.unit.graph.support import all_rights, catalogue, flow, registry, step

STEPS = 200
GOAL = 0.1
"""Seconds."""


def document(changed: int = 0) -> dict[str, Any]:
    """A chain of 200 steps of six types, no two alike; ``changed`` makes one of them another."""
    steps = {"air": step("read", dataset="air")}
    wires = []
    before = "air"
    for index in range(STEPS - 2):
        name = f"s{index}"
        bound = index + (1000 * changed if index == STEPS // 2 else 0)
        steps[name] = (
            step("filter", where=f"pm25 > {bound} and station is not null"),
            step("derive", columns=[{"name": "pm10", "expression": f"pm10 * 2 + {bound}"}]),
            step("select", columns=[{"column": c} for c in ("station", "ts", "pm25", "pm10", "cost", "code")]),
            step("sort", by=[{"column": "pm25", "descending": index % 2 == 0}]),
            step("cast", columns=[{"column": "pm10", "type": "integer"}]),
            step("limit", rows=10_000 + index),
        )[index % 6]
        wires.append(f"{before} > {name}")
        before = name
    steps["out"] = step("output", name="x")
    return flow(steps, *wires, f"{before} > out")


def once(changed: int) -> float:
    """CPU seconds of one check (one thread; steadier than wall time on a shared machine)."""
    plain, datasets = document(changed), catalogue()
    grants = all_rights(datasets)
    started = time.process_time()
    loaded = read_document(plain, registry())
    assert loaded.document is not None
    result = check(loaded.document, registry(), datasets, grants, upto="L3")
    seconds = time.process_time() - started
    assert result.ok("L3")
    return seconds


def _forget() -> None:
    for cache in (typecheck._evaluated, typecheck._ibis_schemas, settings_module._parsed):
        cache.clear()


def run() -> list[Comparison]:
    """Five rounds each, medians."""
    once(0)

    def cold() -> float:
        _forget()
        return once(0)

    figures: list[tuple[str, Callable[[int], float]]] = [
        ("200 steps never seen before", lambda _: cold()),
        ("200 steps, one changed", lambda round_: once(round_ + 1)),
    ]
    rows = []
    for figure, measure in figures:
        seconds = [measure(round_) for round_ in range(5)]
        median = statistics.median(seconds)
        rows.append(Comparison("ladder", figure, median, GOAL, "goal", 1.0, "at_most", runs={"ours": seconds}))
    return rows
