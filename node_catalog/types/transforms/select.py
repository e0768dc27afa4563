"""Select: choose, rename and reorder columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec

from node_catalog.sdk.contract import BuildContext, Example, Settings, Transform
from node_catalog.sdk.fields import setting
from node_catalog.sdk.relation import check_names, find_column, listed
from node_catalog.sdk.text import Text, text


class SelectColumn(Settings):
    """One column to keep, perhaps under a new name."""

    column: Annotated[str, setting(text("Column", "列"), widget="column", min_length=1)]
    new_name: Annotated[
        str,
        setting(text("New name", "新名称"), text("Leave empty to keep the name.", "留空则不改名。"), max_length=200),
    ] = msgspec.field(default="", name="as")


class SelectSettings(Settings):
    """The columns that go on, in this order."""

    columns: Annotated[
        tuple[SelectColumn, ...],
        setting(
            text("Columns", "列"),
            text("Only these go on, in this order.", "只有这些列会继续，顺序如下。"),
            widget="select-list",
            min_length=1,
        ),
    ]


class Select(Transform):
    """Chooses, renames and reorders columns."""

    key = "select"
    title = text("Choose columns", "选择列")
    summary = text("Choose, rename and reorder columns", "选取、改名、调整列的顺序")
    help = text(
        "Only the columns listed here go on, in the order shown. Drag to reorder; give a new name to rename. "
        "The same column may be listed twice under two names.",
        "只有这里列出的列会继续传递，顺序与列表一致。拖动可调整顺序，填写新名称即可改名。同一列可以用不同名称列出两次。",
    )
    icon = "UnorderedListOutlined"
    Settings = SelectSettings
    rank = 30
    keeps_order = True
    keeps_rows = True
    examples = (
        Example(
            title=text("Rename one of two columns", "保留两列并改名一列"),
            settings={"columns": [{"column": "pm25", "as": "PM2.5"}, {"column": "station"}]},
            inputs={"in": ({"station": "text", "ts": "date", "pm25": "number"}, [["a", "2024-01-01", 8.0]])},
            output=({"PM2.5": "number", "station": "text"}, [[8.0, "a"]]),
        ),
    )

    @classmethod
    def apply(cls, inputs: Mapping[str, Sequence[Any]], settings: SelectSettings, context: BuildContext) -> Any:
        """The listed columns under their new names."""
        table = inputs["in"][0]
        names = [item.new_name or item.column for item in settings.columns]
        pointers = [
            f"/columns/{index}/{'as' if item.new_name else 'column'}" for index, item in enumerate(settings.columns)
        ]
        check_names(context, names, pointers)
        return table.select(
            *(
                find_column(context, table, item.column, f"/columns/{index}/column").name(names[index])
                for index, item in enumerate(settings.columns)
            )
        )

    @classmethod
    def summarise(cls, settings: Mapping[str, Any]) -> Text:
        """The first few names."""
        items = [item for item in settings.get("columns") or () if isinstance(item, Mapping)]
        names = listed(item.get("as") or item.get("column") for item in items)
        return text(names or "no columns yet", names or "尚未选择列")
