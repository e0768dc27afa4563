"""The errors of queries in words, each with its line and column."""

from __future__ import annotations

from collections.abc import Iterable

from sqlglot import exp

from flows.graph.errors import ExpressionError
from flows.graph.expressions.parse import span
from flows.graph.expressions.problems import Problems, nearest, quoted
from node_catalog.sdk.text import Text, text


class QueryProblems(Problems):
    """Makes the errors of one query; codes begin with ``query.`` where expressions have no such error."""

    def of(self, code: str, message: Text, node: exp.Expression) -> ExpressionError:
        """The error at the place of ``node``."""
        return ExpressionError(f"query.{code}", message, self.pointer, span(node)[0])

    def not_allowed(self, node: exp.Expression) -> Exception:
        return self.not_possible(node)

    def not_possible(self, node: exp.Expression, part: str = "") -> ExpressionError:
        """Something SQL knows and a query here does not; ``part`` is the name of a clause."""
        written = self.written(node)
        what = " ".join(filter(None, (part.strip("_").replace("_", " ").upper(), f"“{written}”" if written else "")))
        what = what or type(node).__name__.upper()
        message = text(
            f"{what} is not possible in a query here. The help of this step lists what is; for the rest there are "
            "step types of their own.",
            f"此处的查询不支持 {what}。支持的写法见本步骤的帮助，其余操作请使用相应的步骤。",
        )
        return self.of("not_possible", message, node)

    def unknown_table(self, node: exp.Expression, name: str, tables: Iterable[str]) -> ExpressionError:
        """A table that is no input and no part of WITH: files and other sources come in through ports only."""
        known = list(tables)
        near = nearest(name, known)
        error = self.of(
            "unknown_table",
            text(
                f"There is no table “{name}”. Tables here are the inputs of the step: {', '.join(known)}. "
                "Files and databases are read by a “Read” step.",
                f"没有表“{name}”。这里的表就是本步骤的输入：{'、'.join(known)}。文件和数据库请用“读取”步骤读入。",
            ),
            node,
        )
        error.fix = self.replace(node, quoted(near)) if near else None
        return error

    def unknown_alias(self, node: exp.Expression, name: str, tables: Iterable[str]) -> ExpressionError:
        """The name before the dot of a column is no table of this FROM."""
        known = list(tables)
        message = text(
            f"FROM has no table {name} here. It has: {', '.join(known)}. A subquery sees its own tables only, and a "
            "semi join those of its left side.",
            f"这里的 FROM 中没有表 {name}，只有：{'、'.join(known)}。子查询只能使用自己的表，半连接只保留左侧的表。",
        )
        return self.of("unknown_alias", message, node)

    def ambiguous_column(self, node: exp.Expression, name: str, tables: Iterable[str]) -> ExpressionError:
        """A column that several tables have."""
        known = list(tables)
        message = text(
            f"Several tables have a column {name}: {', '.join(known)}. Write {known[0]}.{quoted(name)}, for example.",
            f"多个表都有列 {name}：{'、'.join(known)}。请写明，例如 {known[0]}.{quoted(name)}。",
        )
        return self.of("ambiguous", message, node)

    def placed(self, error: ExpressionError) -> ExpressionError:
        """``error`` with its line and column in front of its words."""
        before = self.source[: error.position]
        line, column = before.count("\n") + 1, error.position - (before.rfind("\n") + 1) + 1
        message = text(
            f"Line {line}, column {column}: {error.message['en']}",
            f"第 {line} 行第 {column} 列：{error.message['zh-CN']}",
        )
        return ExpressionError(error.code, message, error.where, error.position, error.fix)
