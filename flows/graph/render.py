"""From Ibis relations to SQL text, without any back end: neither the engine nor a driver is imported here.

The compilers are Ibis' own, mended where their text would not mean what ``flow_format.md`` says: the place of NULLs is
always written, and a source that compares text by a language's rules is told to compare by code point.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from typing import Any

import sqlglot.expressions as sge
from sqlglot.dialects.dialect import Dialect
from sqlglot.tokens import TokenType

from flows.graph.errors import PlanError
from node_catalog.sdk.text import text

SOURCE = "src"
"""The name that stands for the dataset in a binding's text."""
_NAMES = {"postgresql": "postgres", "mariadb": "mysql"}


def render(relation: Any, dialect: str = "duckdb") -> str:
    """One SELECT for an Ibis relation. Raises PlanError when the dialect cannot say it."""
    return text_of(tree_of(relation, dialect), dialect)


def tree_of(relation: Any, dialect: str = "duckdb") -> sge.Expression:
    """The syntax tree of one SELECT for an Ibis relation."""
    try:
        tree: sge.Expression = _compiler(_NAMES.get(dialect, dialect)).to_sqlglot(relation)
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
    return str(_generator(_NAMES.get(dialect, dialect)).generate(tree, copy=False))


def quoted(name: str) -> str:
    """A name as a DuckDB identifier."""
    return '"' + name.replace('"', '""') + '"'


def with_relation(source_text: str, dialect: str, relation: str) -> str:
    """A binding's text with the real ``relation`` (SQL: a quoted name or a subselect in parentheses) for ``src``."""
    tokens = Dialect.get_or_raise(_NAMES.get(dialect, dialect)).tokenize(source_text)
    parts, at = [], 0
    for before, token in pairwise(tokens):
        if token.text == SOURCE and before.token_type in (TokenType.FROM, TokenType.JOIN):
            parts += [source_text[at : token.start], relation]
            at = token.end + 1
    return "".join(parts) + source_text[at:]


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
        "pyspark": "PySparkCompiler",
    }
    if dialect not in classes:
        message = text(
            f"No query can be written for sources of kind “{dialect}”.", f"无法为“{dialect}”类数据源生成查询语句。"
        )
        raise PlanError("plan.dialect", message)
    base = getattr(compilers, classes[dialect])
    return _by_code_point(base)() if dialect == "postgres" else base()


def _by_code_point(base: Any) -> Any:
    """PostgreSQL's compiler with every comparison of texts by code point, as in the engine.

    Equality is also written plainly, so that an index still helps; the second test makes it exact under collations
    for which different texts count as equal.
    """
    collation = sge.to_identifier("C", quoted=True)

    def exact(value: Any) -> Any:
        return sge.Collate(this=value.copy(), expression=collation.copy())

    def comparison(name: str, make: Any) -> Any:
        plain = getattr(base, name)

        def visit(self: Any, op: Any, *, left: Any, right: Any) -> Any:
            if not op.left.dtype.is_string():
                return plain(self, op, left=left, right=right)
            return make(left, right)

        return visit

    def visit_in_values(self: Any, op: Any, *, value: Any, options: Any) -> Any:
        found = base.visit_InValues(self, op, value=value, options=options)
        if not op.value.dtype.is_string():
            return found
        return sge.and_(found, base.visit_InValues(self, op, value=exact(value), options=options))

    return type(
        "CodePointCompiler",
        (base,),
        {
            "__slots__": (),
            "visit_Less": comparison("visit_Less", lambda a, b: sge.LT(this=exact(a), expression=b)),
            "visit_LessEqual": comparison("visit_LessEqual", lambda a, b: sge.LTE(this=exact(a), expression=b)),
            "visit_Greater": comparison("visit_Greater", lambda a, b: sge.GT(this=exact(a), expression=b)),
            "visit_GreaterEqual": comparison("visit_GreaterEqual", lambda a, b: sge.GTE(this=exact(a), expression=b)),
            "visit_NotEquals": comparison("visit_NotEquals", lambda a, b: sge.NEQ(this=exact(a), expression=b)),
            "visit_Equals": comparison(
                "visit_Equals",
                lambda a, b: sge.paren(
                    sge.and_(sge.EQ(this=a, expression=b), sge.EQ(this=exact(a), expression=b.copy()))
                ),
            ),
            "visit_InValues": visit_in_values,
        },
    )
