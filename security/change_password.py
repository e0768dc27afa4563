"""Change one's own password, or reset somebody else's."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from security import audit, clock, passwords, sessions
from security.access import Principal, require_right
from security.errors import InvalidError, LockedError, Problem
from security.models import Token, User
from security.text import text


def change_password(principal: Principal, current: str, new: str, request: Any = None) -> User:
    """Replace one's own password; every other session and all tokens end. Raises InvalidError with all problems."""
    user = User.objects.get(pk=principal.id)
    if passwords.is_locked(user):
        raise LockedError()
    if not passwords.matches(user, current):
        passwords.count_failure(user)
        audit.record("password.refused", "user", user.pk, principal, "refused", request=request)
        wrong = text("The current password is wrong.", "当前密码不正确。")
        raise InvalidError(problems=[Problem("/current", "password_wrong", wrong)])
    problems = passwords.password_problems(new, user)
    if current == new:
        problems.append(Problem("/new", "password_unchanged", passwords.WORDS["password_unchanged"]))
    if problems:
        raise InvalidError(problems=problems)
    with transaction.atomic():
        passwords.set_password(user, new)
        user.save()
        revoke_tokens(user)
        audit.record("password.change", "user", user.pk, principal, request=request)
    if request is not None and getattr(request, "session", None) is not None:
        sessions.start_session(getattr(request, "_request", request), user)
    return user


def reset_password(principal: Principal, user: User, request: Any = None) -> str:
    """Give ``user`` a random password, shown once, to be changed at the next sign-in. Ends all sessions."""
    require_right(principal, "people.manage")
    password = passwords.random_password()
    with transaction.atomic():
        passwords.set_password(user, password, must_change=True)
        user.save()
        revoke_tokens(user)
        audit.record("password.reset", "user", user.pk, principal, request=request)
    return password


def revoke_tokens(user: User) -> int:
    """End all tokens of a person."""
    return int(Token.objects.filter(user=user, revoked_at=None).update(revoked_at=clock.now()))
