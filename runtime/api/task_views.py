"""What one asks a worker for: samples, profiles, discovery, connection tests; and the tasks that come of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from node_catalog.models import Dataset, Node
from node_catalog.node_settings import check_settings
from runtime import requests
from runtime.api import serializers
from runtime.api.views import JSON, accepted, parsed
from runtime.models import Task
from runtime.monitor import task_snapshot
from runtime.node_slots import load_now
from runtime.scanning import request_scan, scan_of
from security.access import Principal, principal_of, require_right
from security.api.described import described
from security.models import User

Row = TypeVar("Row", Dataset, Node)


class SampleView(APIView):
    """A sample of a dataset's rows."""

    @described("datasets_sample", JSON, status=202, tag="tasks")
    def post(self, request: Request, dataset_id: UUID) -> Response:
        return _asked(request, _dataset, dataset_id, requests.request_sample)


class ProfileView(APIView):
    """Profile a dataset: counts, distinct values, distribution, in one scan."""

    @described("datasets_profile", JSON, status=202, tag="tasks")
    def post(self, request: Request, dataset_id: UUID) -> Response:
        return _asked(request, _dataset, dataset_id, requests.request_profile)


def _dataset(principal: Principal, dataset_id: UUID) -> Dataset:
    rows = Dataset.objects.select_related("node__organisation").prefetch_related("columns")
    dataset: Dataset = rows.get_visible(principal, pk=dataset_id)
    return dataset


def _node(principal: Principal, node_id: UUID) -> Node:
    node: Node = Node.objects.select_related("organisation").get_visible(principal, pk=node_id)
    return node


def _asked(
    request: Request, find: Callable[[Principal, UUID], Row], key: UUID, ask: Callable[[Row, User], Task]
) -> Response:
    """The task that ``ask`` makes for the row that ``find`` lets this person see."""
    principal = principal_of(request)
    return accepted(ask(find(principal, key), principal.user))


class NodeLoadView(APIView):
    """How much a node is asked just now."""

    @described("nodes_load", serializers.NodeLoadSerializer, tag="tasks")
    def get(self, request: Request, node_id: UUID) -> Response:
        """Reads at work and allowed (0: any number), and tasks that could start if all had a turn."""
        return Response(load_now(_node(principal_of(request), node_id)))


class NodeProfileView(APIView):
    """Profile a node's datasets."""

    @described("nodes_profile", JSON, status=202, tag="tasks")
    def post(self, request: Request, node_id: UUID) -> Response:
        """Profiles of all datasets that have none yet, one after the other and after everything else.

        ``task`` is null when none is missing.
        """
        principal = principal_of(request)
        task = request_scan(_node(principal, node_id), principal.user)
        return Response({"task": str(task.pk) if task else None}, status=status.HTTP_202_ACCEPTED)

    @described("nodes_profile_state", JSON, tag="tasks")
    def get(self, request: Request, node_id: UUID) -> Response:
        """One's own scan of the node that has not ended: its task, or null."""
        principal = principal_of(request)
        task = scan_of(_node(principal, node_id), principal.user)
        return Response({"task": str(task.pk) if task else None})


class NodeCheckView(APIView):
    """Test the connection of a node."""

    @described("nodes_check", JSON, status=202, tag="tasks")
    def post(self, request: Request, node_id: UUID) -> Response:
        return _asked(request, _node, node_id, requests.request_check)


class NodeDiscoverView(APIView):
    """Find out what a node offers."""

    @described("nodes_discover", JSON, status=202, tag="tasks")
    def post(self, request: Request, node_id: UUID) -> Response:
        return _asked(request, _node, node_id, requests.request_discovery)


class NodeTryView(APIView):
    """Test settings before saving them; with ``node``, secrets left empty are those already stored."""

    @described("nodes_try", JSON, request=serializers.TrySerializer, status=202, tag="tasks")
    def post(self, request: Request) -> Response:
        principal = principal_of(request)
        require_right(principal, "node.create")
        body = parsed(serializers.TrySerializer, request)
        kept = _node(principal, body["node"]) if body["node"] else None
        check_settings(body["type"], body["settings"], kept)
        return accepted(requests.request_try(body["type"], body["settings"], principal, kept))


class TaskView(APIView):
    """One task with its result, under today's rights."""

    @described("tasks_read", JSON, tag="tasks")
    def get(self, request: Request, task_id: UUID) -> Response:
        return Response(task_snapshot(principal_of(request), task_id))


class TaskCancelView(APIView):
    """Stop a task that one has asked for."""

    @described("tasks_cancel", JSON, status=202, tag="tasks")
    def post(self, request: Request, task_id: UUID) -> Response:
        principal = principal_of(request)
        task = requests.cancel_task(principal, task_id)
        return Response(task_snapshot(principal, task.pk), status=status.HTTP_202_ACCEPTED)
