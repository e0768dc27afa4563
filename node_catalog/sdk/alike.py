"""Inputs of a set operation brought to the same columns: matched by name, in the order and case of the first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from node_catalog.sdk.contract import BuildContext
from node_catalog.sdk.ports import ibis_type, type_of_ibis
from node_catalog.sdk.relation import common_type, listed, type_words
from node_catalog.sdk.text import text


def aligned(inputs: Sequence[Any], context: BuildContext) -> list[Any]:
    """Every input with the columns of the first, in its order and case, and in types that hold the values of all.

    Raises the step's problem for a missing, an extra or an unlike column.
    """
    tables = list(inputs)
    first = tables[0]
    orders = [_matched(first, table, index, context) for index, table in enumerate(tables)]
    kinds = [_type(name, tables, orders, context) for name in first.columns]
    return [
        table.select(
            *(
                table[mine].cast(ibis_type(kind)).name(name)
                for name, mine, kind in zip(first.columns, order, kinds, strict=True)
            )
        )
        for table, order in zip(tables, orders, strict=True)
    ]


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
