"""Starts that come again: what was decided for one counts for the next while what it was decided from is the same.

The thorough way (the flow, the right to run it, its version, the catalogue, the plan) is the only one that decides.
Once the same person has started the same flow with the same values twice, the decision is remembered together with the
facts behind it (``security.facts``); further starts read these facts in one statement. One that differs, and everything
is decided anew. Who asks is looked up for each request, whatever is remembered.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError

from flows.errors import FlowError
from flows.graph.plan import Plan, digest_of
from flows.models import App, Draft, Flow, StoredPlan, Version
from flows.planning import known_plan
from flows.versions import unchanged_version
from node_catalog.grants import next_term, received_for
from node_catalog.models import Column, Dataset, Grant, Node
from node_catalog.sdk.memory import Memory
from runtime.models import RunRule
from runtime.node_slots import limited_nodes
from runtime.offers import ZONE, zones_of_nodes
from runtime.uses import node_of, uses_of_stage
from security import clock
from security.access import Principal
from security.errors import SecurityError
from security.facts import Facts, Standing, every_column, facts_from

AT_MOST = timedelta(minutes=1)
"""How long facts that stay the same are enough."""
MOST = 64


@dataclass(frozen=True)
class Around:
    """What is to be known of a plan's nodes and its flow when a run is stored."""

    zones: Mapping[str, set[str]]
    limited: frozenset[str]
    has_rule: bool = True
    """False: the flow has no run settings, and nobody need look for them."""


@dataclass(frozen=True)
class Start:
    """What a run is made of."""

    flow: Flow
    version: Version
    stored: StoredPlan
    plan: Plan
    around: Around


@dataclass(frozen=True)
class _Standing(Standing):
    start: Start


def look_around(plan: Plan) -> Around:
    """What the catalogue says now."""
    nodes = {node for stage in plan.stages for node in uses_of_stage(stage)}
    return Around(zones_of_nodes(), limited_nodes(nodes))


def start_key(
    principal: Principal, flow: Any, version: Any, parameters: Mapping[str, Any], until: str
) -> tuple[Hashable, ...]:
    """All that a start depends on, but for what is stored: who asks, as they are now, and what for."""
    who = (principal.id, principal.roles, principal.organisation_id, principal.organisation_path)
    return (*who, str(flow), str(version or ""), digest_of(parameters), until)


class Starts:
    """The starts that came lately in this process."""

    def __init__(self, most: int = MOST) -> None:
        self._came: Memory[bool] = Memory(most * 4)
        self._standing: Memory[_Standing] = Memory(most)

    def find(self, key: Hashable) -> Start | None:
        """What was decided, when it still counts."""
        found = self._standing.find(key)
        if found is None:
            return None
        if found.holds():
            return found.start
        self._standing.drop(key)
        return None

    def learn(
        self, key: Hashable, principal: Principal, flow: Flow, version: Version | None,
        parameters: Mapping[str, Any], until: str,
    ) -> None:  # fmt: skip
        """A run was just started so, the thorough way. Never raises: the next start is thorough, too."""
        now = clock.now()
        self._standing.prune(lambda one: one.until <= now)
        if self._came.find(key) is None:
            self._came.keep(key, True)
            return
        try:
            found = _decided(principal, flow, version, parameters, until, now)
        except (FlowError, SecurityError, DatabaseError):
            return
        if found is not None:
            self._standing.keep(key, found)

    def forget(self) -> None:
        """Everything goes the thorough way again."""
        self._came.clear()
        self._standing.clear()


STARTS = Starts()
"""This process's starts that come again."""


def _decided(
    principal: Principal, flow: Flow, given: Version | None, parameters: Mapping[str, Any], until: str, now: datetime
) -> _Standing | None:
    """Decide once more, after a look at the facts: what changes meanwhile is seen by the next start."""
    version = given or unchanged_version(flow)
    if version is None:
        return None
    stored, rough = known_plan(version, flow, principal.user, parameters, until)
    if rough.sources.subflows:
        return None  # what a called flow depends on is not among the facts
    numbers, nodes = tuple(rough.sources.datasets), tuple(rough.sources.nodes)
    facts = _facts(principal, flow, given, version, stored, numbers, nodes)
    rows = facts.read()
    flow = Flow.objects.visible_to(principal).select_related("app__owner", "app__organisation").get(pk=flow.pk)
    if given is None and unchanged_version(flow) != version:
        return None
    stored, known = known_plan(version, flow, principal.user, parameters, until)
    if known.sources != rough.sources:
        return None
    around = look_around(known.plan)
    has_rule = RunRule.objects.filter(flow=flow).exists()
    start = Start(flow, version, stored, known.plan, Around(around.zones, around.limited, has_rule))
    term = next_term(principal, numbers, now)
    return _Standing(facts, rows, min(now + AT_MOST, term or now + AT_MOST), start)


def _facts(
    principal: Principal, flow: Flow, given: Version | None, version: Version, stored: StoredPlan,
    numbers: tuple[str, ...], nodes: tuple[str, ...],
) -> Facts:  # fmt: skip
    """Everything that decides whether ``flow`` may be started, of which version, and with which plan."""
    if given is None:
        # Only what is as new as the version: a newer one is a row more.
        versions = Version.objects.filter(app=flow.app_id, number__gte=version.number)
        drafts = Draft.objects.filter(flow__app=flow.app_id)
    else:
        versions, drafts = Version.objects.visible_to(principal).filter(pk=version.pk), Draft.objects.none()
    touched = Node.objects.filter(number__in=[*nodes, *map(node_of, numbers)])
    return facts_from([
        (
            "flow",
            Flow.objects.visible_to(principal).filter(pk=flow.pk),
            (*every_column(Flow), *every_column(App, "app__")),
        ),
        ("version", versions, ("pk", "app_id", "number", "digest")),
        ("draft", drafts, ("flow__key", "document")),
        ("plan", StoredPlan.objects.filter(pk=stored.pk), ("pk",)),
        ("rule", RunRule.objects.filter(flow=flow), ("pk",)),
        ("dataset", Dataset.objects.filter(number__in=numbers), every_column(Dataset)),
        ("column", Column.objects.filter(dataset__number__in=numbers), every_column(Column)),
        ("node", touched, (*every_column(Node), "organisation__path")),
        ("zone", touched.filter(tags__name__startswith=ZONE), ("number", "tags__name")),
        ("grant", received_for(principal, numbers), every_column(Grant)),
    ])  # fmt: skip
