"""Window: figures over the rows around each row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec

from node_catalog.sdk.constants import Scalar, constant
from node_catalog.sdk.contract import BuildContext, Example, Settings, Transform
from node_catalog.sdk.errors import Problem
from node_catalog.sdk.fields import setting
from node_catalog.sdk.figures import as_float, exact_sum
from node_catalog.sdk.frames import Frame, check_range, range_edge
from node_catalog.sdk.relation import (
    NUMERIC,
    SortKey,
    check_names,
    find_column,
    kind_of,
    listed,
    plain,
    sort_keys,
    type_words,
)
from node_catalog.sdk.text import Text, text

Function = Literal[
    "row_number", "rank", "dense_rank", "ntile", "lag", "lead", "first", "last", "sum", "mean", "min", "max", "count"
]
_WORDS: Mapping[str, Text] = {
    "row_number": text("row number", "行号"),
    "rank": text("rank (with gaps)", "排名（并列后跳号）"),
    "dense_rank": text("rank (without gaps)", "排名（并列后不跳号）"),
    "ntile": text("which of n equal parts", "等分后的组号"),
    "lag": text("value of an earlier row", "前面某行的值"),
    "lead": text("value of a later row", "后面某行的值"),
    "first": text("first", "第一个"),
    "last": text("last", "最后一个"),
    "sum": text("sum", "求和"),
    "mean": text("average", "平均值"),
    "min": text("smallest", "最小值"),
    "max": text("largest", "最大值"),
    "count": text("count", "计数"),
}
_NUMBERS_ONLY = ("sum", "mean")
_PLACES = ("row_number", "rank", "dense_rank", "ntile")
_SHIFTS = ("lag", "lead")
_FRAMED = ("sum", "mean", "min", "max", "count", "first", "last")
_NEED_ORDER = (*_PLACES, *_SHIFTS, "first", "last")


class WindowColumn(Settings, kw_only=True):
    """One new column."""

    name: Annotated[str, setting(text("Name", "名称"), min_length=1, max_length=200)]
    function: Annotated[Function, setting(text("Figure", "计算方式"), choices=_WORDS)]
    column: Annotated[
        str,
        setting(
            text("Of column", "所用的列"),
            text("Not for places and for counting rows.", "排名、行号和统计行数时不需要。"),
            widget="column",
        ),
    ] = ""
    offset: Annotated[
        Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)] | None,
        setting(
            text("How many", "数量"),
            text(
                "How many rows before or after (1 if empty); for equal parts: how many parts.",
                "前后相隔的行数（留空为 1）；等分时为份数。",
            ),
        ),
    ] = None
    default: Annotated[
        Scalar | None,
        setting(text("Where there is no such row", "没有这样的行时填"), text("Empty: no value.", "留空则为空值。")),
    ] = None
    frame: Annotated[
        Frame | None,
        setting(
            text("Over which rows", "计算范围"),
            text("Needed for a figure when there is an order.", "设置了排序时，统计类计算需要指定范围。"),
        ),
    ] = None

    def found_problems(self, pointer: str, is_ordered: bool) -> Iterable[Problem]:
        """What does not fit between this column's own fields."""
        word = _WORDS[self.function]
        if self.function in _PLACES and self.column:
            message = text(
                f"“{word['en']}” takes no column; the order decides.", f"“{word['zh-CN']}”由排序决定，无需选择列。"
            )
            yield Problem(f"{pointer}/column", "window.column_unused", message)
        if self.function not in (*_PLACES, "count") and not self.column:
            message = text(f"“{word['en']}” needs a column.", f"“{word['zh-CN']}”需要选择一列。")
            yield Problem(f"{pointer}/column", "window.column_missing", message)
        if self.function in _NEED_ORDER and not is_ordered:
            message = text(
                f"“{word['en']}” needs an order, otherwise the answer is a matter of chance.",
                f"“{word['zh-CN']}”需要设置排序，否则结果不确定。",
            )
            yield Problem("/order_by", "window.order_missing", message)
        if self.function == "ntile" and not self.offset:
            message = text("Say into how many parts, at least 1.", "请填写等分的份数，至少为 1。")
            yield Problem(f"{pointer}/offset", "window.parts_missing", message)
        if self.offset is not None and self.function not in (*_SHIFTS, "ntile"):
            message = text(f"“{word['en']}” takes no number of rows.", f"“{word['zh-CN']}”不需要填写数量。")
            yield Problem(f"{pointer}/offset", "window.offset_unused", message)
        if self.default is not None and self.function not in _SHIFTS:
            message = text(
                "A replacement is only possible for values of earlier or later rows.",
                "只有取前后行的值时才能设置替代值。",
            )
            yield Problem(f"{pointer}/default", "window.default_unused", message)
        yield from self._frame_problems(pointer, is_ordered)

    def _frame_problems(self, pointer: str, is_ordered: bool) -> Iterable[Problem]:
        if self.frame is None:
            if is_ordered and self.function in _FRAMED and self.function not in ("first", "last"):
                message = text(
                    "With an order, say over which rows: for example from the first to this row, or all of them.",
                    "设置了排序时，请指定计算范围，例如从第一行到本行，或全部行。",
                )
                yield Problem(f"{pointer}/frame", "window.frame_missing", message)
        elif self.function not in _FRAMED:
            word = _WORDS[self.function]
            message = text(f"“{word['en']}” takes no range of rows.", f"“{word['zh-CN']}”不能设置计算范围。")
            yield Problem(f"{pointer}/frame", "window.frame_unused", message)
        elif not is_ordered:
            message = text("A range of rows needs an order.", "设置计算范围需要先设置排序。")
            yield Problem("/order_by", "window.order_missing", message)
        else:
            yield from self.frame.found_problems(f"{pointer}/frame")


