"""Makes the stages of a plan: builds each step's relation, finds what its sources need, writes the text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from flows.graph.bindings import cheapest, exchange_binding
from flows.graph.document import Wire
from flows.graph.engines import Cluster, choose, text_for_spark
from flows.graph.estimate import Estimate, Estimator, source_estimate
from flows.graph.fuse import Region
from flows.graph.needs import needs_of
from flows.graph.optimise import needed_columns
from flows.graph.plan import SPARK, Judge, Outlet, Probe, Stage
from flows.graph.probes import probe_of, same_counts
from flows.graph.relation_text import SOURCE
from flows.graph.settings import fill_inputs
from flows.graph.stage_draft import StageContext
from flows.graph.stage_reads import ReadingDraft
from flows.graph.stage_sink import Ending, sink_of
from flows.graph.stage_text import side_by_side
from flows.graph.step_ports import part_name
from node_catalog.sdk.contract import FACTS
from node_catalog.sdk.ports import Field, Schema
from node_catalog.sdk.text import text


class StageMaker(StageContext):
    """Makes stages of one document."""

    def __init__(self, *args: Any, cluster: Cluster | None = None, **more: Any) -> None:
        super().__init__(*args, **more)
        self.cluster = cluster
        """The Spark that stages may be sent to."""
        self.optional: set[str] = set()
        """Last steps of stages that may be skipped, or that choose among their ports."""

    def stages(self, regions: Sequence[Region], ending: Ending | None = None) -> tuple[Stage, ...]:
        """The stages of regions (in order); ``ending`` says what becomes of the last one's rows.

        What later stages need is found first, so that a handed-on file holds no column that nobody reads.
        """
        self.ends = {region.last: region.ports for region in regions}
        self.estimates: dict[str, Estimate] = {}
        """Of what every port gives, by the name of its part; made when somebody asks."""
        drafts = [_StageDraft(self, region) for region in regions]
        handed_on: dict[str, set[str]] = {}
        for draft in reversed(drafts):
            for wire, needed in draft.find_wanted(handed_on).items():
                handed_on.setdefault(wire.source, set()).update(needed)
        return tuple(self._made(draft, ending if draft is drafts[-1] else None, handed_on) for draft in drafts)

    def _made(self, draft: _StageDraft, ending: Ending | None, handed_on: Mapping[str, set[str]]) -> Stage:
        """A stage; where rows are sent from node to node, with the same one that sends none."""
        stage = self._placed(draft, draft.make(ending))
        self._tell_inside(draft, stage)
        if not any(part.shipped for part in draft.parts.values()):
            return stage
        said = list(self.notes)
        plain = _StageDraft(self, draft.region, ships=False)
        plain.find_wanted(handed_on)
        stage = msgspec.structs.replace(stage, instead=self._placed(plain, plain.make(ending)))
        self.notes[:] = said
        return stage

    def _placed(self, draft: _StageDraft, stage: Stage) -> Stage:
        """The stage with the engine that does it, and a note that says which one, and why."""
        if self.cluster is None or self.sample_rows is not None or stage.sink.kind == "collect":
            return stage
        chosen = choose(
            self.cluster, stage, draft.text, self._most_rows(draft), keeps_order=self._keeps_order(draft.region)
        )
        names, why = self.names(stage.key), chosen.why
        if chosen.is_there:
            statement = text_for_spark(draft.text, stage, draft.end_parts)
            if statement is not None:
                stage = msgspec.structs.replace(stage, engine=SPARK, text=statement, probes=same_counts(stage.probes))
                message = text(
                    f"Spark works out “{names[0]}”: {why['en']}.", f"“{names[1]}”由 Spark 计算：{why['zh-CN']}。"
                )
                self.notes.append({"step": stage.key, "code": chosen.code, "message": message})
                return stage
            why = text("Spark has no words for a part of it", "部分步骤无法用 Spark 表达")
        message = text(
            f"“{names[0]}” is worked out on the worker's machine: {why['en']}.",
            f"“{names[1]}”在工作进程所在的机器上计算：{why['zh-CN']}。",
        )
        code = "plan.not_on_spark" if chosen.is_there else chosen.code
        self.notes.append({"step": stage.key, "code": code, "message": message})
        return stage

    def _most_rows(self, draft: _StageDraft) -> float | None:
        """About how many rows come out of that step of a stage which has most, of those that no source does."""
        found: list[float | None] = []
        handed = {name: self.estimates.get(key, Estimate(None, {})) for key, name in draft.handed_names()}
        for step in draft.region.steps:
            for port, relation in draft.relations[step].items():
                tables = {**self.estimates, **handed}
                if step in draft.reads:
                    tables[SOURCE] = source_estimate(draft.reads[step].info, draft.reads[step].grant)
                estimate = Estimator(tables).of(relation.op())
                self.estimates[part_name(step, port)] = estimate
                if step not in draft.within:
                    found.append(estimate.rows)
        return None if None in found else max((rows for rows in found if rows is not None), default=None)

    def _keeps_order(self, region: Region) -> bool:
        """Whether rows of the region are in an order that a step outside of it has made."""
        makers = {self.order_of(step) for step in region.steps}
        return bool(makers - {None} - {*region.steps})

    def _tell_inside(self, draft: _StageDraft, stage: Stage) -> None:
        """Say so when the target's own server does everything: the rows never leave it."""
        if stage.sink.kind != "write" or len(stage.bindings) != 1:
            return
        (binding,) = stage.bindings
        read = draft.reads.get(binding.step)
        is_all = {*stage.steps} - {stage.sink.step} <= {*binding.pushed}
        connector = self.registry.connectors.get(read.info.node_type) if read is not None else None
        fills = connector is not None and connector.output is not None and connector.output.fills
        if read is not None and read.info.node == stage.sink.node and is_all and fills:
            names = self.names(stage.sink.step)
            message = text(
                f"“{names[0]}” is filled by the server that has the data: no row leaves it.",
                f"“{names[1]}”由数据所在的服务器直接写入，数据不离开该服务器。",
            )
            self.notes.append({"step": stage.sink.step, "code": "plan.inside", "message": message})

    def needs_of(self, region: Region) -> Any:
        """What must have been taken for the region to run (see ``Stage.needs``)."""
        found = needs_of(self.topology, self.optional, set(region.steps), region.last, {})
        if found is not None or self.registry.transforms[self.document.steps[region.last].type].chooses:
            self.optional.add(region.last)
        return found

    def order_of(self, step: str) -> str | None:
        """The step that has made the order in which the rows of ``step`` come, when that order means something."""
        seen: set[str] = set()
        while step not in seen:
            seen.add(step)
            kind = self.registry.transforms[self.document.steps[step].type]
            if kind.orders(self.document.steps[step].settings):
                return step
            wires = self.topology.into[step]
            if not (kind.keeps_order or kind.role == "sink") or len(wires) != 1:
                return None
            step = wires[0].source_step
        return None


