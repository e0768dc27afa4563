"""Frames of a window: which rows around a row are looked at, counted in rows or in values of the order column."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal

import msgspec

from node_catalog.sdk.contract import BuildContext, Settings
from node_catalog.sdk.durations import NOT_A_DURATION, Duration, parse_duration
from node_catalog.sdk.errors import Problem
from node_catalog.sdk.fields import setting
from node_catalog.sdk.relation import NUMERIC, SortKey, kind_of, type_words
from node_catalog.sdk.text import text

Edge = int | float | str | None
_MOMENTS = ("date", "timestamp")
_INF = float("inf")


class Frame(Settings, kw_only=True):
    """Which rows around the row are looked at; both ends belong to it."""

    unit: Annotated[
        Literal["rows", "range"],
        setting(
            text("Counted in", "计量方式"),
            choices={
                "rows": text("rows", "按行数"),
                "range": text("values of the order column", "按排序列的值"),
            },
        ),
    ] = "rows"
    start: Annotated[
        Edge,
        setting(
            text("From", "起点"),
            text(
                "Negative: before the row, 0: this row, empty: from the first on.",
                "负数表示本行之前，0 表示本行，留空表示从第一行开始。",
            ),
        ),
    ] = msgspec.field(name="from", default=None)
    end: Annotated[
        Edge,
        setting(
            text("To", "终点"),
            text(
                "Positive: after the row, 0: this row, empty: to the last.",
                "正数表示本行之后，0 表示本行，留空表示到最后一行。",
            ),
        ),
    ] = msgspec.field(name="to", default=None)

    def found_problems(self, pointer: str) -> Iterable[Problem]:
        """Ends that cannot be read, or the wrong way round."""
        edges = [(f"{pointer}/from", self.start, -_INF), (f"{pointer}/to", self.end, _INF)]
        for at, edge, _ in edges:
            problem = self._edge_problem(at, edge)
            if problem is not None:
                yield problem
                return
        (start, end), (unit, other) = zip(*(_size(edge, missing) for _, edge, missing in edges), strict=True)
        if start and end and unit != other and not {unit, other} & {"any"}:
            message = text(
                "Give both ends in the same kind of unit: both in months, or both in days and shorter.",
                "起点和终点请使用同一类单位：都用月（年），或都用天及更短的单位。",
            )
            yield Problem(f"{pointer}/to", "window.frame_mixed", message)
        elif start > end:
            message = text("The range ends before it begins.", "终点不能在起点之前。")
            yield Problem(f"{pointer}/to", "window.frame_order", message)

    def _edge_problem(self, pointer: str, edge: Edge) -> Problem | None:
        """What is wrong with one end in itself."""
        if self.unit == "rows" and isinstance(edge, str | float):
            message = text(
                "Rows are counted with whole numbers. For a length of time, count in values.",
                "按行数计量时请填写整数；要用时长，请改为按排序列的值计量。",
            )
            return Problem(pointer, "window.frame_rows", message)
        if not isinstance(edge, str):
            return None
        duration = parse_duration(edge)
        if duration is None:
            return Problem(pointer, "duration.invalid", NOT_A_DURATION)
        if duration.months and duration.microseconds:
            message = text(
                "Give months, or days and shorter, not both in one length of time.",
                "同一个时长中不能既有月（年）又有天或更短的单位。",
            )
            return Problem(pointer, "window.frame_mixed", message)
        return None


def _size(edge: Edge, missing: float) -> tuple[float, str]:
    """How far an end lies from the row, and in which unit ("any" for no end)."""
    if edge is None:
        return missing, "any"
    if not isinstance(edge, str):
        return edge, "number"
    duration = parse_duration(edge) or Duration(0, 0)
    return (duration.months, "months") if duration.months else (duration.microseconds, "fixed")


def check_range(frame: Frame, table: Any, order_by: Sequence[SortKey], context: BuildContext, pointer: str) -> None:
    """A distance needs one order column of a type that has distances, and a distance of the matching kind."""
    if len(order_by) != 1:
        message = text(
            "A range of values needs exactly one order column. Remove the others, or count in rows.",
            "按值计量时只能有一个排序列。请去掉其他排序列，或改为按行数计量。",
        )
        raise context.problem("window.range_order", message, "/order_by")
    name = order_by[0].column
    kind = kind_of(table[name])
    for field, edge in (("from", frame.start), ("to", frame.end)):
        fits = kind in _MOMENTS if isinstance(edge, str) else edge in (None, 0) or kind in NUMERIC
        if not fits:
            words = type_words(kind)
            message = text(
                f"“{name}” is {words['en']}: give a length of time like -PT1H for dates and times, a number for "
                "numbers, or count in rows.",
                f"“{name}”是{words['zh-CN']}：日期和时间请填写时长（如 -PT1H），数字请填写数值，或改为按行数计量。",
            )
            raise context.problem("window.range_type", message, f"{pointer}/{field}")


def range_edge(edge: Edge) -> Any:
    """One end of a range as Ibis takes it: negative numbers and lengths lie before the row."""
    import ibis

    if not isinstance(edge, str):
        return edge
    duration = parse_duration(edge) or Duration(0, 0)
    if not duration.months and not duration.microseconds:
        return 0
    is_before = duration.months < 0 or duration.microseconds < 0
    if duration.months:
        length = ibis.interval(months=abs(duration.months))
    else:
        length = ibis.interval(microseconds=abs(duration.microseconds))
    return ibis.preceding(length) if is_before else ibis.following(length)
