"""Who has a flow open right now: one row per browser tab, kept alive by a sign of life every few seconds.

Presence is a courtesy, not a lock: nobody is kept from editing, and a row without a sign of life is simply old.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db import transaction

from flows.models import Flow, Presence
from security import clock
from security.models import User

EXPIRES = timedelta(seconds=20)
"""Without a sign of life for so long, somebody counts as gone; browsers send one every eight seconds."""
COLOURS = 8
MOST_PEOPLE = 50
"""Tabs that one flow shows at most; a further one edits like the others and is not shown."""


@transaction.atomic
def note_presence(flow: Flow, client: str, user: User, step: str = "") -> None:
    """A sign of life of one tab, and which step is selected there."""
    now = clock.now()
    Presence.objects.filter(flow=flow, seen_at__lt=now - EXPIRES).delete()
    known = Presence.objects.filter(flow=flow, client=client, user=user).first()
    if known is not None:
        known.step, known.seen_at = step, now
        known.save(update_fields=["step", "seen_at"])
        return
    taken = list(Presence.objects.filter(flow=flow).values_list("colour", flat=True))
    if len(taken) >= MOST_PEOPLE:
        return
    colour = next((one for one in range(COLOURS) if one not in taken), len(taken) % COLOURS)
    Presence.objects.get_or_create(
        flow=flow, client=client, defaults={"user": user, "step": step, "colour": colour, "seen_at": now}
    )


def leave(flow: Flow, client: str, user: User) -> None:
    """The tab was closed."""
    Presence.objects.filter(flow=flow, client=client, user=user).delete()


def people_at(flow_ids: Iterable[Any]) -> dict[str, list[dict[str, Any]]]:
    """For each flow: who is there, in the order in which they came (one query). The caller has checked the rights."""
    found: dict[str, list[dict[str, Any]]] = {str(flow_id): [] for flow_id in flow_ids}
    rows = Presence.objects.filter(flow_id__in=list(found), seen_at__gte=clock.now() - EXPIRES)
    for row in rows.select_related("user").order_by("pk"):
        found[str(row.flow_id)].append(
            {
                "client": row.client,
                "user": {"id": str(row.user_id), "name": row.user.name},
                "step": row.step,
                "colour": row.colour,
            }
        )
    return found
