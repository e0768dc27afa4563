"""Which tables of a database are datasets: globs on ``schema.table``, include first, then exclude."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fnmatch import translate
from functools import lru_cache

import msgspec

from node_catalog.sdk.errors import Problem
from node_catalog.sdk.fields import setting
from node_catalog.sdk.text import text

LONGEST = 200

INCLUDE: msgspec.Meta = setting(
    text("Only these tables", "仅包含的表"),
    text(
        "Patterns such as sales_* or dbo.fact_*; * stands for any letters. Empty: every table.",
        "通配符，例如 sales_* 或 dbo.fact_*，* 代表任意字符。留空表示全部表。",
    ),
    max_length=LONGEST,
)
EXCLUDE: msgspec.Meta = setting(
    text("Not these tables", "排除的表"),
    text(
        "Patterns such as tmp_* or *_backup. They win over the ones above.",
        "通配符，例如 tmp_* 或 *_backup，优先于上一项。",
    ),
    max_length=LONGEST,
)
"""For ``include: Annotated[tuple[str, ...], INCLUDE] = ()`` and ``exclude`` alike."""


class TablePatterns:
    """A connector's two lists; case does not matter, as in most databases."""

    def __init__(self, include: Sequence[str], exclude: Sequence[str]) -> None:
        self._include, self._exclude = _compiled(tuple(include)), _compiled(tuple(exclude))

    def wants(self, schema: str, table: str) -> bool:
        """Whether ``schema``.``table`` is to be a dataset. A pattern without a dot is about the table's name alone."""
        if self._include and not _fits(self._include, schema, table):
            return False
        return not _fits(self._exclude, schema, table)


def pattern_problems(include: Sequence[str], exclude: Sequence[str]) -> Iterable[Problem]:
    """Patterns that can match nothing."""
    for name, patterns in (("include", include), ("exclude", exclude)):
        for index, pattern in enumerate(patterns):
            if not pattern.strip() or len(pattern) > LONGEST or "\0" in pattern:
                message = text(
                    "A pattern is empty or too long. Write it like sales_*.",
                    "通配符为空或过长，请写成 sales_* 的形式。",
                )
                yield Problem(f"/{name}/{index}", "table.pattern", message)


@lru_cache(maxsize=256)
def _compiled(patterns: tuple[str, ...]) -> tuple[tuple[bool, re.Pattern[str]], ...]:
    return tuple(("." in one, re.compile(translate(one.strip().casefold()))) for one in patterns)


def _fits(patterns: Iterable[tuple[bool, re.Pattern[str]]], schema: str, table: str) -> bool:
    full, name = f"{schema}.{table}".casefold(), table.casefold()
    return any(pattern.match(full if has_dot else name) or pattern.match(name) for has_dot, pattern in patterns)
