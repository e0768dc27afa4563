"""Profiles of all datasets of a node: one task that does a portion at a time, gently and after everything else.

What is done is kept per dataset (its own ``profiled_at``), so whatever ends a scan, a stop button, a killed worker or a
node that does not answer, costs at most the dataset that was being read. After each portion the task goes back to the
end of the queue with today's rights asked anew: whoever previews or runs a flow goes first (``runtime.claims``).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from flows.datasets import dataset_info
from flows.graph.planner import profile_binding
from node_catalog.catalogue import apply_profile
from node_catalog.grants import grants_for
from node_catalog.models import Dataset, Node
from node_catalog.policy import node_target
from node_catalog.sdk.text import text
from runtime import states
from runtime.bindings import check_binding, limits_for, source_of
from runtime.claims import Claim, write_if_held
from runtime.discovering import node_of
from runtime.endings import Ending
from runtime.engine.work import Part, ScanItem, ScannedItem, ScanOutcome, ScanWork
from runtime.errors import PostponedError, StalePlanError, problem_of
from runtime.handling import Handler
from runtime.models import Task
from runtime.requests import ask_worker
from security import clock
from security.access import principal_for, require_right
from security.models import User

PORTION = 50
"""Datasets of a portion at most: some seconds of work for small tables."""
PORTION_ROWS = 2_000_000
"""A portion ends with the dataset that brings it to so many rows."""
ATTEMPTS = 10
"""Times that a scan may lose its worker or its node before it gives up. A portion that ends well does not count."""
MOST_TOLD = 50
"""Left-out datasets that the result names."""
PATIENCE = 10.0
DIED = {
    "code": "scan.died",
    "message": text(
        "The process that read it died, probably for want of memory. Profile it alone, or have the worker given more.",
        "读取该数据集的进程中途终止，可能是内存不足。请单独统计该数据集，或为工作进程增加内存。",
    ),
}
NO_RIGHT = {
    "code": "grant.withdrawn",
    "message": text("You have no right to read it.", "您没有读取该数据集的权限。"),
}


def request_scan(node: Node, user: User, again: bool = False) -> Task | None:
    """Ask for profiles of the node's datasets that have none (``again``: of all); None when none is missing.

    A scan of the same person that has not ended yet is gone on with. Only who keeps the node may.
    """
    require_right(principal_for(user), "dataset.edit", node_target(node))
    with transaction.atomic():
        running = scan_of(node, user)
        if running is not None:
            return running
        payload: dict[str, Any] = {"node": str(node.pk), "again": again, "began": clock.now().isoformat()}
        payload["total"] = missing(node, payload).count()
        return ask_worker(Task.Kind.SCAN, user, payload, ATTEMPTS, [node.number]) if payload["total"] else None


def scan_of(node: Node, user: User) -> Task | None:
    """The person's scan of this node that has not ended."""
    open_ones = Task.objects.filter(kind=Task.Kind.SCAN, state__in=states.WAITING | states.ACTIVE, requested_by=user)
    found: Task | None = open_ones.filter(payload__node=str(node.pk)).first()
    return found


def missing(node: Node, payload: Mapping[str, Any]) -> Any:
    """The datasets that a scan has still to do, in its order."""
    wanted = Q(profiled_at=None)
    if payload["again"]:
        wanted |= Q(profiled_at__lt=datetime.fromisoformat(payload["began"]))
    datasets = node.datasets.filter(wanted, state=Dataset.State.PUBLISHED).exclude(columns=None)
    return datasets.exclude(pk__in=payload.get("left_out", ())).order_by("ordinal")


def _wait_for_others(claim: Claim, node: Node) -> None:
    """One scan of a node at a time, the oldest first."""
    others = Task.objects.filter(kind=Task.Kind.SCAN, state__in=states.WAITING | states.ACTIVE)
    if others.filter(payload__node=str(node.pk), created_at__lt=claim.task.created_at).exists():
        raise PostponedError(PATIENCE)


