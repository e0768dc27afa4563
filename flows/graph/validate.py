"""The validation ladder, L0 to L5: one call, all findings, a schema for every out port.

L0 is done by ``load``; here come L1 graph, L2 settings, L3 schemas and expressions, L4 rights, L5 plan. A step that
cannot be checked because one before it is broken says only that it waits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flows.graph.check_access import is_write, read_findings, readable_schema, write_findings
from flows.graph.check_calls import (
    fold_findings,
    folded_schemas,
    inner_graph_findings,
    loop_findings,
    update_findings,
)
from flows.graph.check_graph import graph_findings, step_name
from flows.graph.check_plan import plan_findings
from flows.graph.document import Document, Step
from flows.graph.expand import Expanded, expand
from flows.graph.expressions.open_values import OpenParameter
from flows.graph.expressions.parameters import Parameter, read_parameters, without_defaults
from flows.graph.findings import Finding
from flows.graph.fixes import fix_for
from flows.graph.loop_rows import LOOP_ROWS, LoopRows
from flows.graph.settings import fill_inputs, parse_settings
from flows.graph.sources import DatasetInfo, NodeInfo
from flows.graph.step_ports import kind_ports, named
from flows.graph.subflows import SubFlows
from flows.graph.topology import Topology
from flows.graph.typecheck import Failure, Inputs, evaluate, settings_key
from node_catalog.sdk.contract import Transform
from node_catalog.sdk.grant import GrantSpec
from node_catalog.sdk.ports import Schema
from node_catalog.sdk.registry import Registry
from node_catalog.sdk.text import text

LEVELS = ("L0", "L1", "L2", "L3", "L4", "L5")
_BLOCKING = ("step.unknown_type", "port.unconnected", "port.too_many", "graph.cycle")
"""Findings of L1 after which a step's schema cannot be known."""


@dataclass
class Checked:
    """The outcome: findings, ``step.port`` → schema (a sink's under ``step.in``), and who waits for whom."""

    findings: list[Finding]
    schemas: dict[str, Schema]
    waits: dict[str, str] = field(default_factory=dict)
    upstream: dict[str, list[str]] = field(default_factory=dict)
    expanded: Expanded | None = None
    """The document without calls, from which a plan is made."""
    inner_schemas: dict[str, Schema] = field(default_factory=dict)
    """Schemas of the expanded document's ports."""
    endless: tuple[str, ...] = ()
    """Steps whose rows never end: streams, and what passes them on."""

    def ok(self, level: str, step: str | None = None) -> bool:
        """Whether there is no error up to ``level``: in the whole flow, or in ``step`` and all that feeds it."""
        errors = [f for f in self.findings if f.severity == "error" and f.level <= level]
        if step is None:
            return not errors
        feeding = self.upstream_of(step)
        return not any(not f.step or f.step in feeding for f in errors)

    def upstream_of(self, step: str) -> set[str]:
        """``step`` and all that feeds it."""
        feeding, stack = {step}, [step]
        while stack:
            for source in self.upstream.get(stack.pop(), ()):
                if source not in feeding:
                    feeding.add(source)
                    stack.append(source)
        return feeding


def check(
    document: Document,
    registry: Registry,
    datasets: Mapping[str, DatasetInfo],
    grants: Mapping[str, GrantSpec],
    nodes: Mapping[str, NodeInfo] | None = None,
    parameters: Mapping[str, Any] | None = None,
    upto: str = "L5",
    only: str | None = None,
    subflows: SubFlows | None = None,
    caller: tuple[str, str] | None = None,
    opened: Mapping[str, str] | None = None,
) -> Checked:
    """Check ``document`` up to a level; ``only`` restricts it to one step and everything upstream of it.

    ``subflows`` are the flows that it calls, directly or through others; ``caller`` is the app and flow that the
    document belongs to, which it must not call.

    ``parameters`` are the values of a run; without them the inputs' defaults are used and types alone are checked.
    Those of the inputs in ``opened`` (with a name for each) are given when the text runs: see ``open_values``.
    """
    chain = (caller,) if caller is not None else ()
    made = _Check(document, registry, datasets, grants, nodes or {}, parameters, subflows or {}, chain, opened or {})
    return made.run(upto, only)


