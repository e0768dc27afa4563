"""Fill: put values where there are none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec

from node_catalog.sdk.constants import Scalar, constant
from node_catalog.sdk.contract import BuildContext, Example, Settings, Transform
from node_catalog.sdk.errors import Problem
from node_catalog.sdk.fields import setting
from node_catalog.sdk.figures import as_float
from node_catalog.sdk.relation import (
    NUMERIC,
    SortKey,
    check_names,
    find_column,
    hidden_name,
    kind_of,
    listed,
    sort_keys,
    type_words,
)
from node_catalog.sdk.text import Text, text

Way = Literal["constant", "forward", "linear", "mean"]
_WORDS: Mapping[str, Text] = {
    "constant": text("a fixed value", "固定值"),
    "forward": text("the last value before", "前一个值"),
    "linear": text("on a straight line between the neighbours", "线性插值"),
    "mean": text("the average", "平均值"),
}
_NUMBERS_ONLY = ("linear", "mean")
_MOMENTS = ("date", "timestamp")


class FillColumn(Settings, kw_only=True):
    """One column, and what goes where it is empty."""

    column: Annotated[str, setting(text("Column", "列"), widget="column", min_length=1)]
    way: Annotated[Way, setting(text("Fill with", "填补方式"), choices=_WORDS)] = msgspec.field(name="with")
    value: Annotated[
        Scalar | None,
        setting(text("Value", "值"), text("For a fixed value.", "用于固定值。")),
    ] = None
    max_gap: Annotated[
        Annotated[int, msgspec.Meta(ge=1)] | None,
        setting(
            text("Only gaps of at most", "最长连续空值"),
            text(
                "How many rows in a row may be empty; a longer gap stays empty as a whole.",
                "连续为空的行数上限；超过时整段保持为空。",
            ),
        ),
    ] = None

    def found_problems(self, pointer: str, is_ordered: bool) -> Iterable[Problem]:
        """What does not fit between this column's own fields."""
        if self.way == "constant" and self.value is None:
            yield Problem(f"{pointer}/value", "fill.value_missing", text("Give the value.", "请填写要填入的值。"))
        if self.way != "constant" and self.value is not None:
            message = text("A value is only given for “a fixed value”.", "只有选择“固定值”时才填写值。")
            yield Problem(f"{pointer}/value", "fill.value_unused", message)
        if (self.way in ("forward", "linear") or self.max_gap is not None) and not is_ordered:
            message = text(
                "Choose the order of the rows, usually the time: otherwise no row is before another.",
                "请设置行的排序（通常是时间），否则无法确定先后。",
            )
            yield Problem("/order_by", "fill.order_missing", message)


class FillSettings(Settings, kw_only=True):
    """Which columns are filled, with what, and along which order."""

    columns: Annotated[
        tuple[FillColumn, ...],
        setting(text("Fill", "填补的列"), widget="fill-list", min_length=1),
    ]
    order_by: Annotated[
        tuple[SortKey, ...],
        setting(
            text("In this order", "排序"),
            text("What “before” means, usually the time.", "用来判断先后，通常是时间。"),
            widget="sort",
        ),
    ] = ()
    partition_by: Annotated[
        tuple[str, ...],
        setting(
            text("Within each", "分组依据"),
            text(
                "Values are taken from the same group only; none: from all rows.", "只用同组的值填补；不选则用全部行。"
            ),
            widget="columns",
        ),
    ] = ()

    def problems(self) -> Iterable[Problem]:
        """Each column must make sense in itself and with the order; a straight line needs one axis."""
        for index, one in enumerate(self.columns):
            yield from one.found_problems(f"/columns/{index}", bool(self.order_by))
            for at, name in enumerate(self.partition_by):
                if name == one.column:
                    message = text("A column that makes the groups cannot be filled.", "分组依据的列不能填补。")
                    yield Problem(f"/partition_by/{at}", "fill.partition", message)
        if any(one.way == "linear" for one in self.columns) and len(self.order_by) > 1:
            message = text(
                "A straight line needs exactly one order column: the time or number it runs along.",
                "线性插值只能有一个排序列，即插值所沿的时间或数字。",
            )
            yield Problem("/order_by", "fill.linear_order", message)


