"""When a stage runs at all: what earlier steps that choose among their ways must have taken."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from flows.graph.topology import Topology


def needs_of(topology: Topology, optional: Collection[str], inside: set[str], step: str, known: dict[str, Any]) -> Any:
    """A step runs when each in port has a wire that brings something; on a port with several wires one is enough."""
    if step in known:
        return known[step]
    ports: dict[str, list[Any]] = {}
    for wire in topology.into[step]:
        if wire.source_step in inside:
            ports.setdefault(wire.target_port, []).append(needs_of(topology, optional, inside, wire.source_step, known))
        else:
            leaf = [wire.source_step, wire.source_port] if wire.source_step in optional else None
            ports.setdefault(wire.target_port, []).append(leaf)
    found = _joined("all", [_joined("any", wires) for wires in ports.values() if None not in wires])
    known[step] = found
    return found


def _joined(kind: str, parts: list[Any]) -> Any:
    """Several needs as one; what is said twice (a step that is reached on two ways) is said once."""
    once: list[Any] = []
    for part in parts:
        if not any(part is other or (isinstance(part, list) and part == other) for other in once):
            once.append(part)
    return None if not once else once[0] if len(once) == 1 else {kind: once}
