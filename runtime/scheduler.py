"""Starts, repeats and cancels runs. A run, its tasks, its first events and its bells are one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec
from django.db import IntegrityError, transaction
from django.db.models import Max

from flows.graph.plan import Plan, Stage
from flows.models import Flow, StoredPlan, Version
from flows.planning import plan_for
from flows.versions import version_to_run
from node_catalog.sdk.failpoint import failpoint
from node_catalog.sdk.text import text
from runtime import states
from runtime.admission import queue_of, rule_for_start, state_at_start
from runtime.call_picture import with_calls
from runtime.clock import db_now
from runtime.dispatcher import ALIKE, add_bells
from runtime.engine.work import outlet_path
from runtime.errors import RunError
from runtime.loops import marker, take_over
from runtime.models import Result, Run, Task
from runtime.moves import cas_run, locked_run, release_followers, run_fact, settle_run, task_fact
from runtime.node_slots import limited_uses
from runtime.offers import needs_of_stage
from runtime.places import exchange_file, is_there, result_file, share
from runtime.pools import Places, level_with
from runtime.reporting import Topic, log_fact, record, record_first
from runtime.starting import Start, look_around
from runtime.turns import share_of_run
from runtime.uses import uses_of_stage
from security import audit
from security.errors import ConflictError
from security.models import User


def start_run(
    flow: Flow,
    version: Version | None,
    user: User,
    parameters: Mapping[str, Any] | None = None,
    rerun_of: Run | None = None,
    from_stage: str | None = None,
    until: str = "",
) -> Run:
    """Start ``flow`` of ``version`` (None: freeze the draft now) with the rights of ``user`` today.

    ``from_stage="failed"`` takes over what ``rerun_of`` has finished, when the plan is still the same.
    ``until`` (``step.port``) makes it a run to here: only what is upstream of that step is checked and run, and the
    port's rows are kept as a temporary result.
    Raises FlowCheckError when a right is missing or a source has moved; nothing is stored then.
    """
    frozen = version or version_to_run(flow, user, until)
    stored, plan = plan_for(frozen, flow, user, parameters or {}, until)
    kept = _finished_tasks(rerun_of, stored) if rerun_of and from_stage == "failed" else {}
    start = Start(flow, frozen, stored, plan, look_around(plan))
    return start_again(start, user, parameters or {}, until, rerun_of, kept)


def start_again(
    start: Start,
    user: User,
    parameters: Mapping[str, Any],
    until: str = "",
    rerun_of: Run | None = None,
    kept: Mapping[str, Task] = MappingProxyType({}),
) -> Run:
    """Start a run of what was decided, just now or for an earlier one, and holds as it did then.

    ``kept``: tasks of ``rerun_of`` by their stages, whose rows are taken over.
    """
    for _ in range(8):
        try:
            run = _store_run(start, user, dict(parameters), until, rerun_of, kept)
        except IntegrityError:
            # Somebody took the same run number at the same moment.
            continue
        failpoint("start.after_commit")
        return run
    raise ConflictError()


@transaction.atomic
def _store_run(
    start: Start, user: User, parameters: dict[str, Any], until: str, rerun_of: Run | None, kept: Mapping[str, Task]
) -> Run:
    flow, plan, around = start.flow, start.plan, start.around
    rule = rule_for_start(flow) if around.has_rule else None
    queue = queue_of(rule, parameters)
    state = state_at_start(rule, queue)
    newest = Run.objects.aggregate(newest=Max("number"))["newest"] or 0
    run = Run(
        number=newest + 1,
        app=flow.app,
        flow=flow,
        version=start.version,
        plan=start.stored,
        state=state,
        queue=queue,
        priority=rule.priority if rule is not None else 0,
        parameters=parameters,
        started_by=user,
        organisation=flow.app.organisation,
        rerun_of=rerun_of,
        until=until,
        steps=first_picture(plan),
    )
    pooled = Places(rule, plan)
    places = [pooled.uses(stage.steps) for stage in plan.stages]
    uses = limited_uses([uses_of_stage(stage) for stage in plan.stages], places, around.limited)
    tasks = [
        _new_task(run, stage, user, around.zones, read, level_with(taken, stage.level))
        for stage, read, taken in zip(plan.stages, uses, places, strict=True)
    ]
    tasks += [marker(run, loop, user) for loop in plan.loops]
    for task in tasks:
        if task.stage in kept and task.kind != Task.Kind.LOOP:
            _take_over(task, kept[task.stage], run)
    done = {task.stage for task in tasks if task.state == states.DONE}
    for task in tasks:
        is_free = task.kind != Task.Kind.LOOP and not task.payload.get("needs") and state != states.QUEUED
        if task.state == states.PENDING and is_free and states.is_released(task.after, done):
            task.state = states.READY
    facts = [run_fact(run), *(task_fact(task, task.state, 0) for task in tasks)]
    run.seq = len(facts)
    run.save(force_insert=True)
    Task.objects.bulk_create(tasks)
    for task in tasks:
        if task.state == states.DONE:
            _copy_result(task, kept[task.stage], run)
    record_first(run, facts)
    ready = [task for task in tasks if task.state == states.READY]
    add_bells([(task.pk, 0) for task in ready], _kind_of_work(ready))
    told = {"flow": str(flow.pk), "version": start.version.number, "rerun_of": str(rerun_of.pk) if rerun_of else ""}
    audit.record("run.start", "run", str(run.pk), principal=user, detail=told)
    take_over(run, plan, kept, user)
    if done and state != states.QUEUED:
        release_followers(run)
        run.refresh_from_db()
        settle_run(run)
    failpoint("start.before_commit")
    return run


def _kind_of_work(ready: Sequence[Task]) -> str:
    """What tells which workers a run's bell is for; empty when it is for more than one, or waits for a turn."""
    if len(ready) != 1 or ready[0].uses:
        return ""
    return " ".join(str(getattr(ready[0], name)) for name in ALIKE)


