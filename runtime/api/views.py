"""Routes of runs and tasks: thin, every object fetched through ``visible_to``; unknown and forbidden both are 404."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Q
from drf_spectacular.types import OpenApiTypes
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from flows.models import Flow, Version
from flows.policy import is_editor
from node_catalog.sdk.text import text
from runtime import requests
from runtime.admission import why_waiting
from runtime.api import serializers
from runtime.awaiting import MOST_SECONDS, await_end
from runtime.grid import run_grid
from runtime.models import Run, Task
from runtime.monitor import monitor_snapshot, run_answer, run_card, run_rows, run_snapshot
from runtime.pausing import pause_run, resume_run
from runtime.querysets import WATCHERS, sees_rows
from runtime.reporting import events_after
from runtime.scheduler import cancel_run, repeat_run, start_again, start_run
from runtime.starting import STARTS, start_key
from runtime.states import RUN_STATES, plain
from security.access import Principal, principal_of, require_right
from security.api.described import PAGING, described, query
from security.errors import ForbiddenError, InvalidError, NotFoundError, Problem
from security.paging import page_of

JSON = OpenApiTypes.OBJECT
WAIT = query("wait", "Answer when the run has ended, or after so many seconds (60 at most).", kind=OpenApiTypes.FLOAT)


def parsed(serializer: type[Any], request: Request) -> dict[str, Any]:
    """The request's body by ``serializer``; all problems at once as a problem body."""
    checked = serializer(data=request.data)
    checked.is_valid(raise_exception=True)
    return dict(checked.validated_data)


def wait_seconds(request: Request) -> float:
    """How long the client wants to wait for the end of a run. Raises InvalidError unless it is a number."""
    try:
        seconds = float(request.query_params.get("wait") or 0)
    except ValueError:
        seconds = float("nan")
    if not 0 <= seconds <= MOST_SECONDS:
        message = text(
            f"Give a number of seconds from 0 to {MOST_SECONDS:g}.", f"请填写 0 到 {MOST_SECONDS:g} 之间的秒数。"
        )
        raise InvalidError(problems=[Problem("/wait", "wait.wrong", message)])
    return seconds


def visible_flow(principal: Principal, flow_id: Any) -> Flow:
    """The flow with its draft and app, or 404."""
    flows = Flow.objects.select_related("app__owner", "app__organisation", "draft")
    flow: Flow = flows.get_visible(principal, pk=flow_id)
    return flow


def visible_run(principal: Principal, run_id: Any) -> Run:
    """The run with its app and flow, or 404."""
    run: Run = run_rows(principal).get_visible(principal, pk=run_id)
    return run


def steered_run(principal: Principal, run_id: Any) -> Run:
    """A visible run that the person may cancel, pause and resume. Raises ForbiddenError when they may only look."""
    run = visible_run(principal, run_id)
    if not principal.has_role(*WATCHERS):
        require_editor(principal, run.app)
    return run


def require_editor(principal: Principal, app: Any) -> None:
    """Raise ForbiddenError unless the person may change (and so run) the app."""
    if not is_editor(principal.roles, app.owner_id == principal.id):
        raise ForbiddenError(
            "run.not_editor",
            text(
                "Only business staff and data admins of the app's department may run it.",
                "只有该应用所属部门的业务人员和数据管理员可以运行它。",
            ),
        )


def started(principal: Principal, flow_id: UUID, parameters: dict[str, Any], version: UUID | None, until: str) -> Run:
    """A run of the flow, as it is stored; the short way when the same start came before (``runtime.starting``)."""
    key = start_key(principal, flow_id, version, parameters, until)
    known = STARTS.find(key)
    if known is not None:
        return start_again(known, principal.user, parameters, until)
    flow = visible_flow(principal, flow_id)
    require_editor(principal, flow.app)
    frozen = None
    if version is not None:
        frozen = Version.objects.get_visible(principal, pk=version)
        if frozen.app_id != flow.app_id:
            raise NotFoundError()
    run = start_run(flow, frozen, principal.user, parameters, until=until)
    STARTS.learn(key, principal, flow, frozen, parameters, until)
    return run


