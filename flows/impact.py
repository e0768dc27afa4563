"""Who uses a dataset's columns: stored when a version is saved, told to people within what they may see."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flows.datasets import Sources
from flows.graph.document import Document
from flows.graph.lineage import Lineage, step_relations
from flows.graph.loop_rows import with_loop_rows
from flows.graph.validate import Checked
from flows.models import ColumnUse, Flow, Version
from node_catalog.models import Dataset
from node_catalog.palette import registry
from security.access import Principal

MOST_USES = 200
"""Flows listed by name for one dataset; more are counted."""


@dataclass
class _Use:
    """What becomes of one dataset column in one flow."""

    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    steps: dict[str, None] = field(default_factory=dict)

    def note(self, output: str, step: str, column: str, is_value: bool) -> None:
        found = self.outputs.setdefault(output, {"step": step, "columns": [], "rows": False})
        if is_value and column not in found["columns"]:
            found["columns"].append(column)
        found["rows"] = found["rows"] or not is_value


def column_uses(document: Document, checked: Checked, sources: Sources) -> list[ColumnUse]:
    """The lineage of a checked flow, not saved yet and without its version: one row per dataset column it uses."""
    known = with_loop_rows(registry())
    schemas = checked.inner_schemas
    relations = step_relations(document, known, sources.datasets, sources.grants, schemas, expanded=checked.expanded)
    lineage = Lineage(relations)
    uses: dict[tuple[str, str], _Use] = defaultdict(_Use)
    for step, value in document.steps.items():
        kind = known.transforms.get(value.type)
        if kind is None or kind.role != "sink":
            continue
        output = str(value.settings.get("name") or step)
        for column in lineage.columns(f"{step}.in"):
            _add(uses, lineage, step, output, column)
    return [
        ColumnUse(
            dataset=sources.rows[number],
            column=column[:200],
            outputs=use.outputs,
            steps=[one for one in relations.order if one in use.steps],
        )
        for (number, column), use in uses.items()
    ]


def _add(uses: dict[tuple[str, str], _Use], lineage: Lineage, step: str, output: str, column: str) -> None:
    found = lineage.of(f"{step}.in", column)
    for read, number, name in found.computed_from:
        use = uses[number, name]
        use.note(output, step, column, is_value=True)
        use.steps.update(dict.fromkeys([read, *found.computing]))
    for read, number, name in found.rows_from:
        use = uses[number, name]
        use.note(output, step, column, is_value=False)
        use.steps.update(dict.fromkeys([read, *found.choosing]))


def uses_of(dataset: Dataset, principal: Principal) -> dict[str, Any]:
    """``{"columns": {name: {"flows", "apps", "hidden_apps"}}, "flows": [...], "hidden_apps"}``.

    A flow is told once, by its newest version that uses the dataset, with the older versions that do. Of apps that
    ``principal`` may not see there is only a count.
    """
    rows = ColumnUse.objects.filter(dataset=dataset, version__app__deleted_at=None)
    visible = set(
        Version.objects.visible_to(principal).filter(column_uses__dataset=dataset).values_list("pk", flat=True)
    )
    rows = rows.select_related("version__app").order_by("-version__number", "column")
    newest: dict[tuple[Any, str], dict[str, Any]] = {}
    seen: dict[str, set[Any]] = defaultdict(set)
    hidden: dict[str, set[Any]] = defaultdict(set)
    for row in rows:
        if row.version_id not in visible:
            hidden[row.column].add(row.version.app_id)
            continue
        seen[row.column].add(row.version.app_id)
        flow = newest.setdefault((row.version.app_id, row.flow_key), _flow_as_json(row))
        if row.version.number not in flow["versions"]:
            flow["versions"].append(row.version.number)
        if row.version.number == flow["version"]["number"]:
            flow["columns"].append({"column": row.column, "outputs": _outputs(row.outputs), "steps": row.steps})
    _add_flow_ids(newest, principal)
    return {
        "flows": list(newest.values())[:MOST_USES],
        "columns": [
            {"column": name, "apps": len(seen[name]), "hidden_apps": len(hidden[name])}
            for name in dict.fromkeys([*seen, *hidden])
        ],
        "hidden_apps": len({app for apps in hidden.values() for app in apps}),
    }


def _flow_as_json(row: ColumnUse) -> dict[str, Any]:
    version = row.version
    return {
        "app": {"id": str(version.app_id), "title": version.app.title},
        "flow": {"key": row.flow_key, "id": None, "title": None},
        "version": {"id": str(version.pk), "number": version.number},
        "versions": [],
        "columns": [],
    }


def _outputs(outputs: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{"name": name, **found} for name, found in outputs.items()]


def _add_flow_ids(newest: Mapping[tuple[Any, str], dict[str, Any]], principal: Principal) -> None:
    flows = Flow.objects.visible_to(principal).filter(app_id__in={app for app, _ in newest})
    for flow in flows:
        found = newest.get((flow.app_id, flow.key))
        if found is not None:
            found["flow"] |= {"id": str(flow.pk), "title": flow.title}
