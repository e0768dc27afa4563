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
from flows.graph.errors import PlanError
from flows.graph.expressions.parameters import read_parameters
from flows.graph.expressions.values import MISSING
from flows.graph.fuse import Region, regions, single_region
from flows.graph.guard import dialect_of
from flows.graph.plan import Binding, Plan, Sink, Stage, digest_of
from flows.graph.render import render
from flows.graph.sources import DatasetInfo, NodeInfo
from flows.graph.stages import StageMaker
from flows.graph.step_ports import named, ports_of
from flows.graph.topology import Topology
from flows.graph.validate import check
from node_catalog.sdk.grant import GrantSpec
from node_catalog.sdk.ports import to_ibis
from node_catalog.sdk.registry import Registry
from node_catalog.sdk.text import text

PLANNER = "1"
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
) -> Plan:
    """All stages of a flow, in an order in which they may run.

    ``until`` makes a preview: one stage that collects at most ``limit`` rows of that step (``step.port``: of that
    out port, otherwise of the first), from at most ``sample_rows`` rows of each source. Raises PlanError with the
    findings that stand in the way.
    """
    only = until.partition(".")[0] if until is not None else None
    checked = check(document, registry, datasets, grants, nodes, parameters, upto="L4", only=only)
    errors = tuple(finding for finding in checked.findings if finding.severity == "error")
    if errors:
        raise PlanError(errors[0].code, errors[0].message, errors[0].pointer, findings=errors)
    topology = Topology(document)
    found = [_until(document, topology, registry, until)] if until else regions(document, topology, registry.transforms)
    if not found:
        message = text(
            "The flow has no output, so there is nothing to run. End it with “Output” or “Write”.",
            "流程没有输出，无法运行。请以“输出”或“写入”结束。",
        )
        raise PlanError("plan.no_output", message)
    values = read_parameters(document.inputs, parameters)
    used = {step for region in found for step in region.steps}
    _all_given(document, used, {name for name, item in values.items() if item.value is MISSING})
    maker = StageMaker(document, topology, registry, datasets, grants, values, checked.schemas, sample_rows)
    stages = maker.stages(found, collect=limit if until else None)
    numbers = tuple(dict.fromkeys(b.dataset for stage in stages for b in stage.bindings if b.dataset))
    return Plan(
        stages=stages,
        digest=plan_digest(document, datasets, grants, registry, parameters or {}),
        datasets=numbers,
        grants={number: grants[number].digest for number in numbers},
        schemas=checked.schemas,
        notes=tuple(maker.notes),
    )


def _until(document: Document, topology: Topology, registry: Registry, until: str) -> Region:
    """Everything up to a step or to one of its ports. Raises PlanError when there is none of that name."""
    step, _, port = until.partition(".")
    value = document.steps.get(step)
    if value is None:
        raise PlanError("plan.no_such_step", text(f"There is no step “{step}”.", f"没有步骤“{step}”。"))
    outputs = named(ports_of(registry.transforms, value), "out") or ("in",)
    if port and port not in outputs:
        message = text(f"Step “{step}” has no output “{port}”.", f"步骤“{step}”没有输出端口“{port}”。")
        raise PlanError("plan.no_such_port", message)
    return single_region(topology, step, port or outputs[0])


def plan_digest(
    document: Document,
    datasets: Mapping[str, DatasetInfo],
    grants: Mapping[str, GrantSpec],
    registry: Registry,
    parameters: Mapping[str, Any],
) -> str:
    """The hash of everything a plan depends on: document, schemas, places, grants, type versions, parameters."""
    kinds = {step.type for step in document.steps.values()}
    return digest_of(
        [
            PLANNER,
            document_digest(document),
            {n: [d.node, d.node_type, d.path, d.schema, d.settings, d.state] for n, d in sorted(datasets.items())},
            {number: grant.digest for number, grant in sorted(grants.items())},
            {kind: registry.transforms[kind].version for kind in sorted(kinds) if kind in registry.transforms},
            msgspec.to_builtins(dict(parameters)),
        ]
    )


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


def _all_given(document: Document, steps: set[str], missing: set[str]) -> None:
    """Raise PlanError when a step that runs uses an input that has neither a value nor a default."""
    for step in steps if missing else ():
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
