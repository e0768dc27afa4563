"""Functions over text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import reduce
from operator import add

from flows.graph.expressions.functions import function, native, where
from flows.graph.expressions.values import Value


def _simple(name: str, signature: str, en: str, zh: str, example: str) -> None:
    @function(signature, en, zh, example, ["text"], group="text")
    def _build(a: Sequence[Value]) -> Value:
        return native(name, "text", a[0])


_simple("lower", "lower(text)", "In small letters.", "转为小写。", "lower(code)")
_simple("upper", "upper(text)", "In capital letters.", "转为大写。", "upper(code)")
_simple("trim", "trim(text)", "Without spaces at both ends.", "去掉首尾空格。", "trim(name)")
_simple("ltrim", "ltrim(text)", "Without spaces at the start.", "去掉开头的空格。", "ltrim(name)")
_simple("rtrim", "rtrim(text)", "Without spaces at the end.", "去掉末尾的空格。", "rtrim(name)")
_simple("reverse", "reverse(text)", "The characters in reverse order.", "反转字符顺序。", "reverse(code)")


@function(
    "length(text)", "Number of characters.", "字符个数。", "length(name)", ["text"], group="text", aliases=["len"]
)
def _length(a: Sequence[Value]) -> Value:
    return native("length", "integer", a[0])


@function(
    "substring(text, start, length)",
    "Part of a text; the first character is 1.",
    "截取一段文本，第一个字符为 1。",
    "substring(code, 1, 6)",
    ["text", "integer", "integer?"],
    group="text",
    aliases=["substr"],
)
def _substring(a: Sequence[Value]) -> Value:
    return native("substring", "text", *a)


@function(
    "left(text, n)", "The first n characters.", "左起 n 个字符。", "left(code, 2)", ["text", "integer"], group="text"
)
def _left(a: Sequence[Value]) -> Value:
    return native("left", "text", *a)


@function(
    "right(text, n)", "The last n characters.", "右起 n 个字符。", "right(code, 4)", ["text", "integer"], group="text"
)
def _right(a: Sequence[Value]) -> Value:
    return native("right", "text", *a)


@function(
    "concat(text, …)",
    "Put texts together; empty values are left out.",
    "连接文本，空值忽略。",
    "concat(district, '-', station)",
    ["text", "…"],
    group="text",
)
def _concat(a: Sequence[Value]) -> Value:
    return Value("text", reduce(add, (value.expr.fill_null("") for value in a)))


@function(
    "replace(text, search, by)",
    "Replace every occurrence.",
    "替换所有出现的内容。",
    "replace(phone, '-', '')",
    ["text", "text", "text"],
    group="text",
)
def _replace(a: Sequence[Value]) -> Value:
    return native("replace", "text", *a)


@function(
    "contains(text, part)",
    "Whether the text contains the part.",
    "是否包含某段文本。",
    "contains(address, '朝阳')",
    ["text", "text"],
    group="text",
)
def _contains(a: Sequence[Value]) -> Value:
    return native("contains", "boolean", *a)


@function(
    "starts_with(text, part)",
    "Whether the text starts with the part.",
    "是否以某段文本开头。",
    "starts_with(code, '1101')",
    ["text", "text"],
    group="text",
)
def _starts(a: Sequence[Value]) -> Value:
    return native("starts_with", "boolean", *a)


@function(
    "ends_with(text, part)",
    "Whether the text ends with the part.",
    "是否以某段文本结尾。",
    "ends_with(name, '区')",
    ["text", "text"],
    group="text",
)
def _ends(a: Sequence[Value]) -> Value:
    return native("ends_with", "boolean", *a)


@function(
    "strpos(text, part)",
    "Place of the part, 0 when it is not there.",
    "某段文本首次出现的位置，没有则为 0。",
    "strpos(email, '@')",
    ["text", "text"],
    group="text",
    aliases=["instr"],
)
def _strpos(a: Sequence[Value]) -> Value:
    return native("strpos", "integer", *a)


@function(
    "split_part(text, separator, n)",
    "The n-th part between separators.",
    "按分隔符拆分后的第 n 段。",
    "split_part(path, '/', 2)",
    ["text", "text", "integer"],
    group="text",
)
def _split_part(a: Sequence[Value]) -> Value:
    return native("split_part", "text", *a)


def _pad(name: str, en: str, zh: str, example: str) -> None:
    @function(f"{name}(text, length, fill)", en, zh, example, ["text", "count", "text"], group="text")
    def _build(a: Sequence[Value]) -> Value:
        return native(name, "text", a[0], int(a[1].literal), where(native("length", "integer", a[2]).expr > 0, a[2]))


_pad("lpad", "Fill up at the start to a length.", "在左侧补足到指定长度。", "lpad(code, 6, '0')")
_pad("rpad", "Fill up at the end to a length.", "在右侧补足到指定长度。", "rpad(name, 10, ' ')")


@function(
    "regexp_matches(text, pattern)",
    "Whether a regular expression is found.",
    "是否匹配正则表达式。",
    "regexp_matches(plate, '^京[A-Z]')",
    ["text", "pattern"],
    group="text",
)
def _regexp_matches(a: Sequence[Value]) -> Value:
    return native("regexp_matches", "boolean", *a)


@function(
    "regexp_extract(text, pattern, group)",
    "The found part (or one of its groups), '' when nothing is found.",
    "提取匹配的内容（或其中一组），未匹配时为空文本。",
    "regexp_extract(address, '([0-9]+)号', 1)",
    ["text", "pattern", "count?"],
    group="text",
)
def _regexp_extract(a: Sequence[Value]) -> Value:
    return native("regexp_extract", "text", a[0], a[1], int(a[2].literal) if len(a) > 2 else 0)


@function(
    "regexp_replace(text, pattern, by)",
    "Replace every place that matches.",
    "替换所有匹配的内容。",
    "regexp_replace(phone, '[^0-9]', '')",
    ["text", "pattern", "text"],
    group="text",
)
def _regexp_replace(a: Sequence[Value]) -> Value:
    return native("regexp_replace", "text", *a, "g")


def is_pattern(pattern: str) -> bool:
    """Whether a regular expression can be read (the engine's RE2 knows no look-around and no back-references)."""
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        return False
    return not re.search(r"\(\?[=!<]|\\[1-9]", pattern.replace("(?P<", "(").replace("(?<name>", "("))
