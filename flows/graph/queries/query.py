"""A SELECT over named tables, compiled to an Ibis relation: the same call is the check and the program.

Nothing of the text reaches an engine: it is parsed, every form that is not known here is refused, and what runs is
written anew from the relation. So types, column lineage, push-down and what a number comes from need no rule of
their own for SQL, and a calculation means in a query what it means in every other step.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ibis
from sqlglot import exp

from flows.graph.errors import ExpressionError
from flows.graph.expressions.operators import compare
from flows.graph.expressions.parameters import Parameter
from flows.graph.expressions.parse import too_deep
from flows.graph.expressions.values import Value, common_type, force
from flows.graph.queries.names import Names, match
from flows.graph.queries.parse import only, parse_query
from flows.graph.queries.problems import QueryProblems
from flows.graph.queries.rows import RowCompiler
from flows.graph.queries.select import ENDS, SelectCompiler, limited
from flows.graph.queries.tables import Tables, renamed
from flows.graph.queries.windows import sorted_by
from node_catalog.sdk.ports import type_of_ibis
from node_catalog.sdk.text import text

_SETS = {exp.Union: ibis.union, exp.Intersect: ibis.intersect, exp.Except: ibis.difference}


def compile_query(
    source: str, tables: Mapping[str, Any], parameters: Mapping[str, Parameter] | None = None, pointer: str = ""
) -> Any:
    """The relation of a query over ``tables`` (name → Ibis table).

    Raises ExpressionError with ``pointer``, the position in the text, and line and column in its words.
    """
    problems = QueryProblems(source, pointer)
    try:
        return _Query(problems, parameters or {}).compile(parse_query(source, pointer), tables)
    except ExpressionError as error:
        raise problems.placed(error) from None
    except RecursionError:
        raise too_deep(pointer) from None


class _Query:
    """The statements of one text, each with the tables that it can see."""

    def __init__(self, problems: QueryProblems, parameters: Mapping[str, Parameter]) -> None:
        self.problems, self.parameters = problems, parameters

    def compile(self, node: exp.Expression, tables: Mapping[str, Any]) -> Any:
        """The relation of a SELECT, or of a UNION, INTERSECT or EXCEPT."""
        seen = self._with(node, tables)
        if isinstance(node, exp.Subquery):
            only(self.problems, node, "this", "with_")
            return self.compile(node.this, seen)
        if isinstance(node, exp.Select):
            return SelectCompiler(self._tables(seen), node).compile()
        if isinstance(node, exp.SetOperation):
            return self._set(node, seen)
        raise self.problems.not_possible(node)

    def _tables(self, tables: Mapping[str, Any]) -> Tables:
        return Tables(tables, self.parameters, self.problems, lambda node: self.compile(node, tables))

    def _with(self, node: exp.Expression, tables: Mapping[str, Any]) -> dict[str, Any]:
        """The tables with those that WITH defines: each sees the ones before it, and hides an input of its name."""
        seen = dict(tables)
        head = node.args.get("with_")
        if head is None:
            return seen
        if head.args.get("recursive"):
            message = text(
                "A query here cannot call itself (WITH RECURSIVE).", "这里的查询不能递归（WITH RECURSIVE）。"
            )
            raise self.problems.of("recursive", message, head.expressions[0])
        only(self.problems, head, "expressions")
        for part in head.expressions:
            only(self.problems, part, "this", "alias", "materialized")
            alias = part.args["alias"]
            only(self.problems, alias, "this", "columns")
            relation = renamed(self.compile(part.this, seen), alias, self.problems)
            hidden = match(seen, alias.name, is_quoted=False)
            if hidden is not None:
                del seen[hidden]
            seen[alias.name] = relation
        return seen

    def _set(self, node: exp.SetOperation, tables: Mapping[str, Any]) -> Any:
        """Columns by place, as SQL has it; names are those of the first."""
        only(self.problems, node, "this", "expression", "distinct", "order", "with_", *ENDS)
        left, right = (self.compile(part, tables) for part in (node.this, node.expression))
        if len(left.columns) != len(right.columns):
            message = text(
                f"Both parts need as many columns; the first has {len(left.columns)}, the second {len(right.columns)}.",
                f"两部分的列数必须相同；第一部分有 {len(left.columns)} 列，第二部分有 {len(right.columns)} 列。",
            )
            raise self.problems.of("set_columns", message, node.expression)
        left, right = self._alike(node, left, right)
        table = _SETS[type(node)](left, right, distinct=bool(node.args.get("distinct")))
        names = Names({"": {name: name for name in table.columns}})
        values = RowCompiler([table], names, self.parameters, self.problems, lambda part: self.compile(part, tables))
        order = node.args.get("order")
        if order is not None:
            only(self.problems, order, "expressions")
            table = table.order_by([self._key(part, table, values) for part in order.expressions])
        return limited(node, table, values)

    def _alike(self, node: exp.SetOperation, left: Any, right: Any) -> tuple[Any, Any]:
        sides: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
        for first, second in zip(left.columns, right.columns):
            pair = [Value(type_of_ibis(one.type()), one, column=first) for one in (left[first], right[second])]
            kind = common_type([value.type for value in pair])
            if kind is None:
                walk = RowCompiler([left], Names({}), {}, self.problems, lambda part: part)
                compare(walk, exp.EQ(this=node.this, expression=node.expression), *pair)
                kind = pair[0].type
            for side, value in zip(sides, pair):
                side[first] = value.expr if value.type == kind else force(value.expr, kind)
        return left.select(**sides[0]), right.select(**sides[1])

    def _key(self, part: exp.Ordered, table: Any, values: RowCompiler) -> Any:
        only(self.problems, part, "this", "desc", "nulls_first")
        node = part.this
        if isinstance(node, exp.Literal) and not node.is_string and node.name.isdigit():
            place = int(node.name)
            if 1 <= place <= len(table.columns):
                return sorted_by(table[table.columns[place - 1]], part)
        if isinstance(node, exp.Column):
            return sorted_by(values.compile(node).expr, part)
        message = text(
            "Behind UNION the order is by columns of the answer, by name or place.",
            "UNION 之后只能按结果中的列排序，可用列名或序号。",
        )
        raise self.problems.of("set_order", message, node)
