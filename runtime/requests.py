"""Asks a worker for something: a preview, a sample, a profile, a discovery, a connection test.

Each answers with a task at once; the task's topic tells when it is done.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

import msgspec
from django.conf import settings
from django.db import transaction

from flows.checking import draft_document
from flows.datasets import dataset_info
from flows.graph.held import upstream_digest
from flows.graph.plan import Plan, digest_of
from flows.graph.planner import dataset_plan
from flows.models import Flow, StoredPlan
from flows.planning import preview_plan
from node_catalog.grants import grants_for
from node_catalog.models import Dataset, Node
from node_catalog.policy import node_target
from node_catalog.sdk.text import text
from runtime import states
from runtime.clock import db_now
from runtime.dispatcher import add_bells
from runtime.guarding import policy_of
from runtime.held_rows import as_payload, held_for
from runtime.models import Task
from runtime.moves import move_task, task_fact
from runtime.node_slots import limited_uses
from runtime.offers import needs_of_nodes
from runtime.reporting import Topic, record
from runtime.turns import share_of_person
from runtime.uses import Uses, node_of, uses_of_stage
from security.access import Principal, principal_for, require_right
from security.errors import ForbiddenError
from security.models import User
from security.secrets import seal

LONE_ATTEMPTS = 2
"""Somebody waits for the answer: one more try, then the truth."""


def request_preview(flow: Flow, step: str, user: User, revision: int | None = None) -> Task:
    """Preview one step of the draft (``step.port``: the rows of that out port).

    An earlier preview of the same flow by the same person is dropped.
    Raises FlowCheckError when something upstream of the step is wrong or not allowed.
    """
    kept = held_for(flow, user)
    plan, used = preview_plan(flow, step, user, held={end: one.held for end, one in kept.items()})
    payload = {
        "flow": str(flow.pk),
        "step": step,
        "revision": revision,
        "sample_rows": settings.OPTIONS["PREVIEW_ROWS"],
        "upstream": upstream_digest(draft_document(flow.draft.document), step.partition(".")[0]),
        **_stored(plan),
    }
    for end in used:
        payload["policy"] |= kept[end].policy
    payload["held"] = [as_payload(kept[end]) for end in used]
    with transaction.atomic():
        _drop_earlier(flow, user)
        return _ask_preview(user, payload, plan)


def request_sample(dataset: Dataset, user: User) -> Task:
    """At most 100 rows of one dataset, through the grant of the person who asks."""
    grant = grants_for([dataset], user).get(dataset.number)
    if grant is None:
        raise _no_grant()
    plan = dataset_plan(dataset_info(dataset, user), grant)
    with transaction.atomic():
        payload = {"dataset": str(dataset.pk), "sample_rows": None, **_stored(plan)}
        return _ask_preview(user, payload, plan)


def request_rows(plan: Plan, user: User, about: Mapping[str, Any]) -> Task:
    """The rows of a plan of one collecting stage, kept and guarded like a preview."""
    with transaction.atomic():
        payload = {**about, "sample_rows": None, **_stored(plan)}
        return _ask_preview(user, payload, plan)


def request_profile(dataset: Dataset, user: User) -> Task:
    """Profile a dataset. Only who keeps the dataset may, since everybody sees the statistics."""
    require_right(principal_for(user), "dataset.edit", node_target(dataset.node))
    if dataset.number not in grants_for([dataset], user):
        raise _no_grant()
    with transaction.atomic():
        return _same_or_ask(Task.Kind.PROFILE, user, {"dataset": str(dataset.pk)}, dataset.number)


def request_discovery(node: Node, user: User) -> Task:
    """Walk a node and bring the catalogue up to date."""
    require_right(principal_for(user), "node.edit", node_target(node))
    with transaction.atomic():
        return _same_or_ask(Task.Kind.DISCOVER, user, {"node": str(node.pk)}, node.number)


def request_check(node: Node, user: User) -> Task:
    """Test the connection of a catalogued node."""
    require_right(principal_for(user), "node.edit", node_target(node))
    with transaction.atomic():
        return _same_or_ask(Task.Kind.CHECK, user, {"node": str(node.pk)}, node.number)


def request_try(connector: str, values: Mapping[str, Any], principal: Principal, node: Node | None = None) -> Task:
    """Test settings before they are saved. They may hold a password, so they travel sealed and are then deleted.

    With ``node`` (which the person must be allowed to edit) secrets left empty are the stored ones.
    """
    if node is None:
        require_right(principal, "node.create")
    else:
        require_right(principal, "node.edit", node_target(node))
    with transaction.atomic():
        sealed = seal("try", json.dumps({"type": connector, "settings": dict(values)}))
        kept = {"secrets_of": str(node.pk)} if node is not None and node.type == connector else {}
        payload = {"sealed": str(sealed.pk), **kept}
        return ask_worker(Task.Kind.CHECK, principal.user, payload, nodes=[node.number] if node is not None else ())


@transaction.atomic
def cancel_task(principal: Principal, task_id: Any) -> Task:
    """Stop a task of its own (no stage of a run); what it has kept so far stays. Only who asked for it may."""
    task: Task = Task.objects.select_for_update().get_visible(principal, pk=task_id, run=None)
    if task.requested_by_id != principal.id:
        raise ForbiddenError(
            "task.not_yours",
            text("Only who asked for this may stop it.", "只有发起人可以停止该任务。"),
        )
    if task.state in states.WAITING | states.ACTIVE:
        move_task(task, task.state, states.CANCELLED, task.attempt)
        task.refresh_from_db()
    return task


def _no_grant() -> ForbiddenError:
    return ForbiddenError(
        "dataset.no_grant",
        text(
            "You have no right to read this dataset's rows. Ask for it in the catalogue.",
            "您没有读取该数据集的权限，请在目录中提交申请。",
        ),
    )


def _stored(plan: Plan) -> dict[str, Any]:
    """Keep the plan for the worker; the policy goes into the task so that the result can be guarded later."""
    body = msgspec.to_builtins(plan)
    digest = digest_of(body)
    StoredPlan.objects.get_or_create(digest=digest, defaults={"body": body})
    return {"plan": digest, "policy": policy_of(plan, plan.stages[-1].key)}


def _drop_earlier(flow: Flow, user: User) -> None:
    earlier = Task.objects.select_for_update().filter(
        kind=Task.Kind.PREVIEW, requested_by=user, run=None, payload__flow=str(flow.pk)
    )
    for task in earlier.filter(state__in=states.WAITING | states.ACTIVE):
        move_task(task, task.state, states.CANCELLED, task.attempt)


def _same_or_ask(kind: str, user: User, payload: dict[str, Any], number: str) -> Task:
    """The task of this kind that still waits for the same thing, or a new one (one at work has already looked)."""
    (name, value), *_ = payload.items()
    same = Task.objects.filter(
        kind=kind, requested_by=user, state__in=states.WAITING, **{f"payload__{name}": value}
    ).first()
    return same or ask_worker(kind, user, payload, nodes=[number])


def _ask_preview(user: User, payload: dict[str, Any], plan: Plan) -> Task:
    """A task that collects the rows of a plan of one stage."""
    stage = plan.stages[-1]
    return ask_worker(
        Task.Kind.PREVIEW, user, payload, nodes=plan.datasets, level=stage.level, uses=uses_of_stage(stage)
    )


def ask_worker(
    kind: str,
    user: User,
    payload: dict[str, Any],
    attempts: int = LONE_ATTEMPTS,
    nodes: Collection[str] = (),
    level: int = 1,
    uses: Uses | None = None,
) -> Task:
    """A new task of its own, with its bell, in the caller's transaction. ``nodes`` are numbers of what it reads, one
    after the other unless ``uses`` says more.
    """
    task = Task.objects.create(
        kind=kind,
        state=states.READY,
        requested_by=user,
        payload=payload,
        needs=needs_of_nodes(nodes) if nodes else "",
        uses=limited_uses([dict.fromkeys(map(node_of, nodes), 1) if uses is None else uses])[0],
        level=level,
        max_attempts=attempts,
        share=share_of_person(user),
        not_before=db_now(),
    )
    record(Topic("task", task.pk), [task_fact(task, states.READY, 0)])
    add_bells([(task.pk, 0)])
    return task
