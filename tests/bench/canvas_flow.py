"""A large flow as people draw them: reads on the left, filters and unions in between, few wires that go far."""

from __future__ import annotations

from typing import Any

ROWS = 25
"""Steps in one column of the drawing."""


def document(steps: int, wires: int, number: str) -> dict[str, Any]:
    """A flow of exactly so many steps and wires: reads at the left, filters and unions of neighbours after them."""
    made: dict[str, Any] = {}
    drawn: list[tuple[int, int]] = []
    reads = ROWS * 2
    for index in range(steps):
        if index < reads:
            made[_name(index)] = {"type": "read", "version": 1, "settings": {"dataset": "air"}}
        else:
            drawn.append((index - ROWS, index))
            where = {"where": f'"PM2.5" > {index % 90}'}
            made[_name(index)] = {"type": "filter", "version": 1, "settings": where}
    for index in range(steps - 1, reads, -1):
        if len(drawn) >= wires:
            break
        made[_name(index)] = {"type": "union", "version": 1, "settings": {"distinct": False}}
        drawn.append((index - ROWS + (1 if (index + 1) % ROWS else -1), index))
    made[_name(steps // 2)]["title"] = {"en": "Middle step", "zh-CN": "中间的步骤"}
    return {
        "kind": "flow",
        "spec": "1",
        "title": {"en": f"{steps} steps", "zh-CN": f"{steps} 个步骤"},
        "inputs": {},
        "datasets": {"air": number},
        "steps": made,
        "wires": [{"from": f"{_name(source)}.out", "to": f"{_name(target)}.in"} for source, target in drawn],
    }


def layout(steps: int) -> dict[str, Any]:
    """Columns from left to right."""
    places = {_name(index): {"x": index // ROWS * 288, "y": index % ROWS * 112} for index in range(steps)}
    return {"positions": places}


def _name(index: int) -> str:
    return f"s{index}"
