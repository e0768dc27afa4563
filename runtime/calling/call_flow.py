"""A published flow is called: somebody waits, and the rows go straight back. Nothing of it survives the process.

The same document, plan, guard and checks as a run's, with the rights of the person who calls; only the way of the rows
and the limits differ.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import pyarrow as pa
from django.conf import settings

from flows.errors import FlowError
from flows.graph.plan import Plan, Stage
from flows.models import PublishedFlow
from runtime.bindings import call_work
from runtime.calling.executor import EXECUTOR
from runtime.calling.plans import CallPlan, call_plan, forget_plan
from runtime.calling.rate import RATES
from runtime.calling.tally import TALLY
from runtime.engine.pipe import pack
from runtime.engine.work import Form, Limits, PackedWork, SinkSpec, StageOutcome, StageWork, rated_nodes
from runtime.errors import CallError, RunError, StalePlanError
from runtime.node_slots import limited_uses, turn_of_call
from runtime.uses import uses_of_stage
from security.access import Principal

PATIENCE = 2.0
"""Seconds that a call waits for its turn at a node."""
TICK = 0.05


@dataclass(frozen=True)
class Called:
    """The answer: all rows in the form that was asked for, how many, and for how long the caller has waited."""

    rows: bytes
    count: int
    seconds: float

    @property
    def table(self) -> pa.Table:
        """The rows of an answer in Arrow."""
        with pa.ipc.open_stream(self.rows) as reader:
            return reader.read_all()


@dataclass(frozen=True)
class Call:
    """A call whose rights, plan and sources have been looked up: it can be done now, and again while they hold."""

    flow: Any
    principal: Principal
    plan: CallPlan
    work: PackedWork
    uses: str
    """The nodes at which it needs a turn (``runtime.uses``)."""
    datasets: frozenset[str]
    """What its rights were looked up for."""
    is_steady: bool
    """Whether the work stays the same while these hold: not when others who read a node now change its share."""

    def rebound(self, given: Mapping[str, Any]) -> Call | None:
        """The same call with other values of the inputs; None when they need a plan of their own. Raises FlowError."""
        values = self.plan.rebound(given)
        if values is None:
            return None
        return replace(self, work=PackedWork(work=self.work.work, values=values))


def call_flow(
    principal: Principal, app_id: Any, flow_key: str, given: Mapping[str, Any], caller: str, form: Form = "arrow"
) -> Called:
    """Call the flow with values for its inputs. ``caller`` names the token (or person) whose calls are limited.

    Raises NotFoundError for what does not exist for the person, CallError and FlowError for what goes wrong.
    """
    started = time.perf_counter()
    published = published_flow(principal, app_id, flow_key)
    RATES.count(caller, settings.OPTIONS["CALLS_A_MINUTE"])
    with _tallied(published.flow_id, principal, started):
        call = prepare_call(published, flow_key, principal, given, form)
    return do_call(call, started)


def published_flow(principal: Principal, app_id: Any, flow_key: str) -> PublishedFlow:
    """The flow that the person may call. Raises NotFoundError."""
    rows: Any = PublishedFlow.objects.visible_to(principal)
    found: PublishedFlow = rows.get_visible(principal, flow__app_id=app_id, flow__key=flow_key)
    return found


def prepare_call(
    published: PublishedFlow, flow_key: str, principal: Principal, given: Mapping[str, Any], form: Form
) -> Call:
    """Look up everything that a call needs. Raises FlowError and RunError."""
    found = call_plan(published, flow_key, principal.user, given)
    try:
        work = _work(found.plan, principal, form)
    except StalePlanError:
        # A right or a schema has moved since the plan was made: today's plan, or today's reason why there is none.
        forget_plan(found.key)
        found = call_plan(published, flow_key, principal.user, given)
        work = _work(found.plan, principal, form)
    stage = found.plan.stages[0]
    (uses,) = limited_uses([uses_of_stage(stage)])
    packed = msgspec.structs.replace(pack(work), values=found.given)
    return Call(published.flow_id, principal, found, packed, uses, frozenset(_datasets(stage)), not rated_nodes(work))


def do_call(call: Call, started: float) -> Called:
    """Wait for the rows, and count the call. Raises CallError; ``started`` is when the caller began to wait."""
    with _tallied(call.flow, call.principal, started), _turn(call.uses):
        outcome = EXECUTOR.run(call.work)
    return _called(call, outcome, started)


async def do_call_soon(call: Call, started: float) -> Called:
    """The same for an event loop, which does other things while it waits. Only for calls that need no turn."""
    assert not call.uses, "turns are waited for by threads"
    with _tallied(call.flow, call.principal, started):
        outcome = await EXECUTOR.run_soon(call.work)
    return _called(call, outcome, started)


def _called(call: Call, outcome: StageOutcome, started: float) -> Called:
    seconds = time.perf_counter() - started
    TALLY.note(call.flow, call.principal, seconds, rows=outcome.rows)
    return Called(outcome.answer, outcome.rows, seconds)


@contextmanager
def _tallied(flow: Any, principal: Principal, started: float) -> Iterator[None]:
    """A call that ends in here has failed."""
    try:
        yield
    except (FlowError, RunError) as error:
        TALLY.note(flow, principal, time.perf_counter() - started, error=error)
        raise


@contextmanager
def _turn(uses: str) -> Iterator[None]:
    """Hold a turn at every node that the call reads. Raises CallError when there is none for too long."""
    deadline = time.monotonic() + min(PATIENCE, settings.OPTIONS["CALL_SECONDS"] / 2)
    while True:
        with turn_of_call(uses, settings.OPTIONS["CALL_SECONDS"]) as full:
            if not full:
                yield
                return
        if time.monotonic() > deadline:
            raise CallError("call.node_busy", full[0].words, 503, full[0].key)
        time.sleep(TICK)


def _datasets(stage: Stage) -> Iterator[str]:
    """Numbers of all datasets that a stage may read."""
    for binding in stage.bindings:
        if binding.kind == "dataset":
            yield from (read.dataset for read in binding.reads)
    if stage.instead is not None:
        yield from _datasets(stage.instead)


def _work(plan: Plan, principal: Principal, form: Form) -> StageWork:
    options = settings.OPTIONS
    limits = Limits(
        memory_mb=options["CALL_MEMORY_MB"],
        threads=1,
        file_roots=tuple(settings.FILE_ROOTS),
        allowed_networks=tuple(options["ALLOWED_NETWORKS"]),
        statement_seconds=options["CALL_SECONDS"],
        most_seconds=options["CALL_SECONDS"],
        time_zone=settings.TIME_ZONE,
    )
    sink = SinkSpec(kind="return", limit=options["CALL_ROWS"], form=form)
    work = call_work(plan, principal.user, sink, limits)
    return msgspec.structs.replace(work, keep=f"call:{principal.id}")
