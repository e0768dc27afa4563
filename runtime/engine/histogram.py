"""Histograms of a sampled column: 20 bins between its exact smallest and largest value."""

from __future__ import annotations

import datetime
import decimal
import math
from collections.abc import Callable
from typing import Any

from runtime.engine.duck import Connection
from runtime.engine.plain import plain

BINS = 20
_EPOCH = datetime.datetime(1970, 1, 1)  # noqa: DTZ001 (timestamps of flows are naive UTC)
_MICROSECOND = datetime.timedelta(microseconds=1)


def histogram(
    connection: Connection, column: str, kind: str, low: Any, high: Any, scale: float
) -> list[dict[str, Any]] | None:
    """``[{"from", "to", "count"}]`` over table ``sample``; the last bin includes its upper end.

    None for types without a histogram and for columns without a finite value.
    """
    axis = _AXES.get(kind.partition("(")[0])
    if axis is None or low is None or high is None or isinstance(low, str) or isinstance(high, str):
        return None
    expression, to_number, from_number = axis
    start, end = to_number(low), to_number(high)
    if not (math.isfinite(start) and math.isfinite(end)):
        limits = connection.script(f"select min({column}), max({column}) from sample where isfinite({column})")[0]
        if limits[0] is None:
            return None
        start, end = to_number(limits[0]), to_number(limits[1])
    bins, width = _bins(start, end, is_whole=kind in ("integer", "date"))
    place = f"least(floor(({expression.format(column)} - {start!r}) / {width!r}), {bins - 1})::integer"
    finite = f" and isfinite({column})" if kind == "number" else ""
    wanted = f"{column} is not null{finite}"
    found = dict(connection.script(f"select {place} as bin, count(*) from sample where {wanted} group by bin"))
    edges = [start + width * edge for edge in range(bins)]
    ends = [*edges[1:], end if width * bins + start >= end else start + width * bins]
    if kind in ("integer", "date") and width == 1.0:
        ends = [edge + 1 for edge in edges]
    return [
        {"from": from_number(edge), "to": from_number(stop), "count": round(found.get(at, 0) * scale)}
        for at, (edge, stop) in enumerate(zip(edges, ends))
    ]


def _bins(start: float, end: float, *, is_whole: bool) -> tuple[int, float]:
    """How many bins, and how wide: one per value for a few whole numbers."""
    if is_whole and end - start < BINS:
        return int(end - start) + 1, 1.0
    width = (end - start) / BINS
    return (BINS, width) if width > 0 and math.isfinite(width) else (1, 1.0)


def _from_date(value: float) -> Any:
    return (datetime.date(1970, 1, 1) + datetime.timedelta(days=int(value))).isoformat()


def _from_timestamp(value: float) -> Any:
    return (_EPOCH + datetime.timedelta(microseconds=int(value))).isoformat(timespec="seconds")


def _edge(value: float) -> Any:
    """An edge without the noise of binary fractions."""
    return plain(float(f"{value:.12g}"))


def _number(value: float) -> Any:
    return plain(int(value)) if float(value).is_integer() and abs(value) < 2**53 else _edge(value)


def _float(value: int | float | decimal.Decimal) -> float:
    return float(value)


_Axis = tuple[str, Callable[[Any], float], Callable[[float], Any]]
_AXES: dict[str, _Axis] = {
    "integer": ("{}::double", _float, _number),
    "number": ("{}", _float, _edge),
    "decimal": ("{}::double", _float, _edge),
    "date": (
        "date_diff('day', date '1970-01-01', {})::double",
        lambda value: float((value - datetime.date(1970, 1, 1)).days),
        _from_date,
    ),
    "timestamp": ("epoch_us({})::double", lambda value: float((value - _EPOCH) // _MICROSECOND), _from_timestamp),
}
