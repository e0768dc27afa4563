"""Intersect: the rows that every input has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from node_catalog.sdk.alike import aligned
from node_catalog.sdk.contract import BuildContext, Example, Settings, Transform
from node_catalog.sdk.fields import setting
from node_catalog.sdk.ports import Port
from node_catalog.sdk.text import Text, text


class IntersectSettings(Settings):
    """Whether equal rows are kept once."""

    distinct: Annotated[
        bool,
        setting(
            text("Remove duplicates", "去除重复行"),
            text(
                "Keep equal rows only once. Otherwise a row stays as often as the input that has it least.",
                "相同的行只保留一行；否则保留的次数以出现最少的输入为准。",
            ),
        ),
    ] = False


class Intersect(Transform):
    """Keeps the rows that occur in every input, compared by all columns."""

    key = "intersect"
    title = text("Common rows", "交集")
    summary = text("Keep the rows that all inputs have", "只保留所有输入中都有的行")
    help = text(
        "Keeps the rows that occur in every input. Whole rows are compared, column by column name; two empty values "
        "count as equal. All inputs need the same columns, in any order. To compare some columns only, use a join "
        "with “rows that have a match”.",
        "只保留在每个输入中都出现的行。按列名逐列比较整行，两个空值视为相等；各输入的列必须相同，顺序不限。"
        "只想比较部分列时，请使用“连接”中的“左侧中有匹配的行”。",
    )
    icon = "BlockOutlined"
    Settings = IntersectSettings
    group = "combine"
    takes_unbounded = False
    ports = (Port("in", "in", many=True), Port("out", "out"))
    examples = (
        Example(
            title=text("As often as in the input that has it least", "按出现最少的次数保留"),
            settings={},
            inputs={
                "in": ({"a": "text", "n": "integer"}, [["x", 1], ["x", 1], ["x", 1], [None, 2], ["y", 3]]),
                "in:2": ({"n": "integer", "a": "text"}, [[1, "x"], [1, "x"], [2, None], [4, "y"]]),
            },
            output=({"a": "text", "n": "integer"}, [["x", 1], ["x", 1], [None, 2]]),
        ),
        Example(
            title=text("In all three, each row once", "三个输入共有的行，各保留一行"),
            settings={"distinct": True},
            inputs={
                "in": ({"a": "text"}, [["x"], ["x"], [None], ["y"]]),
                "in:2": ({"a": "text"}, [["x"], [None], ["x"]]),
                "in:3": ({"A": "text"}, [["x"], ["x"], [None]]),
            },
            output=({"a": "text"}, [["x"], [None]]),
        ),
    )

    @classmethod
    def apply(cls, inputs: Mapping[str, Sequence[Any]], settings: IntersectSettings, context: BuildContext) -> Any:
        """The common rows, in the columns of the first wire."""
        import ibis

        parts = aligned(inputs["in"], context)
        if len(parts) == 1:
            return parts[0].distinct() if settings.distinct else parts[0]
        return ibis.intersect(*parts, distinct=settings.distinct)

    @classmethod
    def summarise(cls, settings: Mapping[str, Any]) -> Text:
        """Whether duplicates go."""
        if settings.get("distinct"):
            return text("common rows, each once", "共有的行，去除重复")
        return text("common rows", "共有的行")
