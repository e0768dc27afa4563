"""The figures of docs/benchmarks.md: the fifteen goals of the design, and every line of latest.jsonl, as two tables.

`make bench` writes them after its results, `python -m tests.bench.figures` by themselves; a unit test holds the page to
the results, so that nobody has to copy a figure by hand.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results" / "latest.jsonl"
PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
BEGIN, END = "<!-- figures: written by make bench -->", "<!-- figures: end -->"

Line = dict[str, Any]
Key = tuple[str, str]
"""Work and figure: what a line of the results is found by."""


@dataclass(frozen=True)
class Goal:
    """A goal in its own words, and the lines of the results that decide it: all of them must hold.

    ``undecided`` names a part of it that no bench measures: as long as there is one, the goal is not called held.
    """

    words: str
    lines: tuple[Key, ...]
    undecided: str = ""


def _lines(works: Iterable[str], *figures: str) -> tuple[Key, ...]:
    """Each of ``figures`` of each of ``works``."""
    return tuple(product(works, figures))


_IMPACT = [
    f"impact {source}, 100 M rows, clients at {speed}"
    for source in ("postgresql", "mysql")
    for speed in ("a third of full speed", "full speed")
]

GOALS: Mapping[str, Goal] = {
    "D1 pushed": Goal(
        "10 M rows in PostgreSQL, 300 stations in MariaDB: filter, join, group, write to PostgreSQL; wall and total "
        "CPU ≤ 1.15× the hand-written pushdown SQL",
        _lines(("d1 10 M rows, pushed",), "wall", "cpu"),
    ),
    "D1 fused": Goal(
        "across two databases; CPU ≤ 1.4×, wall ≤ 1.3× pushdown; RSS ≤ 350 MiB at any row count; Ibis text ≤ 1.15× "
        "hand-written DuckDB SQL",
        (
            *_lines(("d1 10 M rows, fused",), "wall", "cpu", "peak memory MiB"),
            ("d1 1 M rows, fused", "peak memory MiB"),
            ("d1 text, 10 M rows", "wall"),
        ),
    ),
    "D1 beside n8n": Goal(
        "1 M rows; ≥ 100× its rows/s, ≤ 1/10 of its memory",
        _lines(("d1 1 M rows",), "rows per second", "peak memory MiB"),
    ),
    "D2": Goal(
        "copy 7 columns PostgreSQL → PostgreSQL, 1 M and 10 M; ≤ 1.3× a psql COPY-to-COPY pipe at both, RSS ≤ 250 MiB, "
        "resumable",
        _lines(("d2 1 M rows", "d2 10 M rows"), "wall", "peak memory MiB"),
    ),
    "PostgreSQL to Parquet": Goal(
        "100 M rows, resumable after kills; ≤ 1.3× COPY to /dev/null, < 200 MB a worker",
        _lines(("pg to parquet 100 M rows",), "wall", "peak memory MiB"),
    ),
    "D1 over Parquet": Goal(
        "100 M rows; ≤ 2× the bare scan, RSS ≤ 256 MiB at a 512 MB limit",
        _lines(("parquet d1 100 M rows",), "wall", "peak memory MiB"),
    ),
    "TPC-H": Goal(
        "22 flows at SF1, without the `sql` step, clock from start to last row; geometric mean ≤ 1.15× DuckDB's own "
        "SQL, all answers right",
        _lines(("tpch SF1",), "geometric mean"),
    ),
    "D3": Goal(
        "MariaDB → PostgreSQL, 10 M rows (and once 100 M); ≤ 1.3× a dump-to-COPY pipe",
        _lines(("d3 10 M rows", "d3 100 M rows"), "wall"),
    ),
    "Impact on a source": Goal(
        "while we discover, profile and read 100 M rows at default limits, its pgbench / sysbench throughput falls "
        "≤ 10 %, p95 rises ≤ 20 %",
        _lines(_IMPACT, "throughput", "p95"),
    ),
    "Durable flow": Goal(
        "10 steps through Celery (run and step states readable afterwards); ≥ 5× n8n's flows/s, p95 ≤ half of n8n's, "
        "Celery overhead ≤ 4 ms CPU",
        (
            *_lines(("durable flow, 1 in flight", "durable flow, 8 in flight"), "flows per second", "p95 ms"),
            ("durable flow", "CPU ms of a bell"),
        ),
    ),
    "Forty steps": Goal(
        "40 light steps in sequence, from the claim to the end; fused ≤ 60 ms, unfused ≤ 0.4 s",
        _lines(("40 steps fused", "40 steps unfused"), "claim to end s"),
    ),
    "Flow as an API": Goal(
        "published as a synchronous API, in-process executor; within 2× of Node-RED's CPU per flow",
        _lines(
            tuple(f"flow as an API, {calls}" for calls in ("1 in flight", "8 in flight", "other values in each call")),
            "CPU ms a call",
        ),
    ),
    "Many runs": Goal(
        "1,000 runs started at once, a map of 100; 0 lost, p95 start ≤ 3 s; ≤ 2 s",
        (*_lines(("1,000 runs at once",), "lost", "wait p95 s"), ("a map of 100", "s")),
    ),
    "Push": Goal(
        "500 browser clients × 100 events/s, one process; ≥ 48 k deliveries/s, p95 ≤ 200 ms; 50 clients p95 ≤ 60 ms",
        (*_lines(("push, 500 clients",), "deliveries a second", "p95 ms"), ("push, 50 clients", "p95 ms")),
    ),
    "Validation": Goal(
        "L0–L3 of 200 steps; < 100 ms", _lines(("ladder",), "200 steps never seen before", "200 steps, one changed")
    ),
}
"""In the design's order. The sizes are those of the words: a scaled run of a bench has another work's name."""


def read_lines() -> list[Line]:
    """All lines of the results."""
    return [json.loads(text) for text in RESULTS.read_text().splitlines()] if RESULTS.exists() else []


def write_lines(lines: Sequence[Line]) -> None:
    """Keep the results, and let the page follow."""
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
    write_page(lines)


def write_page(lines: Sequence[Line]) -> None:
    """Put both tables between the page's marks."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{section(lines)}{after}")