def prepare(claim: Claim) -> ScanWork:
    """The next portion through ``narrow()`` with today's grants; a dataset without a grant is left out."""
    task, node = claim.task, node_of(claim.task)
    _wait_for_others(claim, node)
    user = User.objects.select_related("organisation").filter(pk=task.requested_by_id, is_active=True).first()
    if user is None:
        raise StalePlanError(
            "run.no_reader",
            text("Who asked for this scan has left or is disabled.", "申请此次统计的用户已离开或被停用。"),
        )
    require_right(principal_for(user), "dataset.edit", node_target(node))
    if task.crashes:
        # The child died, and it does one dataset after the other: the first that is still to do was its end.
        _leave_out(claim, missing(node, task.payload).first(), DIED)
    items = []
    portion = _portion(node, task)
    grants = grants_for(portion, user)
    for dataset in portion:
        grant = grants.get(dataset.number)
        if grant is None:
            _leave_out(claim, dataset, NO_RIGHT)
            continue
        binding = profile_binding(dataset_info(dataset, user), grant)
        try:
            check_binding(binding, dataset, grant)
        except StalePlanError as error:
            _leave_out(claim, dataset, problem_of(error))
            continue
        items.append(ScanItem(key=str(dataset.pk), binding=binding, source=source_of(binding.alias, dataset)))
    return ScanWork(items=tuple(items), limits=limits_for(task))


def _portion(node: Node, task: Task) -> list[Dataset]:
    rows, portion = 0, []
    datasets = missing(node, task.payload).select_related("node__organisation").prefetch_related("columns")
    for dataset in datasets[:PORTION]:
        portion.append(dataset)
        rows += dataset.rows or 0
        if rows >= PORTION_ROWS:
            break
    return portion


@transaction.atomic
def keep(claim: Claim, part: Part) -> Mapping[str, int]:
    """Store one dataset's profile, or why it has none."""
    assert isinstance(part, ScannedItem)
    dataset = Dataset.objects.filter(pk=part.key).first()
    if dataset is None:
        return _counts(claim)
    if part.profile is None:
        _leave_out(claim, dataset, part.problem or {})
        return _counts(claim)
    found = part.profile
    done = {**_so_far(claim), "done": _so_far(claim)["done"] + 1}
    write_if_held(claim, result=done)
    apply_profile(dataset, {"rows": found.rows, "columns": found.columns, "sample_rows": found.sample_rows})
    claim.task.result = done
    return _counts(claim)


def _leave_out(claim: Claim, dataset: Dataset | None, problem: Mapping[str, Any]) -> None:
    """This scan passes over the dataset; the result says which and why."""
    task, so_far = claim.task, _so_far(claim)
    if dataset is not None:
        told = {"dataset": str(dataset.pk), "name": dataset.name, "code": problem.get("code", "")}
        told["message"] = dict(problem.get("message") or {})
        so_far = {**so_far, "left_out_total": so_far["left_out_total"] + 1}
        so_far["left_out"] = [*so_far["left_out"], told][:MOST_TOLD]
        task.payload = {**task.payload, "left_out": [*task.payload.get("left_out", ()), str(dataset.pk)]}
    write_if_held(claim, payload=task.payload, result=so_far, crashes=0)
    task.result, task.crashes = so_far, 0


def _so_far(claim: Claim) -> dict[str, Any]:
    return claim.task.result or {"node": claim.task.payload["node"], "done": 0, "left_out_total": 0, "left_out": []}


def _counts(claim: Claim) -> dict[str, int]:
    so_far = _so_far(claim)
    return {"done": so_far["done"] + so_far["left_out_total"], "total": claim.task.payload["total"]}


def finish(claim: Claim, outcome: ScanOutcome) -> Ending:
    """Done when nothing is left; otherwise the task goes back for its next portion."""
    if missing(node_of(claim.task), claim.task.payload).exists():
        raise PostponedError(0.0)
    return Ending(result=_so_far(claim))


HANDLER = Handler(prepare=prepare, finish=finish, keep=keep)
