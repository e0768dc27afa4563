"""Filter: keep the rows that fulfil a condition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from node_catalog.sdk.condition_words import in_words
from node_catalog.sdk.contract import BuildContext, Example, Settings, Transform
from node_catalog.sdk.fields import setting
from node_catalog.sdk.relation import kind_of, type_words
from node_catalog.sdk.text import Text, text


class FilterSettings(Settings):
    """The condition."""

    where: Annotated[
        str,
        setting(
            text("Keep rows where", "保留符合条件的行"),
            text(
                "Rows for which the condition is not certain (an empty value) are dropped.",
                "条件无法判断（有空值）的行会被去掉。",
            ),
            widget="expression",
            extra={"x-expression-type": "boolean"},
            min_length=1,
        ),
    ]


class Filter(Transform):
    """Keeps the rows for which a condition is true."""

    key = "filter"
    title = text("Filter", "筛选")
    summary = text("Keep only some of the rows", "只保留符合条件的行")
    help = text(
        "Keeps the rows for which the condition is true. Pick column, comparison and value; join several conditions "
        "with “and” or “or”. A row with an empty value in a compared column is dropped, unless you ask for “is empty”.",
        "只保留条件成立的行。依次选择列、比较方式和取值，多个条件用“且”或“或”连接。被比较的列为空的行会被去掉，除非条件就是“为空”。",
    )
    icon = "FilterOutlined"
    Settings = FilterSettings
    rank = 10
    keeps_order = True
    examples = (
        Example(
            title=text("Hours with bad air", "空气较差的时段"),
            settings={"where": "pm25 > 75"},
            inputs={"in": ({"station": "text", "pm25": "number"}, [["a", 80.0], ["b", 75.0], ["c", None]])},
            output=({"station": "text", "pm25": "number"}, [["a", 80.0]]),
        ),
        Example(
            title=text("Rows without a value", "没有取值的行"),
            settings={"where": "pm25 is null or pm25 < 0"},
            inputs={"in": ({"station": "text", "pm25": "number"}, [["a", 80.0], ["b", -1.0], ["c", None]])},
            output=({"station": "text", "pm25": "number"}, [["b", -1.0], ["c", None]]),
        ),
    )

    @classmethod
    def apply(cls, inputs: Mapping[str, Sequence[Any]], settings: FilterSettings, context: BuildContext) -> Any:
        """Rows for which ``where`` is true; NULL drops the row."""
        table = inputs["in"][0]
        condition = context.expression(settings.where, table, pointer="/where")
        if not condition.type().is_boolean():
            found = type_words(kind_of(condition))
            message = text(
                f"A filter needs a condition that is true or false, but this gives {found['en']}. "
                "Compare it with something, for example “> 0”.",
                f"筛选需要一个成立或不成立的条件，而这里得到的是{found['zh-CN']}。请加上比较，例如“> 0”。",
            )
            raise context.problem("filter.not_condition", message, "/where")
        return table.filter(condition)

    @classmethod
    def summarise(cls, settings: Mapping[str, Any]) -> Text:
        """The condition, with its joining words in the reader's language and plain names."""
        where = str(settings.get("where") or "")
        return in_words(where) if where else text("no condition yet", "尚未设置条件")
