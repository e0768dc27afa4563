"""Limit: keep the first rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from node_catalog.sdk.contract import BuildContext, Example, Settings, Transform
from node_catalog.sdk.fields import setting
from node_catalog.sdk.text import Text, text


class LimitSettings(Settings):
    """How many rows, after how many."""

    rows: Annotated[int, setting(text("Rows", "行数"), ge=0, le=9_000_000_000_000_000)]
    offset: Annotated[
        int,
        setting(
            text("Skip first", "先跳过"),
            text("Rows to leave out at the start.", "从开头起跳过的行数。"),
            ge=0,
            le=9_000_000_000_000_000,
        ),
    ] = 0


class Limit(Transform):
    """Keeps the first rows."""

    key = "limit"
    title = text("First rows", "取前几行")
    summary = text("Keep the first rows only", "只保留最前面的若干行")
    help = text(
        "Keeps the first rows, after leaving out some at the start if you like. Sort before it: without an order, "
        "“first” may mean other rows each time.",
        "只保留最前面的若干行，也可以先跳过开头的几行。请先排序，否则每次得到的行可能不同。",
    )
    icon = "VerticalAlignTopOutlined"
    Settings = LimitSettings
    rank = 60
    makes_bounded = True
    keeps_order = True
    examples = (
        Example(
            title=text("The second row", "第二行"),
            settings={"rows": 1, "offset": 1},
            inputs={"in": ({"a": "integer"}, [[5], [5], [5]])},
            output=({"a": "integer"}, [[5]]),
        ),
    )

    @classmethod
    def apply(cls, inputs: Mapping[str, Sequence[Any]], settings: LimitSettings, context: BuildContext) -> Any:
        """At most ``rows`` rows after the first ``offset``."""
        return inputs["in"][0].limit(settings.rows, offset=settings.offset)

    @classmethod
    def summarise(cls, settings: Mapping[str, Any]) -> Text:
        """How many rows."""
        rows, offset = settings.get("rows"), settings.get("offset")
        if rows is None:
            return text("no number yet", "尚未设置行数")
        if offset:
            return text(f"{rows} rows after the first {offset}", f"跳过 {offset} 行后取 {rows} 行")
        return text(f"first {rows} rows", f"前 {rows} 行")
