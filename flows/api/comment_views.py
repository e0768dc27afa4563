"""Routes of comments on a flow."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiTypes, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from flows import comments
from flows.api.views import parsed, visible_flow
from flows.models import Comment
from security.access import principal_of

JSON = OpenApiTypes.OBJECT


class NewCommentSerializer(serializers.Serializer[object]):
    """A remark: on a step, on the flow (no step), or in a thread; ``mentions`` are people's ids."""

    body = serializers.CharField(max_length=comments.LONGEST)
    step = serializers.CharField(max_length=80, allow_blank=True, default="")
    thread = serializers.UUIDField(required=False, allow_null=True, default=None)
    mentions = serializers.ListField(child=serializers.UUIDField(), max_length=comments.MOST_MENTIONS, default=list)


class ResolveSerializer(serializers.Serializer[object]):
    """Whether the thread is done with."""

    is_resolved = serializers.BooleanField()


class CommentsView(APIView):
    """Threads of a flow, and who may be mentioned."""

    @extend_schema(operation_id="comments_list", responses=JSON)
    def get(self, request: Request, flow_id: str) -> Response:
        principal = principal_of(request)
        flow = visible_flow(principal, flow_id)
        people = [{"id": str(one.pk), "name": one.name} for one in comments.people_of(flow)[:500]]
        return Response({"results": comments.threads_as_json(flow, principal), "people": people, "next": None})

    @extend_schema(operation_id="comments_add", request=NewCommentSerializer, responses={201: JSON})
    def post(self, request: Request, flow_id: str) -> Response:
        principal = principal_of(request)
        flow = visible_flow(principal, flow_id)
        body = parsed(NewCommentSerializer, request)
        thread = None
        if body["thread"] is not None:
            thread = Comment.objects.get_visible(principal, pk=body["thread"], flow=flow)
        made = comments.add_comment(
            flow, principal.user, body["body"], step=body["step"], thread=thread, mentions=body["mentions"]
        )
        return Response({"id": str(made.pk)}, status=status.HTTP_201_CREATED)


class CommentView(APIView):
    """One comment."""

    @extend_schema(operation_id="comments_resolve", request=ResolveSerializer, responses={204: None})
    def patch(self, request: Request, comment_id: str) -> Response:
        principal = principal_of(request)
        comment: Any = Comment.objects.select_related("thread").get_visible(principal, pk=comment_id)
        comments.resolve(comment, principal.user, parsed(ResolveSerializer, request)["is_resolved"])
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(operation_id="comments_remove", responses={204: None})
    def delete(self, request: Request, comment_id: str) -> Response:
        principal = principal_of(request)
        comments.remove(Comment.objects.get_visible(principal, pk=comment_id), principal.user)
        return Response(status=status.HTTP_204_NO_CONTENT)
