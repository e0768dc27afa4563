"""Unpivot: columns become rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from node_catalog.sdk.contract import BuildContext, Example, Settings, Transform
from node_catalog.sdk.fields import setting
from node_catalog.sdk.ports import ibis_type, type_of_ibis
from node_catalog.sdk.relation import check_names, find_column, hidden_name, listed, type_words
from node_catalog.sdk.text import Text, text


class UnpivotSettings(Settings):
    """Which columns become rows, and what the two new columns are called."""

    columns: Annotated[
        tuple[str, ...],
        setting(
            text("Columns that become rows", "要转成行的列"),
            text("They must be of one type. The other columns are repeated.", "这些列的类型必须相同，其余列照样重复。"),
            widget="columns",
            min_length=1,
        ),
    ]
    name: Annotated[
        str,
        setting(
            text("Name of the column for the names", "存放列名的新列"),
            text("It holds which column a value comes from.", "记录每个值来自哪一列。"),
            min_length=1,
            max_length=200,
        ),
    ] = "name"
    value: Annotated[
        str,
        setting(text("Name of the column for the values", "存放值的新列"), min_length=1, max_length=200),
    ] = "value"


class Unpivot(Transform):
    """Turns several columns into rows: one row for each column, with its name and its value."""

    key = "unpivot"
    title = text("Columns to rows", "列转行")
    summary = text("One row for each of several columns", "把多列拆成多行，每列一行")
    help = text(
        "Makes several rows of one: for each chosen column a row with the column's name and its value; the other "
        "columns are repeated. Rows with an empty value are kept. The chosen columns must be of one type: change "
        "their type before if they are not.",
        "把一行变成多行：所选的每一列各成一行，记下列名和值，其余列照样重复；值为空的行也保留。"
        "所选列的类型必须相同，不同时请先转换类型。",
    )
    icon = "ColumnHeightOutlined"
    Settings = UnpivotSettings
    rank = 120
    examples = (
        Example(
            title=text("One row for each pollutant", "每种污染物一行"),
            settings={"columns": ["PM2.5", "臭氧"], "name": "pollutant", "value": "level"},
            inputs={
                "in": (
                    {"station": "text", "PM2.5": "number", "臭氧": "number"},
                    [["a", 80.5, 20.0], ["b", None, 30.0], [None, None, None]],
                )
            },
            output=(
                {"station": "text", "pollutant": "text", "level": "number"},
                [
                    ["a", "PM2.5", 80.5],
                    ["a", "臭氧", 20.0],
                    ["b", "PM2.5", None],
                    ["b", "臭氧", 30.0],
                    [None, "PM2.5", None],
                    [None, "臭氧", None],
                ],
            ),
        ),
    )

    @classmethod
    def apply(cls, inputs: Mapping[str, Sequence[Any]], settings: UnpivotSettings, context: BuildContext) -> Any:
        """Each row times each column; the input is read once, as a list of pairs that is taken apart."""
        import ibis

        table = inputs["in"][0]
        check_names(context, settings.columns, [f"/columns/{index}" for index in range(len(settings.columns))])
        kind = cls._type(table, settings, context)
        kept = [name for name in table.columns if name not in settings.columns]
        names = [*kept, settings.name, settings.value]
        check_names(context, names, [*[""] * len(kept), "/name", "/value"])
        pair = hidden_name(names, "__pair")
        pairs = [ibis.struct({"n": ibis.literal(name), "v": table[name]}) for name in settings.columns]
        apart = table.select(*(table[name] for name in kept), ibis.array(pairs).unnest().name(pair))
        return apart.select(
            *(apart[name] for name in kept),
            apart[pair]["n"].name(settings.name),
            apart[pair]["v"].cast(ibis_type(kind)).name(settings.value),
        )

    @staticmethod
    def _type(table: Any, settings: UnpivotSettings, context: BuildContext) -> str:
        kinds = [
            type_of_ibis(find_column(context, table, name, f"/columns/{index}").type())
            for index, name in enumerate(settings.columns)
        ]
        for index, kind in enumerate(kinds):
            if kind != kinds[0]:
                a, b = type_words(kinds[0]), type_words(kind)
                first, name = settings.columns[0], settings.columns[index]
                message = text(
                    f"“{first}” is {a['en']} but “{name}” is {b['en']}: values of one column are of one type. "
                    "Change one of the types before.",
                    f"“{first}”是{a['zh-CN']}，“{name}”是{b['zh-CN']}，合成一列的值类型必须相同。请先转换类型。",
                )
                fix = {"cast": {"column": name, "type": kinds[0]}}
                raise context.problem("unpivot.types", message, f"/columns/{index}", fix)
        return kinds[0]

    @classmethod
    def summarise(cls, settings: Mapping[str, Any]) -> Text:
        """The columns and where they go."""
        line = listed(settings.get("columns") or ())
        name = settings.get("name") or "name"
        if not line:
            return text("no columns yet", "尚未选择列")
        return text(f"{line} → {name}", f"{line} → {name}")