def section(lines: Sequence[Line]) -> str:
    """The page's part with both tables, marks included."""
    return "\n".join([BEGIN, "", *_goals_table(lines), "", *_lines_table(lines), "", END])


# ── The fifteen goals ─────────────────────────────────────────────────────────────────────────────────────


def _goals_table(lines: Sequence[Line]) -> list[str]:
    found = {(line["work"], line["figure"]): line for line in lines}
    notes = [f"{number}: {goal.undecided}." for number, goal in _numbered() if goal.undecided]
    return [
        "### The fifteen goals",
        "",
        *_table(
            ("", "goal", "ours", "beside", "ratio", "lines", "holds"),
            [(str(place), *_goal_cells(name, GOALS[name], found)) for place, name in enumerate(GOALS, 1)],
        ),
        *(["", "What no line decides: " + " ".join(notes)] if notes else []),
    ]


def _goal_cells(name: str, goal: Goal, found: Mapping[Key, Line]) -> tuple[str, ...]:
    """One goal, shown by that deciding line which is furthest from what is wanted of it."""
    measured = [found[key] for key in goal.lines if key in found]
    title = f"**{name}**: {goal.words}"
    if not measured:
        return title, "–", "–", "–", _count(goal, measured), verdict(goal, found)
    worst = max(measured, key=_distance)
    ours = f"{worst['work']}, {worst['figure']}: {_amount(worst, 'ours')}"
    beside = f"{_amount(worst, 'against')}, {worst['peer']}"
    ratio = f"{_number(worst['ratio'])} ({_bound(worst)})"
    return title, ours, beside, ratio, _count(goal, measured), verdict(goal, found)


def verdict(goal: Goal, found: Mapping[Key, Line]) -> str:
    """A line that does not hold decides at once; without one, every line and every part must have been measured."""
    if any(key in found and not found[key]["holds"] for key in goal.lines):
        return "no"
    return "yes" if all(key in found for key in goal.lines) and not goal.undecided else "not measured"


def _count(goal: Goal, measured: Sequence[Line]) -> str:
    missing = len(goal.lines) - len(measured)
    if not measured:
        return f"{missing} not measured"
    held = f"{sum(line['holds'] for line in measured)} of {len(goal.lines)} hold"
    return f"{held}, {missing} not measured" if missing else held


def _distance(line: Line) -> float:
    """How far a line is from its goal: 1 is just there, more is worse."""
    ratio, goal = float(line["ratio"]), float(line["goal"])
    if math.isnan(ratio):
        return math.inf
    over, under = (ratio, goal) if line["sense"] == "at_most" else (goal, ratio)
    return over / under if under else (math.inf if over else 0.0)


# ── All lines ─────────────────────────────────────────────────────────────────────────────────────────────


def _lines_table(lines: Sequence[Line]) -> list[str]:
    heads = ("work", "figure", "ours", "beside", "peer", "ratio", "goal", "holds", "measured", "load")
    deciding = {key: number for number, goal in _numbered() for key in goal.lines}
    return ["### All lines", "", *_table(heads, [_line_cells(line, deciding) for line in lines])]


def _line_cells(line: Line, deciding: Mapping[Key, int]) -> tuple[str, ...]:
    work, figure = str(line["work"]), str(line["figure"])
    when = str(line["measured"])[:10] if line.get("measured") else "–"
    load = format(line["load"], ".1f") if line.get("load") is not None else "–"
    if line["peer"] == "itself":  # told, not judged
        return work, figure, _amount(line, "ours"), "–", "–", "–", "–", "–", when, load
    goal = deciding.get((work, figure))
    return (
        work, figure, _amount(line, "ours"), _amount(line, "against"), str(line["peer"]), _number(line["ratio"]),
        _bound(line) + (f" ({goal})" if goal else ""), "yes" if line["holds"] else "no", when, load,
    )  # fmt: skip


# ── Cells ─────────────────────────────────────────────────────────────────────────────────────────────────


def _numbered() -> Iterable[tuple[int, Goal]]:
    return enumerate(GOALS.values(), 1)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    cells = [heads, ["---"] * len(heads), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in cells]


def _bound(line: Line) -> str:
    return f"{'≤' if line['sense'] == 'at_most' else '≥'} {line['goal']:g}"


def _amount(line: Line, side: str) -> str:
    return f"{_number(line[side])} {line['unit']}".rstrip()


def _number(value: float) -> str:
    """Three digits, and whole numbers in full."""
    if math.isnan(value):
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


if __name__ == "__main__":
    write_page(read_lines())
