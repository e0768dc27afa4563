"""Sort: put rows in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from node_catalog.sdk.contract import BuildContext, Example, Settings, Transform
from node_catalog.sdk.fields import setting
from node_catalog.sdk.relation import SortKey, listed, sort_keys
from node_catalog.sdk.text import Text, text


class SortSettings(Settings):
    """The columns to sort by, the most important first."""

    by: Annotated[
        tuple[SortKey, ...],
        setting(
            text("Sort by", "排序依据"),
            text("The first one counts most.", "越靠前越优先。"),
            widget="sort",
            min_length=1,
        ),
    ]


class Sort(Transform):
    """Puts the rows in order."""

    key = "sort"
    title = text("Sort", "排序")
    summary = text("Put the rows in order", "按列排列各行的顺序")
    help = text(
        "Sorts the rows by one or more columns. Empty values come last unless you say otherwise; text is compared "
        "character by character. Sort just before a limit or an output: other steps may lose the order.",
        "按一列或多列排序。空值默认排在最后，文本按字符编码逐个比较。请把排序放在“取前几行”或输出之前，其他步骤可能打乱顺序。",
    )
    icon = "SortAscendingOutlined"
    Settings = SortSettings
    rank = 50
    keeps_order = True
    keeps_rows = True
    takes_unbounded = False
    examples = (
        Example(
            title=text("Largest first, empty values last", "从大到小，空值最后"),
            settings={"by": [{"column": "pm25", "descending": True}, {"column": "station"}]},
            inputs={
                "in": (
                    {"station": "text", "pm25": "number"},
                    [["b", 8.0], ["a", 8.0], ["c", None], ["d", 9.0]],
                )
            },
            output=({"station": "text", "pm25": "number"}, [["d", 9.0], ["a", 8.0], ["b", 8.0], ["c", None]]),
            ordered=True,
        ),
    )

    @classmethod
    def orders(cls, settings: Mapping[str, Any]) -> bool:
        """Always: that is what it is for."""
        return True

    @classmethod
    def apply(cls, inputs: Mapping[str, Sequence[Any]], settings: SortSettings, context: BuildContext) -> Any:
        """The same rows, ordered."""
        table = inputs["in"][0]
        return table.order_by(sort_keys(context, table, settings.by, "/by"))

    @classmethod
    def summarise(cls, settings: Mapping[str, Any]) -> Text:
        """The columns with an arrow each."""
        items = [item for item in settings.get("by") or () if isinstance(item, Mapping)]
        line = listed(f"{item.get('column') or '…'} {'↓' if item.get('descending') else '↑'}" for item in items)
        return text(line or "no columns yet", line or "尚未选择列")
