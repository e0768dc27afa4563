"""The graph of a document: order, cycles, what lies upstream; iterative, so that size never exhausts the stack."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping

from flows.graph.document import Document, Wire


class Topology:
    """Wires by step, and an order in which every step comes after what feeds it.

    Dangling wires (to steps that do not exist) are left out. ``cycles`` lists the groups of steps that feed
    themselves; they are in no order.
    """

    def __init__(self, document: Document) -> None:
        self.steps: Mapping[str, object] = document.steps
        self.into: dict[str, list[Wire]] = {step: [] for step in document.steps}
        self.out_of: dict[str, list[Wire]] = {step: [] for step in document.steps}
        for wire in document.wires:
            if wire.source_step in document.steps and wire.target_step in document.steps:
                self.into[wire.target_step].append(wire)
                self.out_of[wire.source_step].append(wire)
        self.order = self._sorted()
        self.cycles = self._cycles(set(document.steps) - set(self.order))

    def sources_of(self, step: str) -> list[str]:
        """Steps that feed ``step`` directly, each once, in wire order."""
        return list(dict.fromkeys(wire.source_step for wire in self.into[step]))

    def upstream(self, steps: Iterable[str]) -> set[str]:
        """``steps`` and everything that feeds them."""
        found: set[str] = set()
        stack = list(steps)
        while stack:
            step = stack.pop()
            if step not in found:
                found.add(step)
                stack.extend(wire.source_step for wire in self.into.get(step, ()))
        return found

    def _sorted(self) -> list[str]:
        missing = {step: len(wires) for step, wires in self.into.items()}
        ready = deque(step for step, count in missing.items() if not count)
        order: list[str] = []
        while ready:
            step = ready.popleft()
            order.append(step)
            for wire in self.out_of[step]:
                missing[wire.target_step] -= 1
                if not missing[wire.target_step]:
                    ready.append(wire.target_step)
        return order

    def _cycles(self, left: set[str]) -> list[list[str]]:
        """One cycle per start among the steps that cannot be ordered; steps behind a cycle are in none."""
        cycles: list[list[str]] = []
        done: set[str] = set()
        for start in self.steps:
            if start not in left or start in done:
                continue
            path: dict[str, None] = {}
            step = start
            while step not in path and step not in done:
                path[step] = None
                step = next(wire.source_step for wire in self.into[step] if wire.source_step in left)
            if step in path:
                names = list(path)
                cycles.append(list(reversed(names[names.index(step) :])))
            done.update(path)
        return cycles
