"""Renames, deletes and hands over apps."""

from __future__ import annotations

from django.db import transaction

from flows.errors import FlowRightError
from flows.models import App
from flows.policy import is_deleter, is_editor
from node_catalog.sdk.text import text
from security import audit, clock
from security.access import Principal
from security.models import User


def require_editor(app: App, principal: Principal) -> None:
    """Raise FlowRightError when the person may look at the app but not change it."""
    if not is_editor(principal.roles, app.owner_id == principal.user.pk):
        raise FlowRightError(
            "app.read_only",
            text(
                "You may look at this app but not change it. Ask its owner, or a data admin for the business role.",
                "您可以查看这个应用，但不能修改。请联系应用的所有者，或请管理员授予“业务人员”角色。",
            ),
        )


@transaction.atomic
def change_app(app: App, principal: Principal, *, title: dict[str, str] | None, summary: dict[str, str] | None) -> App:
    """Change the words of an app."""
    require_editor(app, principal)
    if title is not None:
        app.title = title
    if summary is not None:
        app.summary = summary
    app.save()
    audit.record("app.change", "app", str(app.pk), principal=principal)
    return app


@transaction.atomic
def delete_app(app: App, principal: Principal) -> None:
    """Take an app away; it can be brought back for 30 days."""
    if not is_deleter(principal.roles, app.owner_id == principal.user.pk):
        raise FlowRightError(
            "app.not_yours",
            text(
                "Only the app's owner or the department's data admin may delete it.",
                "只有应用的所有者或本部门的数据管理员可以删除它。",
            ),
        )
    app.deleted_at = clock.now()
    app.save(update_fields=["deleted_at"])
    audit.record("app.delete", "app", str(app.pk), principal=principal)


def hand_over_apps(leaver: User, successor: User, principal: Principal) -> dict[str, int]:
    """Give all apps of someone who leaves to a successor; answers how many."""
    apps = App.objects.filter(owner=leaver)
    return {"apps": apps.update(owner=successor, organisation=successor.organisation)}
