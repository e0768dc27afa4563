"""Calls are expanded before anything else: the sub-flow's steps take the call's place, under ids of their own.

Afterwards there is one flat document, so a called flow is checked, fused and pushed to sources with its caller, and a
run knows nothing of calls. A for-each stays as the step that makes the list of items; its sub-flow follows it for the
check alone, and ``for_each:rows`` stands for what the iterations give.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from flows.graph.call_parameters import bind_parameters
from flows.graph.document import Document, Step, Wire
from flows.graph.expressions.parameters import Parameter
from flows.graph.findings import Finding
from flows.graph.loop_rows import LOOP_ROWS
from flows.graph.subflow_findings import inside_finding, problem_of_call
from flows.graph.subflows import (
    SubFlow,
    SubFlows,
    Types,
    deciding_steps,
    gives_of,
    is_named,
    reference_of,
    writing_steps,
)

MAX_DEPTH = 5
"""So deep may flows call flows."""
MAX_STEPS = 2_000
"""Most steps of an expanded document."""
_MAX_ID = 64


@dataclass(frozen=True)
class Loop:
    """A for-each in an expanded document."""

    items: str
    """The step that makes the items."""
    rows: str
    """The step that stands for the iterations' rows."""
    flow: SubFlow
    constants: Mapping[str, Parameter] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)
    """Parameter of the sub-flow → column of the items."""
    output: str = ""
    """The output of the sub-flow that is collected."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    inside: frozenset[str] = frozenset()
    """Its sub-flow's steps, which no stage of the caller computes."""


