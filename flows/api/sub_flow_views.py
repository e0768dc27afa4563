"""Routes of flows that other flows may call."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from flows.subflows import callable_flows, read_sub_flow
from security.access import principal_of


class SubFlowsView(APIView):
    """Flows of saved versions that a step may call."""

    @extend_schema(operation_id="sub_flows_list", responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        return Response({"results": callable_flows(principal_of(request)), "next": None})


class SubFlowView(APIView):
    """One flow of one version: its ports, its parameters, and what the newest version would change."""

    @extend_schema(operation_id="sub_flows_read", responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, app_id: UUID, number: int, key: str) -> Response:
        found: dict[str, Any] = read_sub_flow(principal_of(request), str(app_id), number, key)
        return Response(found)
