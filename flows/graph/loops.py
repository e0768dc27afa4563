"""For-each in a plan: the sub-flow's steps leave the caller's document, and the iterations are described as data."""

from __future__ import annotations

from collections.abc import Mapping

from flows.graph.call_parameters import json_value
from flows.graph.document import Document, Step, Wire
from flows.graph.errors import PlanError
from flows.graph.expand import Expanded, Loop
from flows.graph.plan import Iterations
from flows.graph.step_ports import named, ports_of
from flows.graph.subflows import Types
from node_catalog.sdk.grant import GrantSpec
from node_catalog.sdk.ports import Schema
from node_catalog.sdk.text import text

End = tuple[str, str]
"""A step of an expanded document and one of its out ports (``in``: what a sink takes)."""


def without_loops(expanded: Expanded) -> Document:
    """The expanded document without what iterations compute."""
    if not expanded.loops:
        return expanded.document
    document = expanded.document
    inside = {step for loop in expanded.loops.values() for step in loop.inside}
    gone = inside | {f"{loop.rows}.rows" for loop in expanded.loops.values()}
    return Document(
        title=document.title,
        inputs=document.inputs,
        datasets=document.datasets,
        steps={name: step for name, step in document.steps.items() if name not in inside},
        wires=tuple(
            wire
            for wire in document.wires
            if wire.source_step not in inside and wire.target_step not in inside and wire.target not in gone
        ),
    )


def with_reader(flat: Document, last: End, schemas: Mapping[str, Schema]) -> tuple[Document, End, dict[str, Schema]]:
    """A step behind a loop at which a plan may end: a loop itself is no stage."""
    name = f"{last[0]}:all"
    document = Document(
        title=flat.title,
        inputs=flat.inputs,
        datasets=flat.datasets,
        steps={**flat.steps, name: Step("union", 1)},
        wires=(*flat.wires, Wire(f"{last[0]}.{last[1]}", f"{name}.in")),
    )
    return document, (name, "out"), {**schemas, f"{name}.out": schemas[f"{last[0]}.{last[1]}"]}


def expanded_end(document: Document, expanded: Expanded, types: Types, until: str) -> End:
    """The expanded step and port behind ``step`` or ``step.port``; without a port, the first one.

    Raises PlanError when there is none of that name.
    """
    step, _, port = until.partition(".")
    value = document.steps.get(step)
    if value is None:
        raise PlanError("plan.no_such_step", text(f"There is no step “{step}”.", f"没有步骤“{step}”。"))
    outputs = named(ports_of(types, value), "out") or ("in",)
    if port and port not in outputs:
        message = text(f"Step “{step}” has no output “{port}”.", f"步骤“{step}”没有输出端口“{port}”。")
        raise PlanError("plan.no_such_port", message)
    inner, _, at = expanded.resolve(f"{step}.{port or outputs[0]}").partition(".")
    return inner, at


def iterations(
    expanded: Expanded, key: str, schemas: Mapping[str, Schema], grants: Mapping[str, GrantSpec]
) -> Iterations:
    """The description of a loop that workers follow."""
    loop = expanded.loops[key]
    settings = loop.settings
    batch = str(settings.get("batch") or "")
    return Iterations(
        key=key,
        items=loop.items,
        step=expanded.outer(key),
        flow=loop.flow.key,
        output=loop.output,
        schema=schemas[f"{key}.out"],
        constants={name: json_value(parameter) for name, parameter in loop.constants.items()},
        columns=dict(loop.columns),
        keys=() if batch else tuple(settings.get("keys") or ()),
        items_schema=schemas.get(f"{loop.items}.out"),
        batch=batch,
        batch_rows=int(settings.get("batch_rows") or 1000) if batch else 1,
        concurrency=int(settings.get("concurrency") or 4),
        most=int(settings.get("most") or 1000),
        on_error=settings.get("on_error") or "stop",
        datasets={number: grants[number].digest for number in _read(expanded, loop) if number in grants},
    )


def _read(expanded: Expanded, loop: Loop) -> list[str]:
    """Datasets that the iterations read."""
    found = (expanded.document.steps[step].settings.get("dataset") for step in sorted(loop.inside))
    return [expanded.document.dataset_number(one) for one in found if isinstance(one, str)]
