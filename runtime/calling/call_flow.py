"""A published flow is called: somebody waits, and the rows go straight back. Nothing of it survives the process.

The same document, plan, guard and checks as a run's, with the rights of the person who calls; only the way of the rows
and the limits differ.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import msgspec
import pyarrow as pa
from django.conf import settings

from flows.errors import FlowError
from flows.graph.plan import Plan
from flows.models import PublishedFlow
from runtime.bindings import call_work
from runtime.calling.executor import EXECUTOR
from runtime.calling.plans import call_plan, forget_plan
from runtime.calling.rate import RATES
from runtime.calling.tally import TALLY
from runtime.engine.work import Limits, SinkSpec, StageWork
from runtime.errors import CallError, RunError, StalePlanError
from runtime.node_slots import limited_uses, turn_of_call
from runtime.uses import uses_of_stage
from security.access import Principal

PATIENCE = 2.0
"""Seconds that a call waits for its turn at a node."""
TICK = 0.05


@dataclass(frozen=True)
class Called:
    """The answer: all rows, and for how long the caller has waited."""

    table: pa.Table
    seconds: float


def call_flow(principal: Principal, app_id: Any, flow_key: str, given: Mapping[str, Any], caller: str) -> Called:
    """Call the flow with values for its inputs. ``caller`` names the token (or person) whose calls are limited.

    Raises NotFoundError for what does not exist for the person, CallError and FlowError for what goes wrong.
    """
    started = time.perf_counter()
    rows: Any = PublishedFlow.objects.visible_to(principal)
    published: PublishedFlow = rows.get_visible(principal, flow__app_id=app_id, flow__key=flow_key)
    RATES.count(caller, settings.OPTIONS["CALLS_A_MINUTE"])
    try:
        table = _rows(published, flow_key, principal, given)
    except (FlowError, RunError) as error:
        TALLY.note(published.flow_id, principal, time.perf_counter() - started, error=error)
        raise
    seconds = time.perf_counter() - started
    TALLY.note(published.flow_id, principal, seconds, rows=table.num_rows)
    return Called(table, seconds)


def _rows(published: PublishedFlow, flow_key: str, principal: Principal, given: Mapping[str, Any]) -> pa.Table:
    plan, key = call_plan(published, flow_key, principal.user, given)
    try:
        work = _work(plan, principal)
    except StalePlanError:
        # A right or a schema has moved since the plan was made: today's plan, or today's reason why there is none.
        forget_plan(key)
        plan, key = call_plan(published, flow_key, principal.user, given)
        work = _work(plan, principal)
    with _turn(plan):
        outcome = EXECUTOR.run(work)
    with pa.ipc.open_stream(outcome.table) as reader:
        return reader.read_all()


@contextmanager
def _turn(plan: Plan) -> Iterator[None]:
    """Hold a turn at every node that the call reads. Raises CallError when there is none for too long."""
    (words,) = limited_uses([uses_of_stage(plan.stages[0])])
    deadline = time.monotonic() + min(PATIENCE, settings.OPTIONS["CALL_SECONDS"] / 2)
    while True:
        with turn_of_call(words, settings.OPTIONS["CALL_SECONDS"]) as full:
            if not full:
                yield
                return
        if time.monotonic() > deadline:
            raise CallError("call.node_busy", full[0].words, 503, full[0].key)
        time.sleep(TICK)


def _work(plan: Plan, principal: Principal) -> StageWork:
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
    sink = SinkSpec(kind="return", limit=options["CALL_ROWS"])
    work = call_work(plan, principal.user, sink, limits)
    return msgspec.structs.replace(work, keep=f"call:{principal.id}")
