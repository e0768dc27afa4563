"""Stages of runs: a child process does the plan's stage; it leaves a result, an exchange file or a delivery."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

import msgspec
from django.conf import settings
from django.db import transaction

from flows.graph.plan import Plan, Sink, Stage
from node_catalog.sdk.contract import FACTS
from node_catalog.sdk.failpoint import failpoint
from runtime import places
from runtime.bindings import Today, stage_work
from runtime.claims import Claim, write_if_held
from runtime.endings import Ending
from runtime.engine.errors import of_disk
from runtime.engine.work import Part, Sealed, StageOutcome, StageWork, outlet_path
from runtime.guarding import policy_digest, policy_of
from runtime.handling import Handler
from runtime.loops import count_of, loops_behind, open_loop
from runtime.models import Result, Run, SinkCommit, Task
from runtime.plans import plan_of
from runtime.progress import by_step, effort_by_step
from runtime.reporting import Fact, add_result, add_rows
from security import clock

FILES_OF_OURS = ("exchange", "result")
"""Sinks that nobody sees before the end of the stage is written down."""
TEMPORARY = timedelta(days=1)
"""What a run to here has computed is for the person at the canvas, not for keeping."""


def _load(claim: Claim) -> tuple[Run, Plan]:
    """The run with the person behind it as they are when the work begins; kept on the task until it ends."""
    claim.task.run = run = Run.objects.with_person().get(pk=claim.task.run_id)
    return run, plan_of(run.plan_id)


def prepare(claim: Claim) -> StageWork:
    """The stage's work, with today's rights of the person who started the run."""
    run, plan = _load(claim)
    return _work(claim.task, run, plan, Today())


def prepare_first(claim: Claim, today: Today) -> StageWork:
    """The same of a stage behind which others may be done: the person is looked at now, its files are not durable
    before ``make_durable``.
    """
    _load(claim)
    return prepare_unsynced(claim, today)


def prepare_unsynced(claim: Claim, today: Today) -> StageWork:
    """The same of a stage that is done right behind another one, with the person as a moment ago: its task has the run.

    Its files are not durable before ``make_durable``.
    """
    run = claim.task.run
    assert run is not None, "a stage belongs to a run"
    work = _work(claim.task, run, plan_of(run.plan_id), today)
    return msgspec.structs.replace(work, sink=msgspec.structs.replace(work.sink, is_synced=False))


def make_durable(endings: Iterable[Ending]) -> None:
    """What stages have left that were prepared unsynced; nobody has been told yet. A disk's errors come in words."""
    left = [ending.result for ending in endings]
    files = [file for result in left for file in (result.get("file"), *result.get("files", {}).values()) if file]
    if files:
        try:
            failpoint("staging.before_sync")
            places.make_durable(files)
        except OSError as error:
            raise of_disk(error) or error from error


def _work(task: Task, run: Run, plan: Plan, today: Today) -> StageWork:
    work = stage_work(task, plan, task.stage, run.started_by, run, today=today)
    sealed = msgspec.convert(task.payload.get("sealed", []), tuple[Sealed, ...])
    return msgspec.structs.replace(work, sealed=sealed, keep=f"{run.plan_id}/{run.started_by_id}")


@transaction.atomic
def keep(claim: Claim, part: Part) -> Mapping[str, int]:
    """Remember how far a long read has come: bounds of keys, counts and names of files, never rows."""
    assert isinstance(part, Sealed)
    sealed = [] if part.is_first else claim.task.payload.get("sealed", [])
    payload = {**claim.task.payload, "sealed": [*sealed, msgspec.to_builtins(part)]}
    write_if_held(claim, payload=payload, crashes=0)
    claim.task.payload, claim.task.crashes = payload, 0
    return {}


