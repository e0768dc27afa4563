"""Checks a draft for one person: findings, the schema of every port, and what the pickers need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from flows.datasets import Sources, gather_sources
from flows.graph.document import Document
from flows.graph.findings import Finding
from flows.graph.load import read_document
from flows.graph.validate import Checked
from flows.models import Flow
from node_catalog.palette import registry
from security.models import User

LEVELS = ("L0", "L1", "L2", "L3", "L4", "L5")


def check_draft(flow: Flow, user: User) -> Checked:
    """Check the draft with the rights of ``user``."""
    return check_document(flow.draft.document, user, flow=flow)[0]


def check_document(
    raw: Mapping[str, Any], user: User, upto: str = "L5", flow: Flow | None = None
) -> tuple[Checked, Sources]:
    """Check a document that is not stored anywhere yet; ``flow`` is what it is a draft of."""
    loaded = read_document(raw, registry())
    if loaded.document is None:
        return Checked(findings=list(loaded.findings), schemas={}), Sources({}, {}, {}, {})
    sources = gather_sources(loaded.document, user)
    caller = (str(flow.app_id), flow.key) if flow is not None else None
    checked = sources.check(loaded.document, upto=upto, caller=caller)
    if loaded.findings:
        checked.findings[:0] = loaded.findings
    return checked, sources


def checked_as_json(raw: Mapping[str, Any], checked: Checked, sources: Sources) -> dict[str, Any]:
    """The check as the browser gets it: findings, schemas by port, levels, datasets with their right, summaries."""
    return {
        "findings": [msgspec.to_builtins(finding) for finding in checked.findings],
        "schemas": {
            port: [msgspec.to_builtins(field) for field in schema.fields] for port, schema in checked.schemas.items()
        },
        "endless": list(checked.endless),
        "levels": {level: checked.ok(level) for level in LEVELS},
        "datasets": {number: _dataset_as_json(number, sources) for number in sources.datasets},
        "summaries": step_summaries(raw),
        "deliveries": step_deliveries(raw, sources),
    }


def step_deliveries(raw: Mapping[str, Any], sources: Sources) -> dict[str, str]:
    """What is promised of the rows of every step that writes to a known node (a DeliveryLabel)."""
    aliases, transforms, found = raw.get("datasets") or {}, registry().transforms, {}
    for key, step in (raw.get("steps") or {}).items():
        kind = transforms.get(str(step.get("type"))) if isinstance(step, Mapping) else None
        if kind is None or kind.role != "sink":
            continue
        settings = step.get("settings") or {}
        dataset = str(settings.get("dataset") or "")
        label = sources.delivery_label(str(aliases.get(dataset, dataset)), str(settings.get("node") or ""))
        if label:
            found[key] = label
    return found


def step_summaries(raw: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """One line in words for every step whose type we know."""
    transforms = registry().transforms
    summaries = {}
    for key, step in (raw.get("steps") or {}).items():
        kind = transforms.get(str(step.get("type"))) if isinstance(step, Mapping) else None
        if kind is not None:
            summaries[key] = kind.summarise(step.get("settings") or {})
    return summaries


def _dataset_as_json(number: str, sources: Sources) -> dict[str, Any]:
    info, row, grant = sources.datasets[number], sources.rows[number], sources.grants.get(number)
    readable = set(grant.columns) if grant else set()
    return {
        "id": str(row.pk),
        "number": number,
        "title": info.title,
        "name": row.name,
        "rows": info.rows,
        "state": info.state,
        "can_write": info.can_write,
        "right": "usable" if grant else "request",
        "columns": [
            {
                "name": column.name,
                "type": column.type,
                "title": column.title,
                "nullable": column.nullable,
                "readable": column.name in readable,
            }
            for column in sorted(row.columns.all(), key=lambda column: column.ordinal)
        ],
    }


def blocking(findings: list[Finding], steps: set[str] | None = None) -> list[Finding]:
    """The errors among findings, restricted to some steps when given."""
    return [f for f in findings if f.severity == "error" and (steps is None or not f.step or f.step in steps)]


def draft_document(raw: Mapping[str, Any]) -> Document:
    """The parsed document of a stored draft (drafts always pass L0)."""
    loaded = read_document(raw, registry())
    assert loaded.document is not None, "a stored draft passed L0 when it was saved"
    return loaded.document
