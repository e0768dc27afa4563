"""Hand a leaver's things to a colleague. Packages above register what they own in ``movers`` when they start."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import transaction

from security import audit
from security.access import Principal, require_right
from security.errors import InvalidError, Problem
from security.models import User
from security.notices import notify
from security.text import text

Mover = Callable[[User, User, Principal], dict[str, int]]
"""(from, to, who does it) → how many things of each kind were moved; runs inside one transaction."""

movers: list[Mover] = []


def hand_over(principal: Principal, leaver: User, successor: User, request: Any = None) -> dict[str, int]:
    """Move everything that ``leaver`` owns to ``successor``; returns the counts by kind. All or nothing."""
    require_right(principal, "people.manage")
    if successor.pk == leaver.pk or not successor.is_active:
        message = text("Choose another, active person.", "请选择另一位在用人员。")
        raise InvalidError(problems=[Problem("/to", "successor.unfit", message)])
    moved: dict[str, int] = {}
    with transaction.atomic():
        for mover in movers:
            for kind, count in mover(leaver, successor, principal).items():
                moved[kind] = moved.get(kind, 0) + count
        detail = {"to": successor.username, "moved": moved}
        audit.record("person.hand_over", "user", leaver.pk, principal, detail=detail, request=request)
        if any(moved.values()):
            notify(
                successor,
                "person.hand_over",
                text(f"{leaver.name}'s things are yours now", f"{leaver.name} 的内容已移交给您"),
                text("Look at your apps and files.", "请查看“我的应用”和“我的文件”。"),
                "/",
            )
    return moved
