"""From text to exactly one syntax tree, with caps on length and depth so that no input can exhaust the stack.

sqlglot's DuckDB parser does the reading. Its function table is emptied: every call arrives under the name that was
written, with its arguments in the written order, so that a new sqlglot cannot change what a function means.
"""

from __future__ import annotations

import logging
import re
from typing import Any

from sqlglot import Parser, exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import ParseError, TokenError
from sqlglot.tokens import TokenType

from flows.graph.errors import ExpressionError
from node_catalog.sdk.text import Text, text

MAX_LENGTH = 4_000
MAX_DEPTH = 64

_DIALECT = DuckDB()
_BASE: Any = _DIALECT.parser_class
_SPECIAL = ("CAST", "TRY_CAST", "EXTRACT", "POSITION", "SUBSTRING")
_OPENING = {TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE, TokenType.CASE}
_CLOSING = {TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE, TokenType.END}
_NUMBER_TYPE = re.compile(r"number\Z", re.IGNORECASE)


class _Parser(_BASE):
    FUNCTIONS: dict[str, Any] = {}
    FUNCTION_PARSERS = {name: _BASE.FUNCTION_PARSERS[name] for name in _SPECIAL}
    NO_PAREN_FUNCTIONS: dict[Any, Any] = {}

    def _parse_expression(self) -> Any:
        """Without DuckDB's ``name: value``, which would take the colon of ``select :input`` for its own."""
        return Parser._parse_expression(self)


class _NoCommand(logging.Filter):
    """sqlglot warns in the log when it takes text for a command; we answer with an error of our own instead."""

    def filter(self, record: logging.LogRecord) -> bool:
        return "Falling back to parsing as a 'Command'" not in record.getMessage()


logging.getLogger("sqlglot").addFilter(_NoCommand())


def parse_expression(source: str, pointer: str = "") -> exp.Expression:
    """The syntax tree of ``source``; raises ExpressionError with the position when it is not one expression."""
    empty = text("The expression is empty. Write a condition or a calculation.", "表达式为空，请填写条件或计算式。")
    check_length(source, pointer, "expression", text("expression", "表达式"), empty, MAX_LENGTH)
    try:
        trees = parse_trees(source, pointer)
    except RecursionError:
        raise too_deep(pointer) from None
    if len(trees) != 1 or trees[0] is None:
        position = max(source.find(";"), 0)
        message = text(
            "There is more than one expression here. Keep one and remove the “;”.",
            "这里不止一个表达式。请只保留一个，并去掉“;”。",
        )
        raise ExpressionError("expression.many", message, pointer, position)
    check_depth(trees[0], pointer)
    return trees[0]


def check_length(source: str, pointer: str, code: str, called: Text, empty: Text, most: int) -> None:
    """Raise ExpressionError (``code``.empty, ``code``.too_long) when nothing is written, or too much to look at."""
    if not isinstance(source, str) or not source.strip():
        raise ExpressionError(f"{code}.empty", empty, pointer)
    if len(source) > most:
        message = text(
            f"The {called['en']} has {len(source):,} characters; at most {most:,} are possible. "
            "Split it over several steps.",
            f"{called['zh-CN']}有 {len(source):,} 个字符，最多 {most:,} 个。请拆成几个步骤。",
        )
        raise ExpressionError(f"{code}.too_long", message, pointer, most)


def parse_trees(source: str, pointer: str) -> list[Any]:
    """The trees of all statements of ``source``, whatever they are; raises ExpressionError, or RecursionError."""
    try:
        tokens = _DIALECT.tokenize(source)
    except TokenError:
        quote = max(source.rfind("'"), source.rfind('"'), 0)
        message = text(
            "A quote is opened and not closed. Texts stand in 'single quotes', column names in \"double quotes\".",
            "引号没有配对。文本用 '单引号'，列名用 \"双引号\"。",
        )
        raise ExpressionError("expression.quote", message, pointer, quote) from None
    if not tokens:
        message = text("The expression holds only a comment.", "表达式中只有注释。")
        raise ExpressionError("expression.empty", message, pointer)
    depth = 0
    for index, token in enumerate(tokens):
        depth += (token.token_type in _OPENING) - (token.token_type in _CLOSING)
        if depth > MAX_DEPTH:
            raise too_deep(pointer, token.start)
        _name_number_type(tokens, index)
    try:
        parser = _Parser(dialect=_DIALECT)
        trees: list[Any] = parser.parse(tokens, source)
    except ParseError as error:
        raise _syntax(source, error, pointer) from None
    return trees


def _name_number_type(tokens: list[Any], index: int) -> None:
    """Our type ``number`` is a double; DuckDB's dialect would read the word as a decimal."""
    before = tokens[index - 1] if index else None
    if before is not None and before.token_type in (TokenType.ALIAS, TokenType.DCOLON):
        token = tokens[index]
        if _NUMBER_TYPE.match(token.text):
            token.token_type, token.text = TokenType.DOUBLE, "double"


def _syntax(source: str, error: ParseError, pointer: str) -> ExpressionError:
    detail = error.errors[0] if error.errors else {}
    word = str(detail.get("highlight") or "")
    position = len(str(detail.get("start_context") or "")) if word else len(source)
    at_end = position + len(word) >= len(source.rstrip())
    if source.count("(") > source.count(")"):
        message = text("A closing parenthesis is missing.", "缺少右括号。")
    elif at_end:
        message = text(
            f"The expression breaks off after “{word}”: something must follow.",
            f"表达式在“{word}”之后中断，后面还缺内容。",
        )
    else:
        place = position + 1
        message = text(
            f"“{word}” at character {place} does not fit there. Is an operator or a comma missing before it?",
            f"第 {place} 个字符处的“{word}”放在这里不对，前面是否缺少运算符或逗号？",
        )
    return ExpressionError("expression.syntax", message, pointer, position)


def too_deep(pointer: str, position: int = 0) -> ExpressionError:
    """The error for an expression that is nested beyond ``MAX_DEPTH``."""
    message = text(
        f"The expression is nested more than {MAX_DEPTH} levels deep. Split it over several steps.",
        f"表达式嵌套超过 {MAX_DEPTH} 层，请拆成几个步骤。",
    )
    return ExpressionError("expression.too_deep", message, pointer, position)


def check_depth(tree: exp.Expression, pointer: str) -> None:
    """Raise ExpressionError when a tree is nested too deeply.

    A long chain of the same ``and`` or ``or`` counts as one level: a list of conditions is not deep.
    """
    stack: list[tuple[exp.Expression, int]] = [(tree, 1)]
    while stack:
        node, depth = stack.pop()
        if depth > MAX_DEPTH:
            raise too_deep(pointer, span(node)[0])
        for child in node.iter_expressions():
            same = isinstance(node, exp.And | exp.Or) and type(child) is type(node)
            stack.append((child, depth if same else depth + 1))


def span(node: exp.Expression) -> tuple[int, int]:
    """First character and the one after the last of ``node`` in the source (0, 0 when unknown)."""
    starts, ends = [], []
    stack = [node]
    while stack:
        part = stack.pop()
        if "start" in part.meta:
            starts.append(part.meta["start"])
            ends.append(part.meta["end"] + 1)
        stack.extend(part.iter_expressions())
    return (min(starts), max(ends)) if starts else (0, 0)
