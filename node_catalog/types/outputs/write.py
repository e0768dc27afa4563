"""Write: rows into a dataset of a node."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

from node_catalog.sdk.contract import BuildContext, Example, Mode, Settings, Transform
from node_catalog.sdk.errors import Problem
from node_catalog.sdk.fields import setting
from node_catalog.sdk.open_columns import require_closed
from node_catalog.sdk.ports import Port
from node_catalog.sdk.relation import check_names, find_column
from node_catalog.sdk.text import Text, text


class WriteSettings(Settings):
    """Where to, and what happens to the rows that are there."""

    dataset: Annotated[
        str,
        setting(
            text("Dataset", "数据集"),
            text("An existing dataset that you may write to.", "您有权写入的已有数据集。"),
            widget="dataset",
            extra={"x-writable": True},
        ),
    ] = ""
    node: Annotated[
        str,
        setting(
            text("Node", "节点"),
            text("For a new table or file: where it is made.", "新建表或文件所在的节点。"),
            widget="node",
        ),
    ] = ""
    path: Annotated[
        tuple[str, ...],
        setting(
            text("Table or file", "表或文件"),
            text("The name of the new table or file inside the node.", "在节点中新建的表或文件的名称。"),
            widget="path",
        ),
    ] = ()
    mode: Annotated[
        Mode,
        setting(
            text("Rows that are there", "已有的行"),
            text(
                "Rows are written once, also when a run is interrupted and repeated.",
                "即使运行中断后重试，每行也只写入一次。",
            ),
            choices={
                "append": text("keep, add new rows", "保留，追加新行"),
                "replace": text("replace all", "全部替换"),
                "upsert": text("change rows with the same key, add the others", "键相同的更新，其余追加"),
            },
        ),
    ] = "append"
    key: Annotated[
        tuple[str, ...],
        setting(
            text("Key", "键"),
            text(
                "The columns by which rows are told apart: the table's primary key, or those of a unique index.",
                "用来区分各行的列：目标表的主键，或某个唯一索引的列。",
            ),
            widget="columns",
        ),
    ] = ()
    create: Annotated[
        bool,
        setting(text("Make it if it is not there", "不存在时新建")),
    ] = False

    def problems(self) -> Iterable[Problem]:
        """Exactly one target: a dataset, or a node with a path."""
        if self.dataset and (self.node or self.path):
            message = text(
                "Choose either a dataset, or a node with a new name, not both.",
                "请只选择一种：已有数据集，或节点加新名称。",
            )
            yield Problem("/dataset", "write.two_targets", message)
        elif not self.dataset and not self.node:
            yield Problem("/dataset", "write.no_target", text("Choose where the rows go.", "请选择写入的位置。"))
        elif self.node and not (self.path and all(self.path)):
            yield Problem(
                "/path", "write.no_path", text("Give the new table or file a name.", "请为新表或新文件命名。")
            )
        yield from self._key_problems()

    def _key_problems(self) -> Iterable[Problem]:
        if self.mode == "upsert" and not self.key:
            message = text("Choose the columns of the key.", "请选择作为键的列。")
            yield Problem("/key", "write.no_key", message)
        elif len(set(self.key)) < len(self.key):
            yield Problem("/key", "write.key_twice", text("A column is named twice.", "有列重复。"))


class Write(Transform):
    """Writes the rows into a dataset of a node, each exactly once."""

    key = "write"
    title = text("Write", "写入")
    summary = text("Write the rows into a table or file", "把行写入表或文件")
    help = text(
        "Writes the rows to a dataset you may write to, or to a new table or file of a node. Nothing is visible to "
        "others before all rows are there; a run that is interrupted and repeated writes each row once. With a key, "
        "rows that are there already are changed and the others added: databases can do that, files cannot.",
        "把行写入您有权写入的数据集，或写入节点中新建的表或文件。全部写完之前他人看不到任何变化；运行中断后重试，每行也只写入一次。"
        "按键更新时，已有的行被更新，其余追加；数据库支持，文件不支持。",
    )
    icon = "SaveOutlined"
    Settings = WriteSettings
    group = "out"
    role = "sink"
    ports = (Port("in", "in"),)
    keeps_rows = True
    examples = (
        Example(
            title=text("Add rows to a dataset", "向数据集追加行"),
            settings={"dataset": "bad_hours", "mode": "append"},
            inputs={"in": ({"a": "integer"}, [[1], [None]])},
            output=({"a": "integer"}, [[1], [None]]),
        ),
        Example(
            title=text("A new table", "新建表"),
            settings={"node": "33A017/DB00003F7K-E", "path": ["bad_hours"], "mode": "replace", "create": True},
            inputs={"in": ({"a": "integer"}, [[1]])},
            output=({"a": "integer"}, [[1]]),
        ),
        Example(
            title=text("Change rows by their key", "按键更新"),
            settings={"dataset": "bad_hours", "mode": "upsert", "key": ["a"]},
            inputs={"in": ({"a": "integer", "b": "text"}, [[1, "x"]])},
            output=({"a": "integer", "b": "text"}, [[1, "x"]]),
        ),
    )

    @classmethod
    def apply(cls, inputs: Mapping[str, Sequence[Any]], settings: WriteSettings, context: BuildContext) -> Any:
        """The rows as they come."""
        table = inputs["in"][0]
        require_closed(context, table)
        check_names(context, table.columns, [""] * len(table.columns))
        for index, name in enumerate(settings.key if settings.mode == "upsert" else ()):
            find_column(context, table, name, f"/key/{index}")
        is_parquet = bool(settings.path) and settings.path[-1].lower().endswith(".parquet")
        for name in table.columns:
            if table[name].type().is_geospatial() and not is_parquet:
                raise _no_geometry(context, name)
        return table

    @classmethod
    def summarise(cls, settings: Mapping[str, Any]) -> Text:
        """Target and mode."""
        path = settings.get("path") or ()
        name = str(settings.get("dataset") or "") or ("/".join(map(str, path)) if not isinstance(path, str) else path)
        if not name:
            return text("no target yet", "尚未选择目标")
        words = {"replace": ("replace", "替换"), "upsert": ("change by key in", "按键更新")}
        verb = words.get(str(settings.get("mode")), ("append to", "追加到"))
        return text(f"{verb[0]} {name}", f"{verb[1]} {name}")


def _no_geometry(context: BuildContext, name: str) -> Exception:
    message = text(
        f"“{name}” is a geometry, which only new Parquet files take (a path that ends in .parquet). Turn it into text, "
        "or into two numbers, with “Geometry to text” before; an “Output” keeps it as it is.",
        f"“{name}”是几何列，只能写入新的 Parquet 文件（路径以 .parquet 结尾）。请先用“几何转文本”转换为文本或两列数字；"
        "“输出”可以原样保留几何。",
    )
    fix = {
        "before": {"type": "geo_text", "port": "in", "settings": {"column": name}},
        "label": text(f"Turn “{name}” into text before", f"先把“{name}”转为文本"),
    }
    return context.problem("write.geometry", message, "", fix)
