"""Parameters: ``:name`` in an expression is an input of the document, with the type its JSON Schema gives."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from flows.graph.expressions.values import MISSING, Value, literal

_FORMATS = {"date": "date", "date-time": "timestamp", "time": "time", "duration": "interval"}
_TYPES = {"string": "text", "integer": "integer", "number": "number", "boolean": "boolean"}
_DURATION = re.compile(
    r"^(?P<sign>[+-]?)P(?:(?P<year>\d+)Y)?(?:(?P<month>\d+)M)?(?:(?P<week>\d+)W)?(?:(?P<day>\d+)D)?"
    r"(?:T(?:(?P<hour>\d+)H)?(?:(?P<minute>\d+)M)?(?:(?P<second>\d+)S)?)?$"
)


@dataclass(frozen=True)
class Parameter:
    """An input: its type (``text``, ``interval`` …), whether it is a list, and its value when it is known."""

    type: str
    is_list: bool = False
    value: Any = MISSING

    @property
    def mark(self) -> Any:
        """What stands for its value in a key of remembered results."""
        return repr(self.value)

    @property
    def is_missing(self) -> bool:
        """Whether it has neither a value nor a default."""
        return self.value is MISSING

    def as_value(self) -> Value:
        """The constant it stands for; while a draft is checked without values, an empty one of its type."""
        known = None if self.value is MISSING else self.value
        if self.is_list:
            items = [_constant(item, self.type) for item in known or ()]
            return Value("list", items=tuple(items or [_constant(None, self.type)]))
        return _constant(known, self.type)


def without_defaults(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs with their types alone."""
    properties = inputs.get("properties")
    if not isinstance(properties, Mapping):
        return {}
    bare = {
        name: {key: value for key, value in schema.items() if key != "default"} if isinstance(schema, Mapping) else {}
        for name, schema in properties.items()
    }
    return {"properties": bare}


def read_parameters(inputs: Mapping[str, Any], values: Mapping[str, Any] | None = None) -> dict[str, Parameter]:
    """The parameters of a document's ``inputs`` (a JSON Schema) with given values over defaults.

    Inputs whose schema is not understood count as text; values that do not fit raise ValueError with the name.
    """
    properties = inputs.get("properties")
    found: dict[str, Parameter] = {}
    for name, schema in (properties if isinstance(properties, Mapping) else {}).items():
        schema = schema if isinstance(schema, Mapping) else {}
        is_list = schema.get("type") == "array"
        part = schema.get("items") if is_list else schema
        kind = _type_of(part if isinstance(part, Mapping) else {})
        value = (values or {}).get(name, schema.get("default", MISSING))
        found[name] = Parameter(kind, is_list, _checked(name, value, kind, is_list))
    return found


def _type_of(schema: Mapping[str, Any]) -> str:
    kind, form = schema.get("type"), schema.get("format")
    if kind == "string" and isinstance(form, str) and form in _FORMATS:
        return _FORMATS[form]
    return _TYPES.get(kind, "text") if isinstance(kind, str) else "text"


def _checked(name: str, value: Any, kind: str, is_list: bool) -> Any:
    if value is MISSING or value is None:
        return value
    try:
        if is_list:
            return [to_python(item, kind) for item in value]
        return to_python(value, kind)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(name) from None


def to_python(value: Any, kind: str) -> Any:
    """A JSON value (or text) as the Python value of ``kind``; raises ValueError when it does not fit."""
    if value is None:
        return None
    if kind == "text" and isinstance(value, str):
        return value
    if kind == "boolean" and isinstance(value, bool):
        return value
    if kind in ("integer", "number") and isinstance(value, int | float) and not isinstance(value, bool):
        if kind == "integer" and (int(value) != value or not -(2**63) <= value < 2**63):
            raise ValueError("not a 64 bit integer")
        return int(value) if kind == "integer" else float(value)
    if isinstance(value, str):
        if kind == "date":
            return date.fromisoformat(value)
        if kind == "time":
            return time.fromisoformat(value).replace(tzinfo=None)
        if kind == "timestamp":
            moment = datetime.fromisoformat(value)
            return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
        if kind == "interval":
            return read_duration(value)
    raise ValueError(f"no {kind}")


def read_duration(words: str) -> tuple[tuple[int, str], ...]:
    """An ISO 8601 duration as amounts with units; raises ValueError when it is none."""
    match = _DURATION.match(words)
    parts = (
        {unit: int(amount) for unit, amount in match.groupdict().items() if unit != "sign" and amount} if match else {}
    )
    if not match or not parts:
        raise ValueError("no ISO 8601 duration")
    sign = -1 if match["sign"] == "-" else 1
    return tuple((sign * amount, unit) for unit, amount in parts.items())


def _constant(value: Any, kind: str) -> Value:
    if kind == "interval":
        return Value("interval", literal=value, units=value or ((1, "day"),))
    return literal(value, kind)
