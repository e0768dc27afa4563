"""Routes of apps, drafts and versions: thin, every object fetched through visible_to."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, OpenApiTypes, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from flows import bundles, selectors
from flows.api import serializers
from flows.change_app import change_app, delete_app, require_editor
from flows.checking import check_document, checked_as_json
from flows.create_app import create_app
from flows.drafts import edit_draft
from flows.models import App, Flow, Version
from flows.operation_log import missed
from flows.presence import leave, note_presence, people_at
from flows.templates import usable_templates
from flows.versions import restore_version, save_version, version_difference
from node_catalog.models import Dataset
from security.access import Principal, principal_of

JSON = OpenApiTypes.OBJECT


def parsed(serializer: type[Any], request: Request) -> dict[str, Any]:
    """The request's body by ``serializer``; all problems at once as a problem body."""
    checked = serializer(data=request.data)
    checked.is_valid(raise_exception=True)
    return dict(checked.validated_data)


def visible_app(principal: Principal, app_id: Any) -> App:
    """The app, or 404 for unknown and forbidden alike."""
    app: App = App.objects.select_related("owner", "organisation").get_visible(principal, pk=app_id)
    return app


def visible_flow(principal: Principal, flow_id: Any) -> Flow:
    """The flow with its draft and app, or 404."""
    flows = Flow.objects.select_related("app__owner", "app__organisation", "draft")
    flow: Flow = flows.get_visible(principal, pk=flow_id)
    return flow


def visible_version(principal: Principal, version_id: Any) -> Version:
    """The version, or 404."""
    version: Version = Version.objects.select_related("app", "created_by").get_visible(principal, pk=version_id)
    return version


class AppsView(APIView):
    """The apps of one's department."""

    @extend_schema(
        operation_id="apps_list",
        parameters=[
            OpenApiParameter("q", str),
            OpenApiParameter("mine", bool),
            OpenApiParameter("limit", int),
            OpenApiParameter("cursor", str),
        ],
        responses=JSON,
    )
    def get(self, request: Request) -> Response:
        principal = principal_of(request)
        apps = selectors.apps_of(
            principal, request.query_params.get("q", ""), is_mine=request.query_params.get("mine") in ("1", "true")
        )
        limit = max(1, min(_whole(request.query_params.get("limit"), 50), 200))
        start = max(0, _whole(request.query_params.get("cursor"), 0))
        rows = list(apps[start : start + limit + 1])
        return Response(
            {
                "results": [selectors.app_as_json(app, principal) for app in rows[:limit]],
                "next": str(start + limit) if len(rows) > limit else None,
                "total": apps.count(),
            }
        )

    @extend_schema(operation_id="apps_create", request=serializers.NewAppSerializer, responses={201: JSON})
    def post(self, request: Request) -> Response:
        principal = principal_of(request)
        body = parsed(serializers.NewAppSerializer, request)
        dataset = None
        if body.get("dataset"):
            dataset = Dataset.objects.get_visible(principal, pk=body["dataset"])
        app = create_app(principal.user, body["title"], template=body.get("template", ""), dataset=dataset)
        return Response(selectors.app_as_json(app, principal), status=status.HTTP_201_CREATED)


class AppView(APIView):
    """One app."""

    @extend_schema(operation_id="apps_read", responses=JSON)
    def get(self, request: Request, app_id: str) -> Response:
        principal = principal_of(request)
        return Response(selectors.app_as_json(visible_app(principal, app_id), principal))

    @extend_schema(operation_id="apps_change", request=serializers.AppChangeSerializer, responses=JSON)
    def patch(self, request: Request, app_id: str) -> Response:
        principal = principal_of(request)
        body = parsed(serializers.AppChangeSerializer, request)
        app = visible_app(principal, app_id)
        app = change_app(app, principal, title=body.get("title"), summary=body.get("summary"))
        return Response(selectors.app_as_json(app, principal))

    @extend_schema(operation_id="apps_delete", responses={204: None})
    def delete(self, request: Request, app_id: str) -> Response:
        principal = principal_of(request)
        delete_app(visible_app(principal, app_id), principal)
        return Response(status=status.HTTP_204_NO_CONTENT)


class TemplatesView(APIView):
    """Starter apps."""

    @extend_schema(operation_id="templates_list", responses=JSON)
    def get(self, request: Request) -> Response:
        principal_of(request)
        return Response({"results": usable_templates(), "next": None})


class ImportView(APIView):
    """A new app from an exported bundle."""

    @extend_schema(operation_id="apps_import", request=serializers.BundleSerializer, responses={201: JSON})
    def post(self, request: Request) -> Response:
        principal = principal_of(request)
        bundle = bundles.read_bundle(parsed(serializers.BundleSerializer, request)["bundle"])
        app = create_app(principal.user, bundle["title"], bundle=bundle)
        return Response(selectors.app_as_json(app, principal), status=status.HTTP_201_CREATED)


