"""The browser session: who is signed in, and since which epoch. Rotated at sign-in, ended everywhere at once.

The epoch of the session must equal the person's ``session_epoch``: raising that ends all sessions and tokens.
"""

from __future__ import annotations

from typing import Any

from django.middleware.csrf import rotate_token

from security.models import User

PERSON, EPOCH = "person", "epoch"


class Nobody:
    """Stands in ``request.user`` when nobody is signed in."""

    is_authenticated = False
    is_active = False
    is_anonymous = True
    pk = None
    id = None

    def __str__(self) -> str:
        return "nobody"


def start_session(request: Any, user: User) -> None:
    """Sign ``user`` in on this browser under a new session key (no fixation) and a new CSRF token."""
    request.session.flush()
    request.session[PERSON] = str(user.pk)
    request.session[EPOCH] = user.session_epoch
    request.session.cycle_key()
    rotate_token(request)
    request.user = user


def end_session(request: Any) -> None:
    """Sign out on this browser; the session's content is deleted."""
    request.session.flush()
    request.user = Nobody()


def end_all_sessions(user: User) -> None:
    """End every session and token of ``user`` at once (stored with the caller's save)."""
    user.session_epoch += 1


def user_of_session(session: Any) -> User | None:
    """The signed-in, active person of a session (also of a socket's scope), or None."""
    person = session.get(PERSON)
    if not person:
        return None
    user = User.objects.select_related("organisation").prefetch_related("role_assignments").filter(pk=person).first()
    if user is None or not user.is_active or user.session_epoch != session.get(EPOCH):
        return None
    return user
