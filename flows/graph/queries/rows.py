"""Expressions of a query: those of every step, with columns by table, subqueries, windows and FILTER."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sqlglot import exp

from flows.graph.expressions.compiler import Compiler
from flows.graph.expressions.functions import FUNCTIONS
from flows.graph.expressions.operators import compare
from flows.graph.expressions.parameters import Parameter
from flows.graph.expressions.values import Value, common_type, force
from flows.graph.queries.names import Names
from flows.graph.queries.parse import only
from flows.graph.queries.problems import QueryProblems
from flows.graph.queries.windows import over_window
from node_catalog.sdk.ports import ibis_type, type_of_ibis
from node_catalog.sdk.text import text

Subquery = Callable[[exp.Expression], Any]
"""Compiles a subquery to its relation."""


class RowCompiler(Compiler):
    """Compiles expressions over the rows of a FROM, or over its groups.

    ``known`` stands for the parts that a grouping has worked out already: canonical expression → column.
    """

    problems: QueryProblems

    def __init__(
        self,
        tables: Sequence[Any],
        names: Names,
        parameters: Mapping[str, Parameter],
        problems: QueryProblems,
        subquery: Subquery,
        *,
        aggregate: bool = False,
        windows: bool = False,
        known: Mapping[exp.Expression, str] | None = None,
    ) -> None:
        super().__init__(tables, parameters, problems, aggregate)
        self.names, self.subquery, self.windows, self.known = names, subquery, windows, known

    def compile(self, node: exp.Expression) -> Value:
        """The typed value of ``node``; raises ExpressionError."""
        if self.known is not None:
            column = self.known.get(canonical(node, self.names, self.problems))
            if column is not None:
                return self._held(column)
        form = _FORMS.get(type(node))
        return super().compile(node) if form is None else form(self, node)

    def column(self, node: exp.Column) -> Value:
        """A column of the rows; one that is neither grouped by nor summarised has no single value."""
        found = self.names.find(node, self.problems) if isinstance(node.this, exp.Identifier) else None
        if found is None:
            if isinstance(node.this, exp.Identifier) and node.name.casefold() in _MOMENTS and not node.table:
                return super().compile(exp.Anonymous(this=_MOMENTS[node.name.casefold()]))
            if not isinstance(node.this, exp.Identifier):
                raise self.problems.not_possible(node)
            raise self.problems.unknown_column(node, node.name, self.names.listed())
        if self.known is not None:
            message = text(
                f"{node.name} has many values in a group. Put it into GROUP BY, or summarise it, for example "
                f"max({node.name}).",
                f"{node.name} 在一组中有多个值。请放入 GROUP BY，或使用汇总函数，例如 max({node.name})。",
            )
            raise self.problems.of("not_grouped", message, node)
        return self._held(found)

    def _held(self, column: str) -> Value:
        expr = next(table for table in self.tables if column in table.columns)[column]
        return Value(type_of_ibis(expr.type()), expr, column=column.partition(".")[2] or column)

    def plain(self, node: exp.Expression) -> Any:
        """The Ibis value of ``node`` in exactly one of the nine types."""
        value = self.compile(node)
        if value.type in ("null", "interval", "list"):
            message = text(
                "The result is no value that a column can hold. An empty value needs a type: cast(null as text).",
                "结果不是列可以存放的值。空值需要写明类型，例如 cast(null as text)。",
            )
            raise self.problems.of("no_type", message, node)
        target = ibis_type(value.type)
        return value.expr if value.expr.type().copy(nullable=True) == target else value.expr.cast(target)


_MOMENTS = {"current_date": "today", "current_timestamp": "now"}


def _column(self: RowCompiler, node: exp.Column) -> Value:
    return self.column(node)


def _one_column(self: RowCompiler, node: exp.Expression) -> Any:
    relation = self.subquery(node)
    if len(relation.columns) != 1:
        message = text(
            f"A subquery used as a value gives one column; this one gives {len(relation.columns)}.",
            f"作为值使用的子查询只能有一列，而这里有 {len(relation.columns)} 列。",
        )
        raise self.problems.of("subquery_columns", message, node)
    return relation


def _scalar(self: RowCompiler, node: exp.Subquery) -> Value:
    only(self.problems, node, "this")
    relation = _one_column(self, node.this)
    if not _has_one_row(node.this):
        message = text(
            "A subquery used as a value must give one row: summarise without GROUP BY, or add “limit 1”.",
            "作为值使用的子查询必须只有一行：请使用不带 GROUP BY 的汇总，或加上“limit 1”。",
        )
        raise self.problems.of("subquery_rows", message, node)
    expr = relation.as_scalar()
    return Value(type_of_ibis(expr.type()), expr)


def _has_one_row(node: exp.Expression) -> bool:
    limit = node.args.get("limit")
    if limit is not None and isinstance(limit.expression, exp.Literal) and limit.expression.name in ("0", "1"):
        return True
    return (
        isinstance(node, exp.Select)
        and not node.args.get("group")
        and any(True for item in node.expressions for _ in summaries(item))
    )


def _exists(self: RowCompiler, node: exp.Exists) -> Value:
    only(self.problems, node, "this")
    inner = node.this.this if isinstance(node.this, exp.Subquery) else node.this
    counted = self.subquery(inner).limit(1)
    return Value("boolean", counted.aggregate(found=counted.count()).as_scalar() > 0)


def _in(self: RowCompiler, node: exp.In) -> Value:
    query = node.args.get("query")
    if query is None:
        return Compiler.compile(self, node)
    only(self.problems, node, "this", "query")
    relation = _one_column(self, query.this if isinstance(query, exp.Subquery) else query)
    left, column = self.compile(node.this), relation[relation.columns[0]]
    right = Value(type_of_ibis(column.type()), column)
    kind = common_type([left.type, right.type])
    if kind is None or left.type == "null":
        compare(self, exp.EQ(this=node.this, expression=query), left, right)
        kind = right.type
    if right.type != kind:
        relation = relation.select(force(column, kind).name("value"))
    needle = left.expr if left.type == kind else force(left.expr, kind)
    return Value("boolean", needle.isin(relation[relation.columns[0]]))


def _summary(self: RowCompiler, node: exp.Anonymous) -> Value:
    entry = FUNCTIONS.get(str(node.this).lower())
    if entry is not None and entry.aggregate and not self.aggregate:
        message = text(
            f"{entry.name} looks at many rows; it cannot stand in WHERE, ON or GROUP BY. "
            "Use HAVING for conditions on it.",
            f"{entry.name} 需要多行数据，不能放在 WHERE、ON 或 GROUP BY 中。对它的条件请写在 HAVING 中。",
        )
        raise self.problems.of("summary_here", message, node)
    return Compiler.compile(self, node)


def _filter(self: RowCompiler, node: exp.Filter) -> Value:
    """``sum(x) filter (where c)`` is ``sum(case when c then x end)``; a count of rows counts ones."""
    only(self.problems, node, "this", "expression")
    function, condition = node.this, node.expression
    if not isinstance(function, exp.Anonymous) or not isinstance(condition, exp.Where):
        raise self.problems.not_possible(node)
    return self.compile(filtered(function, condition.this))


def filtered(function: exp.Anonymous, condition: exp.Expression) -> exp.Anonymous:
    """A summary of the rows for which a condition holds, as a summary of a CASE."""

    def kept(part: exp.Expression) -> exp.Expression:
        value = exp.Literal.number(1) if isinstance(part, exp.Star) else part.copy()
        return exp.Case(ifs=[exp.If(this=condition.copy(), true=value)])

    made = function.copy()
    arguments: list[exp.Expression] = list(made.expressions)
    if arguments and isinstance(arguments[0], exp.Distinct):
        arguments[0].set("expressions", [kept(part) for part in arguments[0].expressions])
    elif arguments:
        arguments[0] = kept(arguments[0])
    made.set("expressions", arguments)
    return made


def _window(self: RowCompiler, node: exp.Window) -> Value:
    if not self.windows:
        message = text(
            "A function with OVER can stand in the list after SELECT, in QUALIFY and in ORDER BY only.",
            "带 OVER 的函数只能放在 SELECT 列表、QUALIFY 或 ORDER BY 中。",
        )
        raise self.problems.of("window_here", message, node)
    before, self.windows = self.windows, False
    try:
        return over_window(self, node)
    finally:
        self.windows = before


_FORMS: dict[type, Callable[[RowCompiler, Any], Value]] = {
    exp.Column: _column,
    exp.Subquery: _scalar,
    exp.Exists: _exists,
    exp.In: _in,
    exp.Window: _window,
    exp.Filter: _filter,
    exp.Anonymous: _summary,
}


# ── looking at trees ──────────────────────────────────────────────────────────────────────────────────────


def is_summary(node: exp.Expression) -> bool:
    """Whether ``node`` is a call that makes one value of many rows (``sum(x)``, ``count(*) filter (…)``)."""
    function = node.this if isinstance(node, exp.Filter) else node
    entry = FUNCTIONS.get(str(function.this).lower()) if isinstance(function, exp.Anonymous) else None
    return entry is not None and entry.aggregate


def summaries(node: exp.Expression) -> Iterator[exp.Expression]:
    """The summaries in an expression, but for those that a window makes and those inside subqueries."""
    if isinstance(node, exp.Query):
        return
    if is_summary(node):
        yield node
        return
    if isinstance(node, exp.Window):
        function = node.this.this if isinstance(node.this, exp.Filter) else node.this
        for part in (*function.expressions, *(p for p in node.iter_expressions() if p is not node.this)):
            yield from summaries(part)
        return
    for part in node.iter_expressions():
        yield from summaries(part)


def has_window(node: exp.Expression) -> bool:
    """Whether an expression works over windows, subqueries apart."""
    if isinstance(node, exp.Query):
        return False
    return isinstance(node, exp.Window) or any(has_window(part) for part in node.iter_expressions())


def canonical(node: exp.Expression, names: Names, problems: QueryProblems) -> exp.Expression:
    """``node`` as it is compared with others: columns by what they mean, without parentheses."""

    def one(part: exp.Expression) -> exp.Expression:
        while isinstance(part, exp.Paren):
            part = part.this
        if isinstance(part, exp.Column) and isinstance(part.this, exp.Identifier):
            found = names.find(part, problems)
            if found is not None:
                return exp.column(exp.to_identifier(found, quoted=True))
        return part

    if isinstance(node, exp.Query | exp.Subquery):
        return node
    return node.copy().transform(one, copy=False)
