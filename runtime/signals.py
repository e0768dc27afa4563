"""When rights or inboxes change in the database, every open socket is told once the change is committed."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete, post_save

from node_catalog.models import Grant
from runtime import live
from security.models import Notice, RoleAssignment, User


def connect() -> None:
    """Listen; called once when the app is ready."""
    for model in (User, RoleAssignment, Grant):
        post_save.connect(_rights, sender=model, dispatch_uid=f"live-rights-{model.__name__}")
        post_delete.connect(_rights, sender=model, dispatch_uid=f"live-rights-gone-{model.__name__}")
    post_save.connect(_notice, sender=Notice, dispatch_uid="live-notice")


def _rights(**more: Any) -> None:
    transaction.on_commit(live.publish_rights)


def _notice(instance: Notice, **more: Any) -> None:
    transaction.on_commit(partial(live.publish_notice, instance.user_id))
