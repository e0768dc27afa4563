"""Where a number comes from: its columns, steps, rights and rows, for one person's rights of today."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flows.checking import step_summaries
from flows.datasets import Sources, gather_sources
from flows.errors import FlowError
from flows.graph.cell_rows import cell_rows_plan, conditions_as_json
from flows.graph.check_graph import step_name
from flows.graph.document import Document
from flows.graph.lineage import ColumnLineage, Lineage, StepRelations, step_relations
from flows.graph.plan import Plan
from flows.graph.provenance import WHY, SourceRows, trace_row
from flows.graph.validate import Checked
from flows.models import Version
from flows.planning import complete_parameters, version_document
from node_catalog.models import Grant
from node_catalog.palette import registry
from node_catalog.sdk.text import Text, text
from security.models import User

LANGUAGES = ("en", "zh-CN")
log = logging.getLogger(__name__)
Json = dict[str, Any]


@dataclass(frozen=True)
class Traced:
    """One flow of a version with everything that questions about its cells need."""

    document: Document
    sources: Sources
    checked: Checked
    relations: StepRelations
    parameters: Mapping[str, Any]


def open_flow(version: Version, flow_key: str, user: User, parameters: Mapping[str, Any]) -> Traced:
    """The frozen flow over today's datasets and the rights of ``user``."""
    document = version_document(version, flow_key)
    sources = gather_sources(document, user)
    values = complete_parameters(document, parameters)
    checked = sources.check(document, values, upto="L4")
    document = checked.expanded.document if checked.expanded is not None else document
    relations = step_relations(
        document, registry(), sources.datasets, sources.grants, checked.inner_schemas, values, checked.expanded
    )
    return Traced(document, sources, checked, relations, values)


def explain_cell(traced: Traced, port: str, row: Mapping[str, Any], column: str) -> Json:
    """``{"column", "steps", "sources"}``: the steps on the way, and per read step its columns, right and rows.

    ``port`` is the output's (``step.in``), ``row`` holds all values of the row that the cell is in.
    """
    lineage = Lineage(traced.relations)
    found = lineage.of(port, column)
    rows = {one.step: one for one in _rows_behind(traced, port, row, column)}
    grants = _grants(traced)
    return {
        "column": column,
        "steps": _steps(traced, found, port),
        "sources": [
            _source(traced, step, found, rows.get(step), grants)
            for step in traced.relations.datasets
            if step in rows or any(origin[0] == step for origin in found.sources)
        ],
    }


def rows_plan(traced: Traced, port: str, row: Mapping[str, Any], column: str, step: str, limit: int) -> Plan:
    """The plan that shows at most ``limit`` of the rows of the read step ``step`` behind a cell."""
    rows = next((one for one in _rows_behind(traced, port, row, column) if one.step == step), None)
    if rows is None or rows.is_none:
        message = text("No row of this step is behind the number.", "该数字没有用到这个步骤的行。")
        raise FlowError("cell.no_rows", message, where=f"/steps/{step}")
    return cell_rows_plan(
        traced.document,
        registry(),
        traced.sources.datasets,
        traced.sources.grants,
        traced.checked.inner_schemas,
        rows,
        traced.parameters,
        limit,
        traced.checked.expanded.parameters_of if traced.checked.expanded is not None else None,
    )


def _rows_behind(traced: Traced, port: str, row: Mapping[str, Any], column: str) -> list[SourceRows]:
    """The rows of every read step behind a cell; none when a step on the way cannot be read backwards."""
    if port not in traced.relations.by_port:
        message = text(
            "The flow cannot be built as it was: a step has a problem today. Open the flow to see which.",
            "流程今天无法按原样构建：有步骤存在问题。请打开流程查看。",
        )
        raise FlowError("cell.not_traceable", message)
    try:
        return trace_row(traced.relations, port, row, column)
    except Exception as error:  # a step type is foreign code: its relation may hold what nobody has foreseen
        log.warning("rows behind a cell: %s", type(error).__name__)
        return []


def _steps(traced: Traced, found: ColumnLineage, port: str) -> list[Json]:
    """The steps between the sources and the output that touch the number, in the data's order."""
    reads = {step for step, _, _ in found.sources}
    wanted = {*reads, *found.computing, *found.choosing, port.partition(".")[0]}
    raw = {key: {"type": one.type, "settings": one.settings} for key, one in traced.document.steps.items()}
    summaries = step_summaries({"steps": raw})
    return [
        {
            "step": step,
            "title": step_title(traced.document, step),
            "type": traced.document.steps[step].type,
            "summary": summaries.get(step, {}),
            "reads": step in reads,
            "computes": step in found.computing,
            "chooses": step in found.choosing,
        }
        for step in traced.relations.order
        if step in wanted
    ]


def _source(
    traced: Traced, step: str, found: ColumnLineage, rows: SourceRows | None, grants: Mapping[str, Grant]
) -> Json:
    number = traced.relations.datasets[step]
    dataset, grant = traced.sources.rows[number], traced.sources.grants[number]
    return {
        "step": step,
        "title": step_title(traced.document, step),
        "dataset": {"id": str(dataset.pk), "number": number, "title": dataset.title, "name": dataset.name},
        "computed_from": sorted(name for at, _, name in found.computed_from if at == step),
        "rows_from": sorted(name for at, _, name in found.rows_from if at == step),
        "right": _right(grant, grants.get(grant.grant)),
        "rows": rows and _rows(traced, rows),
    }


def _rows(traced: Traced, rows: SourceRows) -> Json:
    reasons = dict.fromkeys(reason for demand in rows.demands for reason in demand.reasons)
    return {
        "is_exact": rows.is_exact,
        "is_none": rows.is_none,
        "conditions": [conditions_as_json(demand) for demand in rows.demands],
        "notes": [
            {
                "code": f"cell.{reason.code}",
                "step": reason.step,
                "message": _said(traced.document, reason.step, WHY[reason.code]),
            }
            for reason in reasons
        ],
    }


def _right(grant: Any, stored: Grant | None) -> Json:
    """By which right the rows were read; masks are named, values are not."""
    return {
        "source": grant.source,
        "number": grant.grant,
        "until": stored.valid_until if stored is not None else None,
        "masked": sorted(name for name, mask in grant.masks.items() if mask),
        "has_row_filter": grant.row_filter is not None,
    }


def _grants(traced: Traced) -> dict[str, Grant]:
    numbers = [one.grant for one in traced.sources.grants.values() if one.grant]
    return {one.number: one for one in Grant.objects.filter(number__in=numbers)}


def step_title(document: Document, step: str) -> Text:
    """What people call a step."""
    return text(*(step_name(document, step, language, registry().transforms) for language in LANGUAGES))


def _said(document: Document, step: str, why: Text) -> Text:
    named = step_title(document, step)
    return text(f"“{named['en']}”: {why['en']}.", f"“{named['zh-CN']}”：{why['zh-CN']}。")
