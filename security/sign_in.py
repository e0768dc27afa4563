"""Sign in and out. The answer is the same for unknown names, wrong passwords and names that rest."""

from __future__ import annotations

from typing import Any

from security import audit, passwords, sessions, sign_in_limits
from security.errors import AddressRestsError, SignInError
from security.models import User


def sign_in(request: Any, username: str, password: str) -> User:
    """Start a session.

    Raises SignInError, which is the same for unknown names, wrong passwords, disabled people and names that rest after
    five failures: nobody learns which names exist. AddressRestsError when too many failures came from one address.
    """
    address = audit.address_of(request)
    if sign_in_limits.is_resting(address):
        raise AddressRestsError()
    user = (
        User.objects.select_related("organisation")
        .prefetch_related("role_assignments")
        .filter(username__iexact=username.strip())
        .first()
    )
    why = _refusal(user, passwords.matches(user, password))
    if why or user is None:
        kind, subject = ("user", user.pk) if user is not None else ("session", "")
        audit.record("session.refused", kind, subject, user, "refused", {"why": why}, request)
        if sign_in_limits.count_address_failure(address):
            audit.record("session.address_rests", "session", outcome="refused", request=request)
        raise SignInError()
    if user.failed_attempts or user.locked_until:
        user.failed_attempts, user.locked_until = 0, None
        user.save(update_fields=["failed_attempts", "locked_until"])
    sessions.start_session(request, user)
    audit.record("session.start", "user", user.pk, user, request=request)
    return user


def _refusal(user: User | None, is_right: bool) -> str:
    """Why not, for the audit trail alone; empty when the person may come in. Counts a wrong try."""
    if user is None:
        return "unknown name"
    if passwords.is_locked(user):
        return "locked"
    if is_right and user.is_active:
        return ""
    passwords.count_failure(user)
    return "disabled" if is_right else "wrong password"


def sign_out(request: Any, user: User) -> None:
    """End the session of this browser."""
    sessions.end_session(request)
    audit.record("session.end", "user", user.pk, user, request=request)
