"""Aggregate: groups and measures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal

from node_catalog.sdk.contract import BuildContext, Example, Settings, Transform
from node_catalog.sdk.errors import Problem
from node_catalog.sdk.fields import setting
from node_catalog.sdk.figures import FIGURES
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
    "count", "count_distinct", "sum", "mean", "min", "max", "median", "stddev", "quantile", "first", "last"
]
_WORDS: Mapping[str, Text] = {
    "count": text("number of rows", "计数"),
    "count_distinct": text("number of different values", "不同值个数"),
    "sum": text("sum", "求和"),
    "mean": text("average", "平均值"),
    "min": text("smallest", "最小值"),
    "max": text("largest", "最大值"),
    "median": text("median", "中位数"),
    "stddev": text("standard deviation", "标准差"),
    "quantile": text("quantile", "分位数"),
    "first": text("first", "第一个"),
    "last": text("last", "最后一个"),
}
_NUMBERS_ONLY = ("sum", "mean", "median", "stddev", "quantile")
_ORDERED = ("first", "last")


class GroupBy(Settings):
    """A group key that is calculated."""

    name: Annotated[str, setting(text("Name", "名称"), min_length=1, max_length=200)]
    expression: Annotated[str, setting(text("Is calculated as", "计算方式"), widget="expression", min_length=1)]


class Measure(Settings):
    """One figure per group."""

    name: Annotated[str, setting(text("Name", "名称"), min_length=1, max_length=200)]
    function: Annotated[Function, setting(text("Figure", "统计方式"), choices=_WORDS)]
    column: Annotated[
        str,
        setting(
            text("Of column", "统计的列"),
            text("Empty only for counting rows.", "仅在统计行数时可以留空。"),
            widget="column",
        ),
    ] = ""
    expression: Annotated[
        str,
        setting(text("Or of a formula", "或统计公式的结果"), widget="expression", extra={"x-advanced": True}),
    ] = ""
    where: Annotated[
        str,
        setting(
            text("Only rows where", "只统计符合条件的行"),
            widget="expression",
            extra={"x-expression-type": "boolean", "x-advanced": True},
        ),
    ] = ""
    order_by: Annotated[
        tuple[SortKey, ...],
        setting(
            text("In this order", "排序"), text("For first and last.", "用于“第一个”和“最后一个”。"), widget="sort"
        ),
    ] = ()
    q: Annotated[
        float | None,
        setting(text("Share below", "分位点"), text("0.9: nine in ten values lie below.", "0.9 表示九成的值低于它。")),
    ] = None

    def found_problems(self, pointer: str) -> Iterable[Problem]:
        """What does not fit between this measure's own fields."""
        if self.column and self.expression:
            message = text("Give a column or a formula, not both.", "列和公式只能填写一个。")
            yield Problem(f"{pointer}/expression", "measure.two_sources", message)
        if self.function != "count" and not (self.column or self.expression):
            message = text(
                f"“{_WORDS[self.function]['en']}” needs a column.", f"“{_WORDS[self.function]['zh-CN']}”需要选择一列。"
            )
            yield Problem(f"{pointer}/column", "measure.column_missing", message)
        if self.function in _ORDERED and not self.order_by:
            message = text(
                "First and last need an order, otherwise any row could be meant.",
                "“第一个”和“最后一个”需要设置排序，否则结果不确定。",
            )
            yield Problem(f"{pointer}/order_by", "measure.order_missing", message)
        if self.function == "quantile" and (self.q is None or not 0 <= self.q <= 1):
            yield Problem(
                f"{pointer}/q",
                "measure.q",
                text("A quantile needs a share from 0 to 1.", "分位数需要 0 到 1 之间的分位点。"),
            )


