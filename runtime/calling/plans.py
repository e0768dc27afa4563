"""Plans of calls: made once for a version and a person, whatever the values given, and kept in this process alone.

A plan is made without the values of the flow's inputs, which are bound to its text by each call. An input that decides
something while the plan is made (``flows.graph.expressions.open_values``) is *closed*: its value is written into the
plan, and each value has one of its own. Every call compares the rights and schemas of the moment with those of the plan
(``call_work``); a plan that no longer holds is made anew, so that a withdrawn grant counts from the next call on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flows.checking import blocking
from flows.datasets import gather_sources
from flows.errors import FlowCheckError, FlowError
from flows.graph.document import Document
from flows.graph.expressions.open_values import ValueNeededError
from flows.graph.given_values import Given, OpenInputs
from flows.graph.plan import Plan, digest_of
from flows.models import PublishedFlow, Version
from flows.planning import Inputs, version_document
from flows.publishing import not_small
from node_catalog.sdk.memory import Memory
from runtime.plans import is_alone
from security.models import User


class CalledFlow:
    """A flow of a version as calls see it."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.inputs = Inputs(document.inputs)
        self.open = OpenInputs(document.inputs)


@dataclass(frozen=True)
class CallPlan:
    """The plan of one call with the values for it."""

    plan: Plan
    key: Any
    """Under which it is kept."""
    flow: CalledFlow
    opened: Mapping[str, str]
    """Inputs whose values are not in the plan."""
    names: frozenset[str]
    """All inputs that have a value."""
    given: Given

    @property
    def is_open(self) -> bool:
        """Whether it holds for all values of its inputs."""
        return len(self.opened) == len(self.names)

    def rebound(self, given: Mapping[str, Any]) -> Given | None:
        """The values of another call of the same plan; None when it needs one of its own. Raises FlowError."""
        values = self.flow.inputs.complete(given)
        if values.keys() != self.names or not self.is_open:
            return None
        try:
            return self.flow.open.given(values, self.opened)
        except ValueError:
            return None


_FLOWS: Memory[CalledFlow] = Memory(256)
_PLANS: Memory[Plan] = Memory(256)
_CLOSED: Memory[frozenset[str]] = Memory(1024)


def call_plan(published: PublishedFlow, flow_key: str, user: User, given: Mapping[str, Any]) -> CallPlan:
    """The plan of one call.

    Raises FlowError for parameters that do not fit and for a flow of several stages, FlowCheckError when a right is
    missing or a source has moved.
    """
    version = published.version_id
    flow = _FLOWS.get((version, flow_key), lambda: _called_flow(version, flow_key))
    values = flow.inputs.complete(given)
    asked = (version, flow_key, user.pk, frozenset(values))
    closed = known = _CLOSED.find(asked) or frozenset()
    while True:
        opened = flow.open.opened(name for name, one in values.items() if name not in closed and one is not None)
        try:
            bound = flow.open.given(values, opened)
        except ValueError:
            opened, bound = {}, {}  # what is wrong is told by the check of the whole
        key = (*asked, digest_of({name: value for name, value in values.items() if name not in opened}))
        plan = _PLANS.find(key)
        try:
            plan = plan or _make(flow.document, user, values, opened)
        except ValueNeededError as needed:
            closed |= {needed.name}
            continue
        except FlowError:
            if not opened:
                raise
            closed |= opened.keys()
            continue
        _PLANS.keep(key, plan)
        if closed != known:
            _CLOSED.keep(asked, closed)
        return CallPlan(plan, key, flow, opened, frozenset(values), bound)


def forget_plan(key: Any) -> None:
    """The plan holds no longer."""
    _PLANS.drop(key)


def _called_flow(version: Any, flow_key: str) -> CalledFlow:
    return CalledFlow(version_document(Version.objects.get(pk=version), flow_key))


def _make(document: Document, user: User, values: Mapping[str, Any], opened: Mapping[str, str]) -> Plan:
    sources = gather_sources(document, user)
    errors = blocking(sources.check(document, values, opened=opened).findings)
    if errors:
        raise FlowCheckError(errors)
    plan = sources.plan(document, values, opened=opened)
    if not is_alone(plan) or plan.stages[0].sink.kind != "result":
        raise not_small()
    return plan
