"""From a checked document to a Plan: guard → optimise → fuse → render. Workers execute it and compile nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import ibis
import msgspec

from flows.graph.bindings import dataset_binding
from flows.graph.canonical import document_digest
from flows.graph.document import Document
from flows.graph.engines import Cluster
from flows.graph.errors import PlanError
from flows.graph.expand import Expanded
from flows.graph.fuse import Region, regions, single_region
from flows.graph.guard import dialect_of
from flows.graph.loop_rows import with_loop_rows
from flows.graph.loops import End, expanded_end, iterations, with_reader, without_loops
from flows.graph.plan import Binding, Plan, Sink, Stage, digest_of
from flows.graph.render import render
from flows.graph.sources import DatasetInfo, NodeInfo
from flows.graph.stage_sink import Ending
from flows.graph.stages import StageMaker
from flows.graph.subflows import SubFlows
from flows.graph.topology import Topology
from flows.graph.validate import check
from node_catalog.sdk.grant import GrantSpec
from node_catalog.sdk.ports import to_ibis
from node_catalog.sdk.registry import Registry
from node_catalog.sdk.text import text

PLANNER = "3"
"""Raised when the same input gives another plan, so that stored plans are made anew."""
_PARAMETER = re.compile(r":([A-Za-z_][A-Za-z0-9_]*)")


def make_plan(
    document: Document,
    registry: Registry,
    datasets: Mapping[str, DatasetInfo],
    grants: Mapping[str, GrantSpec],
    nodes: Mapping[str, NodeInfo] | None = None,
    parameters: Mapping[str, Any] | None = None,
    *,
    until: str | None = None,
    sample_rows: int | None = None,
    limit: int = 100,
    ending: Ending | None = None,
    subflows: SubFlows | None = None,
    cluster: Cluster | None = None,
    opened: Mapping[str, str] | None = None,
) -> Plan:
    """All stages of a flow, in an order in which they may run.

    ``until`` makes a preview: one stage that collects at most ``limit`` rows of that step (``step.port``: of that
    out port, otherwise of the first), from at most ``sample_rows`` rows of each source. With an ``ending`` the rows
    of that step go elsewhere: a ``result`` is run like a flow that ends there. With a ``cluster``, stages that gain by
    it are left to Spark. Raises PlanError with the findings that stand in the way, and ValueNeededError when an
    input in ``opened`` (see ``check``) must be known after all.
    """
    only = until.partition(".")[0] if until is not None else None
    checked = check(
        document, registry, datasets, grants, nodes, parameters, upto="L4", only=only, subflows=subflows, opened=opened
    )
    errors = tuple(finding for finding in checked.findings if finding.severity == "error")
    if errors:
        raise PlanError(errors[0].code, errors[0].message, errors[0].pointer, findings=errors)
    assert checked.expanded is not None, "a check always expands"
    expanded, known = checked.expanded, with_loop_rows(registry)
    last = expanded_end(document, expanded, known.transforms, until) if until else None
    flat, schemas = without_loops(expanded), checked.inner_schemas
    if last is not None and last[0] in expanded.loops and ending is not None:
        flat, last, schemas = with_reader(flat, last, schemas)
    topology = Topology(flat)
    found = _regions(flat, topology, known, expanded, last, ending)
    if not found:
        message = text(
            "The flow has no output, so there is nothing to run. End it with “Output” or “Write”.",
            "流程没有输出，无法运行。请以“输出”或“写入”结束。",
        )
        raise PlanError("plan.no_output", message)
    used = {step for region in found for step in region.steps}
    _all_given(flat, used, expanded)
    maker = StageMaker(
        flat, topology, known, datasets, grants, expanded.parameters_of, schemas, sample_rows, cluster=cluster
    )
    ending = ending or (Ending("collect", limit=limit) if until else None)
    stages = maker.stages([region for region in found if region.last not in expanded.loops], ending)
    loops = tuple(
        iterations(expanded, region.last, checked.inner_schemas, grants)
        for region in found
        if region.last in expanded.loops
    )
    bindings = [binding for stage in stages for binding in stage.bindings if binding.kind == "dataset"]
    inner = (number for loop in loops for number in loop.datasets)
    numbers = tuple(dict.fromkeys((*(read.dataset for binding in bindings for read in binding.reads), *inner)))
    return Plan(
        stages=stages,
        digest=plan_digest(document, datasets, grants, registry, parameters or {}, expanded.document, cluster),
        datasets=numbers,
        grants={number: grants[number].digest for number in numbers},
        schemas=checked.schemas,
        notes=tuple(maker.notes),
        inside={step: path for step, path in expanded.inside.items() if step in used},
        loops=loops,
    )


def _regions(
    flat: Document,
    topology: Topology,
    registry: Registry,
    expanded: Expanded,
    last: End | None,
    ending: Ending | None,
) -> list[Region]:
    """The regions of a plan. Previews and iterations are one region; they cannot wait for a loop."""
    handed_on = {step for loop in expanded.loops.values() for step in (loop.items, loop.rows)}
    if last is None or (ending is not None and ending.kind == "result"):
        return regions(flat, topology, registry.transforms, None if last is None else dict([last]), handed_on)
    region = single_region(topology, *last)
    loop = next((step for step in region.steps if step in expanded.loops), None)
    if loop is not None:
        message = text(
            "A for-each has no preview: it would have to run. Use “Run to here” on it; previews behind it then use "
            "those rows.",
            "“逐项执行”没有预览，因为需要实际运行。请对它使用“运行到此处”，之后的预览会使用运行得到的数据。",
        )
        raise PlanError("preview.for_each", message, f"/steps/{expanded.outer(loop)}")
    return [region]


def plan_digest(
    document: Document,
    datasets: Mapping[str, DatasetInfo],
    grants: Mapping[str, GrantSpec],
    registry: Registry,
    parameters: Mapping[str, Any],
    expanded: Document | None = None,
    cluster: Cluster | None = None,
) -> str:
    """The hash of everything a plan depends on: document, schemas, places, grants, type versions, parameters.

    Called flows are in the document by the digests of their versions; their step types come from ``expanded``.
    """
    kinds = {step.type for step in (*document.steps.values(), *(expanded or document).steps.values())}
    return digest_of(
        [
            PLANNER,
            document_digest(document),
            {n: [d.node, d.node_type, d.path, d.schema, d.settings, d.state] for n, d in sorted(datasets.items())},
            {n: _size(d) for n, d in sorted(datasets.items())},
            {number: grant.digest for number, grant in sorted(grants.items())},
            {kind: registry.transforms[kind].version for kind in sorted(kinds) if kind in registry.transforms},
            msgspec.to_builtins(dict(parameters)),
            *([cluster.wish, cluster.least_rows, cluster.is_shared] if cluster is not None else ()),
        ]
    )


def _size(info: DatasetInfo) -> list[Any]:
    """About how large a dataset is: a plan is made anew when it has another order of magnitude."""
    distinct = {name: len(f"{count:.0f}") for name, count in sorted(info.distinct.items())}
    seconds = {name: len(f"{span:.0f}") for name, span in sorted(info.seconds.items())}
    rows = len(str(info.rows)) if info.rows is not None else None
    return [rows, distinct, seconds, sorted(info.keys), info.owner, info.takes_rows]


def dataset_plan(info: DatasetInfo, grant: GrantSpec, limit: int = 100, registry: Registry | None = None) -> Plan:
    """A sample of one dataset, as the holder of ``grant`` sees it: one stage that collects ``limit`` rows."""
    binding = dataset_binding("sample", info, grant, dialect=dialect_of(info.node_type, registry), limit=limit)
    stage = Stage(
        key="sample",
        steps=("sample",),
        bindings=(binding,),
        text=_as_is(binding),
        schema=binding.schema,
        sink=Sink("collect", "sample", binding.schema, limit=limit),
    )
    return Plan(
        stages=(stage,),
        digest=digest_of([PLANNER, info.number, info.schema, info.settings, grant.digest, limit]),
        datasets=(info.number,),
        grants={info.number: grant.digest},
        schemas={"sample.out": binding.schema},
    )


def profile_binding(info: DatasetInfo, grant: GrantSpec, registry: Registry | None = None) -> Binding:
    """What a profile scans: all rows and columns that the holder of ``grant`` may see."""
    return dataset_binding("profile", info, grant, dialect=dialect_of(info.node_type, registry))


def _as_is(binding: Binding) -> str:
    """The text that passes a binding's rows on as they are."""
    return render(ibis.table(to_ibis(binding.schema), name=binding.alias))


def _all_given(document: Document, steps: set[str], expanded: Expanded) -> None:
    """Raise PlanError when a step that runs uses an input that has neither a value nor a default."""
    for step in steps:
        missing = {name for name, item in expanded.parameters_of(step).items() if item.is_missing}
        if not missing:
            continue
        stack: list[Any] = [document.steps[step].settings]
        while stack:
            part = stack.pop()
            names: list[str] = []
            if isinstance(part, dict):
                if len(part) == 1 and isinstance(part.get("input"), str):
                    names = [part["input"]]
                stack.extend(part.values())
            elif isinstance(part, list | tuple):
                stack.extend(part)
            elif isinstance(part, str):
                names = _PARAMETER.findall(part)
            for name in names:
                if name in missing:
                    message = text(f"The input “{name}” needs a value.", f"参数“{name}”需要填写取值。")
                    raise PlanError("input.missing", message, f"/inputs/properties/{name}")
