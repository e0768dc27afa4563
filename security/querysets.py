"""What each person may see of people, departments, notices and the audit trail."""

from __future__ import annotations

from typing import Self

from security.access import Principal, VisibleQuerySet
from security.policy import PLATFORM_ADMIN


class OrganisationQuerySet(VisibleQuerySet):
    """The tree of departments is known to everybody who is signed in."""

    def visible_to(self, principal: Principal) -> Self:
        return self.all()


class UserQuerySet(VisibleQuerySet):
    """Platform administrators see all people, everybody else sees themselves."""

    def visible_to(self, principal: Principal) -> Self:
        return self.all() if principal.has_role(PLATFORM_ADMIN) else self.filter(pk=principal.id)


class OwnQuerySet(VisibleQuerySet):
    """Things with a ``user`` field that are that person's alone: tokens, notices."""

    def visible_to(self, principal: Principal) -> Self:
        return self.filter(user_id=principal.id)


class RoleAssignmentQuerySet(VisibleQuerySet):
    """Platform administrators see all roles, everybody else their own."""

    def visible_to(self, principal: Principal) -> Self:
        return self.all() if principal.has_role(PLATFORM_ADMIN) else self.filter(user_id=principal.id)


class SecretQuerySet(VisibleQuerySet):
    """Sealed values are visible to nobody; workers open them by id."""


class NobodysQuerySet(VisibleQuerySet):
    """What only the product itself counts."""


class AuditQuerySet(VisibleQuerySet):
    """Only platform administrators read the audit trail."""

    def visible_to(self, principal: Principal) -> Self:
        return self.all() if principal.has_role(PLATFORM_ADMIN) else self.none()
