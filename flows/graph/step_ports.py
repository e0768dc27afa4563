"""The ports of a step: those of its type, and those that its settings name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flows.graph.document import Step
from node_catalog.sdk.contract import Transform
from node_catalog.sdk.ports import Direction, Port

Types = Mapping[str, type[Transform]]


def ports_of(types: Types, step: Step) -> Sequence[Port]:
    """All ports of a step; none when its type is unknown."""
    kind = types.get(step.type)
    return kind_ports(kind, step.settings) if kind is not None else ()


def kind_ports(kind: type[Transform], settings: Mapping[str, Any]) -> Sequence[Port]:
    """The ports of a type with these settings; those it always has when its own rule cannot bear the settings."""
    try:
        return kind.ports_of(settings)
    except Exception:  # a type's rule is foreign code, and settings may hold anything
        return kind.ports


def named(ports: Sequence[Port], direction: Direction) -> tuple[str, ...]:
    """The names of the ports of one direction, in their order."""
    return tuple(port.name for port in ports if port.direction == direction)


def end_of(step: str, port: str) -> str:
    """How the rows of a port are called in counts and in SQL: a step's usual out port goes by the step alone."""
    return step if port in ("out", "in") else f"{step}.{port}"


def part_name(step: str, port: str) -> str:
    """The name of a step's rows inside a stage's statement."""
    return f"s_{end_of(step, port)}"
