"""Pools: seen by whoever may choose one for a flow, kept by operators."""

from __future__ import annotations

from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from runtime.models import Pool
from runtime.pool_changes import change_pool, create_pool, pool_card, remove_pool
from security.access import principal_of
from security.api.described import described, list_of
from security.api.inputs import Input, read_input

TAG = "pools"


class PoolInput(Input):
    """A pool's name and its places; 0 places close it."""

    name = serializers.CharField(max_length=60)
    note = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")
    places = serializers.IntegerField(min_value=0, max_value=10_000)


class PoolOutput(serializers.Serializer[object]):
    """A pool: places, those that are taken now, tasks that wait for it, flows whose run settings name it."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    note = serializers.CharField(allow_blank=True)
    places = serializers.IntegerField()
    in_use = serializers.IntegerField()
    waiting = serializers.IntegerField()
    flows = serializers.IntegerField()


class PoolsView(APIView):
    """All pools."""

    @described("pools_list", list_of(PoolOutput), tag=TAG)
    def get(self, request: Request) -> Response:
        """What there is to choose from, and how busy it is."""
        found = Pool.objects.visible_to(principal_of(request))
        return Response({"results": [pool_card(pool) for pool in found], "next": None})

    @described("pools_create", PoolOutput, request=PoolInput, status=201, problems=(401, 403), tag=TAG)
    def post(self, request: Request) -> Response:
        """Make a pool."""
        pool = create_pool(principal_of(request), read_input(PoolInput, request.data), request)
        return Response(pool_card(pool), status=201)


class PoolView(APIView):
    """One pool."""

    @described("pools_change", PoolOutput, request=PoolInput, tag=TAG)
    def put(self, request: Request, pool_id: UUID) -> Response:
        """Change its name, note and places."""
        principal = principal_of(request)
        pool = Pool.objects.get_visible(principal, pk=pool_id)
        return Response(pool_card(change_pool(principal, pool, read_input(PoolInput, request.data), request)))

    @described("pools_delete", tag=TAG)
    def delete(self, request: Request, pool_id: UUID) -> Response:
        """Remove it; 409 while flows use it."""
        principal = principal_of(request)
        remove_pool(principal, Pool.objects.get_visible(principal, pk=pool_id), request)
        return Response(status=204)
