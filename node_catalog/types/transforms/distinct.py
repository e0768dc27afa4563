"""Distinct: remove rows that occur more than once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

from node_catalog.sdk.contract import BuildContext, Example, Settings, Transform
from node_catalog.sdk.errors import Problem
from node_catalog.sdk.fields import setting
from node_catalog.sdk.relation import SortKey, check_names, find_column, listed, sort_keys
from node_catalog.sdk.text import Text, text

_RANK = "__rank"


class DistinctSettings(Settings):
    """Which columns make a row the same, and which of the same rows stays."""

    on: Annotated[
        tuple[str, ...],
        setting(
            text("Same when these columns are equal", "按这些列判断重复"),
            text("Leave empty to compare whole rows.", "留空则比较整行。"),
            widget="columns",
        ),
    ] = ()
    order_by: Annotated[
        tuple[SortKey, ...],
        setting(
            text("Which row stays", "保留哪一行"),
            text("Of the rows that are the same, the first in this order stays.", "重复的行按此顺序保留第一行。"),
            widget="sort",
        ),
    ] = ()

    def problems(self) -> Iterable[Problem]:
        """``on`` without an order would keep a row by chance."""
        if self.on and not self.order_by:
            message = text(
                "Say which of several rows stays: choose an order.", "请设置排序，以确定重复的行中保留哪一行。"
            )
            yield Problem("/order_by", "distinct.order_missing", message)
        if self.order_by and not self.on:
            message = text(
                "An order only matters when some columns are compared: choose them, or remove the order.",
                "只有按部分列去重时才需要排序：请选择列，或去掉排序。",
            )
            yield Problem("/on", "distinct.columns_missing", message)


class Distinct(Transform):
    """Removes rows that occur more than once."""

    key = "distinct"
    title = text("Remove duplicates", "去重")
    summary = text("Keep each row once", "相同的行只保留一行")
    help = text(
        "Keeps each row once. Compare whole rows, or only some columns: then also choose the order, and the first "
        "row stays (for example the newest). Two empty values count as equal.",
        "相同的行只保留一行。可以比较整行，也可以只比较部分列；后者还需设置排序，保留排在最前的一行（如最新的一行）。两个空值视为相等。",
    )
    icon = "MergeCellsOutlined"
    Settings = DistinctSettings
    rank = 70
    examples = (
        Example(
            title=text("Each row once", "整行去重"),
            settings={},
            inputs={"in": ({"a": "integer", "b": "text"}, [[1, None], [1, None], [1, "x"]])},
            output=({"a": "integer", "b": "text"}, [[1, None], [1, "x"]]),
        ),
        Example(
            title=text("The newest row of each station", "每个站点最新的一行"),
            settings={"on": ["station"], "order_by": [{"column": "day", "descending": True}]},
            inputs={
                "in": (
                    {"station": "text", "day": "date", "pm25": "number"},
                    [
                        ["a", "2024-01-01", 1.0],
                        ["a", "2024-01-03", 3.0],
                        ["a", None, 9.0],
                        [None, "2024-01-02", 2.0],
                        [None, "2024-01-01", 1.0],
                    ],
                )
            },
            output=(
                {"station": "text", "day": "date", "pm25": "number"},
                [["a", "2024-01-03", 3.0], [None, "2024-01-02", 2.0]],
            ),
        ),
    )

    @classmethod
    def apply(cls, inputs: Mapping[str, Sequence[Any]], settings: DistinctSettings, context: BuildContext) -> Any:
        """Each row once, or the first row of each group of equal ``on`` columns."""
        import ibis

        table = inputs["in"][0]
        if not settings.on:
            return table.distinct()
        check_names(context, settings.on, [f"/on/{index}" for index in range(len(settings.on))])
        groups = [find_column(context, table, name, f"/on/{index}") for index, name in enumerate(settings.on)]
        keys = sort_keys(context, table, settings.order_by, "/order_by")
        rank = ibis.row_number().over(group_by=groups, order_by=keys).name(_RANK)
        ranked = table.select(*(table[name] for name in table.columns), rank)
        return ranked.filter(ranked[_RANK] == 0).select(*table.columns)

    @classmethod
    def summarise(cls, settings: Mapping[str, Any]) -> Text:
        """By which columns."""
        names = listed(settings.get("on") or ())
        return text(f"by {names}" if names else "whole rows", f"按 {names}" if names else "整行比较")
