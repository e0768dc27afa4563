"""What a person may do with an app they can see. Pure: no database."""

from __future__ import annotations

EDITING_ROLES = frozenset({"business", "data_admin"})


def is_editor(roles: frozenset[str], is_owner: bool) -> bool:
    """Whether someone of the app's department may change it: owners, business staff and data admins."""
    return is_owner or bool(roles & EDITING_ROLES)


def is_deleter(roles: frozenset[str], is_owner: bool) -> bool:
    """Whether someone may delete the app: its owner, or the department's data admin."""
    return is_owner or "data_admin" in roles
