"""Makes plans: for a version that is about to run, and for a preview of one step of a draft."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jsonschema
import msgspec
from django.conf import settings

from flows.checking import blocking, draft_document
from flows.datasets import gather_sources
from flows.errors import FlowCheckError, FlowError
from flows.graph.document import Document
from flows.graph.plan import Plan
from flows.graph.planner import make_plan, plan_digest
from flows.graph.validate import check
from flows.models import Flow, StoredPlan, Version
from node_catalog.palette import registry
from node_catalog.sdk.text import text
from security.models import User


def version_document(version: Version, flow_key: str) -> Document:
    """The frozen document of one flow, brought to today's step versions."""
    try:
        raw = version.document["flows"][flow_key]["document"]
    except KeyError:
        raise FlowError(
            "version.no_such_flow",
            text(
                f"Version {version.number} has no flow “{flow_key}”.", f"版本 {version.number} 中没有流程“{flow_key}”。"
            ),
        ) from None
    return draft_document(raw)


def plan_for(version: Version, flow_key: str, user: User, parameters: Mapping[str, Any]) -> tuple[StoredPlan, Plan]:
    """The plan of a version with today's schemas and the rights of ``user``; compiled once per distinct input.

    Raises FlowCheckError when a right is missing, a source has moved, or anything else is wrong today.
    """
    document = version_document(version, flow_key)
    sources = gather_sources(document, user)
    values = complete_parameters(document, parameters)
    known = registry()
    checked = check(document, known, sources.datasets, sources.grants, nodes=sources.nodes, parameters=values)
    errors = blocking(checked.findings)
    if errors:
        raise FlowCheckError(errors)
    digest = plan_digest(document, sources.datasets, sources.grants, known, values)
    stored = StoredPlan.objects.filter(digest=digest).first()
    if stored is not None:
        return stored, msgspec.convert(stored.body, Plan)
    plan = make_plan(document, known, sources.datasets, sources.grants, nodes=sources.nodes, parameters=values)
    body = msgspec.to_builtins(msgspec.structs.replace(plan, digest=digest))
    stored, _ = StoredPlan.objects.get_or_create(digest=digest, defaults={"body": body})
    return stored, msgspec.convert(stored.body, Plan)


def preview_plan(flow: Flow, step: str, user: User, limit: int = 100) -> Plan:
    """A plan that collects at most ``limit`` rows of one step (or ``step.port``), from a sample of each source.

    It is compiled with the asker's own rights. Raises FlowCheckError for problems upstream of the step.
    """
    document = draft_document(flow.draft.document)
    name = step.partition(".")[0]
    if name not in document.steps:
        raise FlowError(
            "preview.no_such_step", text(f"There is no step “{name}”.", f"没有步骤“{name}”。"), where=f"/steps/{name}"
        )
    sources = gather_sources(document, user)
    known = registry()
    values = complete_parameters(document, {})
    checked = check(
        document,
        known,
        sources.datasets,
        sources.grants,
        nodes=sources.nodes,
        parameters=values,
        upto="L4",
        only=name,
    )
    errors = blocking(checked.findings)
    if errors:
        raise FlowCheckError(errors)
    return make_plan(
        document,
        known,
        sources.datasets,
        sources.grants,
        nodes=sources.nodes,
        parameters=values,
        until=step,
        sample_rows=settings.OPTIONS["PREVIEW_ROWS"],
        limit=limit,
    )


def complete_parameters(document: Document, given: Mapping[str, Any]) -> dict[str, Any]:
    """Given values over the defaults of the document's inputs, checked against their schema."""
    properties: dict[str, Any] = document.inputs.get("properties", {})
    values = {name: schema["default"] for name, schema in properties.items() if "default" in schema}
    values.update(given)
    schema = {"additionalProperties": False, **document.inputs} if document.inputs else {"maxProperties": 0}
    validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    for error in validator.iter_errors(values):
        name = "/".join(str(part) for part in error.absolute_path)
        raise FlowError(
            "parameters.wrong",
            text(
                f"Parameter {name or 'list'} does not fit: {error.message}.",
                f"参数 {name or '列表'} 不合要求：{error.message}。",
            ),
            where=f"/parameters/{name}",
        )
    return values