class FlowRunsView(APIView):
    """Runs of one flow."""

    @described(
        "runs_start",
        JSON,
        request=serializers.StartSerializer,
        parameters=[WAIT],
        status=201,
        problems=(401, 403, 404, 422),
        tag="runs",
    )
    def post(self, request: Request, flow_id: UUID) -> Response:
        principal = principal_of(request)
        body = parsed(serializers.StartSerializer, request)
        seconds = wait_seconds(request)
        run = started(principal, flow_id, **body)
        if seconds:
            await_end(run.pk, seconds)
            return Response(run_answer(principal, run.pk), status=status.HTTP_201_CREATED)
        return Response(run_card(run, principal), status=status.HTTP_201_CREATED)


class RunsView(APIView):
    """Runs that the person may see, newest first."""

    @described(
        "runs_list",
        JSON,
        parameters=[
            query("app", "Only runs of this app.", kind=OpenApiTypes.UUID),
            query("flow", "Only runs of this flow.", kind=OpenApiTypes.UUID),
            query("state", "One or more of waiting, running, done, failed, cancelled, paused, with commas."),
            query("mine", "Only runs that I started.", kind=bool),
            *PAGING,
        ],
        problems=(400, 401),
        tag="runs",
    )
    def get(self, request: Request) -> Response:
        principal = principal_of(request)
        runs = run_rows(principal).filter(self._wanted(request, principal))
        page = page_of(runs, request, ("-created_at", "-pk"))
        return Response({"results": [run_card(run, principal) for run in page.objects], "next": page.next})

    @staticmethod
    def _wanted(request: Request, principal: Principal) -> Q:
        wanted = Q()
        for name in ("app", "flow"):
            value = request.query_params.get(name)
            if value:
                wanted &= Q(**{f"{name}_id": _uuid(value, name)})
        words = [word for word in request.query_params.get("state", "").split(",") if word]
        if words:
            wanted &= Q(state__in=[state for state in RUN_STATES if plain(state) in words])
        if request.query_params.get("mine") in ("1", "true"):
            wanted &= Q(started_by_id=principal.id)
        return wanted


class RunGridView(APIView):
    """The newest runs of a flow side by side, with the state of every task."""

    @described(
        "runs_grid",
        JSON,
        parameters=[
            query("flow", "Which flow of the app; left out: the one that ran last.", kind=OpenApiTypes.UUID),
            query("runs", "How many runs, 30 unless said.", kind=int),
        ],
        tag="runs",
    )
    def get(self, request: Request, app_id: UUID) -> Response:
        flow = request.query_params.get("flow")
        most = _whole(request, "runs", 30, 1, 50)
        return Response(run_grid(principal_of(request), app_id, _uuid(flow, "flow") if flow else None, most))


def _uuid(value: str, name: str) -> UUID:
    try:
        return UUID(value)
    except ValueError:
        message = text(f"“{name}” must be an id.", f"“{name}”应为编号（UUID）。")
        raise InvalidError(problems=[Problem(f"/{name}", "id.malformed", message)]) from None


def _whole(request: Request, name: str, default: int, least: int, most: int) -> int:
    raw = request.query_params.get(name)
    if raw in (None, ""):
        return default
    if not raw.isdecimal() or not least <= int(raw) <= most:
        message = text(
            f"“{name}” must be a whole number from {least} to {most}.", f"“{name}”应为 {least} 到 {most} 的整数。"
        )
        raise InvalidError(problems=[Problem(f"/{name}", "number.range", message)])
    return int(raw)


class RunView(APIView):
    """One run: its snapshot."""

    @described("runs_read", JSON, parameters=[WAIT], tag="runs")
    def get(self, request: Request, run_id: UUID) -> Response:
        principal = principal_of(request)
        if seconds := wait_seconds(request):
            await_end(visible_run(principal, run_id).pk, seconds)
        return Response(run_snapshot(principal, run_id))