@dataclass(frozen=True)
class Expanded:
    """A document without calls, and the way back from it to the document that people see."""

    document: Document
    own: Mapping[str, Parameter]
    parameters: Mapping[str, Mapping[str, Parameter]] = field(default_factory=dict)
    """Inner step → the parameters of its flow; steps that are not here use ``own``."""
    inside: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Inner step → the calls that lead to it, outermost first, and its id in its own flow."""
    ports: Mapping[str, str] = field(default_factory=dict)
    """``call.port`` → the inner port that gives it."""
    loops: Mapping[str, Loop] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    def parameters_of(self, step: str) -> Mapping[str, Parameter]:
        """What ``:name`` and ``{"input": name}`` mean in a step."""
        return self.parameters.get(step, self.own)

    def outer(self, step: str) -> str:
        """The step that people see for an expanded one."""
        return self.inside[step][0] if step in self.inside else step

    def resolve(self, end: str) -> str:
        """The expanded port behind a port of the document."""
        return self.ports.get(end, end)


def expand(
    document: Document,
    types: Types,
    parameters: Mapping[str, Parameter],
    subflows: SubFlows,
    chain: tuple[tuple[str, str], ...] = (),
) -> Expanded:
    """The document with every call replaced. A call that cannot be followed stays, with a finding that says why.

    ``chain`` are the flows (app, key) on the way here, which must not be called again.
    """
    return _Expansion(document, types, parameters, subflows, chain, _Budget(MAX_STEPS)).run()


@dataclass
class _Budget:
    """What is left of the steps, and how deep the expansion is in calls."""

    left: int
    depth: int = 0


class _Expansion:
    def __init__(
        self,
        document: Document,
        types: Types,
        parameters: Mapping[str, Parameter],
        subflows: SubFlows,
        chain: tuple[tuple[str, str], ...],
        budget: _Budget,
        in_loop: bool = False,
    ) -> None:
        self.document, self.types, self.own, self.subflows = document, types, parameters, subflows
        self.chain, self.budget, self.in_loop = chain, budget, in_loop
        self.steps: dict[str, Step] = {}
        self.wires: list[Wire] = []
        self.ends: dict[str, str] = {}
        """Ports that are gone → where their rows come from."""
        self.targets: dict[str, str] = {}
        """In ports that have moved to another step."""
        self.parameters: dict[str, Mapping[str, Parameter]] = {}
        self.inside: dict[str, tuple[str, ...]] = {}
        self.loops: dict[str, Loop] = {}
        self.findings: list[Finding] = []
        self.gone: set[str] = set()

    def run(self) -> Expanded:
        if not any(self._mode(step) for step in self.document.steps.values()):
            return Expanded(self.document, self.own)
        for name, step in self.document.steps.items():
            mode = self._mode(step)
            flow = self._followed(name, step, mode) if mode else None
            if flow is None or not self._embed(name, step, flow, mode):
                self.steps.setdefault(name, step)
        own = [
            Wire(wire.source, self.targets.get(wire.target, wire.target))
            for wire in self.document.wires
            if wire.target_step not in self.gone
        ]
        self.wires = [Wire(self._resolved(wire.source), wire.target) for wire in (*own, *self.wires)]
        document = Document(
            title=self.document.title,
            inputs=self.document.inputs,
            datasets=self.document.datasets,
            steps=self.steps,
            wires=tuple(self.wires),
        )
        ports = {end: self._resolved(end) for end in self.ends if end.partition(".")[0] in self.document.steps}
        return Expanded(document, self.own, self.parameters, self.inside, ports, self.loops, tuple(self.findings))

    def _mode(self, step: Step) -> str:
        kind = self.types.get(step.type)
        return kind.calls if kind is not None else ""

    def _resolved(self, end: str) -> str:
        seen: set[str] = set()
        while end in self.ends and end not in seen:
            seen.add(end)
            end = self.ends[end]
        return end

    def _followed(self, name: str, step: Step, mode: str) -> SubFlow | None:
        """The sub-flow of a call, or None with a finding."""
        reference = reference_of(step.settings)
        if reference is None:
            return None  # half-filled settings: L2 says so
        flow = self.subflows.get(reference)
        code = ""
        if flow is None:
            code = "call.unknown"
        elif (flow.app, flow.flow) in self.chain:
            code = "call.cycle"
        elif self.budget.depth >= MAX_DEPTH:
            code = "call.too_deep"
        elif mode == "each" and self.in_loop:
            code = "for_each.nested"
        elif (mode == "each" or self.in_loop) and deciding_steps(flow.document, self.types):
            code = "for_each.decides"
        elif step.settings["flow"].get("digest") != flow.digest:
            code = "call.digest"
        elif writing_steps(flow.document, self.types):
            code = "call.writes"
        elif self.budget.left < len(flow.document.steps):
            code = "call.too_large"
        if code:
            self.findings.append(problem_of_call(code, name, flow, step, most=MAX_DEPTH))
            return None
        assert flow is not None
        self.budget.left -= len(flow.document.steps)
        return flow

    # ── one call ──────────────────────────────────────────────────────────────────────────────────────────

    def _embed(self, name: str, step: Step, flow: SubFlow, mode: str) -> bool:
        bound, problems = bind_parameters(name, step, flow, self.own, mode)
        self.findings.extend(problems)
        output = self._collected(name, step, flow) if mode == "each" else ""
        if bound is None or output is None:
            return False
        self.budget.depth += 1
        inner = _Expansion(
            flow.document, self.types, bound.parameters, self.subflows, (*self.chain, (flow.app, flow.flow)),
            self.budget, self.in_loop or mode == "each",
        ).run()  # fmt: skip
        self.budget.depth -= 1
        self.findings.extend(inside_finding(finding, name, flow) for finding in inner.findings)
        if any(finding.severity == "error" for finding in inner.findings):
            return False
        names = {old: _new_id((name, *inner.inside.get(old, (old,)))) for old in inner.document.steps}
        sources = self._bound_reads(name, step, flow, mode)
        if mode == "each":
            self._add_items(name, step)
        before = set(self.steps)
        for old, value in inner.document.steps.items():
            if old in flow.document.steps and is_named(value, self.types):
                continue
            self._add(names[old], value, flow, sources)
            self.inside[names[old]] = (name, *inner.inside.get(old, (old,)))
            self.parameters[names[old]] = inner.parameters_of(old)
        self._connect(inner, names)
        for key, loop in inner.loops.items():
            self._keep_loop(names[key], loop, names)
        if mode == "each":
            end = self._given(inner, output, names)
            self._add_rows(name, step, end)
            inside = frozenset(set(self.steps) - before - {name})
            self.loops[name] = Loop(
                items_of(name), name, flow, bound.constants, bound.columns, output, dict(step.settings), inside
            )
        else:
            self.gone.add(name)
            for port, _ in gives_of(flow.document, self.types):
                self.ends[f"{name}.{port}"] = self._given(inner, port, names)
        return True

    def _bound_reads(self, name: str, step: Step, flow: SubFlow, mode: str) -> dict[str, str]:
        """Aliases of the sub-flow that this call feeds → the port that feeds them."""
        if mode == "each":
            alias = step.settings.get("batch")
            return (
                {alias: f"{items_of(name)}.out"} if isinstance(alias, str) and alias in flow.document.datasets else {}
            )
        return {
            wire.target_port: wire.source
            for wire in reversed(self.document.wires_into(name))
            if wire.target_port in flow.document.datasets
        }

    def _add(self, new: str, value: Step, flow: SubFlow, sources: Mapping[str, str]) -> None:
        """An inner step under its new id; a read of a bound alias only chooses its columns from the caller's rows."""
        kind = self.types.get(value.type)
        dataset = value.settings.get("dataset")
        if kind is not None and kind.role == "source" and isinstance(dataset, str):
            if dataset in sources:
                columns = value.settings.get("columns")
                if not columns:
                    self.ends[f"{new}.out"] = sources[dataset]
                    return
                chosen = [{"column": column} for column in columns]
                self.steps[new] = Step("select", self.types["select"].version, {"columns": chosen}, value.title)
                self.wires.append(Wire(sources[dataset], f"{new}.in"))
                return
            settings = {**value.settings, "dataset": flow.document.dataset_number(dataset)}
            value = Step(value.type, value.version, settings, value.title)
        self.steps[new] = value

    def _connect(self, inner: Expanded, names: Mapping[str, str]) -> None:
        for wire in inner.document.wires:
            if wire.source_step in names and names.get(wire.target_step) in self.steps:
                source = f"{names[wire.source_step]}.{wire.source_port}"
                self.wires.append(Wire(source, f"{names[wire.target_step]}.{wire.target_port}"))

    def _given(self, inner: Expanded, port: str, names: Mapping[str, str]) -> str:
        """The port that feeds the output ``port`` of the sub-flow; a port that does not exist when nothing does."""
        feeding = inner.document.wires_into(port)
        if feeding and feeding[0].source_step in names:
            return f"{names[feeding[0].source_step]}.{feeding[0].source_port}"
        return f"{_new_id((port, 'nothing'))}.out"

    # ── for-each ──────────────────────────────────────────────────────────────────────────────────────────

    def _collected(self, name: str, step: Step, flow: SubFlow) -> str | None:
        """The output of the sub-flow whose rows are collected, or None with a finding."""
        outputs = [port for port, _ in gives_of(flow.document, self.types)]
        wanted = step.settings.get("output") or (outputs[0] if len(outputs) == 1 else "")
        if wanted in outputs:
            return str(wanted)
        self.findings.append(problem_of_call("for_each.output", name, flow, step))
        return None

    def _add_items(self, name: str, step: Step) -> None:
        """The for-each itself makes the list of items, under another id: its own stands for what comes out."""
        items = items_of(name)
        self.steps[items] = step
        self.inside[items] = (name, "")
        self.targets[f"{name}.in"] = f"{items}.in"

    def _add_rows(self, name: str, step: Step, end: str) -> None:
        keys = [key for key in step.settings.get("keys") or () if isinstance(key, str)]
        self.steps[name] = Step(LOOP_ROWS, 1, {"keys": keys}, step.title)
        self.wires.append(Wire(f"{items_of(name)}.out", f"{name}.items"))
        self.wires.append(Wire(end, f"{name}.rows"))

    def _keep_loop(self, new: str, loop: Loop, names: Mapping[str, str]) -> None:
        """A for-each inside the called flow, under its new ids."""
        self.loops[new] = replace(
            loop, items=names[loop.items], rows=new, inside=frozenset(names[step] for step in loop.inside)
        )


def items_of(name: str) -> str:
    """The step that makes the items of a for-each."""
    return _new_id((name, "items"))


def _new_id(path: tuple[str, ...]) -> str:
    """An id that no document can have, short enough for every table that keeps it."""
    name = ":".join(path)
    if len(name) <= _MAX_ID:
        return name
    return f"{name[: _MAX_ID - 13]}:{hashlib.sha256(name.encode()).hexdigest()[:12]}"
