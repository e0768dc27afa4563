"""Table: rows that a person types into the step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Annotated, Any

from node_catalog.sdk.contract import BuildContext, Example, Settings, Transform
from node_catalog.sdk.errors import Problem
from node_catalog.sdk.fields import setting
from node_catalog.sdk.ports import Port, Schema, ibis_type, is_type, type_of_ibis
from node_catalog.sdk.relation import check_names, check_type, listed, type_setting, type_words
from node_catalog.sdk.text import Text, shortened, text
from node_catalog.sdk.typed_rows import Cell, parameter_in, read_cell, typed_rows

MOST_COLUMNS, MOST_ROWS = 50, 1_000
_MOST_TOLD = 50
"""Cells that are told of at once."""
_TAKES: Mapping[str, Sequence[str]] = {
    "number": ("number", "integer"),
    "decimal": ("decimal", "number", "integer"),
    "timestamp": ("timestamp", "date"),
}
"""Which parameters a column takes besides those of its own type."""
_LIKE: Mapping[str, Text] = {
    "boolean": text("true or false", "true 或 false"),
    "integer": text("12", "12"),
    "number": text("12.5", "12.5"),
    "decimal": text("12.50", "12.50"),
    "date": text("2024-01-31", "2024-01-31"),
    "time": text("08:30:00", "08:30:00"),
    "timestamp": text("2024-01-31 08:30:00", "2024-01-31 08:30:00"),
}


class TableColumn(Settings):
    """One column."""

    name: Annotated[str, setting(text("Name", "名称"), min_length=1, max_length=200)]
    type: Annotated[str, type_setting(text("Type", "类型"))] = "text"


class TableSettings(Settings, kw_only=True):
    """The columns and the rows."""

    columns: Annotated[
        tuple[TableColumn, ...],
        setting(text("Columns", "列"), widget="table-columns", min_length=1, max_length=MOST_COLUMNS),
    ]
    rows: Annotated[
        tuple[tuple[Cell, ...], ...],
        setting(
            text("Rows", "行"),
            text(
                "Type, or paste from a spreadsheet. An empty cell has no value; :name is a parameter of the flow.",
                "直接输入，或从电子表格粘贴。空单元格表示没有值；:name 表示流程参数。",
            ),
            widget="table-rows",
            max_length=MOST_ROWS,
        ),
    ] = ()

    def problems(self) -> Iterable[Problem]:
        """Cells that do not fit their column, and rows with more cells than there are columns."""
        return islice(self._problems(), _MOST_TOLD)

    def _problems(self) -> Iterator[Problem]:
        if not all(is_type(column.type) for column in self.columns):
            return  # a type that is none is told by the step
        for number, row in enumerate(self.rows):
            if len(row) > len(self.columns):
                message = text(
                    f"Row {number + 1} has {len(row)} cells, but there are {len(self.columns)} columns.",
                    f"第 {number + 1} 行有 {len(row)} 个单元格，而表格只有 {len(self.columns)} 列。",
                )
                yield Problem(f"/rows/{number}", "table.row_long", message)
            for place, (column, cell) in enumerate(zip(self.columns, row)):
                if parameter_in(cell) is not None:
                    continue
                try:
                    read_cell(cell, column.type)
                except ValueError:
                    yield Problem(f"/rows/{number}/{place}", "table.cell", _misfit(number, column, cell))


class Table(Transform):
    """Gives the rows that stand in the step itself: thresholds, lists of codes, test rows, the parameters of a call."""

    key = "table"
    title = text("Table", "手工表格")
    summary = text("Type a small table by hand", "手工录入一张小表")
    help = text(
        "Starts a flow, or a branch of it, with rows that you type here: thresholds, a list of codes, rows to test "
        "with. Give each column a name and a type; type the cells, or paste them from a spreadsheet. A cell that is "
        "left empty has no value. A cell like :name takes the value of that parameter of the flow: a table of one row "
        "of parameters is the usual start of a flow that programs call as an API. For a text that looks like that, "
        "write two colons. At most 1,000 rows and 50 columns; larger tables belong into a file or a database.",
        "用手工录入的数据开始流程或其中的一个分支：阈值、代码表、测试数据等。为每一列填写名称和类型，"
        "单元格可以直接输入，也可以从电子表格粘贴。留空的单元格表示没有值。写成 :name 的单元格取该流程参数的值："
        "以 API 方式被程序调用的流程，通常就从一行参数开始。若文本本身就是这种写法，请写两个冒号。"
        "最多 1,000 行、50 列；更大的表请放在文件或数据库中。",
    )
    icon = "FormOutlined"
    Settings = TableSettings
    group = "in"
    rank = 110
    ports = (Port("out", "out"),)
    examples = (
        Example(
            title=text("Thresholds of two substances", "两种污染物的阈值"),
            settings={
                "columns": [
                    {"name": "substance", "type": "text"},
                    {"name": "limit", "type": "decimal(6,1)"},
                    {"name": "since", "type": "date"},
                    {"name": "is_strict", "type": "boolean"},
                ],
                "rows": [["PM2.5", "75.0", "2016-01-01", True], ["PM10", 150, "2016/1/1", "否"], ["O3"]],
            },
            output=(
                {"substance": "text", "limit": "decimal(6,1)", "since": "date", "is_strict": "boolean"},
                [
                    ["PM2.5", "75.0", "2016-01-01", True],
                    ["PM10", "150.0", "2016-01-01", False],
                    ["O3", None, None, None],
                ],
            ),
            ordered=True,
        ),
        Example(
            title=text("One row", "一行数据"),
            settings={
                "columns": [{"name": "n", "type": "integer"}, {"name": "share", "type": "number"}, {"name": "note"}],
                "rows": [["12", "0.1", None]],
            },
            output=({"n": "integer", "share": "number", "note": "text"}, [[12, 0.1, None]]),
        ),
        Example(
            title=text("No rows yet", "尚无数据"),
            settings={"columns": [{"name": "code"}, {"name": "at", "type": "timestamp"}]},
            output=({"code": "text", "at": "timestamp"}, []),
        ),
    )

    @classmethod
    def apply(cls, inputs: Mapping[str, Sequence[Any]], settings: TableSettings, context: BuildContext) -> Any:
        """The typed rows; parameters become values of their column's type."""
        columns = settings.columns
        check_names(context, [one.name for one in columns], [f"/columns/{place}/name" for place in range(len(columns))])
        for place, column in enumerate(columns):
            check_type(context, column.type, "table.type", f"/columns/{place}/type")
        known: dict[tuple[str, str], Any] = {}
        rows = []
        for number, row in enumerate(settings.rows):
            cells: list[Any] = []
            for place, column in enumerate(columns):
                cell = row[place] if place < len(row) else None
                name = parameter_in(cell)
                if name is None:
                    cells.append(read_cell(cell, column.type))
                    continue
                if (name, column.type) not in known:
                    known[name, column.type] = _parameter(name, number, column, f"/rows/{number}/{place}", context)
                cells.append(known[name, column.type])
            rows.append(cells)
        return typed_rows(Schema.of([(column.name, column.type) for column in columns]), rows)

    @classmethod
    def orders(cls, settings: Mapping[str, Any]) -> bool:
        """Rows come as they were typed."""
        rows = settings.get("rows")
        return isinstance(rows, list | tuple) and len(rows) > 1

    @classmethod
    def summarise(cls, settings: Mapping[str, Any]) -> Text:
        """The columns, and how many rows."""
        columns = [item for item in settings.get("columns") or () if isinstance(item, Mapping)]
        if not columns:
            return text("no columns yet", "尚未设置列")
        count, names = len(settings.get("rows") or ()), listed(item.get("name") or "…" for item in columns)
        return text(f"{names} · {count} row{'' if count == 1 else 's'}", f"{names} · {count} 行")


