"""Makes plans: for a version that is about to run, and for a preview of one step of a draft."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jsonschema
import msgspec
from django.conf import settings

from flows.checking import blocking, draft_document
from flows.datasets import Sources, gather_sources
from flows.errors import FlowCheckError, FlowError
from flows.graph.document import Document
from flows.graph.engines import Cluster
from flows.graph.held import Held, with_held
from flows.graph.plan import Iterations, Plan, digest_of
from flows.graph.planner import plan_digest
from flows.graph.sources import given_rows
from flows.graph.stage_sink import Ending
from flows.known_plans import KNOWN, Known
from flows.models import Flow, StoredPlan, Version
from flows.subflows import sub_flow
from node_catalog.palette import registry
from node_catalog.sdk.text import text
from security.access import principal_for
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


def plan_for(
    version: Version, flow: Flow, user: User, parameters: Mapping[str, Any], until: str = ""
) -> tuple[StoredPlan, Plan]:
    """The plan of a version with today's schemas and the rights of ``user``; compiled once per distinct input.

    ``until`` (``step`` or ``step.port``) makes it end there, with that port's rows as its only result.

    Raises FlowCheckError when a right is missing, a source has moved, or anything else is wrong today.
    """
    stored, known = known_plan(version, flow, user, parameters, until)
    return stored, known.plan


def known_plan(
    version: Version, flow: Flow, user: User, parameters: Mapping[str, Any], until: str = ""
) -> tuple[StoredPlan, Known]:
    """The same, with what it was made from."""
    cluster = cluster_for(flow)
    key = (version.pk, flow.key, user.pk, until, digest_of(parameters), cluster)
    known = KNOWN.find(key)
    document = known.document if known is not None else version_document(version, flow.key)
    sources = gather_sources(document, user)
    if known is not None and known.sources == sources:
        stored = StoredPlan.objects.defer("body").filter(digest=known.digest).first()
        if stored is not None:
            return stored, known
    stored, plan = _checked_plan(document, sources, complete_parameters(document, parameters), until, cluster)
    known = Known(document, sources, stored.digest, plan)
    KNOWN.keep(key, known)
    return stored, known


def _checked_plan(
    document: Document, sources: Sources, values: Mapping[str, Any], until: str, cluster: Cluster | None
) -> tuple[StoredPlan, Plan]:
    checked = sources.check(document, values, only=until.partition(".")[0] or None)
    errors = blocking(checked.findings)
    if errors:
        raise FlowCheckError(errors)
    expanded = checked.expanded.document if checked.expanded is not None else None
    digest = plan_digest(document, sources.datasets, sources.grants, registry(), values, expanded, cluster)
    digest = digest_of([digest, until]) if until else digest
    stored = StoredPlan.objects.filter(digest=digest).first()
    if stored is None:
        ending = Ending("result", name=until) if until else None
        plan = sources.plan(document, values, until=until or None, ending=ending, cluster=cluster)
        body = msgspec.to_builtins(msgspec.structs.replace(plan, digest=digest))
        stored, _ = StoredPlan.objects.get_or_create(digest=digest, defaults={"body": body})
    return stored, msgspec.convert(stored.body, Plan)


def cluster_for(flow: Flow) -> Cluster | None:
    """The Spark that stages of this flow may be sent to, when one is set up."""
    if not settings.OPTIONS["SPARK_URL"]:
        return None
    wish: Any = Flow.Compute(flow.compute).value
    return Cluster(settings.OPTIONS["SPARK_ROWS"], wish, bool(settings.OPTIONS["SPARK_EXCHANGE"]))


def preview_plan(
    flow: Flow, step: str, user: User, limit: int = 100, held: Mapping[str, Held] | None = None
) -> tuple[Plan, tuple[str, ...]]:
    """A plan that collects at most ``limit`` rows of one step (or ``step.port``), from a sample of each source.

    It is compiled with the asker's own rights. Ports in ``held`` are not computed: their rows are there already; the
    second answer names those that the plan reads. Raises FlowCheckError for problems upstream of the step.
    """
    draft = draft_document(flow.draft.document)
    name = step.partition(".")[0]
    if name not in draft.steps:
        raise FlowError(
            "preview.no_such_step", text(f"There is no step “{name}”.", f"没有步骤“{name}”。"), where=f"/steps/{name}"
        )
    changed = with_held(draft, step, held or {})
    document, until = changed.document, changed.until
    sources = gather_sources(document, user).including(changed.datasets, changed.grants)
    values = complete_parameters(document, {})
    errors = blocking(sources.check(document, values, upto="L4", only=until.partition(".")[0]).findings)
    if errors:
        raise FlowCheckError(errors)
    plan = sources.plan(document, values, until=until, sample_rows=settings.OPTIONS["PREVIEW_ROWS"], limit=limit)
    return plan, changed.used


@dataclass(frozen=True)
class Prepared:
    """What every iteration of a for-each needs: the sub-flow and what the catalogue says about its sources."""

    document: Document
    sources: Sources


def prepare_iterations(loop: Iterations, user: User) -> Prepared:
    """Look up the sub-flow of a for-each. Raises FlowError when its version is gone."""
    app, number, key = loop.flow
    version = Version.objects.visible_to(principal_for(user)).filter(app_id=app, number=number).first()
    flow = sub_flow(version, key) if version is not None else None
    if flow is None:
        raise FlowError(
            "call.unknown",
            text("The sub-flow of this for-each is gone.", "“逐项执行”的子流程已不存在。"),
            where=f"/steps/{loop.step}",
        )
    document = flow.document
    sources = gather_sources(document, user)
    if loop.batch and loop.items_schema is not None:
        info, grant = given_rows(loop.batch, loop.items_schema)
        document = msgspec.structs.replace(document, datasets={**document.datasets, loop.batch: info.number})
        sources = sources.including({info.number: info}, {info.number: grant})
    return Prepared(document, sources)


def iteration_plan(loop: Iterations, prepared: Prepared, parameters: Mapping[str, Any]) -> Plan:
    """The plan of one iteration: one stage that hands its rows on."""
    values = complete_parameters(prepared.document, parameters)
    return prepared.sources.plan(prepared.document, values, until=loop.output, ending=Ending("exchange"))


def complete_parameters(document: Document, given: Mapping[str, Any]) -> dict[str, Any]:
    """Given values over the defaults of the document's inputs, checked against their schema."""
    return Inputs(document.inputs).complete(given)


class Inputs:
    """A document's inputs, ready to take values many times."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        properties: Mapping[str, Any] = schema.get("properties", {})
        self._defaults = {name: one["default"] for name, one in properties.items() if "default" in one}
        whole = {"additionalProperties": False, **schema} if schema else {"maxProperties": 0}
        self._validator = jsonschema.Draft202012Validator(whole, format_checker=jsonschema.FormatChecker())

    def complete(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Given values over the defaults. Raises FlowError when they do not fit the schema."""
        values = {**self._defaults, **given}
        for error in self._validator.iter_errors(values):
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