class _StageDraft(ReadingDraft):
    """One stage while it is made."""

    maker: StageMaker

    def find_wanted(self, handed_on: Mapping[str, set[str]]) -> dict[Wire, set[str]]:
        """Find what the stage needs when of its columns those in ``handed_on`` (by ``step.port``) are used later.

        The answer is what it needs of earlier stages, by wire.
        """
        last = self.region.last
        self.results = {port: self._schema(port, handed_on.get(f"{last}.{port}")) for port in self.region.ports}
        for step in reversed(self.region.steps):
            for port, relation in self.relations[step].items():
                is_end = step == last and port in self.results
                columns = set(self.results[port].names) if is_end else self.wanted.get(part_name(step, port), set())
                if self._kind(step).role != "source":
                    for table, needed in needed_columns(relation, columns).items():
                        self.wanted.setdefault(table, set()).update(needed)
        return {wire: {field.name for field in self._handed(wire)} for wire in self.exchanges}

    def _handed(self, wire: Wire) -> tuple[Field, ...]:
        """The columns that this stage takes over a wire from an earlier one: at least one, to count rows by."""
        schema = self.maker.schemas[wire.source]
        needed = self.wanted.get(self._name(wire), set())
        return tuple(field for field in schema.fields if field.name in needed) or (cheapest(schema),)

    @property
    def end_parts(self) -> tuple[str, ...]:
        """The parts whose rows come out, once the steps are written."""
        return tuple(self.tables[f"{self.region.last}.{port}"] for port in self.results)

    def handed_names(self) -> list[tuple[str, str]]:
        """For each wire from an earlier stage: the name of what it hands on, and the name that it has here."""
        return [(part_name(wire.source_step, wire.source_port), self._name(wire)) for wire in self.exchanges]

    def make(self, ending: Ending | None) -> Stage:
        """The finished stage."""
        probes = [self._write(step) for step in self.region.steps]
        last = self.region.last
        parts = self.end_parts
        outlets: tuple[Outlet, ...] = ()
        if len(parts) == 1:
            schema = next(iter(self.results.values()))
            statement = self.text.finish(parts[0], schema)
        else:
            schema, outlets = side_by_side(self.results)
            statement = self.text.finish_several(parts, outlets, schema)
        return Stage(
            key=last,
            steps=self.region.steps,
            bindings=tuple(self.bindings),
            text=statement,
            schema=schema,
            sink=sink_of(last, self.maker.parsed(last), schema, ending, self.maker.document, self.maker.datasets),
            extensions=self.text.extensions(),
            probes=tuple(probe for probe in probes if probe is not None and probe.step not in self.thinned),
            ordered=any(map(self._is_ordered, self.region.steps)),
            outlets=outlets,
            judge=self._judge(),
            needs=self.maker.needs_of(self.region),
        )

    def _is_ordered(self, step: str) -> bool:
        """Whether its rows are in an order that means something here: that of typed rows only where it is kept, since
        keeping the order costs a stage that joins them with many others.
        """
        orderer = self.maker.order_of(step)
        is_typed = orderer == step and not self.maker.topology.into[step]
        return step == self.region.last if is_typed else orderer is not None

    def _judge(self) -> Judge | None:
        last = self.region.last
        if FACTS not in self.region.ports:
            return None
        value = self.maker.document.steps[last]
        filled, _ = fill_inputs(value.settings, self.maker.parameters_of(last))
        return Judge(value.type, filled)

    def _write(self, step: str) -> Probe | None:
        kind = self._kind(step)
        if step in self.within:
            return None
        if step in self.parts:
            self._read_part(step, self.parts[step])
            return None
        if kind.role == "source":
            return self._read(step)
        for wire in self.maker.topology.into[step]:
            if wire.source_step not in self.inside:
                self._exchange(wire)
        sources = self.maker.topology.sources_of(step)
        before = sources[0] if len(sources) == 1 else ""
        if step in self.replaced:
            self.tables[f"{step}.out"] = f"s_{step}"
            return None
        for port, relation in self.relations[step].items():
            name = part_name(step, port)
            self.tables[f"{step}.{port}"] = name
            self.text.add(name, relation)
        keeps = kind.keeps_rows or kind.role == "sink"
        return probe_of(step, next(iter(self.relations[step].values())), keeps, before)

    def _exchange(self, wire: Wire) -> None:
        """Rows of an earlier stage: only the needed columns of its file are read."""
        name, schema = self._name(wire), self.maker.schemas[wire.source]
        fields = self._handed(wire)
        alias = name if len(fields) == len(schema.fields) else f"b_{name}"
        port = wire.source_port if len(self.maker.ends.get(wire.source_step, ())) > 1 else ""
        self.bindings.append(exchange_binding(alias, wire.source_step, port, Schema(fields)))
        if alias != name:
            self.text.add_padded(name, alias, schema, {field.name for field in fields})
