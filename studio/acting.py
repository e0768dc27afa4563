"""Who acts when a command is run on the server: a named person, or the command line's own account."""

from __future__ import annotations

from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from security.models import Organisation, RoleAssignment, User

ACCOUNT = "command-line"


def ensure_tables() -> None:
    """Create the tables on a database that has none yet, so that a first command just works."""
    if User._meta.db_table not in connection.introspection.table_names():
        call_command("migrate", verbosity=0, interactive=False)


def acting_user(username: str | None) -> User:
    """The person named, or the account of the command line in the topmost department (made when missing)."""
    ensure_tables()
    if username:
        user = User.objects.filter(username__iexact=username, is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active person with the sign-in name {username!r}.")
        return user
    user = User.objects.filter(username=ACCOUNT).first()
    return user or _new_account()


def _new_account() -> User:
    top = Organisation.objects.filter(parent=None, is_active=True).order_by("created_at").first()
    if top is None:
        top = Organisation(code="city", name={"en": "City", "zh-CN": "本市"})
        top.save()
    user = User(username=ACCOUNT, name="Command line 命令行", organisation=top, language="en")
    user.set_unusable_password()
    user.save()
    roles = (RoleAssignment.Role.BUSINESS, RoleAssignment.Role.DATA_ADMIN)
    RoleAssignment.objects.bulk_create([RoleAssignment(user=user, role=role) for role in roles])
    return user
