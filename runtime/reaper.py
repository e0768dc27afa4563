"""Takes tasks back from workers that fell silent, and ends runs that take too long. Any number may work at once."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q

from node_catalog.sdk.failpoint import failpoint
from node_catalog.sdk.text import text
from runtime import states
from runtime.claims import is_cancelling
from runtime.clock import Soon, db_now
from runtime.loops import after_iterations
from runtime.lots import is_iteration
from runtime.models import Attempt, Run, Task
from runtime.moves import locked_run, move_task, retry_later, settle_run, tell
from runtime.reporting import log_fact

LOST = {
    "code": "worker.lost",
    "message": text(
        "The worker that did this fell silent (stopped, killed, or its machine is gone). It is tried on another one.",
        "执行该任务的工作进程失去响应（停止、被终止或机器故障），系统会换一个工作进程重试。",
    ),
    "where": "",
    "retry": "retry",
    "detail": "",
}
GIVEN_UP = {
    "code": "worker.lost_too_often",
    "message": text(
        "Given up: the workers that tried this were lost every time. Look at the workers' memory and logs, "
        "then run again from the failed stage.",
        "已放弃：每次执行该任务的工作进程都中途丢失。请检查工作进程的内存和日志，然后从失败的阶段重新运行。",
    ),
    "where": "",
    "retry": "fatal",
    "detail": "",
}
TOO_LONG = {
    "code": "run.too_long",
    "message": text(
        "The run took longer than allowed and was stopped. Filter earlier, read less, "
        "or ask the operators for more time.",
        "运行时间超过上限，已停止。请提前过滤或减少读取的数据，或请运维人员放宽时限。",
    ),
    "where": "",
    "retry": "fatal",
    "detail": "",
}


def reap() -> int:
    """Take back every task whose lease has run out on the database's clock. Finished tasks are never touched."""
    return _take_back_all(Q(lease_until__lt=db_now()))


def take_back_from(worker: str) -> int:
    """Take back every task of a worker process that is known to be dead."""
    return _take_back_all(Q(owner=worker))


def _take_back_all(lost: Q) -> int:
    tasks = Task.objects.filter(lost, state__in=states.ACTIVE)
    taken = [_take_back(pk, lost) for pk in tasks.order_by("lease_until").values_list("pk", flat=True)[:100]]
    if any(taken):
        failpoint("reap.after_commit")
    return sum(taken)


def _take_back(task_id: Any, lost: Q) -> bool:
    with transaction.atomic():
        run_id = Task.objects.filter(pk=task_id).values_list("run_id", flat=True).first()
        run = locked_run(run_id)
        # Looked at again under the lock: the worker may have renewed or finished meanwhile.
        task = Task.objects.filter(lost, pk=task_id, state__in=states.ACTIVE).first()
        if task is None:
            return False
        new = states.after_loss(task.attempt, task.max_attempts, task.crashes, is_cancelling=is_cancelling(run))
        if new == states.DEAD and task.payload.get("on_error") == "continue":
            new = states.LEFT_OUT
        if new == states.READY:
            moved = retry_later(task, task.state, task.attempt, LOST, 0.0)
            problem = LOST
        else:
            problem = GIVEN_UP if new in (states.DEAD, states.LEFT_OUT) else LOST
            moved = move_task(task, task.state, new, task.attempt, problem, error=problem)
        if not moved:
            return False
        if run is not None:
            tell(task, [log_fact("warning" if new == states.READY else "error", problem["message"])])  # type: ignore[arg-type]
            run.refresh_from_db()
            settle_run(run, GIVEN_UP if new == states.DEAD else None)
            if is_iteration(task) and new != states.READY:
                after_iterations(run, task, new)
                settle_run(run)
        failpoint("reap.before_commit")
        return True


def settle_left_over() -> int:
    """Runs that should have ended or moved on but did not, e.g. cancelled while every worker was away."""
    stuck = Run.objects.filter(state__in=(states.CANCELLING, states.RUNNING)).exclude(
        tasks__state__in=states.ACTIVE | states.WAITING
    )
    stuck_ids = list(stuck.values_list("pk", flat=True)[:50])
    for pk in stuck_ids:
        with transaction.atomic():
            run = locked_run(pk)
            if run is not None:
                settle_run(run)
    return len(stuck_ids)


def stop_over_rule() -> int:
    """Fail runs, and runs of stages, that take longer than their flow's own rule allows."""
    going = Run.objects.filter(state=states.RUNNING, error__isnull=True)
    over: dict[Any, dict[str, Any]] = {}
    for pk, minutes, paused in going.filter(flow__run_rule__run_minutes__gt=0).values_list(
        "pk", "flow__run_rule__run_minutes", "paused_seconds"
    ):
        if going.filter(pk=pk, started_at__lt=Soon(-60 * minutes - paused)).exists():
            over[pk] = _over_time(minutes)
    tries = Attempt.objects.filter(
        number=F("task__attempt"), task__state__in=states.ACTIVE, task__run__in=going.order_by(), finished_at=None
    )
    limited = tries.filter(task__run__flow__run_rule__stage_minutes__gt=0)
    for minutes in set(limited.order_by().values_list("task__run__flow__run_rule__stage_minutes", flat=True)):
        old = limited.filter(task__run__flow__run_rule__stage_minutes=minutes, started_at__lt=Soon(-60 * minutes))
        for pk, payload in old.values_list("task__run_id", "task__payload")[:50]:
            steps = payload.get("steps") or [payload.get("loop", "")]
            over.setdefault(pk, _over_time(minutes, steps[0]))
    return sum(_stop(pk, problem) for pk, problem in over.items())


def _over_time(minutes: int, step: str = "") -> dict[str, Any]:
    what = ("A stage", "一个阶段") if step else ("The run", "该运行")
    message = text(
        f"{what[0]} took longer than the {minutes} min that the flow's run settings allow, and was stopped. "
        "Filter earlier, read less, or allow more time there.",
        f"{what[1]}超过了流程运行设置允许的 {minutes} 分钟，已停止。请提前过滤、减少读取的数据，或在设置中放宽时限。",
    )
    where = f"/steps/{step}" if step else ""
    return {"code": "run.over_rule", "message": message, "where": where, "retry": "fatal", "detail": ""}


@transaction.atomic
def _stop(run_id: Any, problem: dict[str, Any]) -> bool:
    run = locked_run(run_id)
    if run is None or run.state != states.RUNNING or run.error:
        return False
    settle_run(run, problem)
    return True


def stop_long_runs() -> int:
    """Fail runs that were at work for longer than RUN_HOURS; their workers notice within half a second."""
    seconds = 3600 * settings.OPTIONS["RUN_HOURS"]
    going = Run.objects.filter(state=states.RUNNING, error__isnull=True)
    old = going.filter(started_at__lt=Soon(-seconds)).values_list("pk", "paused_seconds")[:50]
    ids = [pk for pk, paused in old if not paused or going.filter(pk=pk, started_at__lt=Soon(-seconds - paused))]
    return sum(_stop(pk, TOO_LONG) for pk in ids)
