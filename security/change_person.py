"""Change a person's data, department or roles; disable them and bring them back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from security import audit
from security.access import Principal, forget_principal, require_right
from security.change_password import revoke_tokens
from security.create_person import email_problems, role_problems
from security.errors import ConflictError, InvalidError
from security.models import RoleAssignment, User
from security.policy import PLATFORM_ADMIN
from security.sessions import end_all_sessions
from security.text import text


def change_person(principal: Principal, user: User, values: Mapping[str, Any], request: Any = None) -> User:
    """Apply ``values`` (name, email, organisation, roles, is_active); what is absent stays.

    Disabling ends all sessions and tokens at once. Raises ConflictError when nobody would be left to administer.
    """
    require_right(principal, "people.manage")
    problems = email_problems(values.get("email", "")) + (role_problems(values["roles"]) if "roles" in values else [])
    if problems:
        raise InvalidError(problems=problems)
    with transaction.atomic():
        _keep_an_administrator(principal, user, values)
        changed = _apply(user, values)
        if "roles" in values:
            changed |= _set_roles(principal, user, set(values["roles"]))
        if changed.get("is_active") is False:
            end_all_sessions(user)
            revoke_tokens(user)
        user.save()
        if changed:
            audit.record("person.change", "user", user.pk, principal, detail=changed, request=request)
    forget_principal(user)
    return user


def change_own_data(principal: Principal, values: Mapping[str, Any], request: Any = None) -> User:
    """Apply one's own name, e-mail, language and theme."""
    problems = email_problems(values.get("email", ""))
    if problems:
        raise InvalidError(problems=problems)
    user = User.objects.select_related("organisation").get(pk=principal.id)
    changed = [field for field in ("name", "email", "language", "theme") if field in values]
    for field in changed:
        setattr(user, field, values[field])
    with transaction.atomic():
        user.save(update_fields=changed or None)
        audit.record("person.change_own", "user", user.pk, principal, detail={"fields": changed}, request=request)
    return user


def _apply(user: User, values: Mapping[str, Any]) -> dict[str, Any]:
    """Set the plain fields; returns what changed, for the audit."""
    changed: dict[str, Any] = {}
    for field in ("name", "email", "is_active"):
        if field in values and getattr(user, field) != values[field]:
            setattr(user, field, values[field])
            changed[field] = values[field] if field == "is_active" else "changed"
    organisation = values.get("organisation")
    if organisation is not None and organisation.pk != user.organisation_id:
        changed["organisation"] = f"{user.organisation.code} → {organisation.code}"
        user.organisation = organisation
    return changed


def _set_roles(principal: Principal, user: User, roles: set[str]) -> dict[str, Any]:
    assignments = RoleAssignment.objects.filter(user=user)
    had = set(assignments.values_list("role", flat=True))
    if had == roles:
        return {}
    assignments.exclude(role__in=roles).delete()
    for role in sorted(roles - had):
        RoleAssignment.objects.create(user=user, role=role, granted_by=principal.user)
    return {"roles": {"before": sorted(had), "after": sorted(roles)}}


def _keep_an_administrator(principal: Principal, user: User, values: Mapping[str, Any]) -> None:
    """Nobody shuts themselves out, and the last active platform administrator stays."""
    loses = values.get("is_active") is False or ("roles" in values and PLATFORM_ADMIN not in values["roles"])
    if not loses:
        return
    if user.pk == principal.id:
        raise ConflictError(
            "person.self",
            text(
                "You cannot disable yourself or take your own administrator role. Ask another administrator.",
                "不能停用自己的账户或取消自己的管理员角色，请由其他管理员操作。",
            ),
        )
    others = User.objects.filter(is_active=True, role_assignments__role=PLATFORM_ADMIN).exclude(pk=user.pk)
    if not others.exists():
        raise ConflictError(
            "person.last_admin",
            text(
                "This is the last platform administrator. Make another one first.",
                "这是最后一位平台管理员，请先指定另一位管理员。",
            ),
        )
