"""How many runs of a flow may be at work at once, and what becomes of one that comes while there are enough.

A flow's rule (``RunRule``) names a parameter, or none: runs with the same value of it form a queue. The lock of a
queue is its rule's row, which is always taken before the lock of any run, and never while one is held.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from django.db import transaction

from flows.graph.plan import digest_of
from flows.models import Flow
from node_catalog.sdk.failpoint import failpoint
from node_catalog.sdk.text import Text, text
from runtime import states
from runtime.dispatcher import due
from runtime.errors import BusyError
from runtime.models import Run, RunRule, Task
from runtime.moves import cas_run, locked_run, release_followers, run_fact, settle_run
from runtime.node_slots import waits_for
from runtime.reporting import Topic, log_fact, record

MOST_AT_ONCE = 50


def queue_of(rule: RunRule | None, parameters: Mapping[str, Any]) -> str:
    """The queue of a run with these parameters; empty when any number may be at work."""
    if rule is None or not rule.most:
        return ""
    value = parameters.get(rule.key) if rule.key else ""
    return f"{rule.flow_id}/{digest_of(value)[-16:] if rule.key else ''}"


def rule_for_start(flow: Flow) -> RunRule | None:
    """The flow's rule, locked for the caller's transaction: runs of its queues start one after the other."""
    return RunRule.objects.select_for_update().filter(flow=flow).first()


def state_at_start(rule: RunRule | None, queue: str) -> str:
    """Whether a new run of ``queue`` may begin or has to wait. Raises BusyError when it shall not be started at all."""
    if rule is None or not queue or _at_work(queue) < rule.most:
        return states.PENDING
    if rule.when_full == RunRule.WhenFull.SKIP:
        raise BusyError(
            "run.skipped",
            text(
                f"Not started: {rule.most} of this flow are at work already, and its settings say that a further one "
                "is skipped. Wait for their end, or change the flow's run settings.",
                f"未启动：该流程已有 {rule.most} 个运行正在执行，按其运行设置不再启动新的运行。"
                "请等待其结束，或修改流程的运行设置。",
            ),
        )
    if rule.when_full == RunRule.WhenFull.REPLACE:
        for waiting in Run.objects.filter(queue=queue, state=states.QUEUED).values_list("pk", flat=True):
            _replace(waiting)
    return states.QUEUED


def _at_work(queue: str) -> int:
    return Run.objects.filter(queue=queue).exclude(state__in=states.RUN_FINISHED | {states.QUEUED}).count()


def _replace(run_id: Any) -> None:
    run = locked_run(run_id)
    if run is None or run.state != states.QUEUED:
        return
    cas_run(run, states.CANCELLING)
    words = text("Cancelled: a newer run has taken its place in the queue.", "已取消：队列中的位置被更新的运行取代。")
    record(Topic("run", run.pk), [run_fact(run), log_fact("info", words)])
    settle_run(run)


def admit_after(run: Run) -> None:
    """When the caller's transaction commits, let the next of the run's queue begin."""
    if run.queue:
        transaction.on_commit(partial(admit, run.flow_id, run.queue), robust=True)


def admit(flow_id: Any, queue: str) -> int:
    """Let as many waiting runs of a queue begin as the flow's rule of today allows; gives how many."""
    begun = 0
    with transaction.atomic():
        rule = RunRule.objects.select_for_update().filter(flow_id=flow_id).first()
        free = rule.most - _at_work(queue) if rule is not None and rule.most else MOST_AT_ONCE
        waiting = Run.objects.filter(queue=queue, state=states.QUEUED).order_by("number")
        for run_id in list(waiting.values_list("pk", flat=True)[: max(0, free)]):
            run = locked_run(run_id)
            if run is None or run.state != states.QUEUED:
                continue
            cas_run(run, states.PENDING)
            record(Topic("run", run.pk), [run_fact(run)])
            release_followers(run)
            begun += 1
        failpoint("admit.before_commit")
    failpoint("admit.after_commit")
    return begun


def admit_waiting() -> int:
    """Every queue in which a run waits: what a process that died after the end of a run has left undone."""
    queues = Run.objects.filter(state=states.QUEUED).order_by().values_list("flow_id", "queue").distinct()
    return sum(admit(flow_id, queue) for flow_id, queue in list(queues[:MOST_AT_ONCE]))


def why_waiting(run: Run) -> dict[str, Any] | None:
    """What a run waits for that has not begun: words, and how many come before it. None for one at work."""
    if run.state == states.QUEUED:
        before = Run.objects.filter(queue=run.queue, state=states.QUEUED, number__lt=run.number).count()
        return {"for": "run", "before": before, "text": _behind_runs(_at_work(run.queue), before)}
    if run.state != states.PENDING:
        return None
    first = run.tasks.filter(state=states.READY).order_by("created_at").first()
    if first is not None and (full := waits_for(first)):
        return {"for": full[0].kind, "before": full[0].before, "text": full[0].words}
    if first is None or (first.error or {}).get("code"):
        return None
    older = Task.objects.filter(due(), kind=Task.Kind.STAGE, created_at__lt=first.created_at)
    before = older.count()
    return {"for": "slot", "before": before, "text": _behind_tasks(before)}


def _behind_runs(at_work: int, before: int) -> Text:
    return text(
        f"Waits until another run of this flow has ended ({at_work} at work, {before} before it).",
        f"等待该流程的其他运行结束（{at_work} 个执行中，前面还有 {before} 个）。",
    )


def _behind_tasks(before: int) -> Text:
    return text(
        f"Waits for a free worker ({before} stages came before it; departments and apps take turns).",
        f"等待空闲的工作进程（前面有 {before} 个阶段；各部门、各应用轮流执行）。",
    )
