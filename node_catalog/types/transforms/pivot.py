"""Pivot: values become columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal

from node_catalog.sdk.constants import Scalar, constant
from node_catalog.sdk.contract import BuildContext, Example, Settings, Transform
from node_catalog.sdk.errors import Problem
from node_catalog.sdk.fields import setting
from node_catalog.sdk.figures import FIGURES
from node_catalog.sdk.open_columns import map_from, map_of, value_at
from node_catalog.sdk.relation import (
    NUMERIC,
    check_names,
    find_column,
    hidden_name,
    kind_of,
    listed,
    plain,
    type_words,
)
from node_catalog.sdk.row_limit import COLUMNS, at_most
from node_catalog.sdk.text import Text, text

Function = Literal["sum", "mean", "min", "max", "count", "count_distinct", "median", "stddev"]
_WORDS: Mapping[str, Text] = {
    "sum": text("sum", "求和"),
    "mean": text("average", "平均值"),
    "min": text("smallest", "最小值"),
    "max": text("largest", "最大值"),
    "count": text("number of values", "值的个数"),
    "count_distinct": text("number of different values", "不同值个数"),
    "median": text("median", "中位数"),
    "stddev": text("standard deviation", "标准差"),
}
EMPTY = "(empty)"
"""The column of rows whose value is empty, when the data decides the columns."""
MOST_COLUMNS = 300
_NO_NAMES = ("binary", "geometry", "columns")
_NUMBERS_ONLY = ("sum", "mean", "median", "stddev")


class PivotColumn(Settings):
    """One value that becomes a column."""

    value: Annotated[
        Scalar | None,
        setting(
            text("Value", "值"),
            text("Nothing stands for rows with an empty value.", "不填表示该列为空的行。"),
        ),
    ]
    name: Annotated[str, setting(text("Name of the new column", "新列名"), min_length=1, max_length=200)]


class PivotSettings(Settings):
    """Where the new columns' names and figures come from."""

    names: Annotated[
        str,
        setting(
            text("Column whose values become columns", "取值变成列的列"),
            widget="column",
            min_length=1,
        ),
    ]
    values: Annotated[
        str,
        setting(
            text("Column with the values", "数值所在的列"),
            text("What stands in the new columns.", "新列中填入的数据。"),
            widget="column",
            min_length=1,
        ),
    ]
    function: Annotated[
        Function,
        setting(
            text("When there are several", "有多个值时"),
            text("How several values for one cell become one.", "同一格有多个值时如何合成一个。"),
            choices=_WORDS,
        ),
    ]
    into: Annotated[
        tuple[PivotColumn, ...],
        setting(
            text("New columns", "新列"),
            text(
                "One column for each value; other values are left out. With none listed, the data decides.",
                "每个值得到一列，其他值不计入。不列出时，由数据决定有哪些列。",
            ),
            widget="pivot-into",
        ),
    ] = ()
    most: Annotated[
        int,
        setting(
            text("At most so many new columns", "最多新列数"),
            text(
                "Only when the data decides the columns: with more values than that, the run stops.",
                "仅在由数据决定新列时有效：取值超过该数时，运行会停止。",
            ),
            ge=1,
            le=MOST_COLUMNS,
            extra={"x-advanced": True},
        ),
    ] = 100

    def problems(self) -> Iterable[Problem]:
        """A column cannot give names and values at once."""
        if self.names == self.values:
            message = text(
                "Choose two different columns: one for the names, one for the values.",
                "请选择两个不同的列：一列提供列名，一列提供数据。",
            )
            yield Problem("/values", "pivot.same_column", message)
        seen: set[tuple[str, Any]] = set()
        for index, one in enumerate(self.into):
            key = (type(one.value).__name__, one.value)
            if key in seen:
                message = text(f"The value “{one.value}” is listed twice.", f"值“{one.value}”重复列出。")
                yield Problem(f"/into/{index}/value", "pivot.value_twice", message)
            seen.add(key)


