"""What is inside a step of a run: the called flow, and for a for-each its iterations, page by page.

States, counts and times are for everybody who may see the run. What an iteration's item was called is a value of a
row, so it is shown to who may see the rows of the items today, and to nobody else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import QuerySet

from flows.graph.subflows import reference_of
from flows.models import StoredPlan, Version
from runtime import states
from runtime.bindings import exchange_path
from runtime.errors import StalePlanError, public
from runtime.guarding import is_open, policy_of
from runtime.iterating import item_names
from runtime.lots import iterations_of
from runtime.models import Run, Task
from runtime.monitor import iso, seconds_between, without_settings
from runtime.plans import plan_of
from runtime.querysets import WATCHERS, sees_rows
from security.access import Principal
from security.errors import NotFoundError


def called_flow(run: Run, path: Sequence[str], principal: Principal) -> dict[str, Any]:
    """The flow behind a call or a for-each, reached by the steps of ``path``: its drawing as the run used it.

    Raises NotFoundError when there is none, or when the version is not for ``principal`` to see.
    """
    parts = run.version.document["flows"][run.flow.key]
    version, key = run.version, run.flow.key
    for step in path:
        reference = reference_of(parts["document"].get("steps", {}).get(step, {}).get("settings", {}))
        if reference is None:
            raise NotFoundError()
        app, number, key = reference
        versions = Version.objects.select_related("app")
        if not principal.has_role(*WATCHERS):
            versions = versions.visible_to(principal)
        found = versions.filter(app_id=app, number=number).first()
        if found is None or key not in found.document["flows"]:
            raise NotFoundError()
        version, parts = found, found.document["flows"][key]
    can_see = sees_rows(principal, run)
    return {
        "app": {"id": str(version.app_id), "title": version.app.title},
        "version": version.number,
        "document": parts["document"] if can_see else without_settings(parts["document"]),
        "layout": parts["layout"],
    }


def iterations(run: Run, key: str, words: Sequence[str] = ()) -> QuerySet[Task]:
    """The iterations of a for-each of the run in the order of the items; ``words`` are states as screens name them."""
    rows = iterations_of(run.pk, key)
    if not words:
        return rows
    return rows.filter(state__in=[state for state in states.TASK_STATES if states.plain(state) in words])


def iteration_lines(run: Run, key: str, tasks: Sequence[Task], principal: Principal) -> list[dict[str, Any]]:
    """One line per iteration: state, attempt, times, rows, error; the item's name where it may be seen."""
    can_see = sees_rows(principal, run)
    names = _names(run, key, [int(task.payload["index"]) for task in tasks], principal) if can_see else {}
    return [_line(task, names.get(int(task.payload["index"]), ""), can_see=can_see) for task in tasks]


def _line(task: Task, item: str, *, can_see: bool) -> dict[str, Any]:
    result: Mapping[str, Any] = task.result or {}
    return {
        "id": str(task.pk),
        "index": int(task.payload["index"]),
        "item": item,
        "state": states.plain(task.state),
        "detail_state": task.state,
        "attempt": task.attempt,
        "worker": task.owner or None,
        "started_at": iso(task.started_at),
        "finished_at": iso(task.finished_at),
        "seconds": seconds_between(task.started_at, task.finished_at),
        "rows": result.get("rows"),
        "counts": result.get("counts", {}),
        "error": public(task.error, can_see_rows=can_see) if task.state != states.DONE else None,
    }


def _names(run: Run, key: str, indexes: Sequence[int], principal: Principal) -> dict[int, str]:
    """What the items are called, by number; nothing when their rows are gone or closed to ``principal`` today."""
    try:
        plan = plan_of(run.plan_id)
        loop = next(loop for loop in plan.loops if loop.key == key)
        if not indexes or not is_open(policy_of(plan, loop.items), principal.user):
            return {}
        return item_names(exchange_path(run, loop.items), loop, indexes)
    except (StoredPlan.DoesNotExist, StopIteration, StalePlanError, OSError):
        return {}
