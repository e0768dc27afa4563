"""Functions over dates and times, and those that choose between values."""

from __future__ import annotations

import re
from collections.abc import Sequence

import ibis

from flows.graph.expressions.functions import function, native
from flows.graph.expressions.values import Value, force, forced

UNITS = ("year", "quarter", "month", "week", "day", "hour", "minute", "second")
PARTS = ("year", "quarter", "month", "week", "day", "hour", "minute", "second", "dayofweek", "isodow", "dayofyear")
_DATE_UNITS = ("year", "quarter", "month", "week", "day")
_FORMAT = re.compile(r"%(-?[dHIjmMSy]|[aAbBcDfgGnpuUVwWxXYzZ%])")


def is_format(words: str) -> bool:
    """Whether every ``%`` code of a date format is one that the engine knows."""
    return "%" not in _FORMAT.sub("", words)


def moment(value: Value) -> Value:
    """A date or timestamp as a timestamp."""
    return value if value.type == "timestamp" else forced(value.expr, "timestamp")


def _part(name: str, en: str, zh: str, example: str, kind: str, aliases: Sequence[str] = ()) -> None:
    @function(f"{name}(when)", en, zh, example, [kind], group="time", aliases=aliases)
    def _build(a: Sequence[Value]) -> Value:
        return native(name, "integer", a[0])


_part("year", "The year.", "年份。", "year(ts)", "moment")
_part("quarter", "The quarter, 1–4.", "季度，1–4。", "quarter(ts)", "moment")
_part("month", "The month, 1–12.", "月份，1–12。", "month(ts)", "moment")
_part("week", "The ISO week of the year.", "一年中的第几周（ISO）。", "week(ts)", "moment", ["weekofyear"])
_part("day", "The day of the month.", "一月中的第几天。", "day(ts)", "moment", ["dayofmonth"])
_part("hour", "The hour, 0–23.", "小时，0–23。", "hour(ts)", "clock")
_part("minute", "The minute, 0–59.", "分钟，0–59。", "minute(ts)", "clock")
_part("second", "The second, 0–59.", "秒，0–59。", "second(ts)", "clock")
_part(
    "dayofweek",
    "The day of the week, Sunday = 0.",
    "星期几，星期日为 0。",
    "dayofweek(ts) in (0, 6)",
    "moment",
    ["weekday"],
)
_part("isodow", "The day of the week, Monday = 1 … Sunday = 7.", "星期几，周一为 1，周日为 7。", "isodow(ts)", "moment")
_part("dayofyear", "The day of the year.", "一年中的第几天。", "dayofyear(ts)", "moment")


@function(
    "date_trunc(unit, when)",
    "The start of the year, quarter, month, week, day, hour … it falls into.",
    "截断到年、季、月、周、日、时等的起点。",
    "date_trunc('hour', ts)",
    ["unit", "moment"],
    group="time",
)
def _date_trunc(a: Sequence[Value]) -> Value:
    unit, value = str(a[0].literal), a[1]
    if value.type == "date":
        if unit not in _DATE_UNITS:
            return native("date_trunc", "timestamp", unit, moment(value))
        return Value("date", force(native("date_trunc", "timestamp", unit, moment(value)).expr, "date"))
    return native("date_trunc", "timestamp", unit, value)


@function(
    "date_diff(unit, from, to)",
    "How many unit boundaries lie between two moments.",
    "两个时刻之间跨过多少个单位边界。",
    "date_diff('day', start, finish)",
    ["unit", "moment", "moment"],
    group="time",
    aliases=["datediff"],
)
def _date_diff(a: Sequence[Value]) -> Value:
    return native("date_diff", "integer", str(a[0].literal), moment(a[1]), moment(a[2]))


@function(
    "date_add(when, n, unit)",
    "A moment n units later (earlier when n is negative).",
    "向后（负数则向前）推移 n 个单位。",
    "date_add(ts, delay, 'minute')",
    ["moment", "integer", "unit"],
    group="time",
)
def _date_add(a: Sequence[Value]) -> Value:
    unit, amount, start = str(a[2].literal), a[1].expr, moment(a[0])
    if unit in ("quarter", "week"):
        unit, amount = ("month", amount * 3) if unit == "quarter" else ("day", amount * 7)
    step = Value("integer", amount.cast("int32") if unit not in ("hour", "minute", "second") else amount)
    return Value("timestamp", start.expr + step.expr.as_interval(unit))


@function(
    "make_date(year, month, day)",
    "A date from its parts.",
    "由年、月、日组成日期。",
    "make_date(year, month, 1)",
    ["integer", "integer", "integer"],
    group="time",
)
def _make_date(a: Sequence[Value]) -> Value:
    return native("make_date", "date", *a)


