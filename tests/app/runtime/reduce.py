"""How a browser applies events to a run's snapshot; the TypeScript reducer does the same. Pure."""

from __future__ import annotations

from typing import Any


def reduce_run(snapshot: dict[str, Any], event: dict[str, Any]) -> dict[str, Any]:
    """One event on a snapshot. Events that the snapshot already holds change nothing."""
    if event["seq"] <= snapshot["seq"]:
        return snapshot
    assert event["seq"] == snapshot["seq"] + 1, "a gap: ask for a snapshot"
    data, run = event["data"], {**snapshot, "seq": event["seq"]}
    match event["kind"]:
        case "run.state":
            run |= {key: value for key, value in data.items() if key != "at"}
        case "task.state":
            run["tasks"] = [_task(task, data) if task["id"] == data["task"] else task for task in run["tasks"]]
        case "steps":
            steps = dict(run["steps"])
            for step, change in data["steps"].items():
                steps[step] = {**steps.get(step, {}), **change}
            run["steps"] = steps
        case "log":
            run["log"] = [*run["log"], {"at": event["at"], **data}]
        case "result":
            others = [result for result in run["results"] if result["id"] != data["result"]["id"]]
            run["results"] = [*others, data["result"]]
    return run


def _task(task: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    keys = ("state", "detail_state", "attempt")
    return {**task, **{key: data[key] for key in keys}, "error": data.get("error")}


def essence(snapshot: dict[str, Any]) -> dict[str, Any]:
    """What a screen shows of a run, without clocks that go on by themselves."""
    tasks = [{key: task[key] for key in ("id", "stage", "state", "attempt")} for task in snapshot["tasks"]]
    errors = [(task["error"] or {}).get("code") for task in snapshot["tasks"]]
    keys = ("seq", "state", "detail_state", "rows_out", "steps", "results")
    log = [{key: value for key, value in line.items() if key != "at"} for line in snapshot["log"]]
    return {**{key: snapshot[key] for key in keys}, "tasks": tasks, "errors": errors, "log": log}