class Fill(Transform):
    """Puts values where there are none; no row is added or removed."""

    key = "fill"
    title = text("Fill empty values", "填补空值")
    summary = text("Fixed value, last value, straight line or average", "用固定值、前值、插值或平均值填补")
    help = text(
        "Fills empty values of chosen columns: with a fixed value, with the last value before, on a straight line "
        "between the values before and after, or with the average. Values come from the same group only. What lies "
        "before the first value stays empty with “last value”; a straight line fills only between two values. "
        "A straight line and the average make whole numbers and exact decimals plain numbers.",
        "填补所选列的空值：用固定值、前一个值、前后两个值之间的线性插值，或平均值。只取同组的值。“前一个值”不填第一个值之前的空值；"
        "线性插值只填两个值之间的空值。线性插值和平均值会把整数和定点小数变为普通数字。",
    )
    icon = "FormatPainterOutlined"
    Settings = FillSettings
    rank = 100
    keeps_order = True
    keeps_rows = True
    takes_unbounded = False
    examples = (
        Example(
            title=text("A straight line over time, and the last value", "按时间线性插值，以及沿用前值"),
            settings={
                "columns": [
                    {"column": "pm25", "with": "linear"},
                    {"column": "state", "with": "forward", "max_gap": 1},
                ],
                "order_by": [{"column": "ts"}],
                "partition_by": ["station"],
            },
            inputs={
                "in": (
                    {"station": "text", "ts": "timestamp", "pm25": "number", "state": "text"},
                    [
                        ["a", "2024-01-01T00:00:00", None, None],
                        ["a", "2024-01-01T01:00:00", 10.0, "ok"],
                        ["a", "2024-01-01T02:00:00", None, None],
                        ["a", "2024-01-01T05:00:00", 50.0, "bad"],
                        ["a", "2024-01-01T06:00:00", None, None],
                        ["a", "2024-01-01T07:00:00", None, None],
                        ["b", "2024-01-01T02:00:00", None, None],
                    ],
                )
            },
            output=(
                {"station": "text", "ts": "timestamp", "pm25": "number", "state": "text"},
                [
                    ["a", "2024-01-01T00:00:00", None, None],
                    ["a", "2024-01-01T01:00:00", 10.0, "ok"],
                    ["a", "2024-01-01T02:00:00", 20.0, "ok"],
                    ["a", "2024-01-01T05:00:00", 50.0, "bad"],
                    ["a", "2024-01-01T06:00:00", None, None],
                    ["a", "2024-01-01T07:00:00", None, None],
                    ["b", "2024-01-01T02:00:00", None, None],
                ],
            ),
        ),
        Example(
            title=text("A fixed value, and the average of the group", "固定值与组内平均值"),
            settings={
                "columns": [{"column": "n", "with": "constant", "value": 0}, {"column": "v", "with": "mean"}],
                "partition_by": ["k"],
            },
            inputs={
                "in": (
                    {"k": "text", "n": "integer", "v": "integer"},
                    [["a", None, 1], ["a", 3, 2], ["a", 4, None], [None, None, None]],
                )
            },
            output=(
                {"k": "text", "n": "integer", "v": "number"},
                [["a", 0, 1.0], ["a", 3, 2.0], ["a", 4, 1.5], [None, 0, None]],
            ),
        ),
    )

    @classmethod
    def apply(cls, inputs: Mapping[str, Sequence[Any]], settings: FillSettings, context: BuildContext) -> Any:
        """The same rows in the same order, with the empty values filled where there is something to fill them with."""
        import ibis

        table = inputs["in"][0]
        cls._check(table, settings, context)
        if (
            not settings.partition_by
            and not settings.order_by
            and all(one.way == "constant" for one in settings.columns)
        ):
            made = {}
            for index, one in enumerate(settings.columns):
                value = table[one.column]
                made[one.column] = value.coalesce(_fixed(value, one, index, context))
            return table.mutate(**made)
        came = hidden_name(table.columns, "__came")
        numbered = table.mutate(ibis.row_number().name(came))
        walk = _Walk(numbered, settings, context)
        made = {one.column: walk.filled(one, index) for index, one in enumerate(settings.columns)}
        rows = walk.rows
        filled = rows.select(**{name: made.get(name, rows[name]) for name in table.columns}, **{came: rows[came]})
        return filled.order_by(ibis.asc(filled[came], nulls_first=False)).select(*table.columns)

    @staticmethod
    def _check(table: Any, settings: FillSettings, context: BuildContext) -> None:
        names = [one.column for one in settings.columns]
        check_names(context, names, [f"/columns/{index}/column" for index in range(len(names))])
        for index, name in enumerate(settings.partition_by):
            find_column(context, table, name, f"/partition_by/{index}")
        sort_keys(context, table, settings.order_by, "/order_by")
        for index, one in enumerate(settings.columns):
            value = find_column(context, table, one.column, f"/columns/{index}/column")
            if one.way in _NUMBERS_ONLY and kind_of(value) not in NUMERIC:
                words, way = type_words(kind_of(value)), _WORDS[one.way]
                message = text(
                    f"“{one.column}” is {words['en']}; “{way['en']}” needs numbers. Choose another way, or convert "
                    "the column before.",
                    f"“{one.column}”是{words['zh-CN']}，“{way['zh-CN']}”需要数字。请换一种方式，或先转换该列。",
                )
                fix = {"cast": {"column": one.column, "type": "number"}}
                raise context.problem("fill.not_number", message, f"/columns/{index}/with", fix)
            axis = settings.order_by[0].column if one.way == "linear" else ""
            if axis and kind_of(table[axis]) not in (*_MOMENTS, *NUMERIC):
                words = type_words(kind_of(table[axis]))
                message = text(
                    f"A straight line runs along dates, times or numbers, but “{axis}” is {words['en']}.",
                    f"线性插值需要沿日期、时间或数字进行，而“{axis}”是{words['zh-CN']}。",
                )
                raise context.problem("fill.linear_axis", message, "/order_by/0/column")

    @classmethod
    def summarise(cls, settings: Mapping[str, Any]) -> Text:
        """The columns and how they are filled."""
        items = [one for one in settings.get("columns") or () if isinstance(one, Mapping)]
        named = [(one.get("column") or "…", _WORDS.get(str(one.get("with")), text("…", "…"))) for one in items]
        en = listed(f"{name}: {words['en']}" for name, words in named)
        zh = listed(f"{name}：{words['zh-CN']}" for name, words in named)
        return text(en or "no columns yet", zh or "尚未选择列")


