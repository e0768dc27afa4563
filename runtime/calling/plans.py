"""Plans of calls: made once for a version, a person and the values given, and kept in this process alone.

Every call compares the rights and schemas of the moment with those of the plan (``call_work``); a plan that no
longer holds is made anew, so that a withdrawn grant counts from the next call on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flows.checking import blocking
from flows.datasets import gather_sources
from flows.errors import FlowCheckError
from flows.graph.plan import Plan, digest_of
from flows.models import PublishedFlow, Version
from flows.planning import complete_parameters, version_document
from flows.publishing import not_small
from node_catalog.sdk.memory import Memory
from security.models import User

_PLANS: Memory[Plan] = Memory(256)


def call_plan(published: PublishedFlow, flow_key: str, user: User, given: Mapping[str, Any]) -> tuple[Plan, Any]:
    """The plan of one call, and the key under which it is kept.

    Raises FlowError for parameters that do not fit and for a flow of several stages, FlowCheckError when a right is
    missing or a source has moved.
    """
    key = (published.version_id, flow_key, user.pk, digest_of(given))
    plan = _PLANS.find(key)
    if plan is None:
        plan = _make(Version.objects.get(pk=published.version_id), flow_key, user, given)
        _PLANS.keep(key, plan)
    return plan, key


def forget_plan(key: Any) -> None:
    """The plan holds no longer."""
    _PLANS.drop(key)


def _make(version: Version, flow_key: str, user: User, given: Mapping[str, Any]) -> Plan:
    document = version_document(version, flow_key)
    values = complete_parameters(document, given)
    sources = gather_sources(document, user)
    errors = blocking(sources.check(document, values).findings)
    if errors:
        raise FlowCheckError(errors)
    plan = sources.plan(document, values)
    if len(plan.stages) != 1 or plan.loops or plan.stages[0].sink.kind != "result":
        raise not_small()
    return plan