class Pivot(Transform):
    """Turns the values of one column into columns: one row for each combination of the other columns."""

    key = "pivot"
    title = text("Rows to columns", "行转列")
    summary = text("Make a column of each value", "把一列的各个取值变成多列")
    help = text(
        "Makes a cross table: each listed value of one column becomes a column, filled from a second column; all "
        "other columns stay and make the rows. A cell without a matching row is empty. Empty values in the remaining "
        "columns count as equal. List the values, so that the columns are known before the flow runs; with none "
        "listed, the run makes a column of every value it finds, and steps behind can only count on the other columns.",
        "生成交叉表：一列中列出的每个取值变成一个新列，数据取自另一列；其余各列保留，每种组合一行。没有匹配行的格子为空；"
        "其余列中的空值视为相等。请列出取值，这样在运行之前就能确定有哪些列；"
        "不列出时，运行会为找到的每个取值各建一列，后面的步骤只能依赖其余各列。",
    )
    icon = "TableOutlined"
    Settings = PivotSettings
    group = "summarise"
    takes_unbounded = False
    examples = (
        Example(
            title=text("A column for each pollutant", "每种污染物一列"),
            settings={
                "names": "pollutant",
                "values": "level",
                "function": "mean",
                "into": [{"value": "pm25", "name": "PM2.5"}, {"value": "o3", "name": "臭氧"}],
            },
            inputs={
                "in": (
                    {"station": "text", "pollutant": "text", "level": "number"},
                    [
                        ["a", "pm25", 80.0],
                        ["a", "pm25", 60.0],
                        ["a", "o3", 20.0],
                        ["b", "pm25", None],
                        [None, "o3", 5.0],
                        [None, "pm25", 1.0],
                        ["c", "no2", 9.0],
                    ],
                )
            },
            output=(
                {"station": "text", "PM2.5": "number", "臭氧": "number"},
                [["a", 70.0, 20.0], ["b", None, None], [None, 1.0, 5.0], ["c", None, None]],
            ),
        ),
        Example(
            title=text("Counts; a column for the rows without a value", "计数，并为空值单列一列"),
            settings={
                "names": "year",
                "values": "n",
                "function": "count",
                "into": [{"value": 2024, "name": "y2024"}, {"value": None, "name": "unknown"}],
            },
            inputs={
                "in": (
                    {"k": "text", "year": "integer", "n": "integer"},
                    [["a", 2024, 1], ["a", 2024, None], ["a", None, 3], ["b", None, None]],
                )
            },
            output=({"k": "text", "y2024": "integer", "unknown": "integer"}, [["a", 1, 1], ["b", None, 0]]),
        ),
    )

    @classmethod
    def apply(cls, inputs: Mapping[str, Sequence[Any]], settings: PivotSettings, context: BuildContext) -> Any:
        """One row for each combination of the other columns, one column for each listed value (or each there is)."""
        import ibis

        table = inputs["in"][0]
        names = find_column(context, table, settings.names, "/names")
        values = find_column(context, table, settings.values, "/values")
        if settings.function in _NUMBERS_ONLY and kind_of(values) not in NUMERIC:
            raise cls._not_number(values, settings, context)
        if not settings.into:
            return cls._open(table, names, values, settings, context)
        keys = [name for name in table.columns if name not in (settings.names, settings.values)]
        pointers = [f"/into/{index}/name" for index in range(len(settings.into))]
        check_names(context, [*keys, *(one.name for one in settings.into)], [*[""] * len(keys), *pointers])
        made = {}
        for index, one in enumerate(settings.into):
            pointer = f"/into/{index}/value"
            where = (
                names.isnull() if one.value is None else names == constant(context, one.value, names.type(), pointer)
            )
            figure = FIGURES[settings.function](values, where, None)
            if settings.function.startswith("count"):
                figure = ibis.ifelse(table.count(where=where) > 0, figure, ibis.null("int64"))
            made[one.name] = plain(context, figure, pointer)
        return table.aggregate(by=[table[name] for name in keys], **made)

    @classmethod
    def _open(cls, table: Any, names: Any, values: Any, settings: PivotSettings, context: BuildContext) -> Any:
        """The data decides: every row gets a map from all values there are to its figures (see ``open_columns``)."""
        import ibis

        cls._warn(names, settings, context)
        keys = [name for name in table.columns if name not in (settings.names, settings.values)]
        name, rank, value, held = (hidden_name(keys, wanted) for wanted in ("__name", "__rank", "__value", "__held"))
        label = ibis.coalesce(names.cast("string").nullif(""), EMPTY)
        long = table.select(*keys, label.name(name), names.name(rank), values.name(value))
        figure = plain(context, FIGURES[settings.function](long[value], None, None), "/function")
        cells = long.aggregate(by=[*keys, name], **{rank: long[rank].min(), value: figure})
        found = cells.aggregate(by=[name], **{rank: cells[rank].min()})
        order = [ibis.asc(found[rank], nulls_first=False), found[name]]
        all_names = at_most(found[name].collect(order_by=order), found.count(), settings.most, COLUMNS)
        columns = found.aggregate(names=all_names).as_scalar()
        figures = cells[value].collect(include_null=True)
        rows = cells.aggregate(by=keys, **{held: map_from(cells[name].collect(), figures)})
        further = map_of(columns, lambda one: value_at(rows[held], one))
        return rows.select(*keys, further.name(hidden_name(keys, f"{settings.names} …")))

    @staticmethod
    def _warn(names: Any, settings: PivotSettings, context: BuildContext) -> None:
        kind = kind_of(names)
        if kind in _NO_NAMES:
            words = type_words(kind)
            message = text(
                f"“{settings.names}” is {words['en']}, which makes no names of columns. Choose another column.",
                f"“{settings.names}”是{words['zh-CN']}，不能作为列名。请选择其他列。",
            )
            raise context.problem("pivot.names_type", message, "/names")
        message = text(
            f"Which columns “{settings.names}” makes shows only when the data has been read (at most "
            f"{settings.most}). List the values under “New columns” so that steps behind can count on them; if you do "
            "not know them, run once or look at the preview.",
            f"“{settings.names}”会变成哪些列，要读到数据后才知道（最多 {settings.most} 列）。请在“新列”中列出取值，"
            "后面的步骤才能依赖这些列；不清楚有哪些取值时，可先运行一次或查看预览。",
        )
        context.warn("pivot.open", message, "/into")

    @staticmethod
    def _not_number(values: Any, settings: PivotSettings, context: BuildContext) -> Exception:
        words, function = type_words(kind_of(values)), _WORDS[settings.function]
        message = text(
            f"“{settings.values}” is {words['en']}; “{function['en']}” needs numbers. Choose another figure, for "
            "example the largest, or convert the column before.",
            f"“{settings.values}”是{words['zh-CN']}，“{function['zh-CN']}”需要数字。请换一种方式（如“最大值”），或先转换该列。",
        )
        fix = {"cast": {"column": settings.values, "type": "number"}}
        return context.problem("pivot.not_number", message, "/function", fix)

    @classmethod
    def summarise(cls, settings: Mapping[str, Any]) -> Text:
        """Which values become columns."""
        names, values = settings.get("names"), settings.get("values")
        if not names or not values:
            return text("no columns yet", "尚未选择列")
        into = listed(one.get("name") for one in settings.get("into") or () if isinstance(one, Mapping))
        return text(f"{values} by {names}: {into or '…'}", f"按 {names} 展开 {values}：{into or '…'}")
