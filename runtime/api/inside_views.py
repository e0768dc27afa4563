"""Routes into a step of a run: the called flow, and the iterations of a for-each."""

from __future__ import annotations

from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from runtime.api.views import JSON, visible_run
from runtime.inside import called_flow, iteration_lines, iterations
from security.access import principal_of
from security.api.described import PAGING, described, query
from security.paging import page_of


class InsideView(APIView):
    """The flow that a step of a run calls."""

    @described("runs_inside", JSON, tag="runs")
    def get(self, request: Request, run_id: UUID, path: str) -> Response:
        """Document and layout as the run used them; ``path`` are the steps that lead there, with slashes."""
        principal = principal_of(request)
        return Response(called_flow(visible_run(principal, run_id), path.split("/"), principal))


class IterationsView(APIView):
    """The iterations of a for-each."""

    @described(
        "runs_iterations",
        JSON,
        parameters=[
            query("state", "One or more of waiting, running, done, failed, cancelled, with commas."),
            *PAGING,
        ],
        problems=(400, 401, 404),
        tag="runs",
    )
    def get(self, request: Request, run_id: UUID, step: str) -> Response:
        """In the order of the items: state, attempt, times, rows per inner step, error."""
        principal = principal_of(request)
        run = visible_run(principal, run_id)
        words = [word for word in request.query_params.get("state", "").split(",") if word]
        page = page_of(iterations(run, step, words), request, ("stage",))
        return Response({"results": iteration_lines(run, step, page.objects, principal), "next": page.next})