def _parameter(name: str, row: int, column: TableColumn, pointer: str, context: BuildContext) -> Any:
    """The value of a parameter in a column of its type."""
    value = context.expression(f":{name}", pointer=pointer)
    here, family = type_of_ibis(value.type()), column.type.partition("(")[0]
    if here.partition("(")[0] not in _TAKES.get(family, (family,)):
        found, wanted = type_words(here), type_words(column.type)
        message = text(
            f"Row {row + 1}, column “{column.name}”: the parameter “{name}” is {found['en']}, the column is "
            f"{wanted['en']}.",
            f"第 {row + 1} 行“{column.name}”列：参数“{name}”的类型是{found['zh-CN']}，而该列是{wanted['zh-CN']}。",
        )
        raise context.problem("table.parameter", message, pointer)
    return value if here == column.type else value.cast(ibis_type(column.type))


def _misfit(row: int, column: TableColumn, cell: Cell) -> Text:
    shown = shortened(str(cell), 40)
    wanted, like = type_words(column.type), _LIKE.get(column.type.partition("(")[0])
    hint = (f" Write it like {like['en']}.", f"请写成 {like['zh-CN']} 的形式。") if like else ("", "")
    return text(
        f"Row {row + 1}, column “{column.name}”: “{shown}” does not fit the type {wanted['en']}.{hint[0]}",
        f"第 {row + 1} 行“{column.name}”列：“{shown}”不符合类型“{wanted['zh-CN']}”。{hint[1]}",
    )