@function(
    "make_timestamp(year, month, day, hour, minute, second)",
    "A moment from its parts.",
    "由年、月、日、时、分、秒组成时间点。",
    "make_timestamp(year, month, day, hour, 0, 0)",
    ["integer", "integer", "integer", "integer", "integer", "number"],
    group="time",
)
def _make_timestamp(a: Sequence[Value]) -> Value:
    second = a[5] if a[5].type == "number" else forced(a[5].expr, "number")
    return native("make_timestamp", "timestamp", *a[:5], second)


@function(
    "strftime(when, format)",
    "A moment as text in a format.",
    "按格式把时间写成文本。",
    "strftime(ts, '%Y-%m')",
    ["moment", "format"],
    group="time",
)
def _strftime(a: Sequence[Value]) -> Value:
    return native("strftime", "text", moment(a[0]), str(a[1].literal))


@function(
    "strptime(text, format)",
    "Text as a moment; NULL when it does not fit the format.",
    "按格式把文本读成时间；不符合时得空值。",
    "strptime(day, '%Y/%m/%d')",
    ["text", "format"],
    group="time",
)
def _strptime(a: Sequence[Value]) -> Value:
    return native("try_strptime", "timestamp", a[0], str(a[1].literal))


@function(
    "epoch(when)",
    "Seconds since 1970-01-01.",
    "自 1970-01-01 起的秒数。",
    "epoch(ts)",
    ["moment"],
    group="time",
)
def _epoch(a: Sequence[Value]) -> Value:
    return native("epoch", "number", moment(a[0]))


@function("today()", "Today's date, when the flow runs.", "运行当天的日期。", "ts >= today()", [], group="time")
def _today(a: Sequence[Value]) -> Value:
    return Value("date", force(ibis.now(), "date"))


@function("now()", "The moment when the flow runs.", "运行时的时间。", "date_diff('hour', ts, now())", [], group="time")
def _now(a: Sequence[Value]) -> Value:
    return Value("timestamp", force(ibis.now(), "timestamp"))


# ── choosing ──────────────────────────────────────────────────────────────────────────────────────────────


@function(
    "coalesce(x, …)",
    "The first value that is not empty.",
    "第一个非空值。",
    "coalesce(pm25, 0)",
    ["same", "…"],
    group="choose",
    aliases=["ifnull"],
)
def _coalesce(a: Sequence[Value]) -> Value:
    return Value(a[0].type, ibis.coalesce(*(value.expr for value in a)))


@function(
    "nullif(x, y)",
    "Empty when both are equal, else the first.",
    "两者相等时为空，否则为第一个值。",
    "nullif(pm25, -999)",
    ["same", "same"],
    group="choose",
)
def _nullif(a: Sequence[Value]) -> Value:
    return Value(a[0].type, a[0].expr.nullif(a[1].expr))


@function(
    "greatest(x, …)",
    "The largest value; empty ones are left out.",
    "最大的值，忽略空值。",
    "greatest(pm25, pm10)",
    ["same", "same", "…"],
    group="choose",
)
def _greatest(a: Sequence[Value]) -> Value:
    return Value(a[0].type, ibis.greatest(*(value.expr for value in a)))


@function(
    "least(x, …)",
    "The smallest value; empty ones are left out.",
    "最小的值，忽略空值。",
    "least(pm25, pm10)",
    ["same", "same", "…"],
    group="choose",
)
def _least(a: Sequence[Value]) -> Value:
    return Value(a[0].type, ibis.least(*(value.expr for value in a)))


# ── summaries ─────────────────────────────────────────────────────────────────────────────────────────────


def _summary(name: str, en: str, zh: str, kind: str, aliases: Sequence[str] = ()) -> None:
    @function(f"{name}(x)", en, zh, f"{name}(pm25)", [kind], group="aggregate", aliases=aliases)
    def _build(a: Sequence[Value]) -> Value:
        value = a[0]
        if name in ("min", "max"):
            return Value(value.type, getattr(value.expr, name)())
        if name == "count":
            return forced(value.expr.count(), "integer")
        if name == "count_distinct":
            return forced(value.expr.nunique(), "integer")
        if name == "sum" and value.type != "number":
            _, scale = (0, 0) if value.type == "integer" else map(int, value.type[8:-1].split(","))
            kind = "integer" if value.type == "integer" else f"decimal(38,{scale})"
            return forced(value.expr.sum(), kind)
        expr = value.expr if value.type == "number" else force(value.expr, "number")
        method = {"sum": "sum", "mean": "mean", "median": "median", "stddev": "std"}[name]
        return forced(getattr(expr, method)(), "number")


_summary("count", "How many values are not empty.", "非空值的个数。", "any")
_summary("count_distinct", "How many different values.", "不同值的个数。", "any")
_summary("sum", "The sum.", "合计。", "number")
_summary("mean", "The mean.", "平均值。", "number", ["avg"])
_summary("min", "The smallest value.", "最小值。", "any")
_summary("max", "The largest value.", "最大值。", "any")
_summary("median", "The median.", "中位数。", "number")
_summary("stddev", "The sample's standard deviation.", "样本标准差。", "number")
