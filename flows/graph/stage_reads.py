"""What a stage reads: one statement for each source, with as much of the flow in it as means the same there."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

import ibis.expr.operations as ops

from flows.graph.bindings import dataset_binding, part_binding
from flows.graph.descend import Test, find_tests, with_tests
from flows.graph.fuse import Region
from flows.graph.guard import dialect_of, hides_rows_or_values, narrowed_schema, narrowed_source
from flows.graph.optimise import can_push, conjuncts, filter_of, limit_of, needed_columns
from flows.graph.parts import Part, PartFinder, Read, is_one_row
from flows.graph.plan import Binding, Probe, Shipped
from flows.graph.quick import quick_table
from flows.graph.relation_text import SOURCE
from flows.graph.shared_reads import Use, is_dearer, shared_relation
from flows.graph.sources import is_given
from flows.graph.stage_draft import StageContext, StageDraft
from flows.graph.step_ports import named
from flows.graph.typecheck import build_once
from node_catalog.sdk.ports import from_ibis, to_ibis
from node_catalog.sdk.text import text


class ReadingDraft(StageDraft):
    """Finds what servers do, and makes the bindings."""

    def __init__(self, maker: StageContext, region: Region, ships: bool = True) -> None:
        super().__init__(maker, region)
        self.ships = ships
        """Whether small tables may be sent to the server of a large one."""
        self.replaced: set[str] = set()
        """Filters that the source has done already."""
        self.thinned: set[str] = set()
        """Steps that see fewer rows because a source tests a later step's condition."""
        is_plain = not maker.conditions and not maker.looked_at
        sources = [step for step in region.steps if self._kind(step).role == "source"]
        self.tests = find_tests(region.steps, maker.topology, self.relations) if is_plain and sources else {}
        """For every table of the stage: conditions that its rows must pass to have any effect."""
        self.reads = {step: self._source(step) for step in sources}
        self.parts = self._find_parts()
        """Last step → steps that a server does as one query."""
        self.in_parts = {step for part in self.parts.values() for step in part.steps}
        self.sharing: dict[str, tuple[str, ...]] = {}
        """Read → the reads of the same dataset that are done as one, in order, itself among them."""
        self.within = {step for last, part in self.parts.items() for step in part.steps if step != last}

    def _read(self, step: str) -> Probe | None:
        """Make the rows of a read known to the text, from a binding of its own or one that several reads share."""
        if step not in self.sharing:
            group = self._sharing_with(step)
            self.sharing |= dict.fromkeys(group, group)
            if len(group) > 1:
                self._bind_shared(group)
        first = self.sharing[step][0]
        if len(self.sharing[step]) == 1:
            self._bind(step)
            return None
        self.text.add(f"s_{step}", self._taken_out(step, f"w_{first}"))
        self.tables[f"{step}.out"] = f"s_{step}"
        return Probe(step, same_as=first) if step not in (first, *self.thinned) else None

    def _sharing_with(self, step: str) -> tuple[str, ...]:
        """The reads of the same dataset that are done as one with ``step``, itself among them."""
        read, maker = self.reads[step], self.maker
        connector = maker.registry.connectors.get(read.info.node_type)
        alike = tuple(other for other, one in self.reads.items() if one.info.number == read.info.number)
        group = tuple(other for other in alike if other not in self.in_parts and not self._is_limited(other))
        is_free = is_given(read.info) or connector is None or connector.is_local
        is_plain = maker.sample_rows is None and not maker.conditions and not maker.looked_at
        if len(group) < 2 or step not in group or is_free or not is_plain:
            return (step,)
        narrowed = narrowed_source(read.info, read.grant)
        if is_dearer(read.info, read.grant, narrowed, [self._use(one) for one in group]):
            return (step,)
        return group

    def _is_limited(self, step: str) -> bool:
        """Whether the flow looks at the first rows of a read only."""
        relation, is_guarded = self.relations[step]["out"], hides_rows_or_values(self.reads[step].grant)
        return self._push(step, relation, self.reads[step].dialect, is_guarded)[2] is not None

    def _use(self, step: str) -> Use:
        read = self.reads[step]
        is_guarded = hides_rows_or_values(read.grant)
        tests = [test for test in self.tests.get(f"s_{step}", ()) if can_push(test.value, read.dialect, is_guarded)]
        taken = self._taken_out(step, SOURCE)
        return Use(needed_columns(taken, self._needed(step)).get(SOURCE, set()), tests)

    def _taken_out(self, step: str, name: str) -> Any:
        """What a read makes of the dataset as the grant shows it, when that has the name ``name``."""
        read = self.reads[step]
        table = quick_table(to_ibis(narrowed_schema(read.info, read.grant)), name)
        kind, settings = self.maker.parsed(step)
        return build_once(kind, {"dataset": [table]}, settings, self.maker.context(step))["out"]

    def _bind_shared(self, group: tuple[str, ...]) -> None:
        """One binding for several reads: each step then takes its rows and columns out of what it brings."""
        first, uses = group[0], [self._use(one) for one in group]
        info, grant, dialect = self.reads[first].info, self.reads[first].grant, self.reads[first].dialect
        narrowed = narrowed_source(info, grant)
        relation, columns = shared_relation(narrowed, uses)
        thinned = group if relation is not narrowed else ()
        binding = dataset_binding(
            first,
            info,
            grant,
            dialect=dialect,
            relation=relation,
            columns=columns,
            pushed=group[1:],
            counts_step="" if thinned else first,
            thinned=thinned,
        )
        self.bindings.append(binding)
        self.thinned.update(thinned)
        self.text.add_padded(f"w_{first}", binding.alias, from_ibis(narrowed.schema()), set(binding.schema.names))
        (here, hier), (there, dort) = self._names(first), self._names(group[1])
        message = text(
            f"“{here}” and “{there}” read the same dataset: it is read once, for both.",
            f"“{hier}”和“{dort}”读取同一数据集：只读取一次，供两者使用。",
        )
        self.maker.notes.append({"step": first, "code": "plan.read_once", "message": message})

    def _bind(self, step: str) -> None:
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

    def _read_part(self, last: str, part: Part) -> None:
        """The binding of a part, with the conditions of later steps that its server can test."""
        dialect = self.reads[part.tables[SOURCE]].dialect
        is_guarded = any(hides_rows_or_values(self.reads[step].grant) for step in part.tables.values())
        later = () if is_one_row(part.relation) else self.tests.get(f"s_{last}", ())
        tests = [test for test in later if can_push(test.value, dialect, is_guarded)]
        counts_step, thinned = self._counted(last, part.steps, tests)
        relation = with_tests(part.relation, tests)
        binding = part_binding(part, self.reads, relation, self._needed(last), counts_step, thinned, self._shipped)
        self.bindings.append(binding)
        self.thinned.update(thinned)
        self.text.add_padded(f"s_{last}", binding.alias, from_ibis(relation.schema()), set(binding.schema.names))
        self.tables[f"{last}.out"] = f"s_{last}"

    def _shipped(self, step: str, columns: set[str]) -> Shipped:
        """How the rows of a read are fetched that are sent into another node's server."""
        read = self.reads[step]
        is_guarded = hides_rows_or_values(read.grant)
        tests = [test for test in self.tests.get(f"s_{step}", ()) if can_push(test.value, read.dialect, is_guarded)]
        whole = self.relations[step]["out"]
        binding = dataset_binding(
            step,
            read.info,
            read.grant,
            dialect=read.dialect,
            relation=with_tests(whole, tests),
            columns=columns,
            counts_step="" if tests else step,
            thinned=(step,) if tests else (),
        )
        self._tell_shipped(step, binding)
        return Shipped(binding, from_ibis(whole.schema()))

    def _tell_shipped(self, step: str, binding: Binding) -> None:
        rows = self.reads[step].info.rows
        names, columns = self._names(step), ", ".join(binding.schema.names)
        message = text(
            f"The rows of “{names[0]}” ({columns}; at most about {rows:,}) are sent to the server of the large table, "
            "which joins them there.",
            f"“{names[1]}”的数据（{columns}，最多约 {rows:,} 行）会发送到大表所在的服务器，在那里完成连接。",
        )
        self.maker.notes.append({"step": step, "code": "plan.shipped", "message": message})

    def _source(self, step: str) -> Read:
        maker = self.maker
        _, settings = maker.parsed(step)
        number = maker.document.dataset_number(settings.dataset)
        info = maker.datasets[number]
        connector = maker.registry.connectors.get(info.node_type)
        takes_rows = connector is not None and connector.takes_rows
        return Read(info, maker.grants[number], dialect_of(info.node_type, maker.registry), takes_rows)

    def _find_parts(self) -> dict[str, Part]:
        """A preview reads samples of its sources, so nothing is joined or grouped before they are taken."""
        maker = self.maker
        if maker.sample_rows is not None or maker.conditions or maker.looked_at:
            return {}
        finder = PartFinder(self.region.steps, maker.topology, self.relations, self.reads, self.ships)
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
