"""Makes the stages of a plan: builds each step's relation, finds what its sources need, writes the text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any

import ibis.expr.operations as ops

from flows.graph.bindings import cheapest, dataset_binding, exchange_binding, part_binding
from flows.graph.check_graph import step_name
from flows.graph.context import StepContext
from flows.graph.descend import Test, find_tests, with_tests
from flows.graph.document import Document, Wire
from flows.graph.expressions.parameters import Parameter
from flows.graph.fuse import Region
from flows.graph.guard import dialect_of, hides_rows_or_values, narrowed_source
from flows.graph.optimise import can_push, conjuncts, filter_of, limit_of, needed_columns
from flows.graph.parts import Part, PartFinder, Read, is_one_row
from flows.graph.plan import Binding, Judge, Outlet, Probe, Stage
from flows.graph.probes import probe_of
from flows.graph.quick import quick_table
from flows.graph.render import SOURCE
from flows.graph.settings import fill_inputs, parse_settings
from flows.graph.sources import DatasetInfo, is_given
from flows.graph.stage_sink import Ending, sink_of
from flows.graph.stage_text import StageText, side_by_side
from flows.graph.step_ports import named, part_name, ports_of
from flows.graph.topology import Topology
from flows.graph.typecheck import build_facts, build_once
from node_catalog.sdk.contract import FACTS
from node_catalog.sdk.grant import GrantSpec
from node_catalog.sdk.ports import Field, Port, Schema, from_ibis, to_ibis
from node_catalog.sdk.registry import Registry
from node_catalog.sdk.text import text


class StageMaker:
    """Makes stages of one document; ``notes`` say why something was not pushed to its source."""

    def __init__(
        self,
        document: Document,
        topology: Topology,
        registry: Registry,
        datasets: Mapping[str, DatasetInfo],
        grants: Mapping[str, GrantSpec],
        parameters_of: Callable[[str], Mapping[str, Parameter]],
        schemas: Mapping[str, Schema],
        sample_rows: int | None,
        conditions: Mapping[str, tuple[str, Any]] | None = None,
        looked_at: frozenset[str] = frozenset(),
    ) -> None:
        self.looked_at = looked_at
        """Ports whose rows such conditions compare with."""
        self.conditions = conditions or {}
        """Steps that keep the rows of their only input (a port) for which a condition holds, whatever they are."""
        self.document, self.topology, self.registry = document, topology, registry
        self.datasets, self.grants, self.schemas = datasets, grants, schemas
        self.sample_rows = sample_rows
        self.parameters_of = parameters_of
        self.notes: list[dict[str, Any]] = []
        self.optional: set[str] = set()
        """Last steps of stages that may be skipped, or that choose among their ports."""
        self.ends: dict[str, tuple[str, ...]] = {}
        """The last step of every stage, with the ports by which its rows leave."""

    def stages(self, regions: Sequence[Region], ending: Ending | None = None) -> tuple[Stage, ...]:
        """The stages of regions (in order); ``ending`` says what becomes of the last one's rows.

        What later stages need is found first, so that a handed-on file holds no column that nobody reads.
        """
        self.ends = {region.last: region.ports for region in regions}
        drafts = [_StageDraft(self, region) for region in regions]
        handed_on: dict[str, set[str]] = {}
        for draft in reversed(drafts):
            for wire, needed in draft.find_wanted(handed_on).items():
                handed_on.setdefault(wire.source, set()).update(needed)
        return tuple(draft.make(ending if draft is drafts[-1] else None) for draft in drafts)

    def context(self, step: str) -> StepContext:
        """What the step's type may ask for while it builds its relation."""
        return StepContext(self.parameters_of(step))

    def parsed(self, step: str) -> tuple[Any, Any]:
        """The type and the parsed settings of a step (the check has accepted them)."""
        value = self.document.steps[step]
        kind = self.registry.transforms[value.type]
        filled, _ = fill_inputs(value.settings, self.parameters_of(step))
        settings, _ = parse_settings(kind, filled)
        return kind, settings

    def needs_of(self, region: Region) -> Any:
        """What must have been taken for the region to run (see ``Stage.needs``)."""
        found = _needs(self, set(region.steps), region.last, {})
        if found is not None or self.registry.transforms[self.document.steps[region.last].type].chooses:
            self.optional.add(region.last)
        return found

    def is_ordered(self, step: str) -> bool:
        """Whether the step's rows come in an order that means something."""
        seen: set[str] = set()
        while step not in seen:
            seen.add(step)
            kind = self.registry.transforms[self.document.steps[step].type]
            if kind.orders(self.document.steps[step].settings):
                return True
            wires = self.topology.into[step]
            if not (kind.keeps_order or kind.role == "sink") or len(wires) != 1:
                return False
            step = wires[0].source_step
        return False


