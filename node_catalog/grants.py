"""Who may read which columns of a dataset: the one place that turns ownership, sharing and approvals into a GrantSpec.

Order: own personal node, own department's node, or a node that one keeps as data admin → all columns; shared
unconditionally → all columns that are not personal or sensitive; an approved grant in force → what it says. People
without a data role read nothing but their own files. A read binds one grant; overlapping grants are never merged.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from node_catalog.models import Dataset, Grant
from node_catalog.sdk.grant import GrantSpec
from security.access import Principal, principal_for
from security.policy import BUSINESS, DATA_ADMIN, within

DATA_ROLES = (BUSINESS, DATA_ADMIN)


@dataclass
class _Facts:
    """What one query tells about a dataset."""

    number: str
    organisation: Any
    organisation_path: str
    owner: Any
    share: str
    columns: list[tuple[int, str, str]] = field(default_factory=list)

    def names(self, sensitive: bool) -> tuple[str, ...]:
        return tuple(name for _, name, class_ in sorted(self.columns) if sensitive or not class_)


def grant_for(dataset: Dataset, user: Any) -> GrantSpec | None:
    """The right of ``user`` (a User or Principal) to read ``dataset`` now, or None."""
    return grants_for([dataset], user).get(dataset.number)


def grants_for(datasets: Iterable[Dataset], user: Any) -> dict[str, GrantSpec]:
    """The rights by dataset number, in two queries; datasets that ``user`` may not read are missing."""
    principal = principal_for(user)
    facts = _facts([dataset.pk for dataset in datasets])
    if not facts or not principal.user.is_active:
        return {}
    approved = _approved(list(facts), principal) if principal.has_role(*DATA_ROLES) else {}
    found = {fact.number: _spec(fact, principal, approved.get(key, [])) for key, fact in facts.items()}
    return {number: spec for number, spec in found.items() if spec is not None}


def received_for(principal: Principal, numbers: Collection[str]) -> QuerySet[Grant]:
    """Every grant of ``principal`` on the datasets with these numbers, in force or not."""
    return Grant.objects.received_by(principal).filter(dataset__number__in=list(numbers))


def next_term(principal: Principal, numbers: Collection[str], now: datetime) -> datetime | None:
    """When the next of those grants begins or ends by itself: no row changes then."""
    terms = received_for(principal, numbers).values_list("valid_from", "valid_until")
    return min((term for pair in terms for term in pair if term is not None and term > now), default=None)


def _facts(ids: list[Any]) -> dict[Any, _Facts]:
    rows = Dataset.objects.filter(pk__in=ids, node__is_active=True).values_list(
        "pk",
        "number",
        "node__organisation_id",
        "node__organisation__path",
        "node__owner_id",
        "share",
        "columns__ordinal",
        "columns__name",
        "columns__sensitivity",
    )
    found: dict[Any, _Facts] = {}
    for key, number, organisation, path, owner, share, ordinal, name, sensitivity in rows:
        facts = found.setdefault(key, _Facts(number, organisation, path, owner, share))
        if name is not None:
            facts.columns.append((ordinal, name, sensitivity))
    return found


def _approved(ids: list[Any], principal: Principal) -> dict[Any, list[Grant]]:
    found: dict[Any, list[Grant]] = {}
    for grant in Grant.objects.received_by(principal).in_force().filter(dataset_id__in=ids):
        found.setdefault(grant.dataset_id, []).append(grant)
    return found


def _spec(facts: _Facts, principal: Principal, approved: list[Grant]) -> GrantSpec | None:
    if facts.owner is not None:
        if facts.owner == principal.id:
            return GrantSpec(facts.number, facts.names(sensitive=True), source="personal")
        return None
    if not principal.has_role(*DATA_ROLES):
        return None
    is_keeper = principal.has_role(DATA_ADMIN) and within(facts.organisation_path, principal.organisation_path)
    if is_keeper or facts.organisation == principal.organisation_id:
        return GrantSpec(facts.number, facts.names(sensitive=True), source="own")
    if facts.share == Dataset.Share.NONE:
        return None
    best = max(approved, key=lambda grant: (len(grant.columns), -len(grant.masks), grant.created_at), default=None)
    if facts.share == Dataset.Share.UNCONDITIONAL:
        free = facts.names(sensitive=False)
        if best is None or best.row_filter or best.masks or not set(best.columns) > set(free):
            return GrantSpec(facts.number, free, source="unconditional")
    return _approved_spec(facts, best) if best is not None else None


def _approved_spec(facts: _Facts, grant: Grant) -> GrantSpec:
    granted = set(grant.columns)
    columns = tuple(name for name in facts.names(sensitive=True) if name in granted)
    return GrantSpec(
        facts.number,
        columns,
        source="grant",
        grant=grant.number,
        epoch=grant.epoch,
        row_filter=grant.row_filter,
        masks={name: mask for name, mask in grant.masks.items() if name in granted},
    )


def usable_condition(principal: Principal) -> Q:
    """Datasets that ``grants_for`` would give ``principal`` a right to, as a condition on Dataset queries."""
    own = Q(node__owner_id=principal.id)
    if not principal.has_role(*DATA_ROLES):
        return own
    granted = Grant.objects.received_by(principal).in_force().values("dataset_id")
    shared = Q(share=Dataset.Share.UNCONDITIONAL) | (~Q(share=Dataset.Share.NONE) & Q(pk__in=granted))
    department = Q(node__organisation_id=principal.organisation_id)
    if principal.has_role(DATA_ADMIN) and principal.organisation_path:
        department |= Q(node__organisation__path__startswith=principal.organisation_path)
    return own | (Q(node__owner=None) & (department | shared))
