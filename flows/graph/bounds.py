"""What a text demands of single columns of its tables: comparisons with constants, as connectors understand them.

They are said beside the text, which keeps its conditions: see ``node_catalog.sdk.bounds``.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import ibis.expr.operations as ops

from flows.graph.descend import tests_below
from node_catalog.sdk.bounds import Bound, Sign

_SIGNS: Mapping[type, Sign] = {
    ops.Equals: "=",
    ops.Less: "<",
    ops.LessEqual: "<=",
    ops.Greater: ">",
    ops.GreaterEqual: ">=",
}
_TURNED: Mapping[Sign, Sign] = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
MOST_VALUES = 100
"""Of a list of values; a longer one is the text's own affair."""


def bounds_of(relation: Any) -> dict[str, tuple[Bound, ...]]:
    """The bounds of each named table below ``relation``: rows beyond them have no effect on it.

    Only what must hold of every row implies anything: nothing under OR, no negation, no condition of one figure.
    """
    found: dict[str, tuple[Bound, ...]] = {}
    for name, tests in tests_below("", relation, ()).items():
        bounds = tuple(dict.fromkeys(_bounds(test.value for test in tests)))
        if bounds:
            found[name] = bounds
    return found


def _bounds(values: Iterable[Any]) -> Iterable[Bound]:
    for value in values:
        bound = _bound(value)
        if bound is not None:
            yield bound


def _bound(test: Any) -> Bound | None:
    if isinstance(test, ops.Not) and isinstance(test.arg, ops.IsNull):
        return _made(test.arg.arg, "is not null", ())
    if isinstance(test, ops.NotNull):
        return _made(test.arg, "is not null", ())
    if isinstance(test, ops.InValues):
        return _made(test.value, "in", test.options) if len(test.options) <= MOST_VALUES else None
    sign = _SIGNS.get(type(test))
    if sign is None:
        return None
    return _made(test.left, sign, (test.right,)) or _made(test.right, _TURNED[sign], (test.left,))


def _made(field: Any, sign: Sign, constants: Iterable[Any]) -> Bound | None:
    if not isinstance(field, ops.Field) or not _is_bounded(field.dtype):
        return None
    words = [_word(one, field.dtype) for one in constants]
    found = tuple(word for word in words if word is not None)
    return Bound(field.name, sign, found) if len(found) == len(words) else None


def _is_bounded(kind: Any) -> bool:
    """Columns of other types come as they are, or in a text that only the engine orders."""
    plain_time = kind.is_timestamp() and kind.timezone is None
    return bool(kind.is_float64() or kind.is_decimal() or kind.is_date() or plain_time)


def _word(constant: Any, kind: Any) -> str | None:
    """A constant as it is written, where comparing it with a column of this type takes no other type; else None."""
    if isinstance(constant, ops.Cast):
        if constant.to.copy(nullable=True) != kind.copy(nullable=True) or not isinstance(constant.arg, ops.Literal):
            return None
        given = constant.arg.value
        if kind.is_float64():
            return _number(float(given)) if isinstance(given, str) else None
        is_midnight = kind.is_timestamp() and constant.arg.dtype.is_date() and isinstance(given, dt.date)
        return f"{given.isoformat()} 00:00:00" if is_midnight else None
    if not isinstance(constant, ops.Literal):
        return None
    given, own = constant.value, constant.dtype
    if kind.is_float64() and own.is_float64() and isinstance(given, float):
        return _number(given)
    if kind.is_decimal() and own.is_decimal() and isinstance(given, Decimal) and given.is_finite():
        return format(given, "f")
    if kind.is_date() and own.is_date() and isinstance(given, dt.date):
        return given.isoformat()
    if kind.is_timestamp() and own.is_timestamp() and isinstance(given, dt.datetime) and given.tzinfo is None:
        return given.isoformat(sep=" ")
    return None


def _number(value: float) -> str | None:
    return repr(value) if math.isfinite(value) else None
