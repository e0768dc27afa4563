"""From Ibis relations to SQL text, without any back end: neither the engine nor a driver is imported here.

The compilers are Ibis' own, mended where their text would not mean what ``flow_format.md`` says: the place of NULLs is
always written, and a source that compares text by a language's rules is told to compare by code point.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import sqlglot.expressions as sge
from sqlglot.dialects.dialect import Dialect

from flows.graph.errors import PlanError
from flows.graph.exact_text import by_code_point
from flows.graph.relation_text import parser_name
from flows.graph.spark_text import for_spark
from node_catalog.sdk.memory import Memory
from node_catalog.sdk.text import text

_PLAIN = re.compile(r"[A-Za-z0-9 .,:;_+/()=<>-]*")


def render(relation: Any, dialect: str = "duckdb") -> str:
    """One SELECT for an Ibis relation. Raises PlanError when the dialect cannot say it."""
    return text_of(tree_of(relation, dialect), dialect)


def tree_of(relation: Any, dialect: str = "duckdb") -> sge.Expression:
    """The syntax tree of one SELECT for an Ibis relation; the caller may change it.

    A relation is written once: what an edit leaves alone costs nothing in the next plan.
    """
    return _trees.get((relation.op(), dialect), lambda: _tree_of(relation, dialect)).copy()


_trees: Memory[sge.Expression] = Memory(2_000)


def _tree_of(relation: Any, dialect: str) -> sge.Expression:
    try:
        tree: sge.Expression = _compiler(parser_name(dialect)).to_sqlglot(relation)
    except PlanError:
        raise
    except Exception as error:  # Ibis raises many kinds of errors for what a dialect lacks
        message = text(
            f"This cannot be written as a query for “{dialect}” ({type(error).__name__}).",
            f"无法写成“{dialect}”的查询语句（{type(error).__name__}）。",
        )
        raise PlanError("plan.no_sql", message) from error
    return tree


def text_of(tree: sge.Expression, dialect: str = "duckdb") -> str:
    """The text of a syntax tree."""
    return str(_generator(parser_name(dialect)).generate(tree, copy=False))


@cache
def _generator(dialect: str) -> Any:
    known = Dialect.get_or_raise(dialect)
    base: Any = known.generator_class

    class Generator(base):
        def ordered_sql(self, expression: sge.Ordered) -> str:
            """Always with the place of NULLs: a server's setting must not change an answer."""
            if dialect == "mysql":
                return str(super().ordered_sql(expression))
            direction = " DESC" if expression.args.get("desc") else " ASC"
            place = " NULLS FIRST" if expression.args.get("nulls_first") else " NULLS LAST"
            return f"{self.sql(expression, 'this')}{direction}{place}"

        def literal_sql(self, expression: sge.Literal) -> str:
            """In MySQL a setting of the server decides what a backslash means: such texts are written as bytes."""
            value = str(expression.this)
            if dialect != "mysql" or not expression.is_string or _PLAIN.fullmatch(value):
                return str(super().literal_sql(expression))
            return f"_utf8mb4 x'{value.encode().hex()}'"

    return Generator(dialect=known, identify=True, comments=False)


@cache
def _compiler(dialect: str) -> Any:
    from ibis.backends.sql import compilers

    classes: Mapping[str, str] = {
        "duckdb": "DuckDBCompiler",
        "postgres": "PostgresCompiler",
        "sqlite": "SQLiteCompiler",
        "mysql": "MySQLCompiler",
        "oracle": "OracleCompiler",
        "mssql": "MSSQLCompiler",
        "spark": "PySparkCompiler",
    }
    if dialect not in classes:
        message = text(
            f"No query can be written for sources of kind “{dialect}”.", f"无法为“{dialect}”类数据源生成查询语句。"
        )
        raise PlanError("plan.dialect", message)
    base = getattr(compilers, classes[dialect])
    if dialect == "duckdb":
        return _with_given_values(_with_native_geometries(base))()
    if dialect == "postgres":
        return by_code_point(_with_native_geometries(base), dialect)()
    if dialect == "spark":
        return for_spark(base)()
    return by_code_point(base, dialect)() if dialect == "mysql" else base()


def _with_given_values(base: Any) -> Any:
    """Values that are given when the text runs stand there as ``$name``."""

    def given_later(self: Any, op: Any, *, place: str, **_: Any) -> Any:
        return sge.Placeholder(this=place)

    return type("Compiler", (base,), {"__slots__": (), "visit_GivenLater": given_later})


def _with_native_geometries(base: Any) -> Any:
    """Ibis turns geometries into bytes at the end of every query; ours stay what they are from step to step."""

    class Compiler(base):
        def to_sqlglot(self, expr: Any, *, limit: Any = None, params: Any = None) -> Any:
            return super(base, self).to_sqlglot(expr, limit=limit, params=params)

    return Compiler
