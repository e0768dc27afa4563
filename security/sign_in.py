"""Sign in and out. The answer and its time are the same for unknown names and wrong passwords."""

from __future__ import annotations

from typing import Any

from security import audit, passwords, sessions
from security.errors import LockedError, SignInError
from security.models import User


def sign_in(request: Any, username: str, password: str) -> User:
    """Start a session. Raises SignInError, or LockedError after five failures for 15 minutes."""
    user = (
        User.objects.select_related("organisation")
        .prefetch_related("role_assignments")
        .filter(username__iexact=username.strip())
        .first()
    )
    is_right = passwords.matches(user, password)
    if user is None:
        audit.record("session.refused", "session", outcome="refused", detail={"why": "unknown name"}, request=request)
        raise SignInError()
    if passwords.is_locked(user):
        audit.record("session.refused", "user", user.pk, user, "refused", {"why": "locked"}, request)
        raise LockedError()
    if not is_right or not user.is_active:
        is_now_locked = passwords.count_failure(user)
        why = "disabled" if is_right else "wrong password"
        audit.record("session.refused", "user", user.pk, user, "refused", {"why": why}, request)
        raise LockedError() if is_now_locked else SignInError()
    if user.failed_attempts or user.locked_until:
        user.failed_attempts, user.locked_until = 0, None
        user.save(update_fields=["failed_attempts", "locked_until"])
    sessions.start_session(request, user)
    audit.record("session.start", "user", user.pk, user, request=request)
    return user


def sign_out(request: Any, user: User) -> None:
    """End the session of this browser."""
    sessions.end_session(request)
    audit.record("session.end", "user", user.pk, user, request=request)
