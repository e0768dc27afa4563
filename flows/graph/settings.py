"""A step's settings: inputs filled in, then parsed by the type's own parser, each distinct one once per process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from flows.graph.expressions.parameters import Parameter
from flows.graph.expressions.values import MISSING
from node_catalog.sdk.contract import Transform
from node_catalog.sdk.errors import Problem, SettingsError
from node_catalog.sdk.memory import Memory
from node_catalog.sdk.schema import parse
from node_catalog.sdk.text import text

_SAMPLE: dict[str, Any] = {
    "integer": 1,
    "number": 1.0,
    "boolean": True,
    "text": "x",
    "date": "2000-01-01",
    "timestamp": "2000-01-01T00:00:00",
    "time": "00:00:00",
    "interval": "P1D",
}


Parsed = tuple[Any, tuple[Problem, ...]]
_parsed: Memory[Parsed] = Memory(20_000)


def parse_settings(kind: type[Transform], settings: Mapping[str, Any]) -> Parsed:
    """The settings struct, or None with everything that is wrong (pointers relative to the settings)."""
    try:
        key = (kind, msgspec.json.encode(settings))
    except (TypeError, ValueError, RecursionError):
        return None, (Problem("", "settings.invalid", text("These settings are no JSON.", "设置不是有效的 JSON。")),)
    return _parsed.get(key, lambda: _parse(kind, settings))


def _parse(kind: type[Transform], settings: Mapping[str, Any]) -> Parsed:
    try:
        return parse(kind.Settings, settings), ()
    except SettingsError as error:
        return None, error.problems or (Problem("", error.code, error.message),)
    except Exception:  # a type's own checks are foreign code, and settings may hold anything
        message = text("These settings do not fit. Set the step up again.", "这些设置不符合要求，请重新设置该步骤。")
        return None, (Problem("", "settings.invalid", message),)


def fill_inputs(
    settings: Mapping[str, Any], parameters: Mapping[str, Parameter]
) -> tuple[dict[str, Any], list[Problem]]:
    """``settings`` with every ``{"input": name}`` replaced by that input's value (a sample while it has none)."""
    problems: list[Problem] = []
    return {key: _filled(value, parameters, f"/{key}", problems) for key, value in settings.items()}, problems


def _filled(value: Any, parameters: Mapping[str, Parameter], pointer: str, problems: list[Problem]) -> Any:
    if isinstance(value, Mapping):
        if len(value) == 1 and isinstance(value.get("input"), str):
            return _input(value["input"], parameters, pointer, problems)
        return {key: _filled(item, parameters, f"{pointer}/{key}", problems) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_filled(item, parameters, f"{pointer}/{index}", problems) for index, item in enumerate(value)]
    return value


def _input(name: str, parameters: Mapping[str, Parameter], pointer: str, problems: list[Problem]) -> Any:
    parameter = parameters.get(name)
    if parameter is None:
        message = text(f"The flow has no input “{name}”.", f"流程没有参数“{name}”。")
        problems.append(Problem(pointer, "input.unknown", message))
        return None
    if parameter.value is MISSING:
        return [_SAMPLE[parameter.type]] if parameter.is_list else _SAMPLE[parameter.type]
    value = parameter.value
    if parameter.type == "interval" and value is not None:
        return "".join(["P", *(f"{amount}{unit[0].upper()}" for amount, unit in value)])
    return msgspec.to_builtins(value)
