"""Which steps run together: all that leads to one sink is one stage; what several sinks need is a stage of its own.

A step with several wires is computed once per run (one float sum over two threads can give another last digit each
time, so computing it twice would let two outputs disagree): once in the statement where all its wires end in one
stage, else in a stage of its own whose rows are handed on as a file.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from flows.graph.document import Document, Wire
from flows.graph.step_ports import named, ports_of
from flows.graph.topology import Topology
from node_catalog.sdk.contract import FACTS, Transform

MAX_STEPS = 100
"""Longest chain in one statement: the engine limits how deeply queries may be nested."""


@dataclass(frozen=True)
class Region:
    """The steps of one stage in order; its rows come out of ``ports`` of ``last``; it takes rows from ``cuts``."""

    last: str
    steps: tuple[str, ...]
    cuts: tuple[str, ...] = ()
    ports: tuple[str, ...] = ("out",)


def regions(
    document: Document,
    topology: Topology,
    types: Mapping[str, type[Transform]],
    ends: Mapping[str, str] | None = None,
    handed_on: Collection[str] = (),
) -> list[Region]:
    """The stages of a whole flow, each after those it needs. Steps that no sink needs are left out.

    ``ends`` (step → out port) takes the place of the sinks; the rows of steps in ``handed_on`` are always handed on
    as files.
    """
    sinks = [step for step, value in document.steps.items() if types[value.type].role == "sink"]
    sinks = sinks if ends is None else list(ends)
    needed = topology.upstream(sinks)
    judging = {step for step in needed if types[document.steps[step].type].judges}
    cut = _cut_steps(topology, needed, set(sinks), judging) | (needed & set(handed_on))
    found = []
    for step in topology.order:
        if step in needed and (step in cut or step in sinks):
            ports = used_ports(document, topology, types, step, needed)
            found.append(_region(topology, step, cut, (ends[step],) if ends and step in ends else ports))
    return found


def single_region(topology: Topology, step: str, port: str) -> Region:
    """Everything upstream of a step's port as one stage (a preview keeps nothing)."""
    needed = topology.upstream([step])
    return Region(step, tuple(name for name in topology.order if name in needed), ports=(port,))


def used_ports(
    document: Document, topology: Topology, types: Mapping[str, type[Transform]], step: str, needed: set[str]
) -> tuple[str, ...]:
    """The out ports of ``step`` whose rows somebody takes, in the order of its type; a sink's rows are at ``in``.

    A step that judges has its facts besides.
    """
    kind = types[document.steps[step].type]
    if kind.role == "sink":
        return ("in",)
    taken = {wire.source_port for wire in used_wires(topology, step, needed)}
    ports = tuple(port for port in named(ports_of(types, document.steps[step]), "out") if port in taken)
    return (*ports, FACTS) if kind.judges else ports


def _cut_steps(topology: Topology, needed: set[str], sinks: set[str], judging: set[str]) -> set[str]:
    """Steps whose rows are kept: those that judge, those that several stages read, every hundredth of a long chain.

    A step with several wires that all end in one stage is computed once inside its statement.
    """
    cut = _deep_steps(topology, needed, sinks, judging)
    ends: dict[str, str] = {}
    for step in reversed(topology.order):
        if step not in needed:
            continue
        into = {ends[wire.target_step] for wire in used_wires(topology, step, needed)}
        if len(into) > 1 and step not in sinks:
            cut.add(step)
        ends[step] = step if step in cut or step in sinks else next(iter(into))
    return cut


def _deep_steps(topology: Topology, needed: set[str], sinks: set[str], judging: set[str]) -> set[str]:
    cut = set(judging)
    depth: dict[str, int] = {}
    for step in topology.order:
        if step in needed:
            feeding = [source for source in topology.sources_of(step) if source not in cut]
            depth[step] = 1 + sum(depth[source] for source in feeding)
            if step not in sinks and depth[step] >= MAX_STEPS:
                cut.add(step)
    return cut


def used_wires(topology: Topology, step: str, needed: set[str]) -> list[Wire]:
    """The wires from ``step`` to steps that run."""
    return [wire for wire in topology.out_of[step] if wire.target_step in needed]


def _region(topology: Topology, last: str, cut: set[str], ports: tuple[str, ...]) -> Region:
    inside, cuts, stack = {last}, set(), [last]
    while stack:
        for source in topology.sources_of(stack.pop()):
            if source in cut:
                cuts.add(source)
            elif source not in inside:
                inside.add(source)
                stack.append(source)
    order = {step: place for place, step in enumerate(topology.order)}
    steps, taken = (tuple(sorted(found, key=order.__getitem__)) for found in (inside, cuts))
    return Region(last, steps, taken, ports)
