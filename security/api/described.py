"""How routes describe themselves to the API schema: one problem body for all of them, one list shape."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, inline_serializer
from rest_framework import serializers

from security.api.inputs import LocalText


class ProblemItem(serializers.Serializer):  # type: ignore[type-arg]
    """One thing wrong with the input."""

    pointer = serializers.CharField()
    code = serializers.CharField()
    message = LocalText()


class ProblemBody(serializers.Serializer):  # type: ignore[type-arg]
    """The body of every error (RFC 9457, application/problem+json)."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField(help_text="In the language of the person who asks.")
    message = LocalText()
    instance = serializers.CharField(help_text="The request's id.")
    problems = ProblemItem(many=True)


PROBLEM = OpenApiResponse(ProblemBody, description="What is wrong, why, and what to do.")


def described(
    name: str,
    answer: Any = None,
    *,
    request: Any = None,
    status: int = 200,
    problems: Sequence[int] = (401, 403, 404),
    parameters: Sequence[OpenApiParameter] = (),
    tag: str = "",
    anonymous: bool = False,
) -> Callable[[Any], Any]:
    """Annotate a view method: operation id, body, answer (None: 204) and the problems it may answer with."""
    status = 204 if answer is None and status == 200 else status
    responses: dict[int, Any] = {status: answer}
    codes = {*problems, *((400,) if request is not None or parameters else ())}
    responses.update({(code, "application/problem+json"): PROBLEM for code in sorted(codes)})  # type: ignore[misc]
    options: dict[str, Any] = {"operation_id": name, "request": request, "responses": responses}
    if parameters:
        options["parameters"] = list(parameters)
    if tag:
        options["tags"] = [tag]
    if anonymous:
        options["auth"] = []
    return extend_schema(**options)


def query(name: str, description: str = "", *, enum: Sequence[str] | None = None, kind: Any = str) -> OpenApiParameter:
    """One optional query parameter."""
    return OpenApiParameter(name, kind, OpenApiParameter.QUERY, required=False, description=description, enum=enum)


PAGING = (
    query("cursor", "Where the last page ended: its `next`."),
    query("limit", "Rows per page, at most 200.", kind=OpenApiTypes.INT),
)


_lists: dict[str, Any] = {}


def list_of(item: type[serializers.Serializer], **more: Any) -> Any:  # type: ignore[type-arg]
    """The shape of a list: results, next, and what ``more`` adds. The same list is one component of the schema."""
    name = f"{item.__name__}List" + "".join(part.title() for part in sorted(more))
    if name not in _lists:
        fields = {"results": item(many=True), "next": serializers.CharField(allow_null=True), **more}
        _lists[name] = inline_serializer(name, fields)
    return _lists[name]
