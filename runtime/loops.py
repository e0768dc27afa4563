"""For-each while it runs: one task per iteration, a few at a time, and a marker that ends when all of them have.

The items lie in an exchange file; a task knows its number alone. The marker is a task that no worker claims: it keeps
the run open and releases what follows. Everything here happens under the run's lock, in the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any

from django.db import transaction

from flows.graph.plan import Iterations, Plan
from node_catalog.sdk.failpoint import failpoint
from node_catalog.sdk.text import text
from runtime import states
from runtime.clock import db_now
from runtime.dispatcher import add_bells
from runtime.errors import RunError
from runtime.lots import loop_behind, open_next
from runtime.models import Run, Task
from runtime.moves import cas_task, locked_run, release_followers, step_states, task_fact, tell, tell_run
from runtime.node_slots import limited_uses
from runtime.offers import needs_of_nodes
from runtime.plans import plan_of
from runtime.pools import level_with, places_of
from runtime.states import ITERATION
from runtime.turns import share_of_run
from runtime.uses import uses_of_numbers


def marker(run: Run, loop: Iterations, user: Any) -> Task:
    """The task that stands for the whole loop."""
    return Task(
        run=run,
        kind=Task.Kind.LOOP,
        stage=loop.key,
        after=[loop.items],
        state=states.PENDING,
        requested_by=user,
        payload={"steps": [loop.key], "sink": "exchange", "sink_step": loop.key},
    )


def count_of(loop: Iterations, rows: int) -> int:
    """How many iterations ``rows`` items make. Raises RunError when that is more than the loop allows."""
    count = -(-rows // loop.batch_rows)
    if count > loop.most:
        raise RunError(
            "for_each.too_many",
            text(
                f"More than {loop.most:,} iterations. Use batches instead of single rows, filter the list, or replace "
                "the for-each by a join, which does the same in one go.",
                f"执行次数超过 {loop.most:,} 次。请改为按批执行、先筛选列表，或改用关联一次完成。",
            ),
            f"/steps/{loop.step}",
        )
    return count


def open_loop(run: Run, loop: Iterations, rows: int, user: Any, kept: Mapping[str, Task] | None = None) -> None:
    """The items are there: make the tasks. ``kept`` are iterations whose rows an earlier run has left."""
    total = count_of(loop, rows)
    places = places_of(run.flow_id, plan_of(run.plan_id)).uses([loop.step])
    wants: dict[str, Any] = {
        "needs": needs_of_nodes(loop.datasets),
        "uses": limited_uses([uses_of_numbers(loop.datasets)], [places])[0],
        "level": level_with(places, 1),
    }
    tasks = [_task(run, loop, index, user, kept or {}, wants) for index in range(total)]
    for task in [task for task in tasks if task.state == states.PENDING][: loop.concurrency]:
        task.state = states.READY
    Task.objects.bulk_create(tasks)
    add_bells([(task.pk, 0) for task in tasks if task.state == states.READY])
    done = [task for task in tasks if task.state == states.DONE]
    picture = {
        "state": "running",
        "rows": sum(int((task.result or {}).get("rows") or 0) for task in done),
        "iterations": {"total": total, "done": len(done), "failed": 0},
    }
    one = Task.objects.get(run=run, stage=loop.key)
    tell(one, [], {loop.key: picture})
    failpoint("loop.opened")
    if len(done) == total:
        _close(run, one)


def _task(
    run: Run, loop: Iterations, index: int, user: Any, kept: Mapping[str, Task], wants: Mapping[str, Any]
) -> Task:
    stage = f"{loop.key}{ITERATION}{index:05}"
    old = kept.get(stage)
    task = Task(
        run=run,
        kind=Task.Kind.STAGE,
        stage=stage,
        after=[loop.items],
        **wants,
        state=states.PENDING,
        requested_by=user,
        share=share_of_run(run),
        priority=run.priority,
        payload={"steps": [], "sink": "exchange", "loop": loop.key, "index": index, "on_error": loop.on_error},
        not_before=db_now(),
    )
    if old is not None:
        task.state, task.result = states.DONE, old.result
        task.started_at, task.finished_at = old.started_at, old.finished_at
    return task


def after_iterations(run: Run, task: Task, state: str, number: int = 1, rows: int = 0) -> bool:
    """``task`` or ``number`` iterations like it have ended: count them, let the next start, and end the loop when
    they were the last.

    Whether the loop, or the run, may have come to an end or to rest with them. In a run that is being paused the next
    ones are made ready as well: nobody claims them before it goes on, and nobody else would make them ready then.
    """
    key = task.payload["loop"]
    run.refresh_from_db(fields=["steps", "state", "error"])
    before: dict[str, Any] = run.steps.get(key, {})
    counts = {"total": 0, "done": 0, "failed": 0, **before.get("iterations", {})}
    if state == states.DONE:
        counts["done"] += number
    elif state in (states.LEFT_OUT, states.FAILED, states.DEAD):
        counts["failed"] += number
    rows += int(before.get("rows") or 0)
    picture: dict[str, Any] = {"iterations": counts, "rows": rows, "exact": False, "counted": "live"}
    if state in (states.FAILED, states.DEAD):
        tell(task, [], {key: picture | {"state": "failed"}})
        return True
    is_last = counts["done"] + counts["failed"] >= counts["total"]
    run.steps[key] = before | picture
    Run.objects.filter(pk=run.pk).update(steps=run.steps)
    if run.error or run.state == states.CANCELLING or state not in (states.DONE, states.LEFT_OUT):
        return True
    if is_last:
        _close(run, Task.objects.get(run=run, stage=key))
        return True
    transaction.on_commit(partial(_untold.put, (run.pk, key)))
    open_next(run, loop_behind(run, task))
    failpoint("loop.next_started")
    return run.state == states.PAUSING


_untold: SimpleQueue[tuple[Any, str]] = SimpleQueue()
"""Loops of which an iteration has ended in this process since they were last told of."""


def tell_counts() -> None:
    """Tell how far the loops are that have moved: a few times a second, however quick their iterations are."""
    moved: set[tuple[Any, str]] = set()
    with suppress(Empty):
        while True:
            moved.add(_untold.get_nowait())
    for run_id, key in moved:
        with transaction.atomic():
            run = locked_run(run_id)
            if run is not None and run.steps[key]["state"] == "running":
                tell_run(run_id, [], {key: {name: run.steps[key][name] for name in ("iterations", "rows")}})


def _close(run: Run, one: Task) -> None:
    """All iterations have ended: whoever reads the loop may start."""
    if not cas_task(one.pk, states.PENDING, states.DONE, one.attempt):
        return
    done = step_states(one, states.DONE)
    last = run.steps.get(one.stage, {})
    done[one.stage] |= {"exact": True, **{name: last[name] for name in ("iterations", "rows") if name in last}}
    tell(one, [task_fact(one, states.DONE, one.attempt)], done)
    release_followers(run)


def take_over(run: Run, plan: Plan, finished: Mapping[str, Task], user: Any) -> None:
    """Open the loops whose items an earlier run has made, keeping its finished iterations."""
    for loop in plan.loops:
        items = run.tasks.filter(stage=loop.items, state=states.DONE).first()
        if items is not None:
            kept = {stage: task for stage, task in finished.items() if stage.startswith(f"{loop.key}{ITERATION}")}
            open_loop(run, loop, int((items.result or {}).get("rows") or 0), user, kept)


def loops_behind(plan: Plan, stage: str) -> Iterator[Iterations]:
    """Loops whose items this stage makes."""
    return (loop for loop in plan.loops if loop.items == stage)