class WindowSettings(Settings, kw_only=True):
    """Groups, order, and what is worked out for each row."""

    partition_by: Annotated[
        tuple[str, ...],
        setting(
            text("Within each", "分组依据"),
            text("Only rows of the same group are looked at; none: all rows.", "只在同组的行中计算；不选则为全部行。"),
            widget="columns",
        ),
    ] = ()
    order_by: Annotated[
        tuple[SortKey, ...],
        setting(
            text("In this order", "排序"),
            text("For places, neighbours and ranges.", "用于排名、前后行和计算范围。"),
            widget="sort",
        ),
    ] = ()
    columns: Annotated[
        tuple[WindowColumn, ...],
        setting(text("New columns", "新列"), widget="window-columns", min_length=1),
    ]

    def problems(self) -> Iterable[Problem]:
        """Each column must make sense in itself and with the order."""
        for index, column in enumerate(self.columns):
            yield from column.found_problems(f"/columns/{index}", bool(self.order_by))


class Window(Transform):
    """Adds columns that are worked out from the rows around each row; no row is added or removed."""

    key = "window"
    title = text("Running figures", "滑动计算")
    summary = text("Ranks, neighbours, running sums and averages", "排名、前后行、累计与滑动平均")
    help = text(
        "Adds columns to each row that look at other rows of its group: its place, the value of the row before, a "
        "running sum, an average of the last hours. Every row stays. A range of rows goes from … to …: negative is "
        "before, 0 this row, empty without end; in values of the order column it may be a length of time like -PT1H. "
        "First and last look at the whole group unless a range is given. A new column with a name that is there "
        "replaces it.",
        "为每一行增加由同组其他行计算出的列：排名、上一行的值、累计和、最近几小时的平均值等，行数不变。计算范围由起点和终点组成："
        "负数为之前，0 为本行，留空为不限；按排序列的值计量时可填写时长，如 -PT1H。"
        "“第一个”和“最后一个”未设置范围时针对整个组。"
        "新列与已有列同名时替换该列。",
    )
    icon = "LineChartOutlined"
    Settings = WindowSettings
    group = "summarise"
    keeps_rows = True
    takes_unbounded = False
    examples = (
        Example(
            title=text(
                "Place, the hour before, and an average of the last two hours", "排名、上一小时的值与两小时平均"
            ),
            settings={
                "partition_by": ["station"],
                "order_by": [{"column": "ts"}],
                "columns": [
                    {"name": "n", "function": "row_number"},
                    {"name": "before", "function": "lag", "column": "pm25", "default": -1},
                    {
                        "name": "recent",
                        "function": "mean",
                        "column": "pm25",
                        "frame": {"unit": "range", "from": "-PT1H", "to": 0},
                    },
                    {"name": "worst", "function": "max", "column": "pm25", "frame": {"unit": "rows", "to": 0}},
                    {"name": "hours", "function": "count", "frame": {"unit": "rows"}},
                ],
            },
            inputs={
                "in": (
                    {"station": "text", "ts": "timestamp", "pm25": "number"},
                    [
                        ["a", "2024-01-01T01:00:00", 10.0],
                        ["a", "2024-01-01T02:00:00", 30.0],
                        ["a", "2024-01-01T04:00:00", None],
                        ["b", "2024-01-01T01:00:00", 5.0],
                    ],
                )
            },
            output=(
                {
                    "station": "text",
                    "ts": "timestamp",
                    "pm25": "number",
                    "n": "integer",
                    "before": "number",
                    "recent": "number",
                    "worst": "number",
                    "hours": "integer",
                },
                [
                    ["a", "2024-01-01T01:00:00", 10.0, 1, -1.0, 10.0, 10.0, 3],
                    ["a", "2024-01-01T02:00:00", 30.0, 2, 10.0, 20.0, 30.0, 3],
                    ["a", "2024-01-01T04:00:00", None, 3, 30.0, None, 30.0, 3],
                    ["b", "2024-01-01T01:00:00", 5.0, 1, -1.0, 5.0, 5.0, 1],
                ],
            ),
        ),
        Example(
            title=text("Ranks and quarters, and the share of the whole", "排名、四等分与总和"),
            settings={
                "order_by": [{"column": "v", "descending": True}],
                "columns": [
                    {"name": "rank", "function": "rank"},
                    {"name": "dense", "function": "dense_rank"},
                    {"name": "half", "function": "ntile", "offset": 2},
                    {"name": "best", "function": "first", "column": "v"},
                    {"name": "total", "function": "sum", "column": "v", "frame": {"unit": "rows"}},
                ],
            },
            inputs={"in": ({"v": "integer"}, [[9], [9], [5], [None]])},
            output=(
                {
                    "v": "integer",
                    "rank": "integer",
                    "dense": "integer",
                    "half": "integer",
                    "best": "integer",
                    "total": "integer",
                },
                [[9, 1, 1, 1, 9, 23], [9, 1, 1, 1, 9, 23], [5, 3, 2, 2, 9, 23], [None, 4, 3, 2, 9, 23]],
            ),
        ),
    )

    @classmethod
    def apply(cls, inputs: Mapping[str, Sequence[Any]], settings: WindowSettings, context: BuildContext) -> Any:
        """The same rows with the new columns, all worked out from the incoming ones."""
        table = inputs["in"][0]
        pointers = [f"/columns/{index}" for index in range(len(settings.columns))]
        new = [column.name for column in settings.columns]
        check_names(context, new, [f"{pointer}/name" for pointer in pointers])
        added = [
            (name, f"{pointer}/name") for name, pointer in zip(new, pointers, strict=True) if name not in table.columns
        ]
        check_names(
            context,
            [*table.columns, *(name for name, _ in added)],
            [*[""] * len(table.columns), *(at for _, at in added)],
        )
        groups = [
            find_column(context, table, name, f"/partition_by/{index}")
            for index, name in enumerate(settings.partition_by)
        ]
        order = sort_keys(context, table, settings.order_by, "/order_by")
        made = {
            column.name: plain(context, cls._value(table, column, groups, order, settings, context, pointer), pointer)
            for column, pointer in zip(settings.columns, pointers, strict=True)
        }
        kept = {name: made.get(name, table[name]) for name in table.columns}
        return table.select(**{**kept, **made})

    @classmethod
    def _value(
        cls,
        table: Any,
        column: WindowColumn,
        groups: list[Any],
        order: list[Any],
        settings: WindowSettings,
        context: BuildContext,
        pointer: str,
    ) -> Any:
        import ibis

        over = ibis.window(group_by=groups or None, order_by=order or None)
        if column.function in _PLACES:
            return _place(column).over(over) + 1
        value: Any = find_column(context, table, column.column, f"{pointer}/column") if column.column else None
        if column.function in _NUMBERS_ONLY and kind_of(value) not in NUMERIC:
            raise _not_number(column, value, context, pointer)
        if column.function in _SHIFTS:
            shift = value.lag if column.function == "lag" else value.lead
            offset = 1 if column.offset is None else column.offset
            if column.default is None:
                return shift(offset).over(over)
            return shift(offset, constant(context, column.default, value.type(), f"{pointer}/default")).over(over)
        if order:
            over = _framed(column.frame or Frame(), groups, order, table, settings, context, f"{pointer}/frame")
        if value is None:
            return table.count().over(over)
        if column.function == "sum":
            return exact_sum(value.sum().over(over), value)
        if column.function in ("first", "last"):
            pick = value.first if column.function == "first" else value.last
            return pick(include_null=True).over(over)
        figures = {"mean": as_float(value).mean, "min": value.min, "max": value.max, "count": value.count}
        return figures[column.function]().over(over)

    @classmethod
    def summarise(cls, settings: Mapping[str, Any]) -> Text:
        """The new columns and the groups."""
        names = listed(one.get("name") for one in settings.get("columns") or () if isinstance(one, Mapping))
        by = listed(settings.get("partition_by") or ())
        if not names:
            return text("no columns yet", "尚未添加列")
        return text(f"{names} within {by}" if by else names, f"按 {by} 计算 {names}" if by else f"计算 {names}")


