"""Columns that only the data knows: a part of a row whose names are found out by the run.

Between steps they travel together in one column of type ``columns(number)``: in every row a map from each name to its
value, all of one type. All rows that one step makes have the same names, in the same order. Where rows leave the flow
(results, previews) the map becomes real columns. A step that names one of them takes it out of the map: from then on
it is a column like any other, empty when the data does not have it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from node_catalog.sdk.contract import BuildContext
from node_catalog.sdk.engine_calls import engine_call
from node_catalog.sdk.ports import value_type_of_open
from node_catalog.sdk.text import Text, text

Tables = Mapping[str, Sequence[Any]]


def open_names(columns: Iterable[tuple[str, str]]) -> list[str]:
    """Which of some ``(name, type)`` columns stand for columns that only the data knows."""
    return [name for name, kind in columns if value_type_of_open(kind) is not None]


def open_columns(table: Any) -> list[str]:
    """The columns of an Ibis table that stand for others."""
    return [name for name, kind in table.schema().items() if kind.is_map()]


def promised_columns(columns: Sequence[str], further: Sequence[str], name: str) -> list[str]:
    """Where ``name`` of a result stands in the flow: itself, or those columns that hold what only the data knows."""
    return [name] if name in columns else list(further)


def map_from(names: Any, values: Any) -> Any:
    """The map from each of an array of names to the value at the same place of the other array."""
    import ibis.expr.datatypes as dt

    return engine_call("map", dt.Map(dt.string, values.type().value_type), names, values)


def map_of(names: Any, value_of: Any) -> Any:
    """The map from each of ``names`` (an array) to ``value_of(name)``."""
    return map_from(names, names.map(value_of))


def value_at(further: Any, name: Any) -> Any:
    """The value under ``name`` in the map; NULL when it is not there."""
    return engine_call("map_extract_value", further.type().value_type, further, name)


def with_taken_out(tables: Tables, name: str) -> dict[str, list[Any]] | None:
    """The input tables with ``name`` as a column of its own; None unless exactly one table can have it."""
    able = [
        (port, index)
        for port, many in tables.items()
        for index, table in enumerate(many)
        if len(open_columns(table)) == 1 and name not in table.columns
    ]
    if len(able) != 1 or sum(len(open_columns(table)) for many in tables.values() for table in many) != 1:
        return None
    changed = {port: list(many) for port, many in tables.items()}
    ((port, index),) = able
    changed[port][index] = _taken_out(changed[port][index], name)
    return changed


def _taken_out(table: Any, name: str) -> Any:
    (further,) = open_columns(table)
    held = table[further]
    names = held.keys().filter(lambda one: one != name)
    rest = map_of(names, lambda one: value_at(held, one))
    columns = []
    for column in table.columns:
        if column == further:
            columns += [value_at(held, name).name(name), rest.name(further)]
        else:
            columns.append(table[column])
    return table.select(*columns)


def taken_out_words(name: str) -> Text:
    """What is said of a column that a step names and that nobody can promise."""
    return text(
        f"Whether there is a column “{name}” shows only when the data has been read; without it, its cells stay empty. "
        "To be sure, list the values under “New columns” of “Rows to columns” before this step, or run once and look "
        "which columns come out.",
        f"是否有“{name}”这一列，要读到数据后才知道；如果没有，该列为空。如需确定，请在前面的“行转列”步骤的“新列”中列出取值，"
        "或先运行一次，查看得到了哪些列。",
    )


def require_closed(context: BuildContext, table: Any, pointer: str = "") -> None:
    """Refuse columns that only the data knows, for a step that must know before the run what it gets."""
    if not open_columns(table):
        return
    message = text(
        "This step must know all columns before the run, but some before it show only in the data. List the values "
        "under “New columns” of “Rows to columns”, or choose the columns you need with “Choose columns” before "
        "this step.",
        "该步骤在运行之前就需要确定所有的列，而前面有些列要读到数据后才知道。请在“行转列”的“新列”中列出取值，"
        "或在此步骤之前用“选择列”挑出需要的列。",
    )
    raise context.problem("columns.open", message, pointer)
