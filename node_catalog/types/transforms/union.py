"""Union: the rows of several inputs below one another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from node_catalog.sdk.alike import aligned
from node_catalog.sdk.contract import BuildContext, Example, Settings, Transform
from node_catalog.sdk.fields import setting
from node_catalog.sdk.ports import Port
from node_catalog.sdk.text import Text, text


class UnionSettings(Settings):
    """Whether equal rows are kept once."""

    distinct: Annotated[
        bool,
        setting(text("Remove duplicates", "去除重复行"), text("Keep equal rows only once.", "相同的行只保留一行。")),
    ] = False


class Union(Transform):
    """Puts the rows of several inputs below one another, column by column name."""

    key = "union"
    title = text("Stack rows", "合并行")
    summary = text("Put the rows of several inputs together", "把多个输入的行合并在一起")
    help = text(
        "Puts the rows of all inputs together. Columns are matched by name; all inputs need the same columns, in any "
        "order. Whole numbers and numbers fit together; other types must be equal: change them before if they are not.",
        "把所有输入的行合并在一起。列按名称对应，各输入的列必须相同，顺序不限。整数与小数可以合并，其他类型必须一致，不一致时请先转换类型。",
    )
    icon = "InsertRowBelowOutlined"
    Settings = UnionSettings
    group = "combine"
    ports = (Port("in", "in", many=True), Port("out", "out"))
    examples = (
        Example(
            title=text("Two months", "两个月的数据"),
            settings={},
            inputs={
                "in": ({"station": "text", "pm25": "integer"}, [["a", 1], ["a", 1]]),
                "in:2": ({"pm25": "number", "station": "text"}, [[2.5, "b"]]),
            },
            output=({"station": "text", "pm25": "number"}, [["a", 1.0], ["a", 1.0], ["b", 2.5]]),
        ),
        Example(
            title=text("Each row once", "去除重复行"),
            settings={"distinct": True},
            inputs={"in": ({"a": "text"}, [["x"], ["x"], [None]]), "in:2": ({"a": "text"}, [["x"], [None]])},
            output=({"a": "text"}, [["x"], [None]]),
        ),
    )

    @classmethod
    def apply(cls, inputs: Mapping[str, Sequence[Any]], settings: UnionSettings, context: BuildContext) -> Any:
        """All rows, in the columns of the first wire."""
        import ibis

        parts = aligned(inputs["in"], context)
        if len(parts) == 1:
            return parts[0].distinct() if settings.distinct else parts[0]
        return ibis.union(*parts, distinct=settings.distinct)

    @classmethod
    def summarise(cls, settings: Mapping[str, Any]) -> Text:
        """Whether duplicates go."""
        if settings.get("distinct"):
            return text("each row once", "去除重复行")
        return text("all rows", "保留全部行")
