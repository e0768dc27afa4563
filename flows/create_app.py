"""Makes an app with one flow: blank, from a template, or from one dataset."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from flows.models import App, Draft, Flow
from flows.templates import template_named
from node_catalog.models import Dataset
from security import audit
from security.access import principal_for
from security.models import User

BLANK: dict[str, Any] = {"kind": "flow", "spec": "1", "datasets": {}, "steps": {}, "wires": []}


@transaction.atomic
def create_app(
    user: User,
    title: dict[str, str],
    *,
    template: str = "",
    dataset: Dataset | None = None,
    bundle: dict[str, Any] | None = None,
) -> App:
    """Create the app in the person's department, ready to open on the canvas."""
    summary: dict[str, str] = {}
    document: dict[str, Any] = dict(BLANK, title=title)
    layout: dict[str, Any] = {"positions": {}}
    if template:
        starter = template_named(template)
        document, layout, summary = starter["document"], starter["layout"], starter["summary"]
    elif bundle is not None:
        document, layout = bundle["document"], bundle["layout"]
    elif dataset is not None:
        document, layout = _document_of_dataset(dataset, title)
    app = App.objects.create(
        title=title, summary=summary, owner=user, organisation=user.organisation, template=template
    )
    flow = Flow.objects.create(app=app, key="main", title=document.get("title") or title)
    Draft.objects.create(flow=flow, document=document, layout=layout, updated_by=user)
    audit.record("app.create", "app", str(app.pk), principal=principal_for(user), detail={"template": template})
    return app


def _document_of_dataset(dataset: Dataset, title: dict[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
    read = {"type": "read", "version": 1, "settings": {"dataset": "data"}, "title": dataset.title or None}
    if read["title"] is None:
        del read["title"]
    document = dict(BLANK, title=title, datasets={"data": dataset.number}, steps={"data": read})
    return document, {"positions": {"data": {"x": 80, "y": 120}}}