class _StageDraft:
    """One stage while it is made."""

    def __init__(self, maker: StageMaker, region: Region) -> None:
        self.maker, self.region = maker, region
        self.inside = set(region.steps)
        self.text = StageText()
        self.bindings: list[Binding] = []
        self.relations: dict[str, Mapping[str, Any]] = {}
        self.tables: dict[str, str] = {}
        """``step.port`` (or the wire into an exchange) → the name to read it from."""
        self.replaced: set[str] = set()
        """Filters that the source has done already."""
        self.thinned: set[str] = set()
        """Steps that see fewer rows because a source tests a later step's condition."""
        self.wire_names: dict[str, str] = {}
        self.exchanges: list[Wire] = []
        self.wanted: dict[str, set[str]] = {}
        """For every table of the stage: the columns without which its result cannot be computed."""
        for step in region.steps:
            self.relations[step] = self._relation(step)
        is_plain = not maker.conditions and not maker.looked_at
        self.tests = find_tests(region.steps, maker.topology, self.relations) if is_plain else {}
        """For every table of the stage: conditions that its rows must pass to have any effect."""
        self.reads = {step: self._source(step) for step in region.steps if self._kind(step).role == "source"}
        self.parts = self._find_parts()
        """Last step → steps that a server does as one query."""
        self.within = {step for last, part in self.parts.items() for step in part.steps if step != last}
        self.results: dict[str, Schema] = {}
        """The rows that come out, by port: the columns that somebody uses."""

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

    def make(self, ending: Ending | None) -> Stage:
        """The finished stage."""
        probes = [self._write(step) for step in self.region.steps]
        last = self.region.last
        parts = [self.tables[f"{last}.{port}"] for port in self.results]
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
            ordered=any(self.maker.is_ordered(step) for step in self.region.steps),
            outlets=outlets,
            judge=self._judge(),
            needs=self.maker.needs_of(self.region),
        )

    # ── relations ─────────────────────────────────────────────────────────────────────────────────────────

    def _relation(self, step: str) -> Mapping[str, Any]:
        """The step's relations whose rows are used, over tables named after what feeds them, with full schemas."""
        kind, settings = self.maker.parsed(step)
        if kind.role == "source":
            number = self.maker.document.dataset_number(settings.dataset)
            source = narrowed_source(self.maker.datasets[number], self.maker.grants[number])
            return build_once(kind, {"dataset": [source]}, settings, self.maker.context(step))
        tables: dict[str, list[Any]] = {}
        for name in named(self._ports(step), "in"):
            wires = [wire for wire in self.maker.topology.into[step] if wire.target_port == name]
            tables[name] = [self._table(wire) for wire in wires]
        found = dict(self._built(step, kind, tables, settings))
        if FACTS in self.region.ports and step == self.region.last:
            found[FACTS] = build_facts(kind, tables, settings, self.maker.context(step))
        used = {wire.source_port for wire in self.maker.topology.out_of[step] if wire.target_step in self.inside}
        used |= set(self.region.ports) if step == self.region.last else set()
        used |= {port for port in found if f"{step}.{port}" in self.maker.looked_at}
        return {port: relation for port, relation in found.items() if port in used}

    def _built(self, step: str, kind: Any, tables: dict[str, list[Any]], settings: Any) -> Mapping[str, Any]:
        condition = self.maker.conditions.get(step)
        if condition is None:
            return build_once(kind, tables, settings, self.maker.context(step))
        ((table,),) = tables.values()
        return {"out": _kept_rows(table, *condition)}

    def _ports(self, step: str) -> Sequence[Port]:
        return ports_of(self.maker.registry.transforms, self.maker.document.steps[step])

    def _table(self, wire: Wire) -> Any:
        schema = self.maker.schemas[wire.source]
        return quick_table(to_ibis(schema), self._name(wire))

    def _name(self, wire: Wire) -> str:
        """Steps are named ``s_…``; every wire from an exchange reads it under a name of its own (``x_…``)."""
        if wire.source_step in self.inside:
            return part_name(wire.source_step, wire.source_port)
        key = f"{wire.source}>{wire.target}"
        if key not in self.wire_names:
            self.exchanges.append(wire)
            self.wire_names[key] = f"x_{wire.source_step}_{len(self.wire_names) + 1}"
        return self.wire_names[key]

    def _kind(self, step: str) -> Any:
        return self.maker.registry.transforms[self.maker.document.steps[step].type]

    def _judge(self) -> Judge | None:
        last = self.region.last
        if FACTS not in self.region.ports:
            return None
        value = self.maker.document.steps[last]
        filled, _ = fill_inputs(value.settings, self.maker.parameters_of(last))
        return Judge(value.type, filled)

    def _schema(self, port: str, columns: set[str] | None) -> Schema:
        """The schema of the rows that leave by ``port``, restricted to ``columns`` (all when None)."""
        schema = from_ibis(self.relations[self.region.last][port].schema())
        return Schema(tuple(field for field in schema.fields if columns is None or field.name in columns))

    # ── text ──────────────────────────────────────────────────────────────────────────────────────────────

    def _write(self, step: str) -> Probe | None:
        kind = self._kind(step)
        if step in self.within:
            return None
        if step in self.parts:
            self._readpart_name(step, self.parts[step])
            return None
        if kind.role == "source":
            self._read(step)
            return None
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

    def _read(self, step: str) -> None:
        """The binding of a read with the filters behind it that its source can do, and only the needed columns."""
        read = self.reads[step]
        info, grant, dialect = read.info, read.grant, read.dialect
        relation = next(iter(self.relations[step].values()))
        schema = from_ibis(relation.schema())
        is_guarded = hides_rows_or_values(grant)
        relation, pushed, limit = self._push(step, relation, dialect, is_guarded)
        last = pushed[-1] if pushed else step
        tests: list[Test] = []
        if not is_given(info):
            tests = [test for test in self.tests.get(f"s_{last}", ()) if can_push(test.value, dialect, is_guarded)]
        relation = with_tests(relation, tests)
        counts_step, thinned = self._counted(last, [step, *pushed], tests)
        needed = self._needed(last)
        if self.maker.sample_rows is not None:
            limit = min(limit, self.maker.sample_rows) if limit is not None else self.maker.sample_rows
        binding = dataset_binding(
            step,
            info,
            grant,
            dialect=dialect,
            relation=relation,
            columns=needed,
            limit=limit,
            pushed=pushed,
            counts_step=counts_step,
            thinned=thinned,
        )
        self.bindings.append(binding)
        self.replaced.update(pushed)
        self.thinned.update(thinned)
        self.text.add_padded(f"s_{last}", binding.alias, schema, set(binding.schema.names))
        self.tables[f"{step}.out"] = self.tables[f"{last}.out"] = f"s_{last}"

    def _readpart_name(self, last: str, part: Part) -> None:
        """The binding of a part, with the conditions of later steps that its server can test."""
        dialect = self.reads[part.tables[SOURCE]].dialect
        is_guarded = any(hides_rows_or_values(self.reads[step].grant) for step in part.tables.values())
        later = () if is_one_row(part.relation) else self.tests.get(f"s_{last}", ())
        tests = [test for test in later if can_push(test.value, dialect, is_guarded)]
        counts_step, thinned = self._counted(last, part.steps, tests)
        relation = with_tests(part.relation, tests)
        binding = part_binding(part, self.reads, relation, self._needed(last), counts_step, thinned)
        self.bindings.append(binding)
        self.thinned.update(thinned)
        self.text.add_padded(f"s_{last}", binding.alias, from_ibis(relation.schema()), set(binding.schema.names))
        self.tables[f"{last}.out"] = f"s_{last}"

    def _needed(self, step: str) -> set[str]:
        """The columns of a step's rows that somebody uses."""
        return set(self.results["out"].names) if step == self.region.last else self.wanted.get(f"s_{step}", set())

    def _source(self, step: str) -> Read:
        maker = self.maker
        _, settings = maker.parsed(step)
        number = maker.document.dataset_number(settings.dataset)
        info = maker.datasets[number]
        return Read(info, maker.grants[number], dialect_of(info.node_type, maker.registry))

    def _find_parts(self) -> dict[str, Part]:
        """A preview reads samples of its sources, so nothing is joined or grouped before they are taken."""
        maker = self.maker
        if maker.sample_rows is not None or maker.conditions or maker.looked_at:
            return {}
        finder = PartFinder(self.region.steps, maker.topology, self.relations, self.reads)
        for step, why in finder.notes.items():
            names = self._names(step)
            message = text(
                f"“{names[0]}” runs in the engine: {why['en']}.", f"“{names[1]}”在引擎中执行：{why['zh-CN']}。"
            )
            maker.notes.append({"step": step, "code": "plan.not_pushed", "message": message})
        return finder.parts

    def _push(self, step: str, relation: Any, dialect: str, is_guarded: bool) -> tuple[Any, list[str], int | None]:
        """Add the filters right behind a read to its source, as far as they mean the same there; then a limit."""
        pushed: list[str] = []
        current = step
        while True:
            following = self._only_follower(current)
            if following is None:
                return relation, pushed, None
            kind, settings = self.maker.parsed(following)
            (port,) = named(self._ports(following), "in")
            over = self._built(following, kind, {port: [relation]}, settings)
            after = next(iter(over.values()))
            rows = limit_of(after, relation)
            if rows is not None:
                return relation, pushed, rows
            conditions = filter_of(after, relation)
            if conditions is None:
                return relation, pushed, None
            parts = conjuncts(conditions)
            good = [part for part in parts if can_push(part, dialect, is_guarded)]
            if good:
                relation = relation.filter(reduce(lambda a, b: a & b, (part.to_expr() for part in good)))
            if len(good) < len(parts):
                self._note(following, dialect, is_guarded)
                return relation, pushed, None
            pushed.append(following)
            current = following

    def _counted(self, last: str, read: Sequence[str], tests: Sequence[Test]) -> tuple[str, tuple[str, ...]]:
        """Whose rows a read gives that also makes ``tests`` (of steps behind ``last``), and which steps see fewer then.

        They are those of a filter when each step up to it keeps all rows and all its conditions are among the tests.
        """
        thinned = dict.fromkeys(one for test in tests for one in (*read, *test.through))
        if not tests:
            return last, ()
        waiting, found = {test.origin for test in tests}, ""
        current = self._only_follower(last)
        while current is not None and waiting:
            if current in waiting and self._is_whole(current, tests):
                waiting.discard(current)
                found = current
            elif not self._kind(current).keeps_rows:
                break
            current = self._only_follower(current)
        return "" if waiting else found, tuple(one for one in thinned if one != found)

    def _is_whole(self, step: str, tests: Sequence[Test]) -> bool:
        """Whether a step is a filter all of whose conditions are among ``tests``."""
        node = next(iter(self.relations[step].values())).op()
        is_filter = isinstance(node, ops.Filter) and isinstance(node.parent, ops.UnboundTable)
        return is_filter and len(conjuncts(node.predicates)) == sum(test.origin == step for test in tests)

    def _only_follower(self, step: str) -> str | None:
        """The step behind when nothing else reads ``step`` and it has one input; not a sink."""
        if step == self.region.last:
            return None
        wires = [wire for wire in self.maker.topology.out_of[step] if wire.target_step in self.inside]
        if len(wires) != 1:
            return None
        following = wires[0].target_step
        kind = self._kind(following)
        ports = [port for port in self._ports(following) if port.direction == "in"]
        is_plain = len(ports) == 1 and not ports[0].many and kind.role == "transform"
        return following if is_plain and tuple(self.relations[following]) == ("out",) else None

    def _names(self, step: str) -> tuple[str, ...]:
        document, types = self.maker.document, self.maker.registry.transforms
        return tuple(step_name(document, step, language, types) for language in ("en", "zh-CN"))

    def _note(self, step: str, dialect: str, is_guarded: bool) -> None:
        if any(note["step"] == step for note in self.maker.notes):
            return
        names = self._names(step)
        if is_guarded:
            why = text("the dataset hides rows or values from you", "该数据集对您隐藏了部分行或值")
        else:
            why = text(f"it may mean something else in {dialect}", f"它在 {dialect} 中含义可能不同")
        message = text(
            f"A part of “{names[0]}” is done after reading, because {why['en']}.",
            f"“{names[1]}”的部分条件在读取之后执行，因为{why['zh-CN']}。",
        )
        self.maker.notes.append({"step": step, "code": "plan.not_pushed", "message": message})


