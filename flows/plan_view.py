"""The plan as people look at it: what runs together, what each source is asked, about how much flows, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlglot
import sqlglot.expressions as sge

from flows.checking import blocking
from flows.datasets import Sources, gather_sources
from flows.errors import FlowCheckError
from flows.graph.document import Document
from flows.graph.estimate import ColumnFacts, estimate_ports
from flows.graph.fuse import MAX_STEPS
from flows.graph.lineage import step_relations
from flows.graph.plan import Binding, Plan, Stage
from flows.graph.relation_text import parser_name
from flows.graph.topology import Topology
from flows.models import Flow
from flows.planning import cluster_for, complete_parameters
from flows.policy import is_editor
from flows.tracing import step_title
from node_catalog.models import Column, Dataset
from node_catalog.palette import registry
from node_catalog.sdk.grant import visible_values
from node_catalog.sdk.text import Text, text
from security.access import Principal

Json = dict[str, Any]


def plan_as_json(flow: Flow, document: Document, principal: Principal) -> Json:
    """``{"stages", "wires", "notes", "is_redacted"}`` of a document, compiled with the rights of who asks.

    Who works with no data (an operator) gets the plan of the app's owner, with every constant in its texts left out.
    Raises FlowCheckError when the flow cannot be planned.
    """
    is_redacted = not is_editor(principal.roles, flow.app.owner_id == principal.user.pk)
    sources = gather_sources(document, flow.app.owner if is_redacted else principal.user)
    known, values = registry(), complete_parameters(document, _samples(document))
    checked = sources.check(document, values, upto="L4")
    errors = blocking(checked.findings)
    if errors:
        raise FlowCheckError(errors)
    plan = sources.plan(document, values, cluster=cluster_for(flow))
    assert checked.expanded is not None, "a check always expands"
    flat, resolve = checked.expanded.document, checked.expanded.resolve
    relations = step_relations(
        document, known, sources.datasets, sources.grants, checked.inner_schemas, values, checked.expanded
    )
    estimates = estimate_ports(relations, _facts(sources))
    return {
        "stages": [_stage_as_json(stage, flat, sources, is_redacted) for stage in plan.stages],
        "wires": [
            {
                "from": wire.source,
                "to": wire.target,
                **estimates.get(resolve(wire.source), {"rows": None, "bytes": None}),
            }
            for wire in document.wires
        ],
        "notes": [*plan.notes, *_why_not(plan, flat), *_why_cut(plan, flat)],
        "is_redacted": is_redacted,
    }


def _samples(document: Document) -> dict[str, Any]:
    """A value for each input that has no default: only the shape of the plan matters here."""
    by_type = {"number": 1.0, "integer": 1, "boolean": True, "array": [], "string": "x"}
    formats = {"date": "2000-01-01", "date-time": "2000-01-01T00:00:00", "duration": "P1D"}
    properties: Mapping[str, Any] = document.inputs.get("properties", {})
    return {
        name: (schema["enum"][0] if schema.get("enum") else formats.get(schema.get("format", "")))
        or by_type.get(schema.get("type", "string"), "x")
        for name, schema in properties.items()
        if "default" not in schema
    }


# ── stages ────────────────────────────────────────────────────────────────────────────────────────────────


def _stage_as_json(stage: Stage, document: Document, sources: Sources, is_redacted: bool) -> Json:
    return {
        "key": stage.key,
        "steps": list(stage.steps),
        "engine": stage.engine,
        "after": list(stage.after),
        "text": pretty(stage.text, stage.engine, is_redacted),
        "sink": {
            "kind": stage.sink.kind,
            "name": stage.sink.name,
            "step": stage.sink.step,
            "delivery": sources.delivery_label(stage.sink.dataset, stage.sink.node),
        },
        "reads": [
            _read_as_json(binding, document, sources, is_redacted)
            for binding in stage.bindings
            if binding.kind == "dataset"
        ],
    }


def _read_as_json(binding: Binding, document: Document, sources: Sources, is_redacted: bool) -> Json:
    dataset = sources.rows[binding.dataset]
    return {
        "step": binding.step,
        "title": step_title(document, binding.step),
        "dataset": _dataset_as_json(dataset),
        "node_type": registry().connectors[dataset.node.type].title
        if dataset.node.type in registry().connectors
        else {},
        "dialect": binding.dialect,
        "in_source": binding.dialect != "duckdb",
        "columns": list(binding.schema.names),
        "others": [_dataset_as_json(sources.rows[read.dataset]) for read in binding.reads[1:]],
        "pushed": [one for one in binding.pushed if one != binding.step],
        "thinned": list(binding.thinned),
        "text": pretty(binding.text, binding.dialect, is_redacted),
    }


def _dataset_as_json(dataset: Dataset) -> Json:
    return {"id": str(dataset.pk), "number": dataset.number, "title": dataset.title, "name": dataset.name}


def pretty(statement: str, dialect: str, is_redacted: bool) -> str:
    """A statement to read; redacted: with a question mark for every constant, or nothing when it cannot be parsed."""
    name = parser_name(dialect)
    try:
        tree = sqlglot.parse_one(statement, dialect=name)
        if is_redacted:
            for literal in list(tree.find_all(sge.Literal, sge.Boolean, sge.HexString, sge.National, sge.RawString)):
                literal.replace(sge.Placeholder())
        return tree.sql(dialect=name, pretty=True)
    except sqlglot.ParseError:
        return "" if is_redacted else statement


# ── estimates ─────────────────────────────────────────────────────────────────────────────────────────────


def _facts(sources: Sources) -> dict[str, tuple[float | None, dict[str, ColumnFacts]]]:
    """Rows and what profiles tell, of columns whose values the reader may know."""
    found = {}
    for number, dataset in sources.rows.items():
        grant = sources.grants.get(number)
        open_columns = visible_values(grant) if grant is not None else set()
        facts = {one.name: _column_facts(one) for one in dataset.columns.all() if one.name in open_columns}
        found[number] = (dataset.rows, facts)
    return found


def _column_facts(column: Column) -> ColumnFacts:
    profile: Mapping[str, Any] = column.profile or {}
    distinct, top = profile.get("distinct"), profile.get("top") or ()
    texts = [str(one.get("value")) for one in top if isinstance(one, Mapping)] if column.type == "text" else []
    width = sum(len(one.encode()) for one in texts) / len(texts) if texts else None
    return ColumnFacts(distinct if isinstance(distinct, int | float) else None, width)


# ── reasons ───────────────────────────────────────────────────────────────────────────────────────────────


def _why_not(plan: Plan, document: Document) -> list[Json]:
    """For every read whose next step runs in the engine: why it does not run in the source."""
    topology, said = Topology(document), {note["step"] for note in plan.notes}
    notes = []
    for stage in plan.stages:
        for binding in stage.bindings:
            if binding.kind != "dataset":
                continue
            last = binding.pushed[-1] if binding.pushed else binding.step
            following = list(dict.fromkeys(wire.target_step for wire in topology.out_of[last]))
            if any(one in said for one in following) or not following:
                continue
            notes.append({"step": last, "code": "plan.read_whole", "message": _reason(document, last, following)})
    return notes


def _reason(document: Document, last: str, following: list[str]) -> Text:
    here, there = step_title(document, last), step_title(document, following[0])
    if len(following) > 1:
        return text(
            f"The rows of “{here['en']}” are used by {len(following)} steps, so they are read once and nothing is left "
            "to the source.",
            f"“{here['zh-CN']}”的行被 {len(following)} 个步骤使用，因此只读取一次，不再交由数据源处理。",
        )
    kind = registry().transforms.get(document.steps[following[0]].type)
    if kind is not None and kind.role == "sink":
        return text(
            f"Nothing is left to do between “{here['en']}” and “{there['en']}”.",
            f"“{here['zh-CN']}”与“{there['zh-CN']}”之间没有其他处理。",
        )
    return text(
        f"“{there['en']}” runs in the engine: a source is left conditions, columns, limits behind a read, and "
        "in a PostgreSQL or MySQL database joins and groups that leave far fewer rows.",
        f"“{there['zh-CN']}”在引擎中执行：交由数据源处理的只有条件、选列、读取后的行数限制，"
        "以及 PostgreSQL 或 MySQL 库中能大幅减少行数的连接和分组。",
    )


def _why_cut(plan: Plan, document: Document) -> list[Json]:
    """For every stage whose rows other stages take: why the flow is cut there."""
    notes = []
    for stage in plan.stages:
        if stage.sink.kind != "exchange":
            continue
        here = step_title(document, stage.key)
        users = len({other.key for other in plan.stages if stage.key in other.after})
        message = text(
            f"“{here['en']}” ends a stage: its rows are computed once and handed to {users} stage(s) as a file.",
            f"“{here['zh-CN']}”是一个阶段的终点：结果只计算一次，以文件形式交给 {users} 个阶段。",
        )
        if len(stage.steps) >= MAX_STEPS:
            message = text(
                f"“{here['en']}” ends a stage: a stage holds at most {MAX_STEPS} steps.",
                f"“{here['zh-CN']}”是一个阶段的终点：每个阶段最多 {MAX_STEPS} 个步骤。",
            )
        notes.append({"step": stage.key, "code": "plan.stage_ends", "message": message})
    return notes
