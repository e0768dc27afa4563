"""The errors of expressions in words, each with its position and, where one is sure, the mending replacement.

A fix is ``{"label", "start", "end", "text"}``: what to put at which place of the expression; or ``{"label", "cast":
{"column", "type"}}``: the column needs another type before this step.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from sqlglot import exp

from flows.graph.errors import ExpressionError
from flows.graph.expressions.parse import span
from flows.graph.expressions.values import NUMERIC, Value, words
from node_catalog.sdk.text import Text, shortened, text


def nearest(name: str, names: Iterable[str]) -> str:
    """The name most like ``name`` (case is ignored), or nothing."""
    folded = {other.casefold(): other for other in names}
    found = get_close_matches(name.casefold(), list(folded), n=1, cutoff=0.6)
    return folded[found[0]] if found else ""


def quoted(name: str) -> str:
    """A column name as it is written in an expression."""
    plain = name.isidentifier() and name.isascii() and name.casefold() not in _RESERVED
    return name if plain else '"' + name.replace('"', '""') + '"'


_RESERVED = frozenset(
    word
    for line in (
        "all and any as asc between by case cast cross date day desc distinct else end except exists extract false",
        "from full group having if in inner interval into is join left like limit month natural not null offset on",
        "or order outer right select some table then time timestamp true union using when where with year",
    )
    for word in line.split()
)


_EQUALS_NULL = re.compile(r"\s*(==?|<>|!=)\s*null\b", re.IGNORECASE)


class Problems:
    """Makes the errors of one expression: keeps its pointer and source."""

    def __init__(self, source: str, pointer: str) -> None:
        self.source, self.pointer = source, pointer

    def error(
        self, code: str, message: Text, node: exp.Expression, fix: dict[str, Any] | None = None
    ) -> ExpressionError:
        """The error at the place of ``node``."""
        return ExpressionError(f"expression.{code}", message, self.pointer, span(node)[0], fix)

    def written(self, node: exp.Expression) -> str:
        """What stands in the source for ``node``, shortened."""
        start, end = span(node)
        return shortened(self.source[start:end].strip(), 40)

    def replace(self, node: exp.Expression, new: str) -> dict[str, Any]:
        """The fix that writes ``new`` instead of ``node``."""
        start, end = span(node)
        return {"label": text(f"Change to {new}", f"改为 {new}"), "start": start, "end": end, "text": new}

    def null_test(self, operand: exp.Expression, word: str) -> dict[str, Any] | None:
        """The fix that writes ``operand is null`` for ``operand = null``; None when it is written the other way."""
        start, end = span(operand)
        match = _EQUALS_NULL.match(self.source, end)
        if match is None:
            return None
        new = f"{self.source[start:end]} {word}"
        return {"label": text(f"Change to {new}", f"改为 {new}"), "start": start, "end": match.end(), "text": new}

    def unknown_column(self, node: exp.Expression, name: str, names: list[str]) -> Exception:
        """No such column; the error carries its name."""
        error = self._unknown_column(node, name, names)
        error.column = name
        return error

    def _unknown_column(self, node: exp.Expression, name: str, names: list[str]) -> ExpressionError:
        near = nearest(name, names)
        shown = "、".join(names[:8]), ", ".join(names[:8])
        if near:
            message = text(f"There is no column {name}. Did you mean {near}?", f"没有找到列 {name}，您是指 {near} 吗？")
            return self.error("unknown_column", message, node, self.replace(node, quoted(near)))
        message = text(
            f"There is no column {name}. Columns here: {shown[1]}{' …' if len(names) > 8 else ''}.",
            f"没有找到列 {name}。可用的列：{shown[0]}{'……' if len(names) > 8 else '。'}",
        )
        return self.error("unknown_column", message, node)

    def unknown_function(self, node: exp.Expression, name: str, names: Iterable[str]) -> Exception:
        near = nearest(name, names)
        if near:
            message = text(f"There is no function {name}. Did you mean {near}?", f"没有函数 {name}，您是指 {near} 吗？")
            start = node.meta.get("start", 0)
            fix = {
                "label": text(f"Change to {near}", f"改为 {near}"),
                "start": start,
                "end": start + len(name),
                "text": near,
            }
            return self.error("unknown_function", message, node, fix if "start" in node.meta else None)
        message = text(
            f"There is no function {name}. The help lists all functions.", f"没有函数 {name}，可用的函数见帮助。"
        )
        return self.error("unknown_function", message, node)

    def not_allowed(self, node: exp.Expression) -> Exception:
        part = self.written(node)
        shown = f" (“{part}”)" if part else ""
        message = text(
            f"Only calculations with the columns of the same row are possible here{shown}. "
            "Use the step types for everything else.",
            f"这里只能用同一行的列进行计算{shown}，其他操作请使用相应的步骤。",
        )
        return self.error("not_allowed", message, node)

    def mismatch(self, node: exp.Expression, left: Value, right: Value, doing: Text) -> Exception:
        """Two types that do not meet; ``node`` is the operation, its children the two sides."""
        a, b = words(left.type), words(right.type)
        en, zh = self._sides(node, left, right)
        message = text(
            f"{en[0]} is {a['en']} and {en[1]} is {b['en']}: they cannot be {doing['en']}. Make both the same type.",
            f"{zh[0]}是{a['zh-CN']}，{zh[1]}是{b['zh-CN']}，不能{doing['zh-CN']}。请统一两边的类型。",
        )
        return self.error("type_mismatch", message, node, self._same_type(node, left, right))

    def _sides(self, node: exp.Expression, left: Value, right: Value) -> tuple[tuple[str, str], tuple[str, str]]:
        nodes = list(node.iter_expressions())[:2]
        parts = [self.written(child) for child in nodes] + ["", ""]
        first, second = (value.column or part or "…" for value, part in zip((left, right), parts, strict=False))
        return (first, second), (f"“{first}”", f"“{second}”")

    def _same_type(self, node: exp.Expression, left: Value, right: Value) -> dict[str, Any] | None:
        """The fix for a column against a constant: convert the constant, else the column's type."""
        nodes = list(node.iter_expressions())
        for column, other, place in ((left, right, 1), (right, left, 0)):
            if not column.column or place >= len(nodes):
                continue
            if other.is_literal and other.type == "text" and column.family in ("integer", "number", "decimal"):
                number = _number_in(str(other.literal))
                if number:
                    return self.replace(nodes[place], number)
            if column.type == "text" and other.family not in ("text", "interval", "list", "null"):
                target = "number" if other.family in NUMERIC else other.family
                return {
                    "label": text(
                        f"Convert “{column.column}” to {words(target)['en']} before",
                        f"先把“{column.column}”转换为{words(target)['zh-CN']}",
                    ),
                    "cast": {"column": column.column, "type": target},
                }
        return None

    def argument(self, node: exp.Expression, function: str, index: int, wanted: Text, found: Value) -> Exception:
        got = words(found.type)
        message = text(
            f"{function} needs {wanted['en']} as argument {index + 1}, "
            f"but {self.written(node) or 'this'} is {got['en']}.",
            f"{function} 的第 {index + 1} 个参数应为{wanted['zh-CN']}，而 {self.written(node)} 是{got['zh-CN']}。",
        )
        fix = None
        if found.column and found.type == "text" and wanted["en"] in ("a number", "a whole number"):
            fix = {
                "label": text(f"Convert “{found.column}” to number before", f"先把“{found.column}”转换为小数"),
                "cast": {"column": found.column, "type": "number"},
            }
        return self.error("argument", message, node, fix)

    def operand(self, node: exp.Expression, wanted: Text, found: Value) -> Exception:
        got = words(found.type)
        message = text(
            f"{found.column or self.written(node) or 'This'} is {got['en']}; here {wanted['en']} is needed.",
            f"{found.column or self.written(node)} 是{got['zh-CN']}，这里需要{wanted['zh-CN']}。",
        )
        fix = None
        if found.column and found.type == "text" and wanted["en"] == "a number":
            fix = {
                "label": text(f"Convert “{found.column}” to number before", f"先把“{found.column}”转换为小数"),
                "cast": {"column": found.column, "type": "number"},
            }
        return self.error("operand", message, node, fix)


def _number_in(words_: str) -> str:
    try:
        float(words_)
    except ValueError:
        return ""
    trimmed = words_.strip()
    return trimmed if trimmed.lstrip("+-")[:1].isdigit() else ""
