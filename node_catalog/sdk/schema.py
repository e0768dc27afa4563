"""Settings structs at the border: their JSON Schema for forms, and parsing that reports every problem at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any, TypeVar

import msgspec

from node_catalog.sdk.contract import Settings
from node_catalog.sdk.errors import Problem, SettingsError
from node_catalog.sdk.schema_problems import find_problems
from node_catalog.sdk.text import text

S = TypeVar("S", bound=Settings)


@cache
def _schema(settings_type: type[Settings]) -> dict[str, Any]:
    raw = msgspec.json.schema(settings_type)
    schema: dict[str, Any] = _inline(raw, raw.get("$defs", {}))
    schema.pop("$defs", None)
    return schema


def _inline(part: Any, definitions: Mapping[str, Any]) -> Any:
    """Replace every ``$ref`` by what it stands for, so that a form needs no resolver (settings never recurse)."""
    if isinstance(part, list):
        return [_inline(item, definitions) for item in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        target = definitions[part["$ref"].rpartition("/")[2]]
        own = {key: value for key, value in part.items() if key != "$ref"}
        return _inline({**target, **own}, definitions)
    return {key: _inline(value, definitions) for key, value in part.items() if key != "$defs"}


def json_schema(settings_type: type[Settings]) -> dict[str, Any]:
    """JSON Schema 2020-12 of a settings struct, without ``$ref``.

    Properties carry ``x-title`` and ``x-description`` in both languages, ``x-widget``, ``x-choices`` and
    ``x-secret``. The answer is the caller's own copy.
    """
    copy: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(_schema(settings_type)))
    return copy


@cache
def secret_fields(settings_type: type[Settings]) -> tuple[str, ...]:
    """Names of the settings that are stored sealed and never sent out."""
    properties = _schema(settings_type).get("properties", {})
    return tuple(name for name, part in properties.items() if part.get("x-secret"))


def settings_problems(settings_type: type[Settings], data: Mapping[str, Any]) -> tuple[Problem, ...]:
    """Everything that is wrong with ``data``, with pointers relative to the settings; empty when it fits."""
    try:
        parse(settings_type, data)
    except SettingsError as error:
        return error.problems
    return ()


def parse(settings_type: type[S], data: Mapping[str, Any]) -> S:
    """The settings struct of ``data``.

    Raises SettingsError with all problems: those of single fields first, then, when the fields are right, those
    that ``Settings.problems`` finds between them.
    """
    try:
        settings = msgspec.convert(data, settings_type)
    except msgspec.ValidationError as error:
        found = tuple(find_problems(_schema(settings_type), data))
        raise _error(found or (_fallback(error),)) from error
    found = tuple(settings.problems())
    if found:
        raise _error(found)
    return settings


def _fallback(error: msgspec.ValidationError) -> Problem:
    return Problem("", "settings.invalid", text(f"This setting does not fit: {error}", f"设置不符合要求：{error}"))


def _error(problems: tuple[Problem, ...]) -> SettingsError:
    count = len(problems)
    message = (
        problems[0].message if count == 1 else text(f"{count} settings need attention.", f"有 {count} 处设置需要修改。")
    )
    return SettingsError("settings.invalid", message, problems)


def under(pointer: str, problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    """The same problems with pointers that start at ``pointer``."""
    return tuple(replace(problem, pointer=pointer + problem.pointer) for problem in problems)