def _place(column: WindowColumn) -> Any:
    """The function of a row's place, counted from 0 as Ibis does."""
    import ibis

    if column.function == "ntile":
        return ibis.ntile(column.offset)
    makers = {"row_number": ibis.row_number, "rank": ibis.rank, "dense_rank": ibis.dense_rank}
    return makers[column.function]()


def _framed(
    frame: Frame,
    groups: list[Any],
    order: list[Any],
    table: Any,
    settings: WindowSettings,
    context: BuildContext,
    pointer: str,
) -> Any:
    import ibis

    common = {"group_by": groups or None, "order_by": order}
    if frame.unit == "rows":
        return ibis.window(**common, rows=(frame.start, frame.end))
    edges = [frame.start, frame.end]
    if any(edge not in (None, 0) for edge in edges):
        check_range(frame, table, settings.order_by, context, pointer)
    return ibis.window(**common, range=tuple(range_edge(edge) for edge in edges))


def _not_number(column: WindowColumn, value: Any, context: BuildContext, pointer: str) -> Exception:
    words, function = type_words(kind_of(value)), _WORDS[column.function]
    message = text(
        f"“{column.column}” is {words['en']}; “{function['en']}” needs numbers. Convert the column before.",
        f"“{column.column}”是{words['zh-CN']}，“{function['zh-CN']}”需要数字。请先转换该列。",
    )
    fix = {"cast": {"column": column.column, "type": "number"}}
    return context.problem("window.not_number", message, f"{pointer}/column", fix)
