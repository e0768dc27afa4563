"""The flow document: steps by id, wires in order. Pure data; see docs/flow_format.md for the rules."""

from __future__ import annotations

from typing import Any

import msgspec


class Step(msgspec.Struct, frozen=True):
    """One step: its type, the version of that type, and its settings as plain JSON."""

    type: str
    version: int = 1
    settings: dict[str, Any] = {}
    title: dict[str, str] | None = None


class Wire(msgspec.Struct, frozen=True):
    """From an out port to an in port, both written ``step.port``."""

    source: str = msgspec.field(name="from")
    target: str = msgspec.field(name="to")

    @property
    def source_step(self) -> str:
        return self.source.partition(".")[0]

    @property
    def source_port(self) -> str:
        return self.source.partition(".")[2]

    @property
    def target_step(self) -> str:
        return self.target.partition(".")[0]

    @property
    def target_port(self) -> str:
        return self.target.partition(".")[2]


class Document(msgspec.Struct, frozen=True):
    """A flow. The hash of a version covers this alone, never the layout."""

    kind: str = "flow"
    spec: str = "1"
    title: dict[str, str] = {}
    inputs: dict[str, Any] = {}
    datasets: dict[str, str] = {}
    steps: dict[str, Step] = {}
    wires: tuple[Wire, ...] = ()

    def wires_into(self, step: str, port: str | None = None) -> tuple[Wire, ...]:
        """Wires that end at ``step`` (at ``port``), in the document's order."""
        return tuple(w for w in self.wires if w.target_step == step and port in (None, w.target_port))

    def wires_out_of(self, step: str) -> tuple[Wire, ...]:
        """Wires that start at ``step``."""
        return tuple(w for w in self.wires if w.source_step == step)

    def dataset_number(self, reference: str) -> str:
        """The dataset number behind an alias (or the reference itself when it is no alias)."""
        return self.datasets.get(reference, reference)
