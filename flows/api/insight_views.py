"""What a flow does and who depends on what: its plan, differences drawn on the canvas, uses of a dataset's columns."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, OpenApiTypes, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from flows.api.views import visible_flow, visible_version
from flows.checking import draft_document
from flows.difference import compare
from flows.impact import uses_of
from flows.plan_view import plan_as_json
from node_catalog.models import Dataset
from security.access import principal_of

JSON = OpenApiTypes.OBJECT


class PlanView(APIView):
    """What would run: stages, what each source is asked, estimated rows and bytes, and why something is not pushed."""

    @extend_schema(operation_id="flows_plan", responses=JSON)
    def get(self, request: Request, flow_id: str) -> Response:
        principal = principal_of(request)
        flow = visible_flow(principal, flow_id)
        return Response(plan_as_json(flow, draft_document(flow.draft.document), principal))


class CompareView(APIView):
    """A version against another one, or against the draft, as one drawing with the differences marked."""

    @extend_schema(
        operation_id="flows_compare",
        parameters=[
            OpenApiParameter("old", OpenApiTypes.UUID, required=True),
            OpenApiParameter("new", str, description="A version, or left out: the draft."),
        ],
        responses=JSON,
    )
    def get(self, request: Request, flow_id: str) -> Response:
        principal = principal_of(request)
        flow = visible_flow(principal, flow_id)
        wanted = request.query_params.get("new", "")
        old = visible_version(principal, request.query_params.get("old", ""))
        new = visible_version(principal, wanted) if wanted else None
        if old.app_id != flow.app_id or (new is not None and new.app_id != flow.app_id):
            raise Http404
        return Response(compare(flow, old, new))


class UsesView(APIView):
    """Who uses a dataset's columns, within what the asker may see."""

    @extend_schema(operation_id="datasets_uses", responses=JSON)
    def get(self, request: Request, dataset_id: str) -> Response:
        principal = principal_of(request)
        dataset: Any = Dataset.objects.get_visible(principal, pk=dataset_id)
        return Response(uses_of(dataset, principal))
