"""Versions: the whole app frozen, listed, restored, compared."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from flows.checking import blocking, check_document, draft_document
from flows.errors import FlowCheckError
from flows.graph.diff import diff
from flows.graph.plan import digest_of
from flows.impact import column_uses
from flows.models import App, ColumnUse, DatasetUse, Draft, Flow, Version
from node_catalog.models import Dataset
from security import audit
from security.access import principal_for
from security.models import User


def version_to_run(flow: Flow, user: User, until: str = "") -> Version:
    """The newest version of the flow's app when nothing but the layout has changed since, else the draft, frozen now.

    Most runs come again: nothing is locked for those.
    """
    newest = unchanged_version(flow)
    return newest or save_version(flow.app, user, automatic=True, only_flow=flow.key, until=until)


def unchanged_version(flow: Flow) -> Version | None:
    """The newest version of the flow's app when nothing but the layout has changed since."""
    drafts = Draft.objects.filter(flow__app=flow.app_id).order_by("flow__ordinal").values_list("flow__key", "document")
    newest = Version.objects.filter(app=flow.app_id).order_by("-number").first()
    return newest if newest is not None and newest.digest == digest_of(dict(drafts)) else None


@transaction.atomic
def save_version(
    app: App,
    user: User,
    note: str = "",
    *,
    automatic: bool = False,
    only_flow: str | None = None,
    until: str = "",
) -> Version:
    """Freeze every flow of the app; the flows in question must pass every check with the owner's rights.

    Pressing Run freezes automatically (``only_flow`` is then the one that must pass) and reuses the newest version,
    without looking at it again, when nothing but the layout has changed: the plan is checked for whoever runs it.
    With ``until`` only what is upstream of that step must pass.
    """
    App.objects.select_for_update().get(pk=app.pk)
    drafts = list(Draft.objects.filter(flow__app=app).select_related("flow").order_by("flow__ordinal"))
    digest = digest_of({draft.flow.key: draft.document for draft in drafts})
    newest = Version.objects.filter(app=app).order_by("-number").first()
    if automatic and newest is not None and newest.digest == digest:
        return newest
    checked = [draft for draft in drafts if only_flow in (None, draft.flow.key)]
    uses = {draft.flow.key: _checked_uses(draft, app.owner, until.partition(".")[0]) for draft in checked}
    document = {draft.flow.key: {"document": draft.document, "layout": draft.layout} for draft in drafts}
    version = Version.objects.create(
        app=app,
        number=(newest.number if newest else 0) + 1,
        document={"flows": document},
        digest=digest,
        note=note[:300],
        is_automatic=automatic,
        created_by=user,
    )
    DatasetUse.objects.bulk_create(
        DatasetUse(version=version, flow_key=key, dataset=dataset, columns=columns, is_write=is_write)
        for key, (rows, _) in uses.items()
        for dataset, columns, is_write in rows
    )
    for key, (_, lineage) in uses.items():
        for use in lineage:
            use.version, use.flow_key = version, key
        ColumnUse.objects.bulk_create(lineage)
    audit.record("version.save", "version", str(version.pk), principal=principal_for(user), detail={"app": str(app.pk)})
    return version


def _checked_uses(
    draft: Draft, owner: User, until: str = ""
) -> tuple[list[tuple[Dataset, list[str], bool]], list[ColumnUse]]:
    """Datasets that the draft reads and writes, and the lineage of its outputs."""
    checked, sources = check_document(draft.document, owner, flow=draft.flow)
    errors = blocking(checked.findings, checked.upstream_of(until) if until else None)
    if errors:
        raise FlowCheckError(errors)
    document = checked.expanded.document if checked.expanded is not None else draft_document(draft.document)
    uses: dict[tuple[str, bool], set[str]] = {}
    for key, step in document.steps.items():
        reference = step.settings.get("dataset")
        if not isinstance(reference, str) or document.dataset_number(reference) not in sources.rows:
            continue
        is_write = step.type == "write"
        schema = checked.inner_schemas.get(f"{key}.out")
        columns = set(schema.names) if schema and not is_write else set()
        uses.setdefault((document.dataset_number(reference), is_write), set()).update(columns)
    datasets = [(sources.rows[number], sorted(columns), is_write) for (number, is_write), columns in uses.items()]
    return datasets, column_uses(document, checked, sources)


@transaction.atomic
def restore_version(version: Version, user: User, flow_key: str | None = None) -> list[Flow]:
    """Make the drafts equal to a version again (one flow, or all); what was there stays in the operation log."""
    restored = []
    for key, parts in version.document["flows"].items():
        if flow_key not in (None, key):
            continue
        flow, _ = Flow.objects.get_or_create(
            app=version.app, key=key, defaults={"title": parts["document"].get("title") or {"en": key, "zh-CN": key}}
        )
        draft, _ = Draft.objects.get_or_create(flow=flow, defaults={"document": parts["document"]})
        draft.document, draft.layout = parts["document"], parts["layout"]
        draft.revision += 1
        draft.updated_by = user
        draft.save()
        flow.operations.create(
            revision=draft.revision,
            client=f"restore-{version.pk}-{draft.revision}",
            operations=[{"op": "restore_version", "version": version.number}],
            actor=user,
        )
        restored.append(flow)
    audit.record("version.restore", "version", str(version.pk), principal=principal_for(user))
    return restored


def version_difference(old: Version, new: Version) -> dict[str, list[dict[str, Any]]]:
    """What changed between two versions, flow by flow."""
    keys = dict.fromkeys([*old.document["flows"], *new.document["flows"]])
    empty = {"document": {"kind": "flow", "spec": "1"}}
    return {
        key: diff(
            draft_document(old.document["flows"].get(key, empty)["document"]),
            draft_document(new.document["flows"].get(key, empty)["document"]),
        )
        for key in keys
    }
