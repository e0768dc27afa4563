"""The check of calls: what their expansion found, and inner findings told at the step that people see."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from flows.graph.call_parameters import fits
from flows.graph.check_graph import graph_findings, step_name
from flows.graph.document import Document
from flows.graph.expand import Expanded
from flows.graph.findings import Finding
from flows.graph.subflow_findings import inside_finding, update_finding
from flows.graph.subflows import SubFlows, Types, reference_of
from flows.graph.topology import Topology
from node_catalog.sdk.ports import Schema
from node_catalog.sdk.text import text


def inner_graph_findings(expanded: Expanded, topology: Topology, types: Types) -> Iterator[Finding]:
    """Errors of the graph inside called flows; the rest of a frozen version is its author's business."""
    if expanded.inside:
        for finding in graph_findings(expanded.document, topology, types):
            if finding.severity == "error" and finding.step in expanded.inside:
                yield finding


def loop_findings(expanded: Expanded, schemas: Mapping[str, Schema]) -> Iterator[Finding]:
    """Columns of the items that do not fit the parameters they are for."""
    for loop in expanded.loops.values():
        schema = schemas.get(f"{loop.items}.out")
        for parameter, column in loop.columns.items() if schema is not None else ():
            field = schema.get(column) if schema is not None else None
            wanted = expanded_type(expanded, loop.inside, parameter)
            if field is not None and wanted and not fits(field.type, wanted):
                message = text(
                    f"Column {column} is {field.type}, but the parameter “{parameter}” is {wanted}. "
                    "Convert the column before.",
                    f"列 {column} 的类型是 {field.type}，而参数“{parameter}”是 {wanted}，请先转换该列。",
                )
                pointer = f"/steps/{loop.items}/settings/parameters/{parameter}"
                yield Finding("for_each.type", "L3", message, pointer=pointer, step=loop.items)


def expanded_type(expanded: Expanded, inside: Iterable[str], parameter: str) -> str:
    """The type of a parameter of a loop's sub-flow; empty when none of its steps is there to tell."""
    for step in inside:
        if len(expanded.inside.get(step, ())) == 2 and parameter in expanded.parameters_of(step):
            return expanded.parameters_of(step)[parameter].type
    return ""


def update_findings(document: Document, types: Types, subflows: SubFlows) -> Iterator[Finding]:
    """Newer versions of called flows."""
    for name, step in document.steps.items():
        kind = types.get(step.type)
        reference = reference_of(step.settings) if kind is not None and kind.calls else None
        flow = subflows.get(reference) if reference is not None else None
        if flow is not None and flow.newest > flow.version:
            yield update_finding(name, step, flow)


def fold_findings(
    findings: Iterable[Finding], document: Document, expanded: Expanded, types: Types, subflows: SubFlows
) -> list[Finding]:
    """Findings as people see them: those of inner steps at their call, once, and only what concerns the caller."""
    if not expanded.inside:
        return list(findings)
    folded: dict[tuple[str, str, str, str], Finding] = {}
    for finding in findings:
        shown = _folded(finding, document, expanded, types, subflows) if finding.step in expanded.inside else finding
        if shown is not None:
            folded.setdefault((shown.code, shown.step, shown.pointer, shown.message["en"]), shown)
    return list(folded.values())


def _folded(
    finding: Finding, document: Document, expanded: Expanded, types: Types, subflows: SubFlows
) -> Finding | None:
    path = expanded.inside[finding.step]
    call = path[0]
    if path[1:] == ("",):
        return _own(finding, call)
    if finding.code == "step.waits":
        return msgspec.structs.replace(finding, step=call, pointer=f"/steps/{call}")
    if finding.severity != "error" and finding.level < "L4":
        return None
    flow = subflows[reference_of(document.steps[call].settings)]  # type: ignore[index]
    names = tuple(step_name(expanded.document, finding.step, language, types) for language in ("en", "zh-CN"))
    return inside_finding(finding, call, flow, (names[0], names[1]))


def _own(finding: Finding, step: str) -> Finding:
    """A finding of a for-each's own settings."""
    pointer = finding.pointer.replace(f"/steps/{finding.step}", f"/steps/{step}", 1)
    fix = finding.fix
    if fix is not None:
        operations = [{**one, "id": step} if one.get("id") == finding.step else one for one in fix["operations"]]
        fix = {**fix, "operations": operations}
    return msgspec.structs.replace(finding, step=step, pointer=pointer, fix=fix)


def folded_schemas(schemas: Mapping[str, Schema], expanded: Expanded) -> dict[str, Schema]:
    """Schemas by the ports that people see."""
    shown = {end: schema for end, schema in schemas.items() if end.partition(".")[0] not in expanded.inside}
    for end, inner in expanded.ports.items():
        if inner in schemas:
            shown[end] = schemas[inner]
    return shown
