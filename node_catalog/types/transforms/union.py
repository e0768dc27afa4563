"""Union: the rows of several inputs below one another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from node_catalog.sdk.contract import BuildContext, Example, Settings, Transform
from node_catalog.sdk.fields import setting
from node_catalog.sdk.ports import Port, ibis_type, type_of_ibis
from node_catalog.sdk.relation import common_type, listed, type_words
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

        tables = list(inputs["in"])
        first = tables[0]
        orders = [cls._matched(first, table, index, context) for index, table in enumerate(tables)]
        kinds = [cls._type(name, tables, orders, context) for name in first.columns]
        parts = [
            table.select(
                *(
                    table[mine].cast(ibis_type(kind)).name(name)
                    for name, mine, kind in zip(first.columns, order, kinds, strict=True)
                )
            )
            for table, order in zip(tables, orders, strict=True)
        ]
        if len(parts) == 1:
            return parts[0].distinct() if settings.distinct else parts[0]
        return ibis.union(*parts, distinct=settings.distinct)

    @staticmethod
    def _matched(first: Any, table: Any, index: int, context: BuildContext) -> list[str]:
        """The names in ``table`` of the first input's columns; case is forgiven, absence is not."""
        folded = {name.casefold(): name for name in table.columns}
        order = [name if name in table.columns else folded.get(name.casefold(), "") for name in first.columns]
        missing = [name for name, mine in zip(first.columns, order, strict=True) if not mine]
        extra = [name for name in table.columns if name not in order]
        if not missing and not extra:
            return order
        lacks_en = f" lacks {listed(missing, 5)}" if missing else ""
        has_en = f" has {listed(extra, 5)}, which the first has not" if extra else ""
        both = " and" if missing and extra else ""
        lacks_zh = f"缺少列 {listed(missing, 5)}" if missing else ""
        has_zh = f"多出第一个输入没有的列 {listed(extra, 5)}" if extra else ""
        message = text(
            f"Input {index + 1}{lacks_en}{both}{has_en}. Choose the same columns in both before.",
            f"第 {index + 1} 个输入{'，'.join(filter(None, (lacks_zh, has_zh)))}。请先用“选择列”使各输入的列一致。",
        )
        raise context.problem("union.columns", message)

    @staticmethod
    def _type(name: str, tables: Sequence[Any], orders: Sequence[Sequence[str]], context: BuildContext) -> str:
        at = tables[0].columns.index(name)
        found = type_of_ibis(tables[0][name].type())
        for index, (table, order) in enumerate(zip(tables, orders, strict=True)):
            mine = type_of_ibis(table[order[at]].type())
            wide = common_type(found, mine)
            if wide is None:
                a, b = type_words(found), type_words(mine)
                message = text(
                    f"Column “{name}” is {a['en']} in the first input but {b['en']} in input {index + 1}. "
                    "Change one of the types before.",
                    f"列“{name}”在第一个输入中是{a['zh-CN']}，在第 {index + 1} 个输入中是{b['zh-CN']}。请先转换类型。",
                )
                raise context.problem("union.type", message)
            found = wide
        return found

    @classmethod
    def summarise(cls, settings: Mapping[str, Any]) -> Text:
        """Whether duplicates go."""
        if settings.get("distinct"):
            return text("each row once", "去除重复行")
        return text("all rows", "保留全部行")
