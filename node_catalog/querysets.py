"""What each person may see of the catalogue. Seeing a card is not reading rows: that takes a grant."""

from __future__ import annotations

from typing import Self

from django.db.models import Q

from security import clock
from security.access import Principal, VisibleQuerySet
from security.policy import DATA_ADMIN, PLATFORM_ADMIN

NONE = "none"


def _below(principal: Principal, field: str) -> Q:
    """Departments at or below the person's own; nothing when the path is unknown."""
    if not principal.organisation_path:
        return Q(pk__in=[])
    return Q(**{f"{field}__startswith": principal.organisation_path})


def _cards(principal: Principal, prefix: str = "") -> Q:
    """Datasets whose card exists for ``principal``; ``prefix`` leads to the dataset."""
    public = ~Q(**{f"{prefix}share": NONE})
    if principal.has_role(PLATFORM_ADMIN):
        public = Q()
    own = _below(principal, f"{prefix}node__organisation__path")
    return Q(**{f"{prefix}node__is_active": True}) & (
        (Q(**{f"{prefix}node__owner": None}) & (public | own)) | Q(**{f"{prefix}node__owner_id": principal.id})
    )


class TagQuerySet(VisibleQuerySet):
    """Tags are words; everybody sees them."""

    def visible_to(self, principal: Principal) -> Self:
        return self.all()


class NodeQuerySet(VisibleQuerySet):
    """Nodes of one's own department and those below it; platform administrators see all; files only their owner."""

    def visible_to(self, principal: Principal) -> Self:
        shared = Q(owner=None)
        if not principal.has_role(PLATFORM_ADMIN):
            shared &= _below(principal, "organisation__path")
        return self.filter(Q(is_active=True) & (shared | Q(owner_id=principal.id)))


class DatasetQuerySet(VisibleQuerySet):
    """Cards of all datasets, except those that other departments keep to themselves, and others' files."""

    def visible_to(self, principal: Principal) -> Self:
        return self.filter(_cards(principal))


class OfDatasetQuerySet(VisibleQuerySet):
    """Columns and schema versions: visible as their dataset is."""

    def visible_to(self, principal: Principal) -> Self:
        return self.filter(_cards(principal, "dataset__"))


class RequestQuerySet(VisibleQuerySet):
    """One's own requests, and those about datasets that one keeps."""

    def visible_to(self, principal: Principal) -> Self:
        return self.filter(Q(applicant_id=principal.id) | _kept_by(principal))

    def to_decide(self, principal: Principal) -> Self:
        """Requests whose dataset ``principal`` keeps and that somebody else made."""
        return self.filter(_kept_by(principal)).exclude(applicant_id=principal.id)


class GrantQuerySet(VisibleQuerySet):
    """Grants that one received (or one's department), and those on datasets that one keeps."""

    def visible_to(self, principal: Principal) -> Self:
        return self.filter(self._received(principal) | _kept_by(principal))

    def received_by(self, principal: Principal) -> Self:
        """Grants to the person or to the whole department."""
        return self.filter(self._received(principal))

    def given_by(self, principal: Principal) -> Self:
        """Grants on datasets that ``principal`` keeps."""
        return self.filter(_kept_by(principal))

    def in_force(self) -> Self:
        """Active and within their term."""
        now = clock.now()
        return self.filter(state="active", valid_from__lte=now).filter(Q(valid_until=None) | Q(valid_until__gt=now))

    @staticmethod
    def _received(principal: Principal) -> Q:
        return Q(user_id=principal.id) | Q(user=None, organisation_id=principal.organisation_id)


class OpeningQuerySet(VisibleQuerySet):
    """Only platform administrators see what is open to the outside."""

    def visible_to(self, principal: Principal) -> Self:
        return self.all() if principal.has_role(PLATFORM_ADMIN) else self.none()


def _kept_by(principal: Principal) -> Q:
    """Requests and grants on datasets of nodes that ``principal`` looks after."""
    if not principal.has_role(DATA_ADMIN):
        return Q(dataset__node__owner_id=principal.id)
    return Q(dataset__node__owner=None) & _below(principal, "dataset__node__organisation__path") | Q(
        dataset__node__owner_id=principal.id
    )
