"""The browser session: who is signed in, and since which epoch. Rotated at sign-in, ended everywhere at once.

The epoch of the session must equal the person's ``session_epoch``: raising that ends all sessions and tokens.

Who comes again is looked up in one statement: what the session, the person, the department and the roles were read from
(``security.facts``). While it says the same, it is the same person with the same rights; else they are read anew.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.contrib.sessions.models import Session
from django.middleware.csrf import rotate_token

from security.facts import Standing, every_column, facts_from
from security.models import Organisation, RoleAssignment, User

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


@dataclass(frozen=True)
class _Standing(Standing):
    """A session's person, until the session ends by itself."""

    user: User


@dataclass
class _Seen:
    """What this process remembers of one session. Threads may overwrite each other: each word is right by itself."""

    times: int = 0
    standing: _Standing | None = None


@lru_cache(maxsize=1000)
def _seen(key: str) -> _Seen:
    return _Seen()


def user_of_session(session: Any) -> User | None:
    """The signed-in, active person of a session (also of a socket's scope), or None."""
    seen = _seen(session.session_key) if session.session_key else _Seen()
    known = seen.standing
    if known is not None:
        if known.holds():
            session.accessed = True
            return _own(known.user)
        seen.standing = None
    user = _looked_up(session)
    if user is not None:
        seen.times += 1
        if seen.times > 1:
            seen.standing = _decided(session, user)
    return user


def _own(user: User) -> User:
    """An object of each request's own: what is stored on it or forgotten of it is nobody else's."""
    mine = copy(user)
    mine._prefetched_objects_cache = dict(user._prefetched_objects_cache)  # type: ignore[attr-defined]
    return mine


def _looked_up(session: Any) -> User | None:
    person = session.get(PERSON)
    if not person:
        return None
    user = User.objects.select_related("organisation").prefetch_related("role_assignments").filter(pk=person).first()
    if user is None or not user.is_active or user.session_epoch != session.get(EPOCH):
        return None
    return user


def _decided(session: Any, user: User) -> _Standing | None:
    """Look everything up once more, after a look at the facts: what changes meanwhile is seen by the next request."""
    stored = Session.objects.filter(session_key=session.session_key)
    person = (*every_column(User), *every_column(Organisation, "organisation__"))
    facts = facts_from([
        ("session", stored, every_column(Session)),
        ("person", User.objects.filter(pk=user.pk), person),
        ("role", RoleAssignment.objects.filter(user=user), every_column(RoleAssignment)),
    ])  # fmt: skip
    rows = facts.read()
    until = stored.values_list("expire_date", flat=True).first()
    again = _looked_up(session.__class__(session.session_key))
    return _Standing(facts, rows, until, again) if until is not None and again is not None and again == user else None
