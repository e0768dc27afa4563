"""When rights, inboxes or open flows change in the database, open sockets are told once the change is committed."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete, post_save

from flows.models import Comment, DraftOperation, Presence
from node_catalog.models import Grant
from runtime import live
from runtime.admission import admit_after
from runtime.models import Run
from runtime.moves import run_ended
from runtime.topics import edit_as_event
from security.models import Notice, RoleAssignment, User

MOST_IN_A_HINT = 200
"""Operations."""


def connect() -> None:
    """Listen; called once when the app is ready."""
    for model in (User, RoleAssignment, Grant):
        post_save.connect(_rights, sender=model, dispatch_uid=f"live-rights-{model.__name__}")
        post_delete.connect(_rights, sender=model, dispatch_uid=f"live-rights-gone-{model.__name__}")
    run_ended.connect(_admit, dispatch_uid="admit-next")
    post_save.connect(_notice, sender=Notice, dispatch_uid="live-notice")
    post_save.connect(_edit, sender=DraftOperation, dispatch_uid="live-edit")
    for model in (Presence, Comment):
        post_save.connect(_people, sender=model, dispatch_uid=f"live-{model.__name__}")
        post_delete.connect(_people, sender=model, dispatch_uid=f"live-{model.__name__}-gone")


def _admit(run: Run, **more: Any) -> None:
    admit_after(run)


def _rights(**more: Any) -> None:
    transaction.on_commit(live.publish_rights)


def _notice(instance: Notice, **more: Any) -> None:
    transaction.on_commit(partial(live.publish_notice, instance.user_id))


def _edit(instance: DraftOperation, **more: Any) -> None:
    # A large batch is no hint: hubs read it from the table when they see the newer revision.
    events = [edit_as_event(instance)] if len(instance.operations) <= MOST_IN_A_HINT else []
    transaction.on_commit(partial(live.publish_events, f"flow:{instance.flow_id}", events))


def _people(instance: Presence | Comment, **more: Any) -> None:
    transaction.on_commit(partial(live.publish_people, instance.flow_id))
