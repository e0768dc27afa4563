"""Previews over rows that are held already: pinned samples, and what a run to here has left.

The wires behind a held port start at a read of those rows instead, so whatever feeds it is neither checked nor
computed. Everything else is the ordinary way of a preview.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flows.graph.canonical import document_digest
from flows.graph.document import Document, Step, Wire
from flows.graph.sources import DatasetInfo, given_rows
from flows.graph.topology import Topology
from node_catalog.sdk.grant import GrantSpec
from node_catalog.sdk.ports import Schema


@dataclass(frozen=True)
class Held:
    """The rows of one out port (``end`` is ``step.port``) as they are kept somewhere."""

    end: str
    schema: Schema
    rows: int | None = None


@dataclass(frozen=True)
class Substituted:
    """A document in which held rows stand for steps, and what the check needs to know about them."""

    document: Document
    until: str
    used: tuple[str, ...] = ()
    datasets: Mapping[str, DatasetInfo] = field(default_factory=dict)
    grants: Mapping[str, GrantSpec] = field(default_factory=dict)


def with_held(document: Document, until: str, held: Mapping[str, Held]) -> Substituted:
    """``document`` up to ``until`` (``step`` or ``step.port``) with reads of held rows where they are needed first."""
    topology = Topology(document)
    step = until.partition(".")[0]
    near = {end: one for end, one in held.items() if end.partition(".")[0] in topology.upstream([step])}
    if not near:
        return Substituted(document, until)
    reads = {end: f"held:{end.replace('.', ':')}" for end in near}
    wires = tuple(
        Wire(f"{reads[wire.source]}.out", wire.target) if wire.source in reads else wire for wire in document.wires
    )
    steps = dict(document.steps)
    datasets: dict[str, DatasetInfo] = {}
    grants: dict[str, GrantSpec] = {}
    for end, name in reads.items():
        info, grant = given_rows(end, near[end].schema, rows=near[end].rows)
        datasets[info.number], grants[info.number] = info, grant
        steps[name] = Step("read", 1, {"dataset": info.number}, document.steps[end.partition(".")[0]].title)
    changed = Document(
        title=document.title, inputs=document.inputs, datasets=document.datasets, steps=steps, wires=wires
    )
    at = _held_itself(until, reads)
    needed = Topology(changed).upstream([at.partition(".")[0]])
    used = tuple(end for end, name in reads.items() if name in needed)
    return Substituted(changed, at, used, datasets, grants)


def _held_itself(until: str, reads: Mapping[str, str]) -> str:
    """A port that is held shows what is held."""
    if until in reads:
        return reads[until]
    own = [name for end, name in reads.items() if end.partition(".")[0] == until]
    return own[0] if own else until


def upstream_digest(document: Document, step: str) -> str:
    """A hash of all that decides the rows of a step: it and everything before it, not titles and places."""
    needed = Topology(document).upstream([step])
    return document_digest(
        {
            "steps": {name: _logic(document.steps[name]) for name in sorted(needed)},
            "wires": [[wire.source, wire.target] for wire in document.wires if wire.target_step in needed],
            "datasets": dict(document.datasets),
            "inputs": dict(document.inputs),
        }
    )


def _logic(step: Step) -> list[Any]:
    return [step.type, step.version, step.settings]


def ends_of(document: Document, ends: Iterable[str]) -> list[str]:
    """Those of ``ends`` whose step the document still has."""
    return [end for end in ends if end.partition(".")[0] in document.steps]
