"""Reads of apps, flows and versions in the shapes that the API answers."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet

from flows.checking import check_document, checked_as_json
from flows.models import App, Draft, Flow, Version
from flows.policy import is_editor
from security.access import Principal


def apps_of(principal: Principal, query: str = "", *, is_mine: bool = False) -> QuerySet[App]:
    """Visible apps, newest change first, narrowed by words in the title."""
    apps = App.objects.visible_to(principal).select_related("owner", "organisation").prefetch_related("flows")
    if is_mine:
        apps = apps.filter(owner_id=principal.user.pk)
    if query:
        words = Q(title__en__icontains=query) | Q(**{"title__zh-CN__icontains": query})
        apps = apps.filter(words | Q(summary__en__icontains=query))
    return apps.order_by("-updated_at", "-id")


def app_as_json(app: App, principal: Principal) -> dict[str, Any]:
    """One app; the last run is added by the runtime's own list."""
    last = app.runs.order_by("-created_at").values("id", "state", "finished_at").first()  # type: ignore[attr-defined]
    return {
        "id": str(app.pk),
        "title": app.title,
        "summary": app.summary,
        "owner": {"id": str(app.owner_id), "name": app.owner.name},
        "organisation": {"id": str(app.organisation_id), "name": app.organisation.name},
        "template": app.template,
        "flows": [{"id": str(flow.pk), "key": flow.key, "title": flow.title} for flow in app.flows.all()],
        "created_at": app.created_at,
        "updated_at": app.updated_at,
        "last_run": last and {**last, "id": str(last["id"])},
        "can_edit": is_editor(principal.roles, app.owner_id == principal.user.pk),
    }


def draft_as_json(flow: Flow, principal: Principal) -> dict[str, Any]:
    """The draft with its check: one round trip opens the canvas."""
    draft = flow.draft
    return {
        "document": draft.document,
        "layout": draft.layout,
        "revision": draft.revision,
        "updated_at": draft.updated_at,
        "flow": {"id": str(flow.pk), "key": flow.key, "title": flow.title},
        "app": app_as_json(flow.app, principal),
        "check": draft_check_as_json(draft, principal),
    }


def draft_check_as_json(draft: Draft, principal: Principal) -> dict[str, Any]:
    """The check of a draft with the rights of its editor."""
    checked, sources = check_document(draft.document, principal.user, flow=draft.flow)
    return checked_as_json(draft.document, checked, sources)


def version_as_json(version: Version) -> dict[str, Any]:
    """A version without its document."""
    return {
        "id": str(version.pk),
        "number": version.number,
        "digest": version.digest,
        "note": version.note,
        "is_automatic": version.is_automatic,
        "created_by": version.created_by and {"name": version.created_by.name},
        "created_at": version.created_at,
        "runs": version.runs.count(),  # type: ignore[attr-defined]
    }
