"""The page of figures is what the results give, and every goal is decided by lines that a bench writes."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest

from tests.bench import figures
from tests.bench.__main__ import WORKS
from tests.bench.figures import BEGIN, END, GOALS, Goal, Key, Line, read_lines, section, verdict
from tests.bench.measure import Comparison, write_results

SHARED = "tests.bench.copying"
"""Works that copy rows have their figures from here."""


@cache
def _texts(module: str) -> list[re.Pattern[str]]:
    """All strings of a module; a value that is put into one can be anything, if enough of the string is left."""
    found = importlib.util.find_spec(module)
    assert found is not None and found.origin is not None
    tree = ast.parse(Path(found.origin).read_text())
    filled = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    parts = {part for node in filled for part in ast.walk(node) if part is not node}
    patterns = [
        re.escape(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in parts
    ]
    for node in filled:
        fixed = [str(part.value) if isinstance(part, ast.Constant) else "" for part in node.values]
        if sum(map(len, fixed)) > 2:
            patterns.append("".join(re.escape(text) or ".+" for text in fixed))
    return [re.compile(pattern) for pattern in patterns]


def _is_said(text: str, *modules: str) -> bool:
    return any(pattern.fullmatch(text) for module in modules for pattern in _texts(module))


def _writes(work: str, key: Key) -> bool:
    """Whether a bench's module can name its line so."""
    module = f"tests.bench.{work}"
    return _is_said(key[0], module) and _is_said(key[1], module, SHARED)


def test_the_page_says_what_the_results_say() -> None:
    page = figures.PAGE.read_text()
    assert page.count(BEGIN) == page.count(END) == 1
    written = page[page.index(BEGIN) : page.index(END) + len(END)]
    assert written == section(read_lines()), "python -m tests.bench.figures writes it anew"


def test_there_are_fifteen_goals_and_no_line_decides_two() -> None:
    keys = [key for goal in GOALS.values() for key in goal.lines]
    assert len(GOALS) == 15
    assert all(goal.lines for goal in GOALS.values())
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("key", [key for goal in GOALS.values() for key in goal.lines], ids=" / ".join)
def test_a_bench_writes_each_line_that_decides(key: Key) -> None:
    assert any(_writes(work, key) for work in WORKS)


@pytest.mark.parametrize(
    "key",
    [("d1 10 M rows, pushed", "CPU"), ("d4 10 M rows", "wall"), ("1,000 runs at once", "p95"), ("push", "p95 ms")],
)
def test_no_bench_writes_other_lines(key: Key) -> None:
    """The test above would notice a line that nobody writes."""
    assert not any(_writes(work, key) for work in WORKS)


def _line(figure: str, ratio: float, **more: object) -> Line:
    """A line as it was kept before it had a date and a load."""
    line = Comparison("w", figure, ratio, 1.0, "a | b", 1.3, "at_most")
    old = {name: value for name, value in vars(line).items() if name not in ("measured", "load")}
    return {**old, "ratio": line.ratio, "holds": line.holds, **more}


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        ([_line("wall", 1.0), _line("cpu", 1.3)], "yes"),
        ([_line("wall", 1.0), _line("cpu", 1.4)], "no"),
        ([_line("wall", 1.0)], "not measured"),
        ([_line("cpu", 1.4)], "no"),
        ([], "not measured"),
    ],
)
def test_a_goal_holds_when_all_its_lines_hold(lines: list[Line], wanted: str) -> None:
    found = {(line["work"], line["figure"]): line for line in lines}
    assert verdict(Goal("", (("w", "wall"), ("w", "cpu"))), found) == wanted


def test_a_goal_of_which_a_part_is_undecided_is_not_called_held() -> None:
    found = {("w", "wall"): _line("wall", 1.0)}
    assert verdict(Goal("", (("w", "wall"),), undecided="something"), found) == "not measured"


def test_a_goal_is_shown_by_its_furthest_line(monkeypatch: pytest.MonkeyPatch) -> None:
    goal = Goal("fast", (("w", "wall"), ("w", "cpu"), ("w", "rate")))
    monkeypatch.setattr(figures, "GOALS", {"W": goal})
    told = section([_line("wall", 1.0), _line("cpu", 2.6), _line("rate", 1.3, sense="at_least", goal=5, holds=False)])
    row = "| 1 | **W**: fast | w, rate: 1.3 s | 1 s, a \\| b | 1.3 (≥ 5) | 1 of 3 hold | no |"
    assert row in told.splitlines()
    assert "| w | cpu | 2.6 s | 1 s | a \\| b | 2.6 | ≤ 1.3 (1) | no | – | – |" in told.splitlines()


def test_a_line_that_is_told_and_not_judged_has_no_verdict() -> None:
    told = section([_line("wall", 12345.0, peer="itself", measured="2026-11-23T13:00:00+00:00", load=1.26)])
    assert "| w | wall | 12,345 s | – | – | – | – | – | 2026-11-23 | 1.3 |" in told.splitlines()


def test_new_lines_have_date_and_load_and_stand_on_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results, page = tmp_path / "results" / "latest.jsonl", tmp_path / "page.md"
    monkeypatch.setattr(figures, "RESULTS", results)
    monkeypatch.setattr(figures, "PAGE", page)
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    began = datetime.now(UTC).replace(microsecond=0)
    write_results([Comparison("w", "wall", 1.0, 2.0, "peer", 1.3, "at_most")])
    write_results([Comparison("w", "wall", 3.0, 2.0, "peer", 1.3, "at_most")])
    (line,) = map(json.loads, results.read_text().splitlines())
    assert (line["ratio"], line["holds"]) == (1.5, False)
    assert began <= datetime.fromisoformat(line["measured"]) <= datetime.now(UTC)
    assert line["load"] >= 0
    assert page.read_text() == f"before\n{section([line])}\nafter\n"
