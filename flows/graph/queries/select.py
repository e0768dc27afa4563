"""One SELECT: WHERE, GROUP BY, HAVING, windows, QUALIFY, DISTINCT, ORDER BY and LIMIT over the rows of its FROM."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from flows.graph.expressions.values import Value
from flows.graph.queries.names import Names, held, is_quoted, match
from flows.graph.queries.parse import only
from flows.graph.queries.rows import RowCompiler, canonical, has_window, summaries
from flows.graph.queries.tables import Tables
from flows.graph.queries.windows import sorted_by
from node_catalog.sdk.relation import hidden_name
from node_catalog.sdk.text import text

_CLAUSES = ("with_", "expressions", "from_", "joins", "where", "group", "having", "qualify", "distinct", "order")
ENDS = ("limit", "offset")


@dataclass(frozen=True)
class Item:
    """One column of the answer."""

    name: str
    node: exp.Expression


class SelectCompiler:
    """Compiles one SELECT whose tables are known."""

    def __init__(self, tables: Tables, node: exp.Select) -> None:
        self.tables, self.node, self.problems = tables, node, tables.problems
        only(self.problems, node, *_CLAUSES, *ENDS)

    def compile(self) -> Any:
        """The relation of the answer."""
        node = self.node
        if node.args.get("from_") is None:
            message = text("Say after FROM which input is read.", "请在 FROM 之后写明读取哪个输入。")
            raise self.problems.of("no_from", message, node)
        rows, names = self.tables.read(node.args["from_"], node.args.get("joins") or ())
        if node.args.get("where") is not None:
            rows = rows.filter(self._compiler(rows, names).condition(node.args["where"].this))
        items = self._items(names)
        aliases = {item.name: item.node for item in items}
        having, qualify = (self._condition(key, aliases, names) for key in ("having", "qualify"))
        keys = [(part, self._key(part.this, aliases, names)) for part in self._order()]
        worked_on = [*(item.node for item in items), *filter(None, (having, qualify)), *(key for _, key in keys)]
        found = [part for one in worked_on for part in summaries(one)]
        known = None
        if node.args.get("group") is not None or found or having is not None:
            rows, known = self._grouped(rows, names, items, aliases, found)
        values = self._compiler(rows, names, known=known, windows=True)
        if having is not None:
            rows = rows.filter(self._compiler(rows, names, known=known).condition(having))
            values = self._compiler(rows, names, known=known, windows=True)
        return self._projected(rows, values, items, keys, qualify)

    def _compiler(self, rows: Any, names: Names, **more: Any) -> RowCompiler:
        tables = self.tables
        return RowCompiler([rows], names, tables.parameters, tables.problems, tables.subquery, **more)

    # ── what is asked for ─────────────────────────────────────────────────────────────────────────────────

    def _items(self, names: Names) -> list[Item]:
        items: list[Item] = []
        for node in self.node.expressions:
            star = node.this if isinstance(node, exp.Column) and isinstance(node.this, exp.Star) else node
            if isinstance(star, exp.Star):
                items += self._star(names.table(node, self.problems) if star is not node else "", star, names)
            elif isinstance(node, exp.Alias):
                items.append(Item(node.alias, node.this))
            elif isinstance(node, exp.Column):
                found = names.find(node, self.problems)
                of_table = [name for name, column in names.all() if column == found]
                items.append(Item(of_table[0] if of_table else node.name, node))
            else:
                items.append(Item(_free(self._usual(node, len(items)), [item.name for item in items]), node))
        self._no_name_twice(items)
        return items

    @staticmethod
    def _usual(node: exp.Expression, place: int) -> str:
        """The name of a column that got none: its function's, else its place."""
        function = node.this if isinstance(node, exp.Window | exp.Filter) else node
        return str(function.this).lower() if isinstance(function, exp.Anonymous) else f"column{place + 1}"

    def _star(self, table: str, star: exp.Star, names: Names) -> list[Item]:
        only(self.problems, star, "except_")
        columns = names.all(table)
        left_out = set()
        for part in star.args.get("except_") or ():
            wanted = part.this if isinstance(part, exp.Column) else part
            found = match([name for name, _ in columns], wanted.name, is_quoted(wanted))
            if found is None:
                raise self.problems.unknown_column(part, wanted.name, [name for name, _ in columns])
            left_out.add(found)
        return [Item(name, held(name, column)) for name, column in columns if name not in left_out]

    def _no_name_twice(self, items: Iterable[Item]) -> None:
        seen: dict[str, str] = {}
        for item in items:
            if item.name.casefold() in seen:
                message = text(
                    f"The answer would have two columns {item.name} (upper and lower case do not count). Name one of "
                    "them with AS, or leave it out: select * exclude (…).",
                    f"结果会有两个名为 {item.name} 的列（不区分大小写）。请用 AS 另取名称，"
                    "或去掉其中一个：select * exclude (…)。",
                )
                raise self.problems.of("column_twice", message, item.node)
            seen[item.name.casefold()] = item.name

    def _order(self) -> list[exp.Ordered]:
        order = self.node.args.get("order")
        if order is None:
            return []
        only(self.problems, order, "expressions")
        return list(order.expressions)

    def _condition(self, key: str, aliases: Mapping[str, Any], names: Names) -> exp.Expression | None:
        clause = self.node.args.get(key)
        return None if clause is None else self._named(clause.this, aliases, names)

    def _key(self, node: exp.Expression, aliases: Mapping[str, Any], names: Names) -> exp.Expression:
        """What a part of ORDER BY stands for: a column of the answer by place or name, or an expression."""
        if isinstance(node, exp.Literal) and not node.is_string:
            return self._at(node, list(aliases.values()))
        if isinstance(node, exp.Column) and not node.table:
            found = match(aliases, node.name, is_quoted(node.this))
            if found is not None:
                return aliases[found]
        return self._named(node, aliases, names)

    def _at(self, node: exp.Literal, items: list[Any]) -> exp.Expression:
        place = int(node.name) if node.name.isdigit() else 0
        if not 1 <= place <= len(items):
            message = text(
                f"There is no column {node.name}: the answer has {len(items)}.",
                f"没有第 {node.name} 列：结果共有 {len(items)} 列。",
            )
            raise self.problems.of("place", message, node)
        return items[place - 1]

    def _named(self, node: exp.Expression, aliases: Mapping[str, Any], names: Names) -> exp.Expression:
        """``node`` with the names of the answer's columns written out, where no column of a table is meant."""

        def one(part: exp.Expression) -> exp.Expression:
            if not isinstance(part, exp.Column) or part.table or not isinstance(part.this, exp.Identifier):
                return part
            found = match(aliases, part.name, is_quoted(part.this))
            if found is None or names.find(part, self.problems) is not None:
                return part
            return aliases[found].copy()

        return node.copy().transform(one, copy=False)

    # ── groups ────────────────────────────────────────────────────────────────────────────────────────────

    def _grouped(
        self, rows: Any, names: Names, items: list[Item], aliases: Mapping[str, Any], found: list[exp.Expression]
    ) -> tuple[Any, dict[exp.Expression, str]]:
        """One row per group with its keys and all summaries, and which expression each column stands for."""
        known: dict[exp.Expression, str] = {}
        keys = self._compiler(rows, names)
        by: dict[str, Any] = {}
        for node in self._group_keys(items, aliases, names):
            same = canonical(node, names, self.problems)
            if same not in known:
                known[same] = f"k{len(known) + 1}"
                by[known[same]] = keys.plain(node)
        summarised = self._compiler(rows, names, aggregate=True)
        figures: dict[str, Any] = {}
        for node in found:
            same = canonical(node, names, self.problems)
            if same not in known:
                known[same] = f"f{len(known) + 1}"
                figures[known[same]] = summarised.plain(node)
        groups = [value.name(name) for name, value in by.items()]
        if not figures:
            return rows.select(*groups).distinct(), known
        return rows.aggregate(by=groups, **figures), known

    def _group_keys(self, items: list[Item], aliases: Mapping[str, Any], names: Names) -> list[exp.Expression]:
        group = self.node.args.get("group")
        if group is None:
            return []
        only(self.problems, group, "expressions", "all")
        if group.args.get("all"):
            return [item.node for item in items if not _works_on_groups(item.node)]
        keys = []
        for node in group.expressions:
            if isinstance(node, exp.Literal) and not node.is_string:
                node = self._at(node, list(aliases.values()))
            else:
                node = self._named(node, aliases, names)
            if _works_on_groups(node):
                message = text(
                    "GROUP BY takes what the rows of a group share, not a summary of them.",
                    "GROUP BY 只能使用组内各行共有的值，不能使用汇总结果。",
                )
                raise self.problems.of("group_key", message, node)
            keys.append(node)
        return keys

    # ── the answer ────────────────────────────────────────────────────────────────────────────────────────

    def _projected(
        self,
        rows: Any,
        values: RowCompiler,
        items: list[Item],
        keys: list[tuple[exp.Ordered, exp.Expression]],
        qualify: exp.Expression | None,
    ) -> Any:
        """The items, then what QUALIFY and ORDER BY need beside them, which is left out again at the end."""
        names = [item.name for item in items]
        columns = {item.name: values.plain(item.node) for item in items}
        order: list[tuple[str, exp.Ordered]] = []
        for ordered, node in keys:
            only(self.problems, ordered, "this", "desc", "nulls_first")
            name = next((item.name for item in items if item.node is node), None)
            if name is None:
                name = hidden_name(columns, "__order")
                columns[name] = values.plain(node)
            order.append((name, ordered))
        kept = hidden_name(columns, "__kept")
        if qualify is not None:
            columns[kept] = values.condition(qualify)
        table = rows if _is_all_of(rows, columns) else rows.select(**columns)
        if qualify is not None:
            table = table.filter(table[kept])
        table = self._distinct(table, names, order)
        if order:
            table = table.order_by([sorted_by(table[name], ordered) for name, ordered in order])
        table = limited(self.node, table, values)
        return table.select(*names) if list(table.columns) != names else table

    def _distinct(self, table: Any, names: list[str], order: list[tuple[str, exp.Ordered]]) -> Any:
        distinct = self.node.args.get("distinct")
        if distinct is None:
            return table
        only(self.problems, distinct)
        outside = next((ordered for name, ordered in order if name not in names), None)
        if outside is not None:
            message = text(
                "With DISTINCT the order can only be by columns of the answer.",
                "使用 DISTINCT 时，只能按结果中的列排序。",
            )
            raise self.problems.of("distinct_order", message, outside.this)
        return table.select(*names).distinct()


