"""Derive: new columns from expressions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from node_catalog.sdk.contract import BuildContext, Example, Settings, Transform
from node_catalog.sdk.fields import setting
from node_catalog.sdk.relation import check_names, listed, plain
from node_catalog.sdk.text import Text, text


class DeriveColumn(Settings):
    """A new or replaced column."""

    name: Annotated[str, setting(text("Name", "名称"), min_length=1, max_length=200)]
    expression: Annotated[str, setting(text("Is calculated as", "计算方式"), widget="expression", min_length=1)]


class DeriveSettings(Settings):
    """The columns to calculate."""

    columns: Annotated[
        tuple[DeriveColumn, ...],
        setting(
            text("New columns", "新列"),
            text(
                "Each sees the columns that arrive, not the others listed here.",
                "每一项只能使用传入的列，不能引用此处的其他新列。",
            ),
            widget="derive-list",
            min_length=1,
        ),
    ]


class Derive(Transform):
    """Adds columns that are calculated row by row."""

    key = "derive"
    title = text("Calculate columns", "计算列")
    summary = text("Add or replace columns by a formula", "用公式新增或替换列")
    help = text(
        "Adds columns calculated from the columns of the same row. A name that already exists is replaced where it "
        "stands; a new name is added at the end. To build on a column made here, add another step of this kind.",
        "根据同一行的其他列计算出新列。名称已存在则原位替换，新名称追加在最后。若要使用这里算出的列，请再添加一个“计算列”步骤。",
    )
    icon = "CalculatorOutlined"
    Settings = DeriveSettings
    rank = 20
    keeps_order = True
    keeps_rows = True
    examples = (
        Example(
            title=text("Replace one column, add another", "替换一列并新增一列"),
            settings={
                "columns": [
                    {"name": "pm25", "expression": "pm25 / 2"},
                    {"name": "is_bad", "expression": "pm25 > 75"},
                ]
            },
            inputs={"in": ({"pm25": "number", "station": "text"}, [[80.0, "a"], [None, "b"]])},
            output=(
                {"pm25": "number", "station": "text", "is_bad": "boolean"},
                [[40.0, "a", True], [None, "b", None]],
            ),
        ),
    )

    @classmethod
    def apply(cls, inputs: Mapping[str, Sequence[Any]], settings: DeriveSettings, context: BuildContext) -> Any:
        """Incoming columns with replacements in place, then the new ones."""
        table = inputs["in"][0]
        made: dict[str, Any] = {}
        pointers = [f"/columns/{index}/name" for index in range(len(settings.columns))]
        check_names(context, [item.name for item in settings.columns], pointers)
        for index, item in enumerate(settings.columns):
            at = f"/columns/{index}/expression"
            value = plain(context, context.expression(item.expression, table, pointer=at), at)
            made[item.name] = value.name(item.name)
        new = [name for name in made if name not in table.columns]
        check_names(
            context,
            [*table.columns, *new],
            [""] * len(table.columns) + [at for at, item in zip(pointers, settings.columns) if item.name in new],
        )
        kept = [made.get(name, table[name]) for name in table.columns]
        return table.select(*kept, *(made[name] for name in new))

    @classmethod
    def summarise(cls, settings: Mapping[str, Any]) -> Text:
        """The names, or the formula when there is one."""
        items = [item for item in settings.get("columns") or () if isinstance(item, Mapping)]
        if len(items) == 1:
            line = f"{items[0].get('name') or '…'} = {items[0].get('expression') or '…'}"
            return text(line, line)
        names = listed(item.get("name") for item in items)
        return text(names or "no columns yet", names or "尚未设置新列")