def _needs(maker: StageMaker, inside: set[str], step: str, known: dict[str, Any]) -> Any:
    """A step runs when each in port has a wire that brings something; on a port with several wires one is enough."""
    if step in known:
        return known[step]
    ports: dict[str, list[Any]] = {}
    for wire in maker.topology.into[step]:
        if wire.source_step in inside:
            ports.setdefault(wire.target_port, []).append(_needs(maker, inside, wire.source_step, known))
        else:
            leaf = [wire.source_step, wire.source_port] if wire.source_step in maker.optional else None
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


def _kept_rows(table: Any, port: str, condition: Any) -> Any:
    """The rows of ``table`` for which a condition holds that was made over tables named ``step.port``.

    Conditions on ``port`` are about ``table`` itself; what subqueries look at are other parts of the statement.
    """
    mapping: dict[Any, Any] = {
        one: ops.Field(table.op(), one.name)
        for one in condition.find(ops.Field, filter=ops.Value)
        if isinstance(one.rel, ops.UnboundTable) and one.rel.name == port
    }
    for query in condition.find(ops.InSubquery, filter=ops.Value):
        parts = {
            one: ops.UnboundTable(name=part_name(*one.name.split(".")), schema=one.schema)
            for one in query.rel.find(ops.UnboundTable)
        }
        mapping[query] = ops.InSubquery(query.rel.replace(parts), query.needle.replace(dict(mapping)))
    return ops.Filter(table.op(), (condition.replace(mapping),)).to_expr()
