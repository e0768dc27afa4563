"""Aggregates a result for a chart: at most 2,000 points, whatever the size of the result.

The file is read in batches that are aggregated one by one, so memory depends on the number of groups alone. Numbers
and times with too many different values are put into equal intervals.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from node_catalog.sdk.text import text
from runtime.engine.plain import plain
from runtime.engine.results import parquet_of
from runtime.errors import RunError
from runtime.places import StoredFile

MOST_POINTS = 2000
MOST_SERIES = 12
MOST_GROUPS = 100_000
INTERVALS = 400
BATCH = 65536
AGGREGATES = ("count", "sum", "mean", "min", "max")


class TooManyGroupsError(RunError):
    """The columns have too many different values for a chart."""


@dataclass(frozen=True)
class ChartRequest:
    """Which columns make the chart. Without ``y`` rows are counted."""

    x: str
    y: str = ""
    agg: str = "count"
    series: str = ""


def chart(stored: StoredFile, wanted: ChartRequest) -> dict[str, Any]:
    """``{"x", "y", "agg", "series": [{"name", "points": [[x, y]…]}], "points", "binned", "truncated"}``."""
    with parquet_of(stored) as file:
        _check(file.schema_arrow, wanted)
        is_binned = False
        try:
            groups = _aggregate(_batches(file, wanted), wanted)
            is_binned = _can_bin(file.schema_arrow, wanted.x) and _distinct(groups, wanted.x) > MOST_POINTS
        except TooManyGroupsError:
            if not _can_bin(file.schema_arrow, wanted.x):
                raise
            is_binned = True
        if is_binned:
            groups = _aggregate(_binned(file, wanted), wanted)
    return _answer(groups, wanted, is_binned=is_binned)


def _check(schema: Any, wanted: ChartRequest) -> None:
    for name in filter(None, (wanted.x, wanted.y, wanted.series)):
        if name not in schema.names:
            raise RunError(
                "chart.no_column",
                text(f"The result has no column “{name}”.", f"结果中没有列“{name}”。"),
                "/x" if name == wanted.x else "/y" if name == wanted.y else "/series",
            )
    if wanted.agg not in AGGREGATES:
        names = ", ".join(AGGREGATES)
        raise RunError("chart.no_aggregate", text(f"Choose one of {names}.", f"请选择 {names} 之一。"), "/agg")
    if wanted.agg != "count" and not wanted.y:
        raise RunError("chart.no_y", text("Choose a column for y.", "请为 y 轴选择一列。"), "/y")
    if wanted.agg in ("sum", "mean"):
        kind = schema.field(wanted.y).type
        if not (pt.is_integer(kind) or pt.is_floating(kind) or pt.is_decimal(kind)):
            raise RunError(
                "chart.y_not_number",
                text(
                    f"“{wanted.y}” is not a number. Count it, or choose a number.",
                    f"“{wanted.y}”不是数值列。请改用计数，或选择数值列。",
                ),
                "/y",
            )


def _columns(wanted: ChartRequest) -> list[str]:
    return list(dict.fromkeys(filter(None, (wanted.x, wanted.series, wanted.y))))


def _batches(file: Any, wanted: ChartRequest) -> Iterator[Any]:
    """Tables with the columns x, s and y (y as a number where it is a decimal: charts show, they do not account)."""
    for batch in file.iter_batches(batch_size=BATCH, columns=_columns(wanted)):
        x = batch.column(wanted.x)
        y = batch.column(wanted.y) if wanted.y else pa.nulls(len(batch), pa.bool_()).fill_null(True)
        if pt.is_decimal(y.type) or (pt.is_integer(y.type) and wanted.agg in ("sum", "mean")):
            y = pc.cast(y, pa.float64())
        s = batch.column(wanted.series) if wanted.series else pa.nulls(len(batch), pa.string())
        yield pa.table({"x": x, "s": s, "y": y})


def _can_bin(schema: Any, name: str) -> bool:
    kind = schema.field(name).type
    ordered = (pt.is_integer, pt.is_floating, pt.is_decimal, pt.is_timestamp, pt.is_date)
    return any(is_kind(kind) for is_kind in ordered)


def _binned(file: Any, wanted: ChartRequest) -> Iterator[Any]:
    """The same with x put at the start of its interval; intervals are equal between the least and the greatest x."""
    least, greatest = _range(file, wanted.x)
    width = (greatest - least) / INTERVALS or 1.0
    for table in _batches(file, wanted):
        x = table.column("x")
        steps = pc.floor(pc.divide(pc.subtract(_as_number(x), least), width))
        starts = pc.add(pc.multiply(pc.min_element_wise(steps, INTERVALS - 1), width), least)
        if pt.is_timestamp(x.type) or pt.is_date(x.type):
            starts = pc.cast(pc.cast(pc.round(starts), pa.int64()), pa.timestamp("us"))
        yield table.set_column(0, "x", starts)


def _as_number(x: Any) -> Any:
    if pt.is_timestamp(x.type) or pt.is_date(x.type):
        return pc.cast(pc.cast(pc.cast(x, pa.timestamp("us")), pa.int64()), pa.float64())
    return pc.cast(x, pa.float64())


def _range(file: Any, name: str) -> tuple[float, float]:
    least, greatest = float("inf"), float("-inf")
    for batch in file.iter_batches(batch_size=BATCH, columns=[name]):
        found = pc.min_max(_as_number(batch.column(name))).as_py()
        if found["min"] is not None:
            least, greatest = min(least, found["min"]), max(greatest, found["max"])
    return (least, greatest) if least <= greatest else (0.0, 0.0)


def _aggregate(tables: Iterator[Any], wanted: ChartRequest) -> Any:
    """Group by x and s: partial aggregates of each batch, put together whenever they have grown."""
    first = [("y", "count"), *([("y", "sum")] if wanted.agg in ("sum", "mean") else [])]
    first += [("y", wanted.agg)] if wanted.agg in ("min", "max") else []
    again = [(f"y_{name}", "sum" if name in ("count", "sum") else name) for _, name in first]
    waiting: list[Any] = []
    for table in tables:
        waiting.append(table.group_by(["x", "s"]).aggregate(first))
        if sum(part.num_rows for part in waiting) > MOST_GROUPS:
            waiting = [_together(pa.concat_tables(waiting), first, again)]
            if waiting[0].num_rows > MOST_GROUPS:
                raise _too_many(wanted)
    if not waiting:
        return pa.table({"x": [], "s": [], **{f"y_{name}": [] for _, name in first}})
    return _together(pa.concat_tables(waiting), first, again)


def _together(parts: Any, first: list[tuple[str, str]], again: list[tuple[str, str]]) -> Any:
    grouped = parts.group_by(["x", "s"]).aggregate(again)
    names = {f"{column}_{function}": column for column, function in again}
    return grouped.rename_columns([names.get(name, name) for name in grouped.column_names])


def _too_many(wanted: ChartRequest) -> TooManyGroupsError:
    return TooManyGroupsError(
        "chart.too_many_groups",
        text(
            f"“{wanted.x}” has too many different values for a chart. Choose another column, or aggregate in the flow.",
            f"“{wanted.x}”的取值太多，无法作图。请选择其他列，或在流程中先聚合。",
        ),
        "/x",
    )


def _distinct(groups: Any, name: str) -> int:
    return int(pc.count_distinct(groups.column("x")).as_py()) if groups.num_rows else 0


def _answer(groups: Any, wanted: ChartRequest, *, is_binned: bool) -> dict[str, Any]:
    by_series: dict[Any, list[tuple[Any, Any]]] = {}
    for row in groups.to_pylist():
        value = row["y_count"]
        if wanted.agg == "mean":
            value = row["y_sum"] / row["y_count"] if row["y_count"] else None
        elif wanted.agg != "count":
            value = row[f"y_{wanted.agg}"]
        by_series.setdefault(row["s"], []).append((row["x"], value))
    kept = sorted(by_series.items(), key=lambda item: -len(item[1]))[:MOST_SERIES]
    most = MOST_POINTS // max(1, len(kept))
    is_cut = len(kept) < len(by_series) or any(len(points) > most for _, points in kept)
    kept.sort(key=lambda item: (item[0] is None, str(item[0])))
    series = [{"name": plain(name), "points": _points(points, most)} for name, points in kept]
    return {
        "x": wanted.x,
        "y": wanted.y or None,
        "agg": wanted.agg,
        "series": series,
        "points": sum(len(one["points"]) for one in series),
        "binned": is_binned,
        "truncated": is_cut,
    }


def _points(points: list[tuple[Any, Any]], most: int) -> list[list[Any]]:
    """In the order of x; when there are too many, those with the greatest values stay."""
    if len(points) > most:
        points = sorted(points, key=lambda point: (point[1] is None, -_weight(point[1])))[:most]
    points = sorted(points, key=lambda point: (point[0] is None, point[0] if point[0] is not None else 0))
    return [[plain(x), plain(y)] for x, y in points]


def _weight(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
