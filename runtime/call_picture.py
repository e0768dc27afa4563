"""Called flows in a run's per-step picture: the inner steps are there, and the call sums them up. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flows.graph.plan import Plan

Picture = dict[str, dict[str, Any]]


def with_calls(picture: Picture, plan: Plan) -> Picture:
    """The first picture with an entry for every call: which steps are inside, and which of them gives its rows.

    Each inner step says with ``of`` which call shows it. A for-each has an entry of its own already.
    """
    inside: dict[str, list[str]] = {}
    for step, path in plan.inside.items():
        if step in picture and path[0] not in picture:
            inside.setdefault(path[0], []).append(step)
    order = {step: place for place, step in enumerate(picture)}
    for call, steps in inside.items():
        steps.sort(key=order.__getitem__)
        for step in steps:
            picture[step] |= {"of": call, "path": list(plan.inside[step])}
        picture[call] = {
            "state": "waiting", "rows": None, "exact": False, "counted": "unknown", "rows_per_s": 0, "task": None,
            "inside": steps,
        }  # fmt: skip
    return picture


def changed_calls(steps: Mapping[str, Mapping[str, Any]], changed: Iterable[str]) -> Picture:
    """What a change of inner steps changes at their calls."""
    calls = dict.fromkeys(steps[step]["of"] for step in changed if steps.get(step, {}).get("of"))
    return {call: _summed(call, steps) for call in calls}


def _summed(call: str, steps: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    inner = [steps[step] for step in steps[call]["inside"]]
    last = inner[-1]
    return {
        "state": together([str(step.get("state")) for step in inner]),
        "rows": last.get("rows"),
        "exact": bool(last.get("exact")),
        "counted": last.get("counted", "unknown"),
        "rows_per_s": max((int(step.get("rows_per_s") or 0) for step in inner), default=0),
        "task": last.get("task"),
    }


def together(words: list[str]) -> str:
    """One plain state for several steps."""
    for word in ("failed", "cancelled", "paused", "running"):
        if word in words:
            return word
    if words and all(word == "done" for word in words):
        return "done"
    return "running" if "done" in words else "waiting"
