"""Routes of the guard's visible table."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from node_catalog.models import OutgoingOpening
from node_catalog.openings import create_opening, delete_opening
from security.access import principal_of, require_right
from security.api.described import described, list_of
from security.api.inputs import Input, read_input

TAG = "openings"


class OpeningInput(Input):
    """A network to open; port 0 means every port, an empty connector every node type."""

    network = serializers.CharField(max_length=60)
    port = serializers.IntegerField(min_value=0, max_value=65535, required=False, default=0)
    connector = serializers.CharField(max_length=40, required=False, allow_blank=True, default="")
    reason = serializers.CharField(max_length=500)


class OpeningOutput(serializers.Serializer):  # type: ignore[type-arg]
    """An open network."""

    id = serializers.UUIDField()
    network = serializers.CharField()
    port = serializers.IntegerField()
    connector = serializers.CharField()
    reason = serializers.CharField()
    created_by = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()

    def get_created_by(self, opening: OutgoingOpening) -> str:
        """The person's name; empty when the person is gone."""
        return opening.created_by.name if opening.created_by else ""


class OpeningsView(APIView):
    """All openings."""

    @described("openings_list", list_of(OpeningOutput), problems=(401, 403), tag=TAG)
    def get(self, request: Request) -> Response:
        """What is open beside the public internet."""
        principal = principal_of(request)
        require_right(principal, "opening.manage")
        found = OutgoingOpening.objects.visible_to(principal).select_related("created_by")
        return Response({"results": OpeningOutput(found, many=True).data, "next": None})

    @described("openings_create", OpeningOutput, request=OpeningInput, status=201, problems=(401, 403), tag=TAG)
    def post(self, request: Request) -> Response:
        """Open a network."""
        principal = principal_of(request)
        require_right(principal, "opening.manage")
        opening = create_opening(principal, read_input(OpeningInput, request.data), request)
        return Response(OpeningOutput(opening).data, status=201)


class OpeningView(APIView):
    """One opening."""

    @described("openings_delete", tag=TAG)
    def delete(self, request: Request, opening_id: Any) -> Response:
        """Close it."""
        principal = principal_of(request)
        delete_opening(principal, OutgoingOpening.objects.get_visible(principal, pk=opening_id), request)
        return Response(status=204)