class _Check:
    def __init__(
        self,
        document: Document,
        registry: Registry,
        datasets: Mapping[str, DatasetInfo],
        grants: Mapping[str, GrantSpec],
        nodes: Mapping[str, NodeInfo],
        parameters: Mapping[str, Any] | None,
        subflows: SubFlows,
        chain: tuple[tuple[str, str], ...],
        opened: Mapping[str, str],
    ) -> None:
        self.shown, self.document, self.subflows = document, document, subflows
        self.known = registry.transforms
        self.types: Mapping[str, type[Transform]] = {**self.known, LOOP_ROWS: LoopRows}
        self.connectors = registry.connectors
        self.datasets, self.grants, self.nodes = datasets, grants, nodes
        self.findings: list[Finding] = []
        self.expanded = expand(document, self.known, self._parameters(parameters, opened), subflows, chain)
        self.document = self.expanded.document
        self.topology = Topology(self.document)
        self.parsed: dict[str, tuple[type[Transform], Any]] = {}
        self.schemas: dict[str, Schema] = {}
        self.broken: set[str] = set()
        self.waits: dict[str, str] = {}
        self.endless: set[str] = set()

    def run(self, upto: str, only: str | None) -> Checked:
        topology = self.topology if self.document is self.shown else Topology(self.shown)
        wanted = topology.upstream([only]) if only is not None else None
        if upto >= "L1":
            self.findings.extend(graph_findings(self.shown, topology, self.known))
            for finding in (*self.expanded.findings, *inner_graph_findings(self.expanded, self.topology, self.types)):
                self._add(finding)
        if upto >= "L2":
            self._parse()
        if upto >= "L3":
            self._propagate()
            self._unbounded()
            self.findings.extend(loop_findings(self.expanded, self.schemas))
        if upto >= "L5":
            self.findings.extend(plan_findings(self.document, self.parsed, self.datasets, self.nodes))
            self.findings.extend(update_findings(self.shown, self.known, self.subflows))
        findings = fold_findings(self.findings, self.shown, self.expanded, self.types, self.subflows)
        kept = [f for f in findings if f.level <= upto and (wanted is None or not f.step or f.step in wanted)]
        shown = folded_schemas(self.schemas, self.expanded)
        schemas = {port: schema for port, schema in shown.items() if wanted is None or port.partition(".")[0] in wanted}
        upstream = {step: topology.sources_of(step) for step in self.shown.steps}
        waits = {self.expanded.outer(step): self.expanded.outer(blocker) for step, blocker in self.waits.items()}
        endless = tuple(sorted({self.expanded.outer(step) for step in self.endless}))
        return Checked(kept, schemas, waits, upstream, self.expanded, self.schemas, endless)

    def _parameters(self, values: Mapping[str, Any] | None, opened: Mapping[str, str]) -> dict[str, Parameter]:
        try:
            found = read_parameters(self.document.inputs, values)
            return found | {name: OpenParameter(found[name].type, name, place) for name, place in opened.items()}
        except ValueError as error:
            name = str(error)
            message = text(f"The value of input “{name}” does not fit its type.", f"参数“{name}”的取值与其类型不符。")
            self._add(Finding("input.value", "L2", message, pointer=f"/inputs/properties/{name}"))
            return read_parameters(without_defaults(self.document.inputs))

    def _add(self, finding: Finding) -> None:
        self.findings.append(finding)
        if finding.step and finding.severity == "error" and finding.level <= "L3":
            self.broken.add(finding.step)

    # ── L2 ────────────────────────────────────────────────────────────────────────────────────────────────

    def _parse(self) -> None:
        names: dict[str, str] = {}
        for step, value in self._all_steps():
            kind = self.types.get(value.type)
            if kind is None:
                continue
            filled, problems = fill_inputs(value.settings, self.expanded.parameters_of(step))
            settings, more = (None, ()) if problems else parse_settings(kind, filled)
            for problem in (*problems, *more):
                pointer = f"/steps/{step}/settings{problem.pointer}"
                self._add(Finding(problem.code, "L2", problem.message, pointer=pointer, step=step))
            if settings is None:
                self.broken.add(step)
                continue
            self.parsed[step] = kind, settings
            if kind.role == "sink" and not is_write(kind, settings):
                self._unique_name(step, str(getattr(settings, "name", "")), names)

    def _all_steps(self) -> Iterator[tuple[str, Step]]:
        """Steps of the expanded document, and the calls whose place they have taken."""
        yield from self.document.steps.items()
        for step, value in self.shown.steps.items() if self.document is not self.shown else ():
            if step not in self.document.steps:
                yield step, value

    def _unique_name(self, step: str, name: str, names: dict[str, str]) -> None:
        if name in names:
            other = names[name]
            message = text(
                f"The result “{name}” is already given by step “{self._name(other, 'en')}”. Choose another name.",
                f"结果名“{name}”已被步骤“{self._name(other, 'zh-CN')}”使用，请换一个名称。",
            )
            self._add(Finding("output.twice", "L2", message, pointer=f"/steps/{step}/settings/name", step=step))
        names.setdefault(name, step)

    def _name(self, step: str, language: str) -> str:
        return step_name(self.shown, self.expanded.outer(step), language, self.known)

    # ── L3 and L4 ─────────────────────────────────────────────────────────────────────────────────────────

    def _propagate(self) -> None:
        self.broken |= {f.step for f in self.findings if f.code in _BLOCKING and f.step}
        for step in self.topology.order:
            blocker = next((s for s in self.topology.sources_of(step) if s in self.broken or s in self.waits), None)
            if blocker is not None and step not in self.broken:
                self.waits[step] = self.waits.get(blocker, blocker)
                self._say_waiting(step)
            elif step in self.parsed:
                self._step(step, *self.parsed[step])

    def _say_waiting(self, step: str) -> None:
        blocker = self.waits[step]
        message = text(
            f"Waits for step “{self._name(blocker, 'en')}”.",
            f"等待步骤“{self._name(blocker, 'zh-CN')}”就绪。",
        )
        self._add(Finding("step.waits", "L3", message, "info", pointer=f"/steps/{step}", step=step))

    def _step(self, step: str, kind: type[Transform], settings: Any) -> None:
        if kind.role == "source":
            for finding in read_findings(self.document, step, settings, self.datasets, self.grants):
                self._add(finding)
            number = self.document.dataset_number(settings.dataset)
            info = self.datasets.get(number)
            if info is None:
                return
            wanted = getattr(settings, "columns", ())
            inputs: Inputs = {"dataset": (readable_schema(info, self.grants.get(number), wanted),)}
            if not inputs["dataset"][0].fields:
                self.broken.add(step)
                return
        elif step in self.broken:
            return
        else:
            lost = next((w.source_step for w in self.topology.into[step] if w.source not in self.schemas), None)
            if lost is not None:
                self.waits[step] = lost
                self._say_waiting(step)
                return
            inputs = self._inputs(step, kind)
        result = evaluate(kind, settings, settings_key(settings), inputs, self.expanded.parameters_of(step))
        if result.failure is not None:
            self._fail(step, result.failure)
            return
        for port, schema in result.schemas.items():
            self.schemas[f"{step}.{port}"] = schema
        for code, message, at in result.warnings:
            pointer = f"/steps/{step}/settings{at}"
            self._add(Finding(code, "L3", message, "warning", pointer=pointer, step=step))
        if is_write(kind, settings):
            stored = result.schemas.get("in")
            for finding in write_findings(
                self.document, step, settings, stored, self.datasets, self.nodes, self._modes
            ):
                self._add(finding)

    def _modes(self, node_type: str) -> Sequence[str]:
        """What the output of a node type can do; nothing when it has none."""
        connector = self.connectors.get(node_type)
        return connector.output.modes if connector is not None and connector.output is not None else ()

    def _inputs(self, step: str, kind: type[Transform]) -> dict[str, tuple[Schema, ...]]:
        inputs: dict[str, tuple[Schema, ...]] = {}
        for name in named(kind_ports(kind, self.document.steps[step].settings), "in"):
            wires = [wire for wire in self.topology.into[step] if wire.target_port == name]
            inputs[name] = tuple(self.schemas[wire.source] for wire in wires)
        return inputs

    def _fail(self, step: str, failure: Failure) -> None:
        fix = fix_for(failure.fix, self.document, step, failure.pointer, self.schemas, self.types)
        pointer = f"/steps/{step}/settings{failure.pointer}"
        self._add(Finding(failure.code, "L3", failure.message, pointer=pointer, step=step, fix=fix))

    def _unbounded(self) -> None:
        """Steps that need all their rows (sort, aggregate) cannot stand behind a stream that never ends."""
        for step in self.topology.order:
            if step not in self.parsed:
                continue
            kind, settings = self.parsed[step]
            if kind.role == "source":
                info = self.datasets.get(self.document.dataset_number(settings.dataset))
                if info is not None and not info.bounded:
                    self.endless.add(step)
            elif any(source in self.endless for source in self.topology.sources_of(step)):
                if kind.takes_unbounded:
                    if not kind.makes_bounded:
                        self.endless.add(step)
                    continue
                message = text(
                    f"“{kind.title['en']}” needs all rows, but the stream before it never ends. "
                    "Put “First rows” before it: what comes out of that has an end.",
                    f"“{kind.title['zh-CN']}”需要全部数据，而前面的数据流没有终点。请在它之前加“取前几行”，使数据有终点。",
                )
                self._add(Finding("port.unbounded", "L1", message, pointer=f"/steps/{step}", step=step))
