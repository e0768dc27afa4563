"""Lengths of time as settings write them (ISO 8601: ``PT15M``, ``P1M``) and as Ibis computes with them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from node_catalog.sdk.text import text

_PATTERN = re.compile(
    r"^(?P<sign>-?)P(?=[0-9T])(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)(?:[.,](?P<fraction>\d{1,6}))?S)?)?$",
    re.ASCII,
)
_MICROSECONDS = {
    "weeks": 604_800_000_000,
    "days": 86_400_000_000,
    "hours": 3_600_000_000,
    "minutes": 60_000_000,
    "seconds": 1_000_000,
}
DAY = _MICROSECONDS["days"]
_MOST_MONTHS = 120_000
_MOST_MICROSECONDS = 10_000 * 366 * DAY

NOT_A_DURATION = text(
    "This is no length of time. Write it like PT15M (15 minutes), PT1H (1 hour), P1D (1 day) or P1M (1 month).",
    "这不是有效的时长。写法示例：PT15M（15 分钟）、PT1H（1 小时）、P1D（1 天）、P1M（1 个月）。",
)


@dataclass(frozen=True)
class Duration:
    """Calendar months and a fixed length in microseconds; both have the same sign. A day is 24 hours (all is UTC)."""

    months: int
    microseconds: int

    @property
    def is_positive(self) -> bool:
        """Whether it is longer than nothing."""
        return self.months > 0 or self.microseconds > 0

    @property
    def is_whole_days(self) -> bool:
        """Whether a date moved by it is a date again."""
        return self.microseconds % DAY == 0


def parse_duration(source: str) -> Duration | None:
    """The duration that ``source`` writes; None when it is none, or longer than ten thousand years."""
    match = _PATTERN.match(source)
    if match is None:
        return None
    sign = -1 if match["sign"] else 1
    months = int(match["years"] or 0) * 12 + int(match["months"] or 0)
    length = sum(int(match[unit] or 0) * size for unit, size in _MICROSECONDS.items())
    length += int((match["fraction"] or "0").ljust(6, "0"))
    if months > _MOST_MONTHS or length > _MOST_MICROSECONDS:
        return None
    return Duration(sign * months, sign * length)


def moved(value: Any, duration: Duration, sign: int = 1) -> Any:
    """An Ibis timestamp moved by a duration (``sign`` -1: back)."""
    import ibis

    if duration.months:
        value = value + ibis.interval(months=sign * duration.months)
    if duration.microseconds:
        value = value + ibis.interval(microseconds=sign * duration.microseconds)
    return value