class RunWaitsView(APIView):
    """Why a run has not begun, and how many come before it; null for one that has."""

    @described("runs_waits", JSON, tag="runs")
    def get(self, request: Request, run_id: UUID) -> Response:
        return Response({"waits": why_waiting(visible_run(principal_of(request), run_id))})


class RunCancelView(APIView):
    """Stop a run."""

    @described("runs_cancel", JSON, tag="runs")
    def post(self, request: Request, run_id: UUID) -> Response:
        principal = principal_of(request)
        cancel_run(steered_run(principal, run_id).pk, principal.user)
        return Response(run_card(visible_run(principal, run_id), principal))


class RunPauseView(APIView):
    """Hold a run: nothing new starts, what is at work goes on to its end."""

    @described("runs_pause", JSON, tag="runs")
    def post(self, request: Request, run_id: UUID) -> Response:
        principal = principal_of(request)
        pause_run(steered_run(principal, run_id).pk, principal.user)
        return Response(run_card(visible_run(principal, run_id), principal))


class RunResumeView(APIView):
    """Let a held run go on."""

    @described("runs_resume", JSON, tag="runs")
    def post(self, request: Request, run_id: UUID) -> Response:
        principal = principal_of(request)
        resume_run(steered_run(principal, run_id).pk, principal.user)
        return Response(run_card(visible_run(principal, run_id), principal))


class RunRepeatView(APIView):
    """Run again."""

    @described("runs_rerun", JSON, request=serializers.RepeatSerializer, status=201, tag="runs")
    def post(self, request: Request, run_id: UUID) -> Response:
        principal = principal_of(request)
        body = parsed(serializers.RepeatSerializer, request)
        run = visible_run(principal, run_id)
        if not sees_rows(principal, run):
            raise NotFoundError()
        require_editor(principal, run.app)
        again = repeat_run(run, principal.user, body["from"], newest=body["newest"])
        return Response(run_card(visible_run(principal, again.pk), principal), status=status.HTTP_201_CREATED)


class RunEventsView(APIView):
    """Events of a run after a number: what a socket would have sent."""

    @described(
        "runs_events",
        JSON,
        parameters=[
            query("after", "The last number that you have.", kind=int),
            query("limit", "At most so many, up to 1000.", kind=int),
        ],
        tag="runs",
    )
    def get(self, request: Request, run_id: UUID) -> Response:
        run = visible_run(principal_of(request), run_id)
        after = _whole(request, "after", 0, 0, 2**53)
        limit = _whole(request, "limit", 500, 1, 1000)
        events = events_after(f"run:{run.pk}", after, limit + 1)
        is_more = len(events) > limit
        return Response({"results": events[:limit], "next": events[limit - 1]["seq"] if is_more else None})


class PreviewView(APIView):
    """Preview one step of a draft."""

    @described(
        "flows_preview",
        JSON,
        request=serializers.PreviewSerializer,
        status=202,
        problems=(401, 403, 404, 422),
        tag="runs",
    )
    def post(self, request: Request, flow_id: UUID) -> Response:
        principal = principal_of(request)
        body = parsed(serializers.PreviewSerializer, request)
        flow = visible_flow(principal, flow_id)
        return accepted(requests.request_preview(flow, body["step"], principal.user, body["revision"]))


def accepted(task: Task) -> Response:
    """A worker has been asked: the task to follow."""
    return Response({"task": str(task.pk)}, status=status.HTTP_202_ACCEPTED)


class MonitorView(APIView):
    """The whole platform at a glance, for those who watch over it."""

    @described("monitor_read", JSON, tag="monitor")
    def get(self, request: Request) -> Response:
        principal = principal_of(request)
        require_right(principal, "monitor.read")
        return Response(monitor_snapshot(principal))
