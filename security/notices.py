"""The inbox: one message to one person."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from security import clock
from security.access import Principal
from security.models import Notice, User
from security.text import Text


def notify(user: User, kind: str, title: Text, body: Text | None = None, link: str = "") -> Notice:
    """Put a message into ``user``'s inbox, in the caller's transaction."""
    return Notice.objects.create(user=user, kind=kind, title=title, body=body or {}, link=link)


def notify_all(users: Iterable[User], kind: str, title: Text, body: Text | None = None, link: str = "") -> None:
    """The same message to several people, each once."""
    for user in {user.pk: user for user in users}.values():
        notify(user, kind, title, body, link)


def read_notices(principal: Principal, ids: Iterable[Any] | None = None) -> int:
    """Mark these notices (or all) as read; foreign ids change nothing. Returns how many were unread."""
    unread = Notice.objects.visible_to(principal).filter(read_at=None)
    if ids is not None:
        unread = unread.filter(pk__in=list(ids))
    return int(unread.update(read_at=clock.now()))


def unread_count(user: User) -> int:
    """How many messages the person has not read yet."""
    return Notice.objects.filter(user=user, read_at=None).count()
