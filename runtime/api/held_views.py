"""Routes of rows that previews use instead of computing them: pinned samples and temporary results."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from runtime.api.views import JSON, parsed, require_editor, visible_flow
from runtime.guarding import is_open
from runtime.held_rows import all_held, as_line
from runtime.models import PinnedSample, Task
from runtime.pinned import edit_pin, pin_preview, unpin
from security import clock
from security.access import Principal, principal_of
from security.api.described import described
from security.errors import NotFoundError


class PinSerializer(serializers.Serializer[object]):
    """Pin the rows of a finished preview (``task``), or replace the rows of a pin (``rows``)."""

    task = serializers.UUIDField(required=False, allow_null=True, default=None)
    rows = serializers.ListField(child=serializers.ListField(), required=False, allow_null=True, default=None)


class HeldView(APIView):
    """What previews of a flow use today instead of computing it."""

    @described("flows_held", JSON, tag="runs")
    def get(self, request: Request, flow_id: UUID) -> Response:
        """Pinned samples and rows of runs to here: used, old (something before has changed) or closed to the asker."""
        principal = principal_of(request)
        flow = visible_flow(principal, flow_id)
        held = all_held(flow, principal.user)
        return Response({"results": [as_line(one) for one in held], "next": None})


class PinView(APIView):
    """The pinned sample of one port."""

    @described("pins_read", JSON, tag="runs")
    def get(self, request: Request, flow_id: UUID, step: str, port: str) -> Response:
        principal = principal_of(request)
        pin = _pin(principal, flow_id, step, port)
        if not is_open(pin.policy, principal.user):
            raise NotFoundError()
        return Response(_as_json(pin))

    @described("pins_put", JSON, request=PinSerializer, tag="runs", problems=(401, 403, 404, 422))
    def put(self, request: Request, flow_id: UUID, step: str, port: str) -> Response:
        principal = principal_of(request)
        body = parsed(PinSerializer, request)
        flow = visible_flow(principal, flow_id)
        require_editor(principal, flow.app)
        if body["rows"] is not None:
            pin = edit_pin(_pin(principal, flow_id, step, port), body["rows"], principal.user)
        else:
            task = Task.objects.get_visible(principal, pk=body["task"], requested_by=principal.user)
            pin = pin_preview(flow, step, port, task, principal.user)
        return Response(_as_json(pin))

    @described("pins_delete", JSON, status=204, tag="runs")
    def delete(self, request: Request, flow_id: UUID, step: str, port: str) -> Response:
        principal = principal_of(request)
        pin = _pin(principal, flow_id, step, port)
        require_editor(principal, pin.flow.app)
        unpin(pin, principal.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _pin(principal: Principal, flow_id: Any, step: str, port: str) -> PinnedSample:
    pin: PinnedSample = PinnedSample.objects.select_related("flow__app").get_visible(
        principal, flow_id=flow_id, step=step, port=port, expires_at__gt=clock.now()
    )
    return pin


def _as_json(pin: PinnedSample) -> dict[str, Any]:
    return {
        "id": str(pin.pk),
        "step": pin.step,
        "port": pin.port,
        "columns": pin.columns,
        "rows": pin.rows,
        "is_edited": pin.is_edited,
        "updated_at": pin.updated_at,
        "expires_at": pin.expires_at,
    }
