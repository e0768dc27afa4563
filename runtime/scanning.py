"""Profiles of all datasets of a node: one durable task each, done gently and after everything else.

A scan is resumable because each dataset is a task of its own: what is done stays done through restarts of workers, and
asking again adds only what is missing. At most ``AT_ONCE`` datasets of one node are read at a time, however many
workers there are, and whoever previews or runs a flow goes first (``runtime.claims``).
"""

from __future__ import annotations

from django.conf import settings
from django.db import transaction

from node_catalog.grants import grants_for
from node_catalog.models import Dataset, Node
from node_catalog.policy import node_target
from runtime import states
from runtime.claims import Claim
from runtime.clock import db_now
from runtime.dispatcher import add_bells
from runtime.errors import PostponedError
from runtime.models import Task
from runtime.requests import LONE_ATTEMPTS
from security.access import principal_for, require_right
from security.models import User

AT_ONCE = 2
"""Datasets of one node that are profiled at the same time."""
SCAN = "scan"
"""The mark in the payload of tasks that belong to a scan."""
PATIENCE = 0.5


def request_scan(node: Node, user: User, again: bool = False) -> int:
    """Ask for profiles of the node's datasets that have none (``again``: of all). How many tasks were added.

    Datasets whose profile is asked for already are not asked for twice. Only who keeps the node may.
    """
    require_right(principal_for(user), "dataset.edit", node_target(node))
    datasets = node.datasets.filter(state=Dataset.State.PUBLISHED).exclude(columns=None)
    if not again:
        datasets = datasets.filter(profiled_at=None)
    wanted = list(datasets.select_related("node__organisation").distinct().order_by("ordinal"))
    readable = grants_for(wanted, user)
    waiting = set(
        Task.objects.filter(
            kind=Task.Kind.PROFILE, state__in=states.WAITING | states.ACTIVE, requested_by=user
        ).values_list("payload__dataset", flat=True)
    )
    with transaction.atomic():
        tasks = Task.objects.bulk_create(
            [
                Task(
                    kind=Task.Kind.PROFILE,
                    state=states.READY,
                    requested_by=user,
                    payload={"dataset": str(dataset.pk), "node": str(node.pk), SCAN: True},
                    max_attempts=LONE_ATTEMPTS,
                    not_before=db_now(),
                )
                for dataset in wanted
                if dataset.number in readable and str(dataset.pk) not in waiting
            ],
            batch_size=500,
        )
        # A few bells wake the workers; whoever has done one task looks for the next one by itself.
        add_bells([(task.pk, 0) for task in tasks[: settings.OPTIONS["WORKER_SLOTS"]]])
    return len(tasks)


def wait_for_others(claim: Claim) -> None:
    """Put a task of a scan back when enough of its node's datasets are being read already."""
    node = claim.task.payload.get("node")
    if not node or SCAN not in claim.task.payload:
        return
    at_work = Task.objects.filter(kind=Task.Kind.PROFILE, state__in=states.ACTIVE, payload__node=node)
    if at_work.filter(created_at__lt=claim.task.created_at).exclude(pk=claim.task.pk).count() >= AT_ONCE:
        raise PostponedError(PATIENCE)
