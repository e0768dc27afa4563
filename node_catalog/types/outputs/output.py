"""Output: a named result kept by the studio."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from node_catalog.sdk.contract import BuildContext, Example, Settings, Transform
from node_catalog.sdk.fields import setting
from node_catalog.sdk.ports import Port
from node_catalog.sdk.relation import check_names
from node_catalog.sdk.text import Text, text


class OutputSettings(Settings):
    """The result's name."""

    name: Annotated[
        str,
        setting(
            text("Name", "名称"),
            text("Pages, the API and previews find the result by this name.", "页面、接口和预览用这个名称找到结果。"),
            min_length=1,
            max_length=100,
            pattern=r"^[^\s/\\.][^/\\\x00-\x1f]*$",
            extra={
                "x-pattern-words": text("letters, digits, spaces, no / or \\", "不能含 / 或 \\，且不能以空格或点开头")
            },
        ),
    ]


class Output(Transform):
    """Keeps the rows as a named result in the studio."""

    key = "output"
    title = text("Result", "输出结果")
    summary = text("Keep the rows as a named result", "把行保存为有名称的结果")
    help = text(
        "Keeps the rows as a result of this flow. You can look at it as a table and a chart, download it, and use it "
        "on pages. Each run makes a new result; old ones are removed after a while.",
        "把结果保存在平台中，可以用表格和图表查看、下载，也可以用在页面上。每次运行都会产生新的结果，旧结果到期后自动清理。",
    )
    icon = "TableOutlined"
    Settings = OutputSettings
    group = "out"
    rank = 10
    role = "sink"
    ports = (Port("in", "in"),)
    keeps_order = True
    keeps_rows = True
    examples = (
        Example(
            title=text("A named result", "保存结果"),
            settings={"name": "bad_hours"},
            inputs={"in": ({"a": "integer"}, [[1], [None]])},
            output=({"a": "integer"}, [[1], [None]]),
        ),
    )

    @classmethod
    def apply(cls, inputs: Mapping[str, Sequence[Any]], settings: OutputSettings, context: BuildContext) -> Any:
        """The rows as they come."""
        table = inputs["in"][0]
        check_names(context, table.columns, [""] * len(table.columns))
        return table

    @classmethod
    def summarise(cls, settings: Mapping[str, Any]) -> Text:
        """The name."""
        name = str(settings.get("name") or "")
        return text(name or "no name yet", name or "尚未命名")
