"""A binding's text when it is read, with the real relations for the names in it: what a worker needs of writing SQL."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from sqlglot.dialects.dialect import Dialect
from sqlglot.tokens import TokenType

SOURCE = "src"
"""The name that stands for the dataset in a binding's text."""
_NAMES = {"postgresql": "postgres", "mariadb": "mysql"}


def parser_name(dialect: str) -> str:
    """What the SQL parser calls one of our dialects."""
    return _NAMES.get(dialect, dialect)


def quoted(name: str) -> str:
    """A name as a DuckDB identifier."""
    return '"' + name.replace('"', '""') + '"'


def with_relation(source_text: str, dialect: str, relation: str | Mapping[str, str]) -> str:
    """A binding's text with the real ``relation`` (SQL: a quoted name or a subselect in parentheses) for ``src``, or
    with one for each name.
    """
    relations = {SOURCE: relation} if isinstance(relation, str) else relation
    tokens = Dialect.get_or_raise(parser_name(dialect)).tokenize(source_text)
    parts, at = [], 0
    for before, token in pairwise(tokens):
        if token.text in relations and before.token_type in (TokenType.FROM, TokenType.JOIN):
            parts += [source_text[at : token.start], relations[token.text]]
            at = token.end + 1
    return "".join(parts) + source_text[at:]
