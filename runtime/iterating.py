"""Iterations of a for-each: the sub-flow with the item's values, compiled when their turn comes.

The sub-flow and what the catalogue says about its sources are looked up once per run and process; the rights are
checked for every lot, as for every stage.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from functools import lru_cache
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from flows.graph.plan import Iterations
from flows.planning import Prepared, iteration_plan, prepare_iterations
from node_catalog.sdk.text import Text, text
from runtime.bindings import GivenRows, Today, exchange_path, stage_work
from runtime.claims import Claim
from runtime.engine.work import StageWork
from runtime.errors import StalePlanError
from runtime.models import Run, Task
from runtime.plans import loop_of, plan_of
from security.models import User


class IterationWorks:
    """Makes the works of one lot, with today's rights of the person who started the run.

    Raises StalePlanError when nobody stands behind the run, or the items are gone.
    """

    def __init__(self, run: Run, key: str) -> None:
        if run.started_by is None:
            raise StalePlanError("run.no_reader", text("Nobody stands behind this run.", "该运行没有对应的用户。"))
        self._run = run
        self._user = run.started_by
        self._loop = loop = loop_of(plan_of(run.plan_id), key)
        self._items = exchange_path(run, loop.items)
        self._prepared = _prepared(run.pk, loop.key, self._user.pk, loop, self._user)
        self._today = Today()

    def work(self, task: Task) -> StageWork:
        """The work of one iteration."""
        loop, index = self._loop, int(task.payload["index"])
        values = {**loop.constants, **item_values(self._items, loop, index)}
        made = iteration_plan(loop, self._prepared, values)
        given = {}
        if loop.batch:
            given[loop.batch] = GivenRows(self._items, index * loop.batch_rows, loop.batch_rows)
        work = stage_work(task, made, made.stages[-1].key, self._user, self._run, given, self._today)
        return msgspec.structs.replace(work, keep=f"{self._run.pk}/{loop.key}", keeps_all=True)


@lru_cache(maxsize=8)
def _looked_up(run: Any, key: str, user: Any) -> dict[str, Prepared]:
    return {}


def _prepared(run: Any, key: str, user_id: Any, loop: Iterations, user: User) -> Prepared:
    kept = _looked_up(run, key, user_id)
    if "it" not in kept:
        kept["it"] = prepare_iterations(loop, user)
    return kept["it"]


def item_values(path: str, loop: Iterations, index: int) -> dict[str, Any]:
    """The parameters that an iteration takes from its item, as JSON."""
    if not loop.columns:
        return {}
    row = _row(path, tuple(dict.fromkeys(loop.columns.values())), index)
    return {parameter: as_json(row[column]) for parameter, column in loop.columns.items()}


def item_names(path: str, loop: Iterations, indexes: Sequence[int]) -> dict[int, str]:
    """Which items they were, for who may see rows: their key columns, else the columns that they gave, by number."""
    if loop.batch:
        size = loop.batch_rows
        return {index: f"{index * size + 1} … {(index + 1) * size}" for index in indexes}
    columns = loop.keys or tuple(dict.fromkeys(loop.columns.values()))
    rows = {index: _row(path, columns, index) for index in indexes} if columns else {}
    return {
        index: ", ".join(f"{name} = {as_json(value)}" for name, value in row.items()) for index, row in rows.items()
    }


def _row(path: str, columns: tuple[str, ...], index: int) -> dict[str, Any]:
    rows: list[dict[str, Any]] = _table(path, columns).slice(index, 1).to_pylist()
    return rows[0]


@lru_cache(maxsize=4)
def _table(path: str, columns: tuple[str, ...]) -> pa.Table:
    """The items' values: as many as there are iterations, and the file of an attempt never changes."""
    return pq.read_table(path, columns=list(columns))


def as_json(value: Any) -> Any:
    """A cell as a run's parameter."""
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else value


def told(claim: Claim, problem: Mapping[str, Any]) -> dict[str, Any]:
    """A problem of an iteration, saying which one it was. The item's values go into the guarded detail."""
    run = Run.objects.get(pk=claim.task.run_id)
    loop = loop_of(plan_of(run.plan_id), claim.task.payload["loop"])
    index = int(claim.task.payload["index"])
    try:
        item = item_names(exchange_path(run, loop.items), loop, [index]).get(index, "")
    except (StalePlanError, OSError, IndexError):
        item = ""
    message: Text = problem["message"]
    return {
        **problem,
        "where": f"/steps/{loop.step}",
        "inner": str(problem.get("where") or ""),
        "message": text(f"Iteration {index + 1}: {message['en']}", f"第 {index + 1} 次执行：{message['zh-CN']}"),
        "detail": "\n".join(part for part in (item, str(problem.get("detail") or "")) if part),
    }
