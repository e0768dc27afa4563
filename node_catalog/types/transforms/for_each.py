"""For each: a sub-flow once per row, or once per batch of rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal

from node_catalog.sdk.choice_words import STOP
from node_catalog.sdk.contract import BuildContext, Example, Transform
from node_catalog.sdk.errors import Problem
from node_catalog.sdk.fields import setting
from node_catalog.sdk.flow_reference import CallingSettings, called_title
from node_catalog.sdk.open_columns import require_closed
from node_catalog.sdk.relation import check_names, find_column
from node_catalog.sdk.text import Text, text

MOST = 1_000


class ForEachSettings(CallingSettings):
    """Which flow runs how often, with what from each row, and what is collected."""

    keys: Annotated[
        tuple[str, ...],
        setting(
            text("Key columns", "标识列"),
            text(
                "Columns of the row that tell iterations apart. They stand before the collected rows.",
                "用来区分各次执行的列，会放在收集到的数据前面。",
            ),
            widget="columns",
        ),
    ] = ()
    output: Annotated[
        str,
        setting(
            text("Collected result", "收集的结果"),
            text(
                "Which result of the sub-flow; empty when it has only one.", "收集子流程的哪个结果，只有一个时可留空。"
            ),
            widget="sub_flow_output",
            max_length=60,
        ),
    ] = ""
    batch: Annotated[
        str,
        setting(
            text("Batches go to", "按批送入"),
            text(
                "A data input of the sub-flow: it then runs once per batch of rows instead of once per row.",
                "子流程的一个数据输入：选择后每批数据执行一次，而不是每行一次。",
            ),
            widget="sub_flow_input",
            max_length=60,
        ),
    ] = ""
    batch_rows: Annotated[int, setting(text("Rows per batch", "每批行数"), ge=1, le=1_000_000)] = 1_000
    concurrency: Annotated[int, setting(text("At the same time", "同时执行数"), ge=1, le=32)] = 4
    most: Annotated[
        int,
        setting(
            text("At most so many times", "最多执行次数"),
            text("More items than this stop the run before the first iteration.", "超过此数时，运行会在开始前停止。"),
            ge=1,
            le=MOST,
        ),
    ] = MOST
    on_error: Annotated[
        Literal["stop", "continue"],
        setting(
            text("When one fails", "某次失败时"),
            choices={"stop": STOP, "continue": text("go on without it", "跳过并继续")},
        ),
    ] = "stop"

    def problems(self) -> Iterable[Problem]:
        """Values from columns belong to rows, not to batches."""
        for name, value in self.parameters.items():
            if self.batch and isinstance(value, dict) and "column" in value:
                message = text(
                    "A batch has many rows, so a parameter cannot take a column's value. Enter a value.",
                    "一批中有许多行，参数不能取自列，请直接填写取值。",
                )
                yield Problem(f"/parameters/{name}", "for_each.column_in_batch", message)


class ForEach(Transform):
    """Runs a sub-flow for every row or batch of its input, several at a time, and collects one of its results."""

    key = "for_each"
    title = text("For each", "逐项执行")
    summary = text("Run a sub-flow once per row or batch", "每行或每批执行一次子流程")
    help = text(
        "Runs a sub-flow once for every row (its values become the sub-flow's parameters) or once for every batch of "
        "rows (which becomes one of its data inputs), and puts the results below one another, with the key columns in "
        "front. Each iteration is a task of the run: it is retried, survives a killed worker, and can be cancelled. "
        "For very many rows use batches, or a join, which does the same in one go.",
        "每行执行一次子流程（该行的值作为参数），或每批数据执行一次（该批作为它的数据输入），并把各次结果合并，前面加上标识列。"
        "每次执行都是运行中的一个任务：失败会重试，工作进程中断也不会丢失，并且可以取消。行数很多时请改用按批执行，或改用关联一次完成。",
    )
    icon = "RetweetOutlined"
    Settings = ForEachSettings
    group = "flow"
    rank = 20
    takes_unbounded = False
    calls = "each"
    examples = (
        Example(
            title=text("One report per district: the items", "每个区一份：待执行的项"),
            settings={
                "flow": {
                    "app": "0190c2a4-0000-7000-8000-000000000001",
                    "version": 3,
                    "flow": "main",
                    "digest": "5f3c",
                    "gives": [{"port": "out", "name": "report"}],
                },
                "parameters": {"district": {"column": "name"}, "year": 2026},
                "keys": ["code"],
                "concurrency": 2,
            },
            inputs={
                "in": (
                    {"code": "text", "name": "text", "people": "integer"},
                    [["01", "东城区", 708_829], ["02", "西城区", 1_106_214]],
                )
            },
            output=({"code": "text", "name": "text"}, [["01", "东城区"], ["02", "西城区"]]),
        ),
    )

    @classmethod
    def apply(cls, inputs: Mapping[str, Sequence[Any]], settings: ForEachSettings, context: BuildContext) -> Any:
        """The items: the columns that iterations use, at most one row more than may be, so that too many show."""
        source = inputs["in"][0]
        if settings.batch:
            require_closed(context, source, "/batch")
            return source.limit(settings.most * settings.batch_rows + 1)
        wanted: dict[str, str] = {name: f"/keys/{index}" for index, name in enumerate(settings.keys)}
        check_names(context, settings.keys, [f"/keys/{index}" for index in range(len(settings.keys))])
        for name, value in settings.parameters.items():
            if isinstance(value, dict) and isinstance(value.get("column"), str):
                wanted.setdefault(value["column"], f"/parameters/{name}")
        columns = [find_column(context, source, name, at) for name, at in wanted.items()]
        return (source.select(*columns) if columns else source).limit(settings.most + 1)

    @classmethod
    def summarise(cls, settings: Mapping[str, Any]) -> Text:
        """Rows or batches, and the version that is used."""
        used = called_title(settings)
        if settings.get("batch"):
            rows = settings.get("batch_rows") or 1_000
            return text(f"each {rows} rows: {used['en']}", f"每 {rows} 行：{used['zh-CN']}")
        return text(f"each row: {used['en']}", f"每行：{used['zh-CN']}")
