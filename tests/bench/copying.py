"""What works that move rows share: the flow of one read and one write, pairs, and the lines of the table."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from typing import Any

from tests.bench.measure import Comparison, Cost, medians
from tests.services import PostgresServer


def document(title: str, dataset: str, place: dict[str, Any]) -> dict[str, Any]:
    """Read ``dataset`` and write it to ``place``, in place of all that is there."""
    return {
        "kind": "flow", "spec": "1", "title": {"en": title, "zh-CN": title}, "datasets": {"obs": dataset},
        "steps": {
            "obs": {"type": "read", "version": 1, "settings": {"dataset": "obs"}},
            "out": {"type": "write", "version": 1, "settings": {**place, "mode": "replace", "create": True}},
        },
        "wires": [{"from": "obs.out", "to": "out.in"}],
    }  # fmt: skip


def psql(server: PostgresServer, url: str, statement: str) -> str:
    """A shell command that runs one statement."""
    return f"{shlex.quote(str(server.binaries / 'psql'))} -qX {shlex.quote(url)} -c {shlex.quote(statement)}"


def pairs(work: str, count: int, limit: Callable[[], Cost], own: Callable[[], Cost]) -> tuple[list[Cost], list[Cost]]:
    """``count`` interleaved pairs: what the limit cost, what we cost. A first pair that is not counted warms both."""
    limits: list[Cost] = []
    owns: list[Cost] = []
    for pair in range(count + 1):
        found = limit(), own()
        print(f"{work}, pair {pair}: limit {found[0]}, ours {found[1]}, load {os.getloadavg()[0]:.1f}", flush=True)
        if pair:
            limits.append(found[0])
            owns.append(found[1])
    return limits, owns


def wall_and_cpu(
    work: str, limit: list[Cost], own: list[Cost], peer: str, goals: tuple[float, float], doubts: str = ""
) -> list[Comparison]:
    """Wall, and CPU of both ends, each with its goal."""
    mine, theirs = medians(own), medians(limit)
    raw = {
        "ours_wall": [c.wall for c in own], "limit_wall": [c.wall for c in limit],
        "ours_cpu": [c.cpu for c in own], "limit_cpu": [c.cpu for c in limit],
    }  # fmt: skip
    return [
        Comparison(work, "wall", mine.wall, theirs.wall, peer, goals[0], "at_most", doubts=doubts, runs=raw),
        Comparison(work, "cpu", mine.cpu, theirs.cpu, peer, goals[1], "at_most", doubts=doubts, runs=raw),
    ]


def lines(
    work: str, limit: list[Cost], own: list[Cost], peer: str, goal: float, most_mib: float, doubts: str = ""
) -> list[Comparison]:
    """Wall, CPU of both ends, and the largest single process, by both ways to count."""
    mine = medians(own)
    memory = {"rss": [c.peak_rss / 2**20 for c in own], "pss": [c.peak_pss / 2**20 for c in own]}
    return [
        *wall_and_cpu(work, limit, own, peer, (goal, goal), doubts),
        Comparison(
            work, "peak memory MiB", mine.peak_rss / 2**20, most_mib, "goal", 1.0, "at_most", unit="MiB",
            doubts=f"largest single process ({mine.largest}), shared pages counted", runs=memory,
        ),
        Comparison(
            work, "peak memory MiB (PSS)", mine.peak_pss / 2**20, most_mib, "goal", 1.0, "at_most", unit="MiB",
            doubts="the same, a shared page counted by this process's part of it", runs=memory,
        ),
    ]  # fmt: skip


def millions(rows: int) -> str:
    """``10 M rows``."""
    return f"{rows / 1_000_000:g} M rows"
