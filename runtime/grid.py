"""The history of an app at a glance: its newest runs side by side with every task's state in each, in one answer.

Five thousand tasks of thirty runs are 150,000 states: one letter each, a text for each run in the order of ``rows``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flows.models import App, Flow
from node_catalog.palette import registry
from runtime import states
from runtime.models import Run, Task
from runtime.monitor import iso, run_rows, seconds_between
from security.access import Principal

MOST_RUNS, MOST_ROWS = 50, 20_000
LETTERS: Mapping[str, str] = {
    "waiting": "w", "running": "r", "done": "d", "failed": "f", "cancelled": "c", "paused": "p", "skipped": "s",
}  # fmt: skip
NONE = "."
"""The run has no such task."""
_LETTER = {state: LETTERS.get(states.plain(state), "w") for state in states.TASK_STATES}


@dataclass
class _Rows:
    """Tasks by name, in the order in which they were first seen, and the stages that they belong to."""

    places: dict[str, int] = field(default_factory=dict)
    groups: dict[str, int] = field(default_factory=dict)
    lines: list[tuple[int, int | None]] = field(default_factory=list)
    """For each row its group, and the number of an iteration."""

    def place(self, stage: str) -> int | None:
        """The row of a task; None when there are too many."""
        found = self.places.get(stage)
        if found is None and len(self.lines) < MOST_ROWS:
            key, mark, number = stage.partition(states.ITERATION)
            group = self.groups.setdefault(key, len(self.groups))
            found = self.places[stage] = len(self.lines)
            self.lines.append((group, int(number) if mark else None))
        return found


def run_grid(principal: Principal, app_id: Any, flow_id: Any = None, most: int = 30) -> dict[str, Any]:
    """The newest ``most`` runs of one flow of an app (the flow that ran last, unless named), newest first.

    ``{"runs": [{id, number, state, …, "states": "ddf…"}], "groups": [{stage, titles}], "rows": [[group, iteration]],
    "flows": [{id, title}], "flow"}``. Raises NotFoundError for an app whose runs are not for this person.
    """
    visible = run_rows(principal).filter(app_id=app_id)
    flows = list(Flow.objects.filter(pk__in=visible.order_by().values("flow_id")).order_by("ordinal"))
    if not flows:
        App.objects.get_visible(principal, pk=app_id)
    if flow_id is None:
        flow_id = visible.order_by("-created_at").values_list("flow_id", flat=True).first()
    runs = list(visible.filter(flow_id=flow_id).order_by("-created_at", "-pk")[: min(most, MOST_RUNS)])
    rows = _Rows()
    columns = [_column(run, rows) for run in runs]
    return {
        "flows": [{"id": str(flow.pk), "title": flow.title} for flow in flows],
        "flow": str(flow_id) if flow_id else None,
        "groups": _groups(rows.groups, runs),
        "rows": rows.lines,
        "runs": [_run(run, states_of, len(rows.lines)) for run, states_of in zip(runs, columns)],
    }


def _column(run: Run, rows: _Rows) -> dict[int, str]:
    """The letters of one run by row."""
    found: dict[int, str] = {}
    tasks = Task.objects.filter(run_id=run.pk).order_by("pk").values_list("stage", "state")
    for stage, state in tasks:
        place = rows.place(stage)
        if place is not None:
            found[place] = _LETTER[state]
    return found


def _run(run: Run, letters: Mapping[int, str], rows: int) -> dict[str, Any]:
    return {
        "id": str(run.pk),
        "number": run.number,
        "state": states.plain(run.state),
        "created_at": iso(run.created_at),
        "seconds": seconds_between(run.started_at, run.finished_at),
        "states": "".join(letters.get(place, NONE) for place in range(rows)),
    }


def _groups(groups: Iterable[str], runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Each stage with the titles of its steps, from the newest run that has it."""
    titles: dict[str, list[Any]] = {}
    wanted = dict.fromkeys(groups)
    for run in runs:
        missing = [stage for stage in wanted if stage not in titles]
        if not missing:
            break
        steps = run.version.document["flows"].get(run.flow.key, {}).get("document", {}).get("steps", {})
        tasks = Task.objects.filter(run_id=run.pk).exclude(stage__contains=states.ITERATION)
        for stage, payload in tasks.values_list("stage", "payload"):
            if stage in wanted and stage not in titles:
                titles[stage] = [_title(step, steps) for step in payload.get("steps", [])]
    return [{"stage": stage, "titles": titles.get(stage, [])} for stage in wanted]


def _title(step: str, steps: Mapping[str, Any]) -> Any:
    """A step's own title, else its type's, else its name."""
    drawn = steps.get(step, {})
    kind = registry().transforms.get(str(drawn.get("type")))
    return drawn.get("title") or (kind.title if kind is not None else {"en": step, "zh-CN": step})
