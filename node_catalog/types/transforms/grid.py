"""Grid: add the rows that are missing in a regular series of times."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

from node_catalog.sdk.contract import BuildContext, Example, Settings, Transform
from node_catalog.sdk.durations import NOT_A_DURATION, Duration, parse_duration
from node_catalog.sdk.errors import Problem
from node_catalog.sdk.fields import setting
from node_catalog.sdk.ports import ibis_type
from node_catalog.sdk.relation import check_names, find_column, hidden_name, kind_of, listed, type_words
from node_catalog.sdk.row_limit import at_most
from node_catalog.sdk.text import Text, text

_MOMENTS = ("date", "timestamp")
MOST_ROWS = 100_000_000


class GridSettings(Settings):
    """Which column is a series, and how far apart its values are."""

    column: Annotated[
        str,
        setting(
            text("Column of dates or times", "日期或时间列"),
            text("Its missing values are added.", "补上其中缺少的时间点。"),
            widget="column",
            min_length=1,
        ),
    ]
    every: Annotated[
        str,
        setting(
            text("One row every", "间隔"),
            text("For example one hour, one day or one month.", "例如 1 小时、1 天或 1 个月。"),
            widget="duration",
            min_length=1,
        ),
    ]
    partition_by: Annotated[
        tuple[str, ...],
        setting(
            text("For each", "分组依据"),
            text(
                "Each group has a series of its own, from its first to its last value.",
                "每组各自成为一个序列，从组内最早到最晚。",
            ),
            widget="columns",
        ),
    ] = ()
    most: Annotated[
        int,
        setting(
            text("At most so many rows", "最多行数"),
            text(
                "One wrong date, say of the year 1900, could make millions: the run stops before they are made.",
                "一个错误的日期（如 1900 年）就可能产生上百万行；超出时，运行会在补行之前停止。",
            ),
            ge=1,
            le=MOST_ROWS,
            extra={"x-advanced": True},
        ),
    ] = 1_000_000

    def problems(self) -> Iterable[Problem]:
        """The distance is a length of time longer than nothing; the series is no group."""
        duration = parse_duration(self.every)
        if duration is None:
            yield Problem("/every", "duration.invalid", NOT_A_DURATION)
        elif not duration.is_positive:
            yield Problem("/every", "grid.every", text("Give a distance longer than nothing.", "间隔必须大于零。"))
        for index, name in enumerate(self.partition_by):
            if name == self.column:
                message = text(
                    "The column of the series cannot also make the groups.", "序列所在的列不能同时作为分组依据。"
                )
                yield Problem(f"/partition_by/{index}", "grid.same_column", message)


class Grid(Transform):
    """Adds the rows that are missing in a regular series of times; every row that is there stays."""

    key = "grid"
    title = text("Complete a series", "补齐时间序列")
    summary = text("Add the missing hours, days, months …", "补上缺少的小时、天、月等")
    help = text(
        "Counts from the first to the last time of each group in equal steps and adds a row for every time that is "
        "missing; its other columns are empty (fill them behind). All rows that are there stay, also those that do "
        "not lie on a step, and those without a time. Months are counted from the first one, so the 31st becomes "
        "the last day of shorter months.",
        "从每组最早到最晚的时间按固定间隔逐个检查，缺少的时间点各补一行，其余列为空（可在后面用“填补空值”）。"
        "原有的行全部保留，包括不在间隔点上的行和没有时间的行。按月计算时从最早的一行数起，"
        "31 日在短月中取当月最后一天。",
    )
    icon = "BorderInnerOutlined"
    Settings = GridSettings
    rank = 110
    takes_unbounded = False
    examples = (
        Example(
            title=text("Missing hours of each station", "补齐每个站点缺少的小时"),
            settings={"column": "ts", "every": "PT1H", "partition_by": ["station"]},
            inputs={
                "in": (
                    {"station": "text", "ts": "timestamp", "pm25": "number"},
                    [
                        ["a", "2024-01-01T01:00:00", 10.0],
                        ["a", "2024-01-01T04:00:00", 40.0],
                        ["a", "2024-01-01T02:30:00", 25.0],
                        [None, "2024-01-01T01:00:00", 5.0],
                        [None, "2024-01-01T03:00:00", None],
                        ["b", None, 1.0],
                    ],
                )
            },
            output=(
                {"station": "text", "ts": "timestamp", "pm25": "number"},
                [
                    ["a", "2024-01-01T01:00:00", 10.0],
                    ["a", "2024-01-01T02:00:00", None],
                    ["a", "2024-01-01T02:30:00", 25.0],
                    ["a", "2024-01-01T03:00:00", None],
                    ["a", "2024-01-01T04:00:00", 40.0],
                    [None, "2024-01-01T01:00:00", 5.0],
                    [None, "2024-01-01T02:00:00", None],
                    [None, "2024-01-01T03:00:00", None],
                    ["b", None, 1.0],
                ],
            ),
        ),
        Example(
            title=text("Ends of months", "月末日期"),
            settings={"column": "day", "every": "P1M"},
            inputs={"in": ({"day": "date", "n": "integer"}, [["2024-01-31", 1], ["2024-04-30", 4]])},
            output=(
                {"day": "date", "n": "integer"},
                [["2024-01-31", 1], ["2024-02-29", None], ["2024-03-31", None], ["2024-04-30", 4]],
            ),
        ),
    )

    @classmethod
    def apply(cls, inputs: Mapping[str, Sequence[Any]], settings: GridSettings, context: BuildContext) -> Any:
        """The rows, and below them one for every time of the series that no row of its group has."""
        import ibis

        table = inputs["in"][0]
        every = cls._every(table, settings, context)
        check_names(
            context, settings.partition_by, [f"/partition_by/{index}" for index in range(len(settings.partition_by))]
        )
        for index, name in enumerate(settings.partition_by):
            find_column(context, table, name, f"/partition_by/{index}")
        points = cls._points(table, settings, every)
        there = table.select(*settings.partition_by, settings.column).distinct()
        same = [points[name].identical_to(there[name]) for name in (*settings.partition_by, settings.column)]
        missing = points.anti_join(there, same)
        given = (*settings.partition_by, settings.column)
        added = missing.select(
            *((missing[name] if name in given else ibis.null(table[name].type())).name(name) for name in table.columns)
        )
        return ibis.union(table, added, distinct=False)

    @staticmethod
    def _every(table: Any, settings: GridSettings, context: BuildContext) -> Duration:
        column = find_column(context, table, settings.column, "/column")
        kind = kind_of(column)
        if kind not in _MOMENTS:
            words = type_words(kind)
            message = text(
                f"“{settings.column}” is {words['en']}. Choose a column of dates or times, or convert it before.",
                f"“{settings.column}”是{words['zh-CN']}。请选择日期或时间列，或先转换类型。",
            )
            fix = {"cast": {"column": settings.column, "type": "timestamp"}} if kind == "text" else None
            raise context.problem("grid.type", message, "/column", fix)
        every = parse_duration(settings.every) or Duration(0, 0)
        if kind == "date" and not every.is_whole_days:
            message = text(
                f"“{settings.column}” holds dates without a time: give whole days, weeks or months.",
                f"“{settings.column}”只有日期没有时间，间隔请使用整天、周或月。",
            )
            raise context.problem("grid.every_date", message, "/every")
        return every

    @staticmethod
    def _points(table: Any, settings: GridSettings, every: Duration) -> Any:
        """Every time of the series of each group: first + k · every, not beyond the last."""
        import ibis

        names = list(settings.partition_by)
        start, end, step = (hidden_name(table.columns, wanted) for wanted in ("__start", "__end", "__step"))
        moment = table[settings.column].cast(ibis_type("timestamp"))
        ends = table.aggregate(by=[table[name] for name in names], **{start: moment.min(), end: moment.max()})
        ends = ends.filter(ends[start].notnull())
        if every.months:
            steps = ends[end].delta(ends[start], unit="month") // every.months
        else:
            steps = ends[end].delta(ends[start], unit="microsecond") // every.microseconds
        series = ends.select(*names, start, end, steps.name(step))
        whole = (series[step] + 1).sum().over(ibis.window(rows=(None, None)))
        last = at_most(series[step], whole, settings.most)
        counted = series.select(*names, start, end, last.name(step))
        counted = counted.select(*names, start, end, ibis.range(0, counted[step] + 1).unnest().cast("int64").name(step))
        at = counted[start]
        if every.months:
            at = at + (counted[step] * every.months).as_interval("M")
        if every.microseconds:
            at = at + (counted[step] * every.microseconds).as_interval("us")
        points = counted.select(*names, end, at.name(settings.column))
        points = points.filter(points[settings.column] <= points[end])
        at = points[settings.column].cast(table[settings.column].type())
        return points.select(*names, at.name(settings.column))

    @classmethod
    def summarise(cls, settings: Mapping[str, Any]) -> Text:
        """How far apart, and the groups."""
        column, every = settings.get("column") or "…", settings.get("every") or "…"
        by = listed(settings.get("partition_by") or ())
        return text(
            f"{column} every {every}{f' for each {by}' if by else ''}",
            f"{f'按 {by} ' if by else ''}补齐 {column}，间隔 {every}",
        )
