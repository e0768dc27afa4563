"""Routes about the languages of expressions and of the SQL step."""

from __future__ import annotations

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from flows.graph.expression import functions
from flows.graph.queries.windows import FUNCTIONS_OVER


class FunctionsView(APIView):
    """What may be called in expressions and queries; `over` are those that need OVER, in queries only."""

    @extend_schema(operation_id="functions_list", responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        over = [
            {"name": name, "signature": signature, "summary": summary}
            for name, (signature, summary) in FUNCTIONS_OVER.items()
        ]
        return Response({"functions": functions(), "over": over})
