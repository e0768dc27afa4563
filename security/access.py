"""Who asks, and the one way to fetch objects for them.

Views use ``Model.objects.visible_to(principal)`` and nothing else: what is not visible does not exist (404).
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any, Self

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import models

from security import policy
from security.errors import ForbiddenError, NotFoundError, NotSignedInError


@dataclass(frozen=True)
class Principal:
    """The acting person with department and roles, as every rule and every query needs them."""

    user: Any
    organisation_id: uuid.UUID
    roles: frozenset[str]
    organisation_path: str = field(default="")

    @property
    def id(self) -> uuid.UUID:
        return self.user.pk

    @property
    def language(self) -> str:
        return self.user.language

    def has_role(self, *roles: str) -> bool:
        """Whether the person holds at least one of ``roles``."""
        return bool(self.roles & set(roles))

    @property
    def subject(self) -> policy.Subject:
        return policy.Subject(self.id, self.organisation_path, self.roles)

    def may(self, action: str, target: policy.Target | None = None) -> bool:
        """Whether the policy allows ``action`` on ``target``."""
        return policy.decide(self.subject, action, target).is_allowed


def principal_for(user: Any) -> Principal:
    """The principal of a stored person; roles are read once per user object."""
    if isinstance(user, Principal):
        return user
    known = getattr(user, "_principal", None)
    if known is None:
        roles = frozenset(assignment.role for assignment in user.role_assignments.all())
        known = Principal(user, user.organisation_id, roles, user.organisation.path)
        user._principal = known
    return known


def forget_principal(user: Any) -> None:
    """Forget cached roles after they or the department have changed."""
    user.__dict__.pop("_principal", None)
    getattr(user, "_prefetched_objects_cache", {}).pop("role_assignments", None)


def principal_of(request: Any) -> Principal:
    """The principal behind a request (Django's or REST framework's); raises NotSignedInError."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        raise NotSignedInError()
    return principal_for(user)


def require_role(principal: Principal, *roles: str) -> None:
    """Raise ForbiddenError unless the person holds one of ``roles``."""
    if not principal.has_role(*roles):
        raise ForbiddenError()


def require_right(principal: Principal, action: str, target: policy.Target | None = None) -> None:
    """Raise ForbiddenError with the policy's reason unless ``action`` is allowed on ``target``."""
    decision = policy.decide(principal.subject, action, target)
    if not decision.is_allowed:
        raise ForbiddenError("auth.forbidden", decision.reason)


class VisibleQuerySet(models.QuerySet):  # type: ignore[type-arg]
    """Base of all querysets: subclasses say in ``visible_to`` what a person may see. Nothing, unless said."""

    def visible_to(self, principal: Principal) -> Self:
        """The objects that exist for ``principal``."""
        return self.none()

    def get_visible(self, principal: Principal, **lookup: Any) -> Any:
        """The one visible object, or NotFoundError for unknown, malformed and foreign ids alike."""
        try:
            return self.visible_to(principal).get(**lookup)
        except (ObjectDoesNotExist, ValidationError, ValueError, TypeError) as error:
            raise NotFoundError() from error
