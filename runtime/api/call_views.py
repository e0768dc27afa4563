"""Routes of published flows: the switch and its figures for who works on the flow, and the call itself."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from flows.models import Flow
from flows.planning import version_document
from flows.publishing import publication_of, publish_flow, withdraw_flow
from node_catalog.sdk.text import text
from runtime.api import serializers
from runtime.api.result_views import OneAnswer
from runtime.api.views import JSON, parsed, visible_flow
from runtime.calling.again import ASKED, FAILED, Asked
from runtime.calling.answers import body_of, chosen, engine_form
from runtime.calling.call_flow import call_flow
from runtime.calling.tally import counts_of
from runtime.errors import CallError
from security.access import Principal, principal_of
from security.api.described import described
from security.errors import InvalidError, Problem


class PublishedView(APIView):
    """Whether a flow can be called, by whom, how, and how that went."""

    @described("flows_api_read", JSON, tag="calls")
    def get(self, request: Request, flow_id: UUID) -> Response:
        principal = principal_of(request)
        return Response(_as_json(visible_flow(principal, flow_id), principal))

    @described(
        "flows_api_publish", JSON, request=serializers.PublishSerializer, problems=(401, 403, 404, 422), tag="calls"
    )
    def put(self, request: Request, flow_id: UUID) -> Response:
        principal = principal_of(request)
        flow = visible_flow(principal, flow_id)
        publish_flow(flow, principal, parsed(serializers.PublishSerializer, request)["audience"])
        return Response(_as_json(flow, principal))

    @described("flows_api_withdraw", JSON, tag="calls")
    def delete(self, request: Request, flow_id: UUID) -> Response:
        principal = principal_of(request)
        flow = visible_flow(principal, flow_id)
        withdraw_flow(flow, principal)
        return Response(_as_json(flow, principal))


class CallView(APIView):
    """Call a published flow and wait for its rows. Nothing is kept: who needs a durable result starts a run."""

    content_negotiation_class = OneAnswer

    @described(
        "flows_call", JSON, request=OpenApiTypes.OBJECT, problems=(401, 404, 406, 422, 429, 503, 504), tag="calls"
    )
    def post(self, request: Request, app_id: UUID, flow_key: str) -> HttpResponse:
        scope = getattr(request._request, "scope", {})
        if FAILED in scope:
            raise scope[FAILED]
        principal = principal_of(request)
        form = chosen(request.META.get("HTTP_ACCEPT", ""))
        if form is None:
            raise _no_such_form()
        given = request.data
        if not isinstance(given, dict):
            message = text(
                "The body must be a JSON object with the flow's inputs.", "请求体应为包含流程参数的 JSON 对象。"
            )
            raise InvalidError(problems=[Problem("", "input.object", message)])
        caller = str(request.auth.pk) if request.auth is not None else str(principal.id)
        if request.auth is not None:
            scope[ASKED] = Asked(request.auth, principal, app_id, flow_key, given, form)
        called = call_flow(principal, app_id, flow_key, given, caller, engine_form(form))
        return HttpResponse(body_of(called, form), content_type=form, headers={"Cache-Control": "no-store"})


def _no_such_form() -> CallError:
    return CallError(
        "request.accept",
        text(
            "Answers are application/json, text/csv or application/vnd.apache.arrow.stream: name one in Accept.",
            "可返回 application/json、text/csv 或 application/vnd.apache.arrow.stream，请在 Accept 中指定其一。",
        ),
        406,
    )


def _as_json(flow: Flow, principal: Principal) -> dict[str, Any]:
    options = settings.OPTIONS
    published = publication_of(flow)
    facts: dict[str, Any] = {
        "address": f"/api/call/{flow.app_id}/{flow.key}",
        "is_on": published is not None,
        "can_change": flow.app.owner_id == principal.id,
        "limits": {
            "seconds": options["CALL_SECONDS"], "rows": options["CALL_ROWS"], "a_minute": options["CALLS_A_MINUTE"],
        },
    }  # fmt: skip
    if published is None:
        return facts
    return {
        **facts,
        "audience": published.audience,
        "version": published.version.number,
        "published_at": published.published_at.isoformat(),
        "inputs": version_document(published.version, flow.key).inputs,
        "columns": published.columns,
        "hours": counts_of(flow.pk),
    }
