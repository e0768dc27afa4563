"""Add a person: name, department, roles, and a first password that is shown once."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from security import audit, passwords
from security.access import Principal, require_right
from security.errors import InvalidError, Problem
from security.models import Organisation, RoleAssignment, User
from security.policy import ROLES
from security.text import text

USERNAME = re.compile(r"^[\w.@-]{2,60}$")


@dataclass(frozen=True)
class PersonInput:
    """What is known of a new person; ``roles`` are keys of ``security.policy.ROLES``."""

    username: str
    name: str
    organisation: Organisation | None
    email: str = ""
    roles: tuple[str, ...] = field(default=())
    language: str = "zh-CN"


def person_problems(values: PersonInput, taken: Iterable[str] | None = None) -> list[Problem]:
    """All problems of a new person. ``taken`` are names (lower case) used elsewhere, e.g. earlier in an import."""
    problems = []
    if not USERNAME.match(values.username):
        problems.append(
            Problem(
                "/username",
                "username.form",
                text(
                    "Use 2 to 60 letters, digits or . _ @ - for the sign-in name.",
                    "用户名需为 2 至 60 个字符，可用文字、数字及 . _ @ -。",
                ),
            )
        )
    elif values.username.lower() in set(taken or ()) or User.objects.filter(username__iexact=values.username).exists():
        problems.append(
            Problem("/username", "username.taken", text("This sign-in name is in use.", "该用户名已被使用。"))
        )
    if not values.name.strip() or len(values.name) > 80:
        problems.append(
            Problem(
                "/name", "name.length", text("Enter a name of at most 80 characters.", "请填写姓名，最多 80 个字。")
            )
        )
    problems.extend(email_problems(values.email))
    if values.organisation is None:
        problems.append(
            Problem("/organisation", "organisation.unknown", text("This department does not exist.", "部门不存在。"))
        )
    elif not values.organisation.is_active:
        problems.append(
            Problem("/organisation", "organisation.closed", text("This department is closed.", "该部门已停用。"))
        )
    return problems + role_problems(values.roles)


def email_problems(email: str) -> list[Problem]:
    """Empty is fine; anything else must look like an address."""
    try:
        if email:
            validate_email(email)
    except ValidationError:
        return [Problem("/email", "email.form", text("This is no e-mail address.", "邮箱地址格式不正确。"))]
    return []


def role_problems(roles: Iterable[str]) -> list[Problem]:
    """At least one role, all of them known."""
    roles = list(roles)
    if not roles:
        return [Problem("/roles", "roles.none", text("Give at least one role.", "请至少选择一个角色。"))]
    unknown = sorted(set(roles) - set(ROLES))
    if unknown:
        names = ", ".join(role[:40] for role in unknown)
        return [Problem("/roles", "roles.unknown", text(f"Unknown role: {names}.", f"未知角色：{names}。"))]
    return []


def create_person(principal: Principal, values: PersonInput, request: Any = None) -> tuple[User, str]:
    """Store a checked person; returns them and their first password. Raises InvalidError with all problems."""
    require_right(principal, "people.manage")
    problems = person_problems(values)
    if problems:
        raise InvalidError(problems=problems)
    password = passwords.random_password()
    with transaction.atomic():
        user = User(
            username=values.username,
            name=values.name.strip(),
            email=values.email,
            organisation=values.organisation,
            language=values.language,
        )
        passwords.set_password(user, password, must_change=True)
        user.save()
        for role in sorted(set(values.roles)):
            RoleAssignment.objects.create(user=user, role=role, granted_by=principal.user)
        audit.record(
            "person.create",
            "user",
            user.pk,
            principal,
            detail={"username": user.username, "organisation": user.organisation.code, "roles": sorted(values.roles)},
            request=request,
        )
    return user, password
