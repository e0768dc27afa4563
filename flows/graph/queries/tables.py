"""FROM and JOIN: the rows that a SELECT works on, and the names of their columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import ibis
from sqlglot import exp

from flows.graph.expressions.operators import compare
from flows.graph.expressions.parameters import Parameter
from flows.graph.expressions.values import Value, common_type, force
from flows.graph.queries.names import Names, is_quoted, match
from flows.graph.queries.parse import only
from flows.graph.queries.problems import QueryProblems
from flows.graph.queries.rows import RowCompiler, Subquery
from node_catalog.sdk.ports import type_of_ibis
from node_catalog.sdk.text import text

_HOW = {
    ("", ""): "inner",
    ("", "INNER"): "inner",
    ("LEFT", ""): "left",
    ("LEFT", "OUTER"): "left",
    ("RIGHT", ""): "right",
    ("RIGHT", "OUTER"): "right",
    ("FULL", ""): "outer",
    ("FULL", "OUTER"): "outer",
    ("", "CROSS"): "cross",
    ("", "SEMI"): "semi",
    ("", "ANTI"): "anti",
    ("LEFT", "SEMI"): "semi",
    ("LEFT", "ANTI"): "anti",
}


class Tables:
    """The tables that one SELECT may name, and its FROM."""

    def __init__(
        self,
        tables: Mapping[str, Any],
        parameters: Mapping[str, Parameter],
        problems: QueryProblems,
        subquery: Subquery,
    ) -> None:
        self.tables, self.parameters, self.problems, self.subquery = tables, parameters, problems, subquery

    def read(self, source: exp.From, joins: Sequence[exp.Join]) -> tuple[Any, Names]:
        """The joined rows and their names. With several tables every column gets a name of its own, ``1.station``."""
        only(self.problems, source, "this")
        name, table = self._source(source.this, 0)
        if not joins:
            return table, Names({name: {column: column for column in table.columns}})
        table, columns = _numbered(table, 0)
        names = Names({name: columns})
        for place, join in enumerate(joins, start=1):
            table, names = self._join(table, names, join, place)
        return table, names

    def _source(self, node: exp.Expression, place: int) -> tuple[str, Any]:
        if isinstance(node, exp.Subquery):
            only(self.problems, node, "this", "alias")
            return self._named(node, self.subquery(node.this), f"subquery {place + 1}")
        if not isinstance(node, exp.Table) or not isinstance(node.this, exp.Identifier):
            raise self.problems.not_possible(node)
        only(self.problems, node, "this", "alias")
        found = match(self.tables, node.name, is_quoted(node.this))
        if found is None:
            raise self.problems.unknown_table(node.this, node.name, self.tables)
        return self._named(node, self.tables[found], found)

    def _named(self, node: exp.Expression, table: Any, usual: str) -> tuple[str, Any]:
        alias = node.args.get("alias")
        if alias is None:
            return usual, table
        only(self.problems, alias, "this", "columns")
        return alias.name or usual, renamed(table, alias, self.problems)

    def _join(self, left: Any, names: Names, join: exp.Join, place: int) -> tuple[Any, Names]:
        only(self.problems, join, "this", "side", "kind", "on", "using")
        how = _HOW.get((str(join.args.get("side") or ""), str(join.args.get("kind") or "")))
        if how is None:
            raise self.problems.not_possible(join)
        name, table = self._source(join.this, place)
        if match(names.tables, name, is_quoted=False) is not None:
            message = text(
                f"Two tables are called {name}. Give one of them another name: {name} as other.",
                f"有两个表都叫 {name}，请为其中一个另取名称，例如 {name} as other。",
            )
            raise self.problems.of("table_twice", message, join.this)
        right, columns = _numbered(table, place)
        both = replace(names, tables={**names.tables, name: columns})
        on, using = join.args.get("on"), join.args.get("using")
        if how == "inner" and on is None and not using:
            how = "cross"  # tables with a comma between them
        if (how == "cross") == (on is not None or bool(using)):
            message = text(
                "Say after ON which rows belong together; a CROSS JOIN has no condition.",
                "请在 ON 之后写明哪些行相互对应；CROSS JOIN 没有条件。",
            )
            raise self.problems.of("join_condition", message, join.this)
        if how == "cross":
            return left.cross_join(right).select(*left.columns, *right.columns), both
        if using:
            return self._using(left, right, both, names, columns, using, how)
        rows = RowCompiler((left, right), both, self.parameters, self.problems, self.subquery)
        joined = left.join(right, [rows.condition(join.args["on"])], how=how)
        return self._kept(joined, left, right, how), names if how in ("semi", "anti") else both

    def _using(
        self, left: Any, right: Any, both: Names, before: Names, columns: Mapping[str, str], using: Any, how: str
    ) -> tuple[Any, Names]:
        """``using (a)``: equal in both, and one column afterwards."""
        tests: list[Any] = []
        merged: dict[str, tuple[str, str]] = {}
        rows = RowCompiler((left, right), before, self.parameters, self.problems, self.subquery)
        for part in using:
            wanted = exp.Column(this=part.copy())
            first, second = before.find(wanted, self.problems), match(columns, part.name, is_quoted(part))
            if first is None or second is None:
                raise self.problems.unknown_column(part, part.name, before.listed() if first is None else list(columns))
            values = [
                Value(type_of_ibis(table[name].type()), table[name], column=part.name)
                for table, name in ((left, first), (right, columns[second]))
            ]
            one, other = compare(rows, exp.EQ(this=wanted, expression=wanted.copy()), *values)
            tests.append(one.expr == other.expr)
            merged[second] = (first, columns[second])
        joined = self._kept(left.join(right, tests, how=how), left, right, how)
        if how in ("semi", "anti"):
            return joined, before
        taken = dict(before.merged)
        if how == "outer":
            ones = {f"using.{name}": _coalesced(joined, *pair) for name, pair in merged.items()}
            joined = joined.select(*joined.columns, **ones)
            taken |= {name: f"using.{name}" for name in merged}
        else:
            taken |= {name: pair[1] if how == "right" else pair[0] for name, pair in merged.items()}
        return joined, replace(both, merged=taken)

    @staticmethod
    def _kept(joined: Any, left: Any, right: Any, how: str) -> Any:
        return joined.select(*left.columns, *(() if how in ("semi", "anti") else right.columns))


def _coalesced(table: Any, first: str, second: str) -> Any:
    """The two columns have types that can be compared, as the join has shown."""
    kinds = [type_of_ibis(table[name].type()) for name in (first, second)]
    kind = common_type(kinds) or kinds[0]
    values = [table[name] if found == kind else force(table[name], kind) for name, found in zip((first, second), kinds)]
    return ibis.coalesce(*values)


def _numbered(table: Any, place: int) -> tuple[Any, dict[str, str]]:
    columns = {name: f"{place + 1}.{name}" for name in table.columns}
    return table.select(*(table[name].name(column) for name, column in columns.items())), columns


def renamed(table: Any, alias: exp.TableAlias, problems: QueryProblems) -> Any:
    """``table`` with the column names that an alias lists: ``t(a, b)``."""
    columns = [column.name for column in alias.args.get("columns") or ()]
    if not columns:
        return table
    if len(columns) != len(table.columns) or len({name.casefold() for name in columns}) < len(columns):
        message = text(
            f"{alias.name} has {len(table.columns)} columns; here {len(columns)} names are given, each may stand once.",
            f"{alias.name} 有 {len(table.columns)} 列，而这里给出了 {len(columns)} 个名称，每个名称只能出现一次。",
        )
        raise problems.of("column_names", message, alias)
    return table.select(*(table[old].name(new) for old, new in zip(table.columns, columns)))
