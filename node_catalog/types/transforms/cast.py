"""Cast: change the types of columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from node_catalog.sdk.choice_words import LEAVE_EMPTY, STOP
from node_catalog.sdk.contract import BuildContext, Example, Settings, Transform
from node_catalog.sdk.fields import setting
from node_catalog.sdk.ports import ibis_type
from node_catalog.sdk.relation import (
    WRITTEN_TYPES,
    check_names,
    check_type,
    find_column,
    kind_of,
    listed,
    type_setting,
    type_words,
)
from node_catalog.sdk.text import Text, text

_NUMBERS = ("boolean", "integer", "number", "decimal", "text")
_ALLOWED: Mapping[str, Sequence[str]] = {
    "text": WRITTEN_TYPES,
    "boolean": _NUMBERS,
    "integer": _NUMBERS,
    "number": _NUMBERS,
    "decimal": _NUMBERS,
    "date": ("date", "timestamp", "text"),
    "time": ("time", "text"),
    "timestamp": ("timestamp", "date", "time", "text"),
    "binary": ("text",),
    "geometry": (),
    "columns": (),
}
"""What each type can become; everything else has no meaning (a date is no number)."""


class CastColumn(Settings):
    """One column and the type it shall have."""

    column: Annotated[str, setting(text("Column", "列"), widget="column", min_length=1)]
    type: Annotated[str, type_setting(text("New type", "新类型"))]
    on_error: Annotated[
        Literal["fail", "null"],
        setting(
            text("If a value does not fit", "遇到无法转换的值"),
            choices={"fail": STOP, "null": LEAVE_EMPTY},
        ),
    ] = "fail"


class CastSettings(Settings):
    """The columns to change."""

    columns: Annotated[
        tuple[CastColumn, ...],
        setting(text("Columns", "列"), widget="cast-list", min_length=1),
    ]


class Cast(Transform):
    """Changes the type of columns, for example text to number."""

    key = "cast"
    title = text("Change types", "转换类型")
    summary = text("Turn text into numbers or dates, and back", "把文本转换为数字、日期等类型")
    help = text(
        "Changes the type of columns in place. Text must look like the new type: 12.5, 2024-01-31, 2024-01-31 "
        "08:00:00. "
        "Decide for each column what happens to a value that does not fit: stop the run, or leave it empty.",
        "原位转换列的类型。文本必须符合新类型的写法，如 12.5、2024-01-31、2024-01-31 08:00:00。对无法转换的值，"
        "可逐列选择停止运行或留空。",
    )
    icon = "SwapOutlined"
    Settings = CastSettings
    rank = 40
    keeps_order = True
    keeps_rows = True
    examples = (
        Example(
            title=text("Text to number and date", "文本转数字和日期"),
            settings={
                "columns": [
                    {"column": "value", "type": "number", "on_error": "null"},
                    {"column": "day", "type": "date"},
                    {"column": "price", "type": "decimal(10,2)"},
                ]
            },
            inputs={
                "in": (
                    {"value": "text", "day": "text", "price": "number"},
                    [["12.5", "2024-01-31", 1.25], ["NA", None, None]],
                )
            },
            output=(
                {"value": "number", "day": "date", "price": "decimal(10,2)"},
                [[12.5, "2024-01-31", "1.25"], [None, None, None]],
            ),
        ),
    )

    @classmethod
    def apply(cls, inputs: Mapping[str, Sequence[Any]], settings: CastSettings, context: BuildContext) -> Any:
        """All columns, those listed with their new type."""
        table = inputs["in"][0]
        names = [item.column for item in settings.columns]
        check_names(context, names, [f"/columns/{index}/column" for index in range(len(names))])
        made = {
            item.column: cls._cast(table, item, f"/columns/{index}", context)
            for index, item in enumerate(settings.columns)
        }
        return table.select(*(made.get(name, table[name]) for name in table.columns))

    @staticmethod
    def _cast(table: Any, item: CastColumn, pointer: str, context: BuildContext) -> Any:
        column = find_column(context, table, item.column, f"{pointer}/column")
        check_type(context, item.type, "cast.type", f"{pointer}/type")
        if item.type.partition("(")[0] not in _ALLOWED[kind_of(column)]:
            source, target = type_words(kind_of(column)), type_words(item.type)
            message = text(
                f"Column “{item.column}” is {source['en']} and cannot become {target['en']}.",
                f"列“{item.column}”是{source['zh-CN']}，不能转换为{target['zh-CN']}。",
            )
            raise context.problem("cast.impossible", message, f"{pointer}/type")
        target_type = ibis_type(item.type)
        cast = column.try_cast(target_type) if item.on_error == "null" else column.cast(target_type)
        return cast.name(item.column)

    @classmethod
    def summarise(cls, settings: Mapping[str, Any]) -> Text:
        """Each column with its new type."""
        items = [item for item in settings.get("columns") or () if isinstance(item, Mapping)]
        line = listed(f"{item.get('column') or '…'} → {item.get('type') or '…'}" for item in items)
        return text(line or "no columns yet", line or "尚未选择列")