class _Walk:
    """The rows in their order, numbered once, so that every look before and after sees ties the same way."""

    def __init__(self, table: Any, settings: FillSettings, context: BuildContext) -> None:
        import ibis

        self.settings, self.context = settings, context
        self.place = hidden_name(table.columns, "__place")
        if settings.order_by:
            keys = sort_keys(context, table, settings.order_by, "/order_by")
            number = ibis.row_number().over(group_by=self._groups(table), order_by=keys)
            table = table.mutate(number.name(self.place))
        self.rows = table

    def _groups(self, table: Any) -> list[Any] | None:
        return [table[name] for name in self.settings.partition_by] or None

    def filled(self, one: FillColumn, index: int) -> Any:
        """The column with its empty values filled."""
        import ibis

        value = self.rows[one.column]
        if one.way == "constant":
            new = _fixed(value, one, index, self.context)
        elif one.way == "mean":
            value = as_float(value)
            new = value.mean().over(ibis.window(group_by=self._groups(self.rows)))
        elif one.way == "forward":
            new = self._seen(value, value.notnull(), before=True)
        else:
            value = as_float(value)
            new = self._line(value)
        if one.max_gap is not None:
            new = ibis.ifelse(self._gap(self.rows[one.column]) <= one.max_gap, new, ibis.null(new.type()))
        return value.coalesce(new)

    def _window(self, before: bool) -> Any:
        """All rows of the group up to this one, or from this one on."""
        import ibis

        order = [ibis.asc(self.rows[self.place], nulls_first=False)]
        rows = (None, 0) if before else (0, None)
        return ibis.window(group_by=self._groups(self.rows), order_by=order, rows=rows)

    def _spot(self, known: Any, before: bool) -> Any:
        """The number of the last row up to here (or the first from here on) where ``known`` holds."""
        import ibis

        place = ibis.ifelse(known, self.rows[self.place], ibis.null("int64"))
        return (place.max() if before else place.min()).over(self._window(before))

    def _seen(self, value: Any, known: Any, before: bool) -> Any:
        """``value`` in the last row up to here (or the first from here on) where ``known`` holds: the two numbered
        together, so that the largest (or smallest) number brings its value along.
        """
        import ibis

        known_value = ibis.ifelse(known, value, ibis.null(value.type()))
        places = ibis.ifelse(known, self.rows[self.place], ibis.null("int64"))
        picked = known_value.argmax(places) if before else known_value.argmin(places)
        return picked.over(self._window(before))

    def _gap(self, value: Any) -> Any:
        """How many rows in a row are empty here."""
        import ibis

        whole = ibis.window(group_by=self._groups(self.rows))
        before = self._spot(value.notnull(), True).coalesce(-1)
        after = self._spot(value.notnull(), False).coalesce(self.rows.count().over(whole))
        return after - before - 1

    def _line(self, value: Any) -> Any:
        """The value on the straight line between the neighbours, by the one order column."""
        import ibis

        axis = self.rows[self.settings.order_by[0].column]
        if kind_of(axis) in _MOMENTS:
            start = ibis.literal("1970-01-01T00:00:00").cast("timestamp(6)")
            axis = axis.cast("timestamp(6)").delta(start, unit="microsecond")
        axis = as_float(axis)
        known = value.notnull() & axis.notnull()
        x0, x1 = self._seen(axis, known, True), self._seen(axis, known, False)
        y0, y1 = self._seen(value, known, True), self._seen(value, known, False)
        return ibis.ifelse(x1 == x0, y0, y0 + (y1 - y0) * ((axis - x0) / (x1 - x0)))


def _fixed(value: Any, one: FillColumn, index: int, context: BuildContext) -> Any:
    return constant(context, one.value if one.value is not None else "", value.type(), f"/columns/{index}/value")