class AggregateSettings(Settings):
    """Groups and measures."""

    by: Annotated[
        tuple[str | GroupBy, ...],
        setting(
            text("For each", "分组依据"),
            text(
                "One row for each combination of these; none: one row in all.", "每种组合得到一行；不选则全部合成一行。"
            ),
            widget="group-by",
        ),
    ] = ()
    measures: Annotated[
        tuple[Measure, ...],
        setting(text("Figures", "统计项"), widget="measures"),
    ] = ()

    def problems(self) -> Iterable[Problem]:
        """Something must come out, and each measure must make sense in itself."""
        if not self.by and not self.measures:
            yield Problem("/measures", "aggregate.empty", text("Choose at least one figure.", "请至少选择一个统计项。"))
        for index, measure in enumerate(self.measures):
            yield from measure.found_problems(f"/measures/{index}")


class Aggregate(Transform):
    """Makes one row of figures for each group of rows."""

    key = "aggregate"
    title = text("Summarise", "汇总")
    summary = text("Count, add up, average … per group", "按组计数、求和、求平均等")
    help = text(
        "Makes one row for each group, with the figures you choose: count, sum, average, smallest, largest and more. "
        "Empty values are left out of every figure, except when rows are counted; they form a group of their own.",
        "每组得到一行，包含所选的统计项：计数、求和、平均值、最小值、最大值等。统计时忽略空值（统计行数除外）；分组列为空的行自成一组。",
    )
    icon = "GroupOutlined"
    Settings = AggregateSettings
    group = "summarise"
    takes_unbounded = False
    examples = (
        Example(
            title=text("Hours and worst value per station", "每个站点的小时数和最高值"),
            settings={
                "by": ["station"],
                "measures": [
                    {"name": "hours", "function": "count"},
                    {"name": "measured", "function": "count", "column": "pm25"},
                    {"name": "worst", "function": "max", "column": "pm25"},
                    {"name": "bad", "function": "count", "where": "pm25 > 75"},
                ],
            },
            inputs={
                "in": (
                    {"station": "text", "pm25": "number"},
                    [["a", 80.0], ["a", 70.0], ["a", None], [None, None]],
                )
            },
            output=(
                {"station": "text", "hours": "integer", "measured": "integer", "worst": "number", "bad": "integer"},
                [["a", 3, 2, 80.0, 1], [None, 1, 0, None, 0]],
            ),
        ),
        Example(
            title=text("No group: one row, also over no rows", "不分组：没有数据时也得到一行"),
            settings={
                "measures": [
                    {"name": "n", "function": "count"},
                    {"name": "different", "function": "count_distinct", "column": "a"},
                    {"name": "total", "function": "sum", "column": "a"},
                    {"name": "average", "function": "mean", "column": "p"},
                ]
            },
            inputs={"in": ({"a": "integer", "p": "decimal(10,2)"}, [])},
            output=(
                {"n": "integer", "different": "integer", "total": "integer", "average": "number"},
                [[0, 0, None, None]],
            ),
        ),
        Example(
            title=text("Exact sums, interpolated quantiles, first and last", "精确求和、插值分位数、首末值"),
            settings={
                "measures": [
                    {"name": "total", "function": "sum", "column": "p"},
                    {"name": "average", "function": "mean", "column": "p"},
                    {"name": "middle", "function": "median", "column": "a"},
                    {"name": "q", "function": "quantile", "column": "a", "q": 0.25},
                    {"name": "spread", "function": "stddev", "column": "a"},
                    {"name": "early", "function": "first", "column": "a", "order_by": [{"column": "day"}]},
                    {"name": "late", "function": "last", "column": "a", "order_by": [{"column": "day"}]},
                    {"name": "twice", "function": "sum", "expression": "a * 2"},
                ]
            },
            inputs={
                "in": (
                    {"a": "integer", "p": "decimal(10,2)", "day": "date"},
                    [[1, "0.10", "2024-01-02"], [2, "0.20", "2024-01-01"], [4, "0.30", "2024-01-03"], [5, None, None]],
                )
            },
            output=(
                {
                    "total": "decimal(38,2)",
                    "average": "number",
                    "middle": "number",
                    "q": "number",
                    "spread": "number",
                    "early": "integer",
                    "late": "integer",
                    "twice": "integer",
                },
                [["0.60", 0.2, 3.0, 1.75, 1.8257418583505538, 2, 5, 24]],
            ),
        ),
        Example(
            title=text("A calculated group", "按计算结果分组"),
            settings={
                "by": [{"name": "is_bad", "expression": "pm25 > 75"}],
                "measures": [{"name": "n", "function": "count"}],
            },
            inputs={"in": ({"pm25": "number"}, [[80.0], [90.0], [1.0], [None]])},
            output=({"is_bad": "boolean", "n": "integer"}, [[True, 2], [False, 1], [None, 1]]),
        ),
    )

    @classmethod
    def apply(cls, inputs: Mapping[str, Sequence[Any]], settings: AggregateSettings, context: BuildContext) -> Any:
        """One row per group: the keys, then the measures."""
        table = inputs["in"][0]
        names = [by if isinstance(by, str) else by.name for by in settings.by]
        at = [f"/by/{index}" if isinstance(by, str) else f"/by/{index}/name" for index, by in enumerate(settings.by)]
        check_names(
            context,
            names + [measure.name for measure in settings.measures],
            at + [f"/measures/{index}/name" for index in range(len(settings.measures))],
        )
        keys = [cls._key(table, by, f"/by/{index}", context) for index, by in enumerate(settings.by)]
        figures = [
            plain(context, cls._figure(table, measure, f"/measures/{index}", context), f"/measures/{index}").name(
                measure.name
            )
            for index, measure in enumerate(settings.measures)
        ]
        if not figures:
            return table.select(*keys).distinct()
        return table.aggregate(figures, by=keys) if keys else table.aggregate(figures)

    @staticmethod
    def _key(table: Any, by: str | GroupBy, pointer: str, context: BuildContext) -> Any:
        if isinstance(by, str):
            return find_column(context, table, by, pointer)
        at = f"{pointer}/expression"
        return plain(context, context.expression(by.expression, table, pointer=at), at).name(by.name)

    @staticmethod
    def _figure(table: Any, measure: Measure, pointer: str, context: BuildContext) -> Any:
        where = context.expression(measure.where, table, pointer=f"{pointer}/where") if measure.where else None
        if where is not None and not where.type().is_boolean():
            message = text("“Only rows where” needs a condition.", "“只统计符合条件的行”需要一个判断条件。")
            raise context.problem("measure.not_condition", message, f"{pointer}/where")
        if measure.column:
            value = find_column(context, table, measure.column, f"{pointer}/column")
        elif measure.expression:
            at = f"{pointer}/expression"
            value = plain(context, context.expression(measure.expression, table, pointer=at), at)
        else:
            return table.count(where=where)
        kind = kind_of(value)
        if measure.function in _NUMBERS_ONLY and kind not in NUMERIC:
            figure, found = _WORDS[measure.function], type_words(kind)
            message = text(
                f"“{figure['en']}” needs numbers, but “{measure.column or measure.name}” is {found['en']}. "
                "Change its type before, or choose another figure.",
                f"“{figure['zh-CN']}”需要数字，而“{measure.column or measure.name}”是{found['zh-CN']}。"
                "请先转换类型或改用其他统计方式。",
            )
            fix = {"cast": {"column": measure.column, "type": "number"}} if measure.column and kind == "text" else None
            at = f"{pointer}/{'column' if measure.column else 'expression'}"
            raise context.problem("measure.not_number", message, at, fix)
        if measure.function in _ORDERED:
            keys = sort_keys(context, table, measure.order_by, f"{pointer}/order_by")
            pick = value.first if measure.function == "first" else value.last
            return pick(where=where, order_by=keys, include_null=True)
        return FIGURES[measure.function](value, where, measure.q)

    @classmethod
    def summarise(cls, settings: Mapping[str, Any]) -> Text:
        """Figures by groups."""
        measures = listed(m.get("name") for m in settings.get("measures") or () if isinstance(m, Mapping))
        by = listed(b.get("name") if isinstance(b, Mapping) else b for b in settings.get("by") or ())
        if not measures and not by:
            return text("no figures yet", "尚未选择统计项")
        return text(f"{measures} by {by}" if by else measures, f"按 {by} 统计 {measures}" if by else f"统计 {measures}")
