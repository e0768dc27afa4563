"""How runs of a flow behave beside each other: read by who sees the flow, changed by who may run it."""

from __future__ import annotations

from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from runtime.api import serializers
from runtime.api.views import JSON, parsed, require_editor, visible_flow
from runtime.rules import change_rule, rule_as_json
from security.access import principal_of
from security.api.described import described


class RunRuleView(APIView):
    """A flow's run settings; those of a flow without any are the defaults."""

    @described("flows_run_rule", JSON, tag="runs")
    def get(self, request: Request, flow_id: UUID) -> Response:
        principal = principal_of(request)
        return Response(rule_as_json(principal, visible_flow(principal, flow_id)))

    @described("flows_run_rule_change", JSON, request=serializers.RunRuleSerializer, tag="runs")
    def put(self, request: Request, flow_id: UUID) -> Response:
        principal = principal_of(request)
        body = parsed(serializers.RunRuleSerializer, request)
        flow = visible_flow(principal, flow_id)
        require_editor(principal, flow.app)
        change_rule(principal, flow, body["settings"])
        return Response(rule_as_json(principal, flow))
