"""How the rows of a stage's steps were counted: while they passed, by the engine when it was done, or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flows.graph.plan import Probe, Stage
from runtime.engine.duck import Connection
from runtime.engine.events import Reporter
from runtime.engine.profile_counts import inner_counts, inner_seconds, scanned_rows
from runtime.engine.streams import Flow
from runtime.engine.work import Counted


class StageCounts:
    """The counts of one execution of a stage; ``reporter`` has those that are counted live."""

    def __init__(self, stage: Stage, reporter: Reporter) -> None:
        self._stage = stage
        self._reporter = reporter
        self._at_end = {probe.step: probe.rows for probe in stage.probes if probe.rows is not None}
        self.probes: Sequence[Probe] = stage.probes
        """What the engine's own account of its operators may be asked for."""
        self.scanned_step = ""
        """The step whose rows the only scan gives."""
        self.flows: list[Flow] = []
        """The sources that came as streams."""
        self.counts: dict[str, int] = {}
        self.step_seconds: dict[str, float] = {}
        """Of steps inside of the engine; the others' are the reporter's."""

    def know(self, step: str, rows: int) -> None:
        """A source has said how many rows it has."""
        self._at_end[step] = rows

    @property
    def asks_engine(self) -> bool:
        """Whether a count may come from the engine's own account of its operators."""
        return any(probe.operators for probe in self.probes)

    def take(self) -> None:
        """All rows have passed, and none inside of the engine."""
        self._take(inner_counts({}, {}, self.probes, {**self._reporter.counts, **self._at_end}))

    def take_inner(self, main: Connection, text: str, aliases: tuple[str, ...]) -> None:
        """All rows have passed: what the engine's operators have counted of them."""
        live: Mapping[str, int] = self._reporter.counts
        operators = main.operators()
        tree = main.check(text, aliases)
        if self.scanned_step and self.scanned_step not in self._at_end:
            rows = scanned_rows(operators, tree)
            if rows is not None:
                self._at_end[self.scanned_step] = rows
        self._take(inner_counts(operators, tree, self.probes, {**live, **self._at_end}))
        self.step_seconds = inner_seconds(operators, tree, self.probes)

    def counted(self) -> dict[str, Counted]:
        """How each step of the stage was counted."""
        pushed = {step for binding in self._stage.bindings for step in (*binding.pushed, *binding.thinned)}
        return {step: self._how(step, pushed) for step in self._stage.steps}

    def inexact(self) -> tuple[str, ...]:
        """Steps whose count is of what was read before a limit downstream was full."""
        cut = {flow.step for flow in self.flows if flow.step and not flow.is_exhausted}
        return tuple(step for step in self._stage.steps if step in cut and step in self.counts)

    def is_counted_elsewhere(self) -> bool:
        """Whether the sink's step has no rows of its own, or an open source counts them for it."""
        step = self._stage.sink.step
        return not step or bool(self._stage.outlets) or any(flow.step == step for flow in self.flows)

    def _how(self, step: str, pushed: set[str]) -> Counted:
        if step in self._at_end:
            return "at_end"
        if step in self.counts:
            return "live"
        return "pushed" if step in pushed else "unknown"

    def _take(self, at_end: Mapping[str, int]) -> None:
        self._at_end |= at_end
        self.counts = {**self._reporter.counts, **self._at_end}
        for step, rows in self._at_end.items():
            self._reporter.count(step, rows)