def _new_task(run: Run, stage: Stage, user: User, zones: Mapping[str, set[str]], uses: str, level: int) -> Task:
    return Task(
        run=run,
        kind=Task.Kind.STAGE,
        stage=stage.key,
        after=list(stage.after),
        needs=needs_of_stage(stage, zones),
        uses=uses,
        level=level,
        state=states.PENDING,
        requested_by=user,
        share=share_of_run(run),
        priority=run.priority,
        payload={
            "steps": list(stage.steps),
            "sink": stage.sink.kind,
            "sink_step": stage.sink.step,
            **({"needs": stage.needs} if stage.needs is not None else {}),
        },
        not_before=db_now(),
    )


def first_picture(plan: Plan) -> dict[str, dict[str, Any]]:
    """The per-step picture before anything ran: waiting, and how each step's rows will be counted."""
    picture: dict[str, dict[str, Any]] = {}
    for stage in plan.stages:
        for step in stage.steps:
            picture[step] = _waiting(how_counted(stage, step))
    for loop in plan.loops:
        picture[loop.key] = {**_waiting("live"), "iterations": None}
    return with_calls(picture, plan)


def _waiting(counted: str) -> dict[str, Any]:
    return {"state": "waiting", "rows": None, "exact": False, "counted": counted, "rows_per_s": 0, "task": None}


def how_counted(stage: Stage, step: str) -> str:
    """``live`` at sources and the sink, ``pushed`` when the source does it, ``at_end`` with a probe, else unknown."""
    if step == stage.sink.step or any(step == binding.counts_step for binding in stage.bindings):
        return "live"
    if any(step in (*binding.pushed, *binding.thinned) for binding in stage.bindings):
        return "pushed"
    return "at_end" if any(probe.step == step for probe in stage.probes) else "unknown"


def _finished_tasks(earlier: Run, stored: StoredPlan) -> dict[str, Task]:
    """Stages of an earlier run that need not run again: same plan, done, and their rows still there."""
    if earlier.plan_id != stored.pk:
        return {}
    return {task.stage: task for task in earlier.tasks.filter(state=states.DONE) if _has_rows(task)}


def _has_rows(task: Task) -> bool:
    result = task.result or {}
    references = [result.get("file"), *result.get("files", {}).values()]
    return all(is_there(reference) for reference in references if reference)


def _take_over(task: Task, old: Task, run: Run) -> None:
    """Mark a stage as done by the earlier run, with its rows under the new run's name."""
    result = dict(old.result or {})
    if result.get("file"):
        place = exchange_file if task.payload["sink"] == "exchange" else result_file
        result["file"] = share(result["file"], place(run.pk, task.pk, 0))
    if result.get("files"):
        base = str(exchange_file(run.pk, task.pk, 0))
        result["files"] = {
            port: share(reference, Path(outlet_path(base, port))) for port, reference in result["files"].items()
        }
    task.state = states.DONE
    task.result = {**result, "taken_over_from": str(old.run_id)}
    task.started_at, task.finished_at = old.started_at, old.finished_at
    earlier: dict[str, Any] = old.run.steps if old.run else {}
    for step in task.payload["steps"]:
        run.steps[step] = {**earlier.get(step, run.steps.get(step, {})), "task": str(task.pk)}


def _copy_result(task: Task, old: Task, run: Run) -> None:
    for result in Result.objects.filter(task=old, removed_at=None):
        Result.objects.create(
            run=run, task=task, step=result.step, name=result.name, reference=(task.result or {})["file"],
            rows=result.rows, size_bytes=result.size_bytes, schema=result.schema, policy_digest=result.policy_digest,
            expires_at=result.expires_at,
        )  # fmt: skip


def repeat_run(run: Run, user: User, from_: str = "start", *, newest: bool = False) -> Run:
    """Run again: from the start or from the failed stage; with the version of then, or the newest draft."""
    if run.state not in states.RUN_FINISHED:
        raise RunError(
            "run.not_finished",
            text("This run is still going. Cancel it first, or wait.", "该运行尚未结束，请先取消或等待其结束。"),
        )
    version = None if newest else run.version
    return start_run(run.flow, version, user, run.parameters, rerun_of=run, from_stage=from_, until=run.until)


def cancel_run(run_id: Any, user: User | None) -> Run:
    """Ask a run to stop. Waiting stages end at once, working ones within two seconds; a finished run stays."""
    with transaction.atomic():
        run = locked_run(run_id)
        assert run is not None, "a run's id leads to a run"
        if run.state in states.RUN_FINISHED or run.state == states.CANCELLING:
            return run
        cas_run(run, states.CANCELLING, cancel_requested_by=user)
        record(
            Topic("run", run.pk),
            [run_fact(run), log_fact("info", text("Cancelling was asked for.", "已请求取消。"))],
        )
        audit.record("run.cancel", "run", str(run.pk), principal=user)
        settle_run(run)
    run.refresh_from_db()
    return run


def load_plan(run: Run) -> Plan:
    """The run's plan as structs."""
    return msgspec.convert(run.plan.body, Plan)
