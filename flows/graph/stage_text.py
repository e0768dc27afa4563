"""The SQL text of one stage: each step a named part over the parts before it, every source read once.

A stream can be read only once, so a part or a source that is named several times is written ``AS MATERIALIZED``;
everything else is ``NOT MATERIALIZED``, so that the engine optimises through the steps as if they were one query.
Spark knows no such words: there a source is a file that can be read again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import sqlglot.expressions as sge
from ibis.backends.sql.datatypes import DuckDBType, PySparkType

from flows.graph.merging import merged
from flows.graph.plan import Outlet
from flows.graph.render import text_of, tree_of
from node_catalog.sdk.ports import Schema, ibis_type

_TYPES: Mapping[str, Any] = {"duckdb": DuckDBType, "spark": PySparkType}


class StageText:
    """Collects the parts of a statement in the order in which they build on each other."""

    def __init__(self, dialect: str = "duckdb") -> None:
        self._dialect = dialect
        self._made: list[Callable[[StageText], None]] = []
        self.relations: dict[str, Any] = {}
        """What the parts compute, by name."""
        self._feeds: dict[str, set[str]] = {}
        """Part → the sources and parts that it reads."""
        self._read_inside: set[str] = set()
        """Parts that read a part of their own several times."""
        self._columns: dict[str, tuple[str, ...]] = {}
        self._parts: list[tuple[str, sge.Expression]] = []
        self._uses: Counter[str] = Counter()

    def add(self, name: str, relation: Any) -> None:
        """A step's relation over tables that are sources or earlier parts. Raises PlanError when it cannot be said."""
        self._made.append(lambda other: other.add(name, relation))
        self.relations[name] = relation
        self._columns[name] = tuple(relation.columns)
        self._add(name, tree_of(relation, self._dialect))

    def add_padded(self, name: str, source: str, schema: Schema, present: Collection[str]) -> None:
        """A source with fewer columns than its step promises: a column that nobody needs is NULL, and costs nothing."""
        self._made.append(lambda other: other.add_padded(name, source, schema, present))
        self._columns[name] = schema.names
        columns = [
            _column(field.name)
            if field.name in present
            else sge.alias_(self._null(field.type), field.name, quoted=True)
            for field in schema.fields
        ]
        self._add(name, sge.select(*columns).from_(_table(source)))

    def finish(self, last: str, schema: Schema) -> str:
        """The statement; ``last`` is the part (or source) whose rows come out, ``schema`` which of its columns."""
        if not self._parts or self._parts[-1][0] != last or self._columns[last] != schema.names:
            self._add("", sge.select(*(_column(name) for name in schema.names)).from_(_table(last)))
        if self._dialect == "spark":
            *parts, (_, body) = self._parts
            heads = [f"{self._quoted(name)} AS ({self._text(tree)})" for name, tree in parts]
            return f"WITH {', '.join(heads)} {self._text(_body(body))}" if heads else self._text(body)
        *parts, (_, body) = merged(self._parts, self._uses)
        named = {name for name, _ in self._parts}
        twice = {name for name, count in self._uses.items() if count > 1 and name not in named}
        for name in twice:
            for tree in (*(tree for _, tree in parts), body):
                _rename(tree, name, f"m_{name}")
        heads = [_part(f"m_{name}", f'SELECT * FROM "{name}"', True) for name in sorted(twice)]
        heads += [_part(name, text_of(tree), self._uses[name] > 1) for name, tree in parts]
        return f"WITH {', '.join(heads)} {text_of(_body(body))}" if heads else text_of(body)

    def finish_several(self, parts: Sequence[str], outlets: Sequence[Outlet], schema: Schema) -> str:
        """The statement that gives the rows of several parts in one pass, as ``Outlet`` says."""
        selects = []
        for number, (part, outlet) in enumerate(zip(parts, outlets, strict=True)):
            places = dict(zip(outlet.columns, outlet.schema.names, strict=True))
            columns: list[Any] = [sge.alias_(self._number(number), schema.fields[0].name, quoted=True)]
            for place, wide in enumerate(schema.fields[1:], start=1):
                value = _column(places[place]) if place in places else self._null(wide.type)
                columns.append(sge.alias_(value, wide.name, quoted=True))
            selects.append(sge.select(*columns).from_(_table(part)))
        whole: Any = selects[0]
        for select in selects[1:]:
            whole = sge.union(whole, select, distinct=False, copy=False)
        self._add("", whole)
        self._columns[""] = schema.names
        return self.finish("", schema)

    def for_spark(self) -> StageText:
        """The same parts for Spark. Raises PlanError when it has no words for one of them."""
        other = StageText("spark")
        for make in self._made:
            make(other)
        return other

    def read_twice(self) -> list[Any]:
        """The relations whose rows go into something that is read several times."""
        names = self._read_inside | {name for name, count in self._uses.items() if count > 1}
        waiting = list(names)
        while waiting:
            more = self._feeds.get(waiting.pop(), set()) - names
            names |= more
            waiting.extend(more)
        return [relation for name, relation in self.relations.items() if name in names]

    def extensions(self) -> tuple[str, ...]:
        """The engine's extensions whose functions the parts call."""
        calls = (call for _, tree in self._parts for call in tree.find_all(sge.Func))
        return ("spatial",) if any(_function_name(call).startswith("ST_") for call in calls) else ()

    def _add(self, name: str, tree: sge.Expression) -> None:
        inner = Counter(table.name for table in tree.find_all(sge.Table))
        for cte in tree.find_all(sge.CTE):
            is_twice = inner.pop(cte.alias, 0) > 1  # a name of this part's own, no source
            if is_twice:
                self._read_inside.add(name)
            if self._dialect != "spark":
                cte.set("materialized", is_twice)
        self._uses.update(inner)
        self._feeds[name] = set(inner)
        self._parts.append((name, tree))

    def _text(self, tree: sge.Expression) -> str:
        return text_of(tree, self._dialect)

    def _quoted(self, name: str) -> str:
        return self._text(sge.to_identifier(name, quoted=True))

    def _null(self, kind: str) -> sge.Cast:
        return sge.Cast(this=sge.Null(), to=_TYPES[self._dialect].from_ibis(ibis_type(kind)))

    def _number(self, value: int) -> sge.Cast:
        return sge.Cast(this=sge.Literal.number(value), to=_TYPES[self._dialect].from_ibis(ibis_type("integer")))


