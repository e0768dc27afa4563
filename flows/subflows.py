"""Called flows from the database: what a document refers to, directly and through others, for one person."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.db.models import Q

from flows.errors import FlowError
from flows.graph.diff import diff
from flows.graph.document import Document
from flows.graph.expand import MAX_DEPTH
from flows.graph.load import read_document
from flows.graph.subflows import Key, SubFlow, SubFlows, flow_settings, references, takes_of
from flows.models import App, Version
from node_catalog.palette import registry
from node_catalog.sdk.text import text
from security.access import Principal

MOST_LISTED = 200


def gather_subflows(document: Document, principal: Principal) -> SubFlows:
    """Every flow that ``document`` calls, directly or through others, as far as ``principal`` may see it.

    Two queries per level of calls, none for a document that calls nothing.
    """
    found: dict[Key, SubFlow] = {}
    wanted = _keys([document])
    for _ in range(MAX_DEPTH + 1):
        missing = [key for key in wanted if key not in found]
        if not missing:
            break
        fresh = _load(missing, principal)
        found.update(fresh)
        wanted = _keys(flow.document for flow in fresh.values())
    return found


def _keys(documents: Iterable[Document]) -> list[Key]:
    transforms = registry().transforms
    return list(dict.fromkeys(key for document in documents for _, key in references(document, transforms)))


def _load(keys: list[Key], principal: Principal) -> dict[Key, SubFlow]:
    known = [key for key in keys if _is_uuid(key[0])]
    if not known:
        return {}
    one_of = reduce(or_, (Q(app_id=app, number=version) for app, version, _ in known))
    versions = {
        (str(row.app_id), row.number): row
        for row in Version.objects.visible_to(principal).filter(one_of).select_related("app")
    }
    newest = _newest({app for app, _ in versions}, principal)
    made = {}
    for app, number, key in known:
        version = versions.get((app, number))
        flow = sub_flow(version, key) if version is not None else None
        if flow is not None:
            made[flow.key] = _with_newest(flow, newest.get(app))
    return made


def _newest(apps: set[str], principal: Principal) -> dict[str, Version]:
    """The newest version that somebody saved on purpose, by app."""
    rows = Version.objects.visible_to(principal).filter(app_id__in=apps, is_automatic=False).order_by("number")
    return {str(row.app_id): row for row in rows}


def sub_flow(version: Version, key: str) -> SubFlow | None:
    """One flow of a version as others may call it; None when the version has no such flow."""
    parts = version.document["flows"].get(key)
    loaded = read_document(parts["document"], registry()) if parts else None
    if loaded is None or loaded.document is None:
        return None
    title = loaded.document.title or version.app.title
    return SubFlow(
        str(version.app_id), version.number, key, version.digest, loaded.document, dict(title), version.number
    )


def _with_newest(flow: SubFlow, newest: Version | None) -> SubFlow:
    if newest is None or newest.number <= flow.version:
        return flow
    later = sub_flow(newest, flow.flow)
    settings = _settings(later) if later is not None else None
    return SubFlow(flow.app, flow.version, flow.flow, flow.digest, flow.document, flow.title, newest.number, settings)


def _settings(flow: SubFlow) -> dict[str, Any]:
    return flow_settings(flow.app, flow.version, flow.flow, flow.digest, flow.document, registry().transforms)


def _is_uuid(value: str) -> bool:
    try:
        UUID(value)
    except ValueError:
        return False
    return True


# ── what the picker needs ─────────────────────────────────────────────────────────────────────────────────


def callable_flows(principal: Principal) -> list[dict[str, Any]]:
    """Flows of the newest saved version of every visible app, by title."""
    apps = App.objects.visible_to(principal).order_by("-updated_at")[:MOST_LISTED]
    newest = _newest({str(app.pk) for app in apps}, principal)
    listed = []
    for app in apps:
        version = newest.get(str(app.pk))
        for key in version.document["flows"] if version is not None else ():
            flow = sub_flow(version, key)  # type: ignore[arg-type]
            if flow is not None:
                listed.append(sub_flow_as_json(flow, app_title=app.title))
    return listed


def sub_flow_as_json(flow: SubFlow, app_title: dict[str, str] | None = None) -> dict[str, Any]:
    """A sub-flow as the form of a call needs it."""
    transforms = registry().transforms
    takes = set(takes_of(flow.document, transforms))
    return {
        "settings": _settings(flow),
        "title": flow.title,
        "app_title": app_title or {},
        "inputs": flow.document.inputs,
        "takes": [alias for alias in flow.document.datasets if alias in takes],
        "newest": flow.newest,
        "newest_settings": flow.newest_settings,
        "steps": {name: {"type": step.type, "title": step.title} for name, step in flow.document.steps.items()},
    }


def read_sub_flow(principal: Principal, app: str, number: int, key: str) -> dict[str, Any]:
    """One sub-flow with what would change if the call used the newest version. Raises NotFoundError via the lookup."""
    version = Version.objects.select_related("app").get_visible(principal, app_id=app, number=number)
    flow = sub_flow(version, key)
    if flow is None:
        raise FlowError(
            "version.no_such_flow",
            text(f"Version {number} has no flow “{key}”.", f"版本 {number} 中没有流程“{key}”。"),
        )
    flow = _with_newest(flow, _newest({app}, principal).get(app))
    answer = sub_flow_as_json(flow, app_title=version.app.title)
    if flow.newest_settings is not None:
        later = Version.objects.select_related("app").get_visible(principal, app_id=app, number=flow.newest)
        newer = sub_flow(later, key)
        answer["changes"] = diff(flow.document, newer.document) if newer is not None else []
    return answer
