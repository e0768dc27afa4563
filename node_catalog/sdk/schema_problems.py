"""Every problem of a value against one of our settings schemas, in words, with its pointer.

Only the keywords that msgspec writes for settings structs are known (``KEYWORDS``); a contract test holds every
type to them. A general validator would name the first branch that failed, not the field a person has to mend.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from node_catalog.sdk.errors import Problem
from node_catalog.sdk.text import Text, text

Part = Mapping[str, Any]

KEYWORDS = frozenset(
    {
        "title", "description", "default", "examples", "type", "properties", "required", "additionalProperties",
        "items", "prefixItems", "anyOf", "enum", "const", "minLength", "maxLength", "minItems", "maxItems",
        "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "pattern",
    }
)  # fmt: skip
"""Schema keywords a settings struct may lead to, besides ``x-…`` hints."""

_WORDS: dict[str, tuple[str, str]] = {
    "string": ("text", "文本"),
    "integer": ("a whole number", "整数"),
    "number": ("a number", "数字"),
    "boolean": ("yes or no", "是或否"),
    "array": ("a list", "列表"),
    "object": ("a group of fields", "一组字段"),
    "null": ("nothing", "空"),
}


def find_problems(schema: Part, value: Any, pointer: str = "", title: Text | None = None) -> Iterator[Problem]:
    """All problems of ``value``, depth first."""
    title = schema.get("x-title") or title
    if "anyOf" in schema:
        yield from _any_of(schema["anyOf"], value, pointer, title)
        return
    if "enum" in schema or "const" in schema:
        yield from _one_of(schema, value, pointer, title)
        return
    kind = schema.get("type")
    if kind is None:
        return
    if not _is(kind, value):
        yield _wrong_type([kind], value, pointer, title)
        return
    check = _CHECKS.get(kind)
    if check:
        yield from check(schema, value, pointer, title)


def escape(token: str) -> str:
    """One token of an RFC 6901 pointer."""
    return token.replace("~", "~0").replace("/", "~1")


def _is(kind: str, value: Any) -> bool:
    match kind:
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "array":
            return isinstance(value, list | tuple)
        case "object":
            return isinstance(value, Mapping)
        case _:
            return value is None


def _name(title: Text | None, pointer: str) -> tuple[str, str]:
    field = pointer.rpartition("/")[2].replace("~1", "/").replace("~0", "~")
    if title:
        return f"“{title.get('en', field)}”", f"“{title.get('zh-CN', field)}”"
    return (f"“{field}”", f"“{field}”") if field else ("The settings", "设置")


def _wrong_type(kinds: list[str], value: Any, pointer: str, title: Text | None) -> Problem:
    en, zh = _name(title, pointer)
    wanted = [_WORDS[kind] for kind in kinds if kind != "null"] or [_WORDS["null"]]
    en_want, zh_want = " or ".join(word[0] for word in wanted), "或".join(word[1] for word in wanted)
    message = text(
        f"{en} must be {en_want}, but {_shown(value)} was given.", f"{zh}应为{zh_want}，但给出的是 {_shown(value)}。"
    )
    return Problem(pointer, "settings.type", message, {"expected": kinds})


def _shown(value: Any) -> str:
    shown = "null" if value is None else repr(value)
    return shown if len(shown) <= 40 else shown[:37] + "…"


def _any_of(branches: list[Part], value: Any, pointer: str, title: Text | None) -> Iterator[Problem]:
    fitting = [branch for branch in branches if "type" not in branch or _is(branch["type"], value)]
    if not fitting:
        yield _wrong_type([branch["type"] for branch in branches if "type" in branch], value, pointer, title)
        return
    found = [list(find_problems(branch, value, pointer, title)) for branch in fitting]
    yield from min(found, key=len)


def _one_of(schema: Part, value: Any, pointer: str, title: Text | None) -> Iterator[Problem]:
    allowed = schema["enum"] if "enum" in schema else [schema["const"]]
    if value in allowed and not (isinstance(value, bool) and True not in allowed and False not in allowed):
        return
    en, zh = _name(title, pointer)
    listed = ", ".join(str(item) for item in allowed)
    message = text(
        f"{en} must be one of: {listed}. {_shown(value)} is none of them.",
        f"{zh}只能是下列之一：{listed}。给出的 {_shown(value)} 不在其中。",
    )
    yield Problem(pointer, "settings.choice", message, {"allowed": list(allowed)})


def _required(title: Text | None, pointer: str) -> Problem:
    en, zh = _name(title, pointer)
    return Problem(pointer, "settings.required", text(f"{en} is missing. Please fill it in.", f"缺少{zh}，请填写。"))


def _object(schema: Part, value: Mapping[str, Any], pointer: str, title: Text | None) -> Iterator[Problem]:
    properties: Mapping[str, Part] = schema.get("properties", {})
    missing = [name for name in schema.get("required", ()) if name not in value]
    if missing and missing == list(schema["required"]) and "x-widget" in schema:
        # One editor stands for the whole group: its parts have no place of their own to be filled in.
        yield _required(title, pointer)
        return
    for name in missing:
        yield _required(properties.get(name, {}).get("x-title"), f"{pointer}/{escape(name)}")
    others = schema.get("additionalProperties", True)
    for name, item in value.items():
        at = f"{pointer}/{escape(str(name))}"
        if name in properties:
            yield from find_problems(properties[name], item, at)
        elif others is False:
            known = ", ".join(properties)
            message = text(
                f"“{name}” is not a setting here. Known settings: {known}.",
                f"这里没有名为“{name}”的设置，可用的有：{known}。",
            )
            yield Problem(at, "settings.unknown", message)
        elif isinstance(others, Mapping):
            yield from find_problems(others, item, at)


def _array(schema: Part, value: list[Any], pointer: str, title: Text | None) -> Iterator[Problem]:
    en, zh = _name(title, pointer)
    least, most = schema.get("minItems", 0), schema.get("maxItems")
    if len(value) < least:
        message = text(f"{en} needs at least {least} entry.", f"{zh}至少需要 {least} 项。")
        yield Problem(pointer, "settings.too_few", message)
    if most is not None and len(value) > most:
        message = text(f"{en} may have at most {most} entries.", f"{zh}最多 {most} 项。")
        yield Problem(pointer, "settings.too_many", message)
    fixed = schema.get("prefixItems", [])
    for index, item in enumerate(value):
        part = fixed[index] if index < len(fixed) else schema.get("items")
        if isinstance(part, Mapping):
            yield from find_problems(part, item, f"{pointer}/{index}", title)


def _string(schema: Part, value: str, pointer: str, title: Text | None) -> Iterator[Problem]:
    en, zh = _name(title, pointer)
    least, most = schema.get("minLength", 0), schema.get("maxLength")
    if len(value) < least:
        if value == "":
            message = text(f"{en} is empty. Please fill it in.", f"{zh}为空，请填写。")
        else:
            message = text(f"{en} needs at least {least} characters.", f"{zh}至少需要 {least} 个字符。")
        yield Problem(pointer, "settings.too_short", message)
    elif most is not None and len(value) > most:
        message = text(f"{en} may have at most {most} characters.", f"{zh}最多 {most} 个字符。")
        yield Problem(pointer, "settings.too_long", message)
    elif "pattern" in schema and not re.search(schema["pattern"], value):
        hint = schema.get("x-pattern-words")
        message = text(
            f"{en} does not have the right form{': ' + hint['en'] if hint else ''}. Given: {_shown(value)}.",
            f"{zh}的格式不对{'：' + hint['zh-CN'] if hint else ''}。给出的是 {_shown(value)}。",
        )
        yield Problem(pointer, "settings.pattern", message)


def _number(schema: Part, value: float, pointer: str, title: Text | None) -> Iterator[Problem]:
    en, zh = _name(title, pointer)
    tests: tuple[tuple[str, Callable[[Any], bool], str, str], ...] = (
        ("minimum", lambda limit: value >= limit, "at least", "不小于"),
        ("exclusiveMinimum", lambda limit: value > limit, "more than", "大于"),
        ("maximum", lambda limit: value <= limit, "at most", "不大于"),
        ("exclusiveMaximum", lambda limit: value < limit, "less than", "小于"),
        ("multipleOf", lambda limit: value % limit == 0, "a multiple of", "倍数："),
    )
    for keyword, holds, en_word, zh_word in tests:
        if keyword in schema and not holds(schema[keyword]):
            message = text(
                f"{en} must be {en_word} {schema[keyword]}; {value} was given.",
                f"{zh}应{zh_word} {schema[keyword]}，但给出的是 {value}。",
            )
            yield Problem(pointer, "settings.range", message)


_CHECKS: dict[str, Callable[[Part, Any, str, Text | None], Iterator[Problem]]] = {
    "object": _object,
    "array": _array,
    "string": _string,
    "integer": _number,
    "number": _number,
}