def side_by_side(results: Mapping[str, Schema]) -> tuple[Schema, tuple[Outlet, ...]]:
    """One row type for the rows of several ports: the outlet's number, then every distinct column once."""
    places: dict[tuple[str, str], int] = {}
    for schema in results.values():
        for field in schema.fields:
            places.setdefault((field.name, field.type), len(places) + 1)
    wide = Schema.of([("port", "integer"), *((f"c{place}", kind) for (_, kind), place in places.items())])
    outlets = tuple(
        Outlet(port, schema, tuple(places[field.name, field.type] for field in schema.fields))
        for port, schema in results.items()
    )
    return wide, outlets


def _function_name(call: sge.Func) -> str:
    return (call.name if isinstance(call, sge.Anonymous) else call.sql_name()).upper()


def _body(tree: sge.Expression) -> sge.Expression:
    """The last part stands behind our WITH: when it brings its own, it goes into parentheses."""
    return sge.select("*").from_(sge.Subquery(this=tree, alias="body")) if tree.args.get("with_") else tree


def _part(name: str, body: str, materialized: bool) -> str:
    return f'"{name}" AS {"" if materialized else "NOT "}MATERIALIZED ({body})'


def _rename(tree: sge.Expression, old: str, new: str) -> None:
    for table in tree.find_all(sge.Table):
        if table.name == old:
            table.set("this", sge.to_identifier(new, quoted=True))


def _table(name: str) -> sge.Table:
    return sge.Table(this=sge.to_identifier(name, quoted=True))


def _column(name: str) -> sge.Column:
    return sge.column(sge.to_identifier(name, quoted=True))
