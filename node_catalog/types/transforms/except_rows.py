"""Except: the rows of the first input that no other input has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Annotated, Any

from node_catalog.sdk.alike import aligned
from node_catalog.sdk.contract import BuildContext, Example, Settings, Transform
from node_catalog.sdk.fields import setting
from node_catalog.sdk.ports import Port
from node_catalog.sdk.text import Text, text


class ExceptSettings(Settings):
    """Whether equal rows are kept once."""

    distinct: Annotated[
        bool,
        setting(
            text("Remove duplicates", "去除重复行"),
            text(
                "Keep equal rows only once, and none that another input has at all. Otherwise every row of another "
                "input takes away one equal row.",
                "相同的行只保留一行，其他输入中有的行全部去掉；否则其他输入中的每一行只抵消一行。",
            ),
        ),
    ] = False


class Except(Transform):
    """Takes the rows of the other inputs away from the first, compared by all columns."""

    key = "except"
    title = text("Rows only in the first", "差集")
    summary = text("Take away the rows that other inputs have", "从第一个输入中去掉其他输入中有的行")
    help = text(
        "Starts with the rows of the first input (the first wire) and takes away those of the others. Whole rows are "
        "compared, column by column name; two empty values count as equal. All inputs need the same columns, in any "
        "order. To compare some columns only, use a join with “rows that have no match”.",
        "从第一个输入（第一条连线）的行中去掉其他输入中有的行。按列名逐列比较整行，两个空值视为相等；各输入的列必须相同，顺序不限。"
        "只想比较部分列时，请使用“连接”中的“左侧中没有匹配的行”。",
    )
    icon = "MinusSquareOutlined"
    Settings = ExceptSettings
    group = "combine"
    takes_unbounded = False
    ports = (Port("in", "in", many=True), Port("out", "out"))
    examples = (
        Example(
            title=text("One row takes away one", "一行抵消一行"),
            settings={},
            inputs={
                "in": ({"a": "text", "n": "integer"}, [["x", 1], ["x", 1], ["x", 1], [None, 2], ["y", 3]]),
                "in:2": ({"n": "integer", "a": "text"}, [[1, "x"], [2, None]]),
            },
            output=({"a": "text", "n": "integer"}, [["x", 1], ["x", 1], ["y", 3]]),
        ),
        Example(
            title=text("In none of the others, each row once", "其他输入中都没有的行，各保留一行"),
            settings={"distinct": True},
            inputs={
                "in": ({"a": "text"}, [["x"], ["y"], ["y"], [None], ["z"]]),
                "in:2": ({"a": "text"}, [["x"]]),
                "in:3": ({"a": "text"}, [[None], ["z"]]),
            },
            output=({"a": "text"}, [["y"]]),
        ),
    )

    @classmethod
    def apply(cls, inputs: Mapping[str, Sequence[Any]], settings: ExceptSettings, context: BuildContext) -> Any:
        """The first input without the rows of all others: ((a - b) - c) …, never a - (b - c)."""
        import ibis

        first, *others = aligned(inputs["in"], context)
        if not others:
            return first.distinct() if settings.distinct else first
        return reduce(lambda rest, other: ibis.difference(rest, other, distinct=settings.distinct), others, first)

    @classmethod
    def summarise(cls, settings: Mapping[str, Any]) -> Text:
        """Whether duplicates go."""
        if settings.get("distinct"):
            return text("only in the first, each row once", "仅第一个输入有的行，去除重复")
        return text("only in the first", "仅第一个输入有的行")