def finish(claim: Claim, outcome: StageOutcome) -> Ending:
    """What the stage leaves behind: the reference of its rows, and exact counts where they are known."""
    run = claim.task.run
    assert run is not None, "a stage belongs to a run"
    plan = plan_of(run.plan_id)
    stage = plan.stage(claim.task.stage)
    loops = list(loops_behind(plan, stage.key))
    for loop in loops:
        count_of(loop, outcome.rows)
    result = _facts(outcome)
    if stage.outlets:
        result["files"] = {
            outlet.port: places.keep(outlet_path(outcome.reference, outlet.port))
            for outlet in stage.outlets
            if outlet.port != FACTS
        }
    elif stage.sink.kind in ("result", "exchange"):
        result["file"] = places.keep(outcome.reference)
    else:
        result["reference"] = outcome.reference[:400]

    if outcome.verdict:
        result["verdict"] = outcome.verdict

    def apply() -> list[Fact]:
        for loop in loops:
            open_loop(run, loop, outcome.rows, run.started_by)
        if stage.sink.kind == "result":
            return [_keep_result(claim, run, plan, stage, outcome, result["file"])]
        if stage.sink.kind == "write":
            _note_delivery(claim, stage.sink, outcome)
        return []

    return Ending(result=result, apply=apply, steps=picture_of(stage, outcome))


def iteration_result(outcome: StageOutcome) -> dict[str, Any]:
    """What is kept of an iteration: its rows, and the counts of the sub-flow's steps for who opens it."""
    return _facts(outcome) | {"file": places.keep(outcome.reference), "counts": outcome.counts}


def _facts(outcome: StageOutcome) -> dict[str, Any]:
    return {
        "rows": outcome.rows,
        "size_bytes": outcome.size_bytes,
        "seconds": round(outcome.seconds, 3),
        "bytes_read": outcome.bytes_read,
        "memory_bytes": outcome.memory_bytes,
        "adopted": outcome.adopted,
    }


def picture_of(stage: Stage, outcome: StageOutcome) -> dict[str, Mapping[str, Any]]:
    """Final counts by step. A step that nobody could count says so rather than guessing."""
    picture: dict[str, Mapping[str, Any]] = {}
    counts = by_step(outcome.counts)
    effort = effort_by_step(outcome.sizes, outcome.step_seconds)
    for step in stage.steps:
        rows, ports = counts.get(step, (None, {}))
        picture[step] = {
            "rows": rows,
            "exact": rows is not None and step not in outcome.inexact,
            "counted": outcome.counted.get(step, "unknown" if rows is None else "at_end"),
            **({"ports": ports} if ports else {}),
            **effort.get(step, {}),
            **({"delivery": outcome.delivery_label} if step == stage.sink.step and outcome.delivery_label else {}),
            **({"report": report} if step == stage.sink.step and (report := outcome.verdict.get("report")) else {}),
        }
    return picture


def _keep_result(claim: Claim, run: Run, plan: Plan, stage: Stage, outcome: StageOutcome, reference: str) -> Fact:
    result = Result(
        run=run,
        task=claim.task,
        step=stage.sink.step,
        name=stage.sink.name or stage.sink.step,
        reference=reference,
        rows=outcome.rows,
        size_bytes=outcome.size_bytes or 0,
        schema=[{"name": column.name, "type": column.type} for column in (outcome.columns or stage.sink.schema).fields],
        policy_digest=policy_digest(policy_of(plan, stage.key)),
        expires_at=clock.now() + (TEMPORARY if run.until else timedelta(days=settings.OPTIONS["RESULT_DAYS"])),
    )
    add_result(result)
    add_rows(run.pk, outcome.rows)
    return Fact("result", {"result": result_as_json(result)})


def _note_delivery(claim: Claim, sink: Sink, outcome: StageOutcome) -> None:
    SinkCommit.objects.get_or_create(
        sink=(sink.dataset or f"{sink.node}/{'/'.join(sink.path)}")[:120],
        run=str(claim.task.run_id),
        task=str(claim.task.pk),
        defaults={
            "attempt": outcome.attempt or claim.attempt,
            "rows": outcome.rows,
            "reference": outcome.reference[:400],
        },
    )
    add_rows(claim.task.run_id, outcome.rows)


def result_as_json(result: Result) -> dict[str, Any]:
    """A result without its rows: safe for whoever may see the run."""
    return {
        "id": str(result.pk),
        "name": result.name,
        "step": result.step,
        "rows": result.rows,
        "size_bytes": result.size_bytes,
        "schema": result.schema,
        "expires_at": result.expires_at.isoformat() if result.expires_at else None,
        "removed": result.removed_at is not None,
    }


HANDLER = Handler(prepare=prepare, finish=finish, keep=keep)
