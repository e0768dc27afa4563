"""Read: the start of every flow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from node_catalog.sdk.contract import BuildContext, Example, Settings, Transform
from node_catalog.sdk.fields import setting
from node_catalog.sdk.ports import Port
from node_catalog.sdk.relation import check_names, find_column
from node_catalog.sdk.text import Text, text


class ReadSettings(Settings):
    """Which dataset, and which of its columns."""

    dataset: Annotated[
        str,
        setting(
            text("Dataset", "数据集"),
            text("A dataset from the catalogue that you may use.", "目录中您有权使用的数据集。"),
            widget="dataset",
            min_length=1,
        ),
    ]
    columns: Annotated[
        tuple[str, ...],
        setting(
            text("Columns", "列"),
            text("Leave empty for all columns you may read.", "留空表示读取您有权查看的全部列。"),
            widget="columns",
        ),
    ] = ()


class Read(Transform):
    """Reads a dataset from the catalogue. Only the rows and columns that you were granted arrive."""

    key = "read"
    title = text("Read", "读取数据")
    summary = text("Bring a dataset into the flow", "把一个数据集接入流程")
    help = text(
        "Starts the flow with a dataset from the catalogue. Choose only the columns you need: what is not chosen is "
        "not fetched from the source. If the step is red, you may not use the dataset yet: ask for it from here.",
        "流程从目录中的一个数据集开始。只选需要的列，未选的列不会从数据源取出。若步骤显示为红色，说明您还没有使用权限，可在此直接申请。",
    )
    icon = "DatabaseOutlined"
    Settings = ReadSettings
    group = "in"
    role = "source"
    ports = (Port("out", "out"),)
    keeps_order = False
    examples = (
        Example(
            title=text("Two columns of a dataset", "读取数据集中的两列"),
            settings={"dataset": "air", "columns": ["pm25", "station"]},
            inputs={
                "dataset": (
                    {"station": "text", "ts": "timestamp", "pm25": "number"},
                    [["奥体中心", "2024-01-01T08:00:00", 81.5], ["万柳", "2024-01-01T08:00:00", None]],
                )
            },
            output=({"pm25": "number", "station": "text"}, [[81.5, "奥体中心"], [None, "万柳"]]),
        ),
    )

    @classmethod
    def apply(cls, inputs: Mapping[str, Sequence[Any]], settings: ReadSettings, context: BuildContext) -> Any:
        """The narrowed dataset (port ``dataset``) with the chosen columns, in the order chosen."""
        source = inputs["dataset"][0]
        names = settings.columns or tuple(source.columns)
        pointers = [f"/columns/{index}" if settings.columns else "/columns" for index in range(len(names))]
        check_names(context, names, pointers)
        return source.select(
            *(find_column(context, source, name, at) for name, at in zip(names, pointers, strict=True))
        )

    @classmethod
    def summarise(cls, settings: Mapping[str, Any]) -> Text:
        """How many columns are read."""
        columns = settings.get("columns") or ()
        if not columns:
            return text("all columns", "全部列")
        return text(f"{len(columns)} columns" if len(columns) > 1 else "1 column", f"{len(columns)} 列")