def _is_all_of(rows: Any, columns: Mapping[str, Any]) -> bool:
    """Whether the columns are those of the rows, as they are: a bare filter can be left to a source."""
    return list(columns) == list(rows.columns) and all(value.equals(rows[name]) for name, value in columns.items())


def _works_on_groups(node: exp.Expression) -> bool:
    return has_window(node) or any(True for _ in summaries(node))


def limited(node: exp.Expression, table: Any, values: RowCompiler) -> Any:
    """``table`` with the LIMIT and OFFSET of ``node``: whole numbers, or inputs of the flow."""
    counts: dict[str, int | None] = {}
    for key in ENDS:
        clause = node.args.get(key)
        if clause is None:
            continue
        if not isinstance(clause, exp.Limit | exp.Offset):
            raise values.problems.not_possible(clause)
        only(values.problems, clause, "expression")
        value: Value = values.compile(clause.expression)
        whole = isinstance(value.literal, int) and not isinstance(value.literal, bool) and value.literal >= 0
        if not whole and not (value.is_literal and value.literal is None and value.type == "integer"):
            message = text(
                "LIMIT and OFFSET take a fixed whole number, or an input of the flow that is one.",
                "LIMIT 和 OFFSET 只能是固定的整数，或类型为整数的流程参数。",
            )
            raise values.problems.of("limit", message, clause.expression)
        counts[key] = value.literal
    if not counts:
        return table
    return table.limit(counts.get("limit"), offset=counts.get("offset") or 0)


def _free(name: str, taken: Iterable[str]) -> str:
    folded = {one.casefold() for one in taken}
    number, found = 1, name
    while found.casefold() in folded:
        number += 1
        found = f"{name}_{number}"
    return found