class DraftView(APIView):
    """The draft of a flow with its check."""

    @extend_schema(operation_id="drafts_read", responses=JSON)
    def get(self, request: Request, flow_id: str) -> Response:
        principal = principal_of(request)
        return Response(selectors.draft_as_json(visible_flow(principal, flow_id), principal))


class OperationsView(APIView):
    """Edits of a draft."""

    @extend_schema(operation_id="drafts_missed", parameters=[OpenApiParameter("after", int)], responses=JSON)
    def get(self, request: Request, flow_id: str) -> Response:
        flow = visible_flow(principal_of(request), flow_id)
        return Response(missed(flow, _whole(request.query_params.get("after"), 0)))

    @extend_schema(operation_id="drafts_edit", request=serializers.OperationsSerializer, responses=JSON)
    def post(self, request: Request, flow_id: str) -> Response:
        principal = principal_of(request)
        flow = visible_flow(principal, flow_id)
        require_editor(flow.app, principal)
        body = parsed(serializers.OperationsSerializer, request)
        applied = edit_draft(flow, body["base"], body["client"], body["operations"], principal.user)
        return Response(
            {
                "revision": applied.revision,
                "operations_since": applied.operations_since,
                "check": selectors.draft_check_as_json(applied.draft, principal),
            }
        )


class PresenceView(APIView):
    """Who has the flow open: a sign of life of one browser tab, and its farewell."""

    @extend_schema(operation_id="flows_present", request=serializers.PresenceSerializer, responses=JSON)
    def post(self, request: Request, flow_id: str) -> Response:
        principal = principal_of(request)
        flow = visible_flow(principal, flow_id)
        body = parsed(serializers.PresenceSerializer, request)
        if body["is_leaving"]:
            leave(flow, body["client"], principal.user)
        else:
            note_presence(flow, body["client"], principal.user, body["step"])
        return Response({"people": people_at([flow.pk])[str(flow.pk)]})


class CheckView(APIView):
    """Checks a document without saving it."""

    @extend_schema(operation_id="flows_check", request=serializers.DocumentSerializer, responses=JSON)
    def post(self, request: Request) -> Response:
        document = parsed(serializers.DocumentSerializer, request)["document"]
        checked, sources = check_document(document, principal_of(request).user)
        return Response(checked_as_json(document, checked, sources))


class ExportView(APIView):
    """The draft as one portable file."""

    @extend_schema(operation_id="flows_export", responses=JSON)
    def get(self, request: Request, flow_id: str) -> Response:
        return Response(bundles.make_bundle(visible_flow(principal_of(request), flow_id)))


class VersionsView(APIView):
    """Versions of an app."""

    @extend_schema(operation_id="versions_list", responses=JSON)
    def get(self, request: Request, app_id: str) -> Response:
        principal = principal_of(request)
        app = visible_app(principal, app_id)
        versions = Version.objects.visible_to(principal).filter(app=app).select_related("created_by")
        return Response({"results": [selectors.version_as_json(version) for version in versions[:200]], "next": None})

    @extend_schema(operation_id="versions_save", request=serializers.NewVersionSerializer, responses={201: JSON})
    def post(self, request: Request, app_id: str) -> Response:
        principal = principal_of(request)
        app = visible_app(principal, app_id)
        require_editor(app, principal)
        version = save_version(app, principal.user, parsed(serializers.NewVersionSerializer, request).get("note", ""))
        return Response(selectors.version_as_json(version), status=status.HTTP_201_CREATED)


class VersionView(APIView):
    """One version with its frozen document."""

    @extend_schema(operation_id="versions_read", responses=JSON)
    def get(self, request: Request, version_id: str) -> Response:
        version = visible_version(principal_of(request), version_id)
        return Response({**selectors.version_as_json(version), "document": version.document})


class RestoreView(APIView):
    """Brings a version back as the draft."""

    @extend_schema(operation_id="versions_restore", request=serializers.RestoreSerializer, responses=JSON)
    def post(self, request: Request, version_id: str) -> Response:
        principal = principal_of(request)
        version = visible_version(principal, version_id)
        require_editor(version.app, principal)
        flows = restore_version(version, principal.user, parsed(serializers.RestoreSerializer, request).get("flow"))
        return Response({"flows": [str(flow.pk) for flow in flows]})


class DifferenceView(APIView):
    """What changed between two versions of one app."""

    @extend_schema(operation_id="versions_diff", responses=JSON)
    def get(self, request: Request, version_id: str, other_id: str) -> Response:
        principal = principal_of(request)
        old, new = visible_version(principal, version_id), visible_version(principal, other_id)
        if old.app_id != new.app_id:
            raise Http404
        return Response({"flows": version_difference(old, new)})


def _whole(value: str | None, default: int) -> int:
    return int(value) if value and value.isdecimal() and len(value) < 10 else default
