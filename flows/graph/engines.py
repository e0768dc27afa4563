"""Which engine does a stage: the one in the worker's process, or Spark, when one is set up and gives the same rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import ibis.expr.operations as ops

from flows.graph.errors import PlanError
from flows.graph.plan import Stage
from flows.graph.same_on_spark import is_unsure, refusal
from flows.graph.stage_text import StageText
from node_catalog.sdk.text import Text, text

Wish = Literal["auto", "here", "cluster"]


@dataclass(frozen=True)
class Cluster:
    """A Spark that stages may be sent to: those of at least ``least_rows`` estimated rows, or as people wish."""

    least_rows: int
    wish: Wish = "auto"
    is_shared: bool = True
    """Whether it can read rows that we leave for it; otherwise they are sent along, which is for few."""


@dataclass(frozen=True)
class Chosen:
    """Whether a stage goes to Spark, and why."""

    is_there: bool
    code: str
    why: Text


def choose(cluster: Cluster, stage: Stage, parts: StageText, rows: float | None, *, keeps_order: bool) -> Chosen:
    """``parts``: what the stage's statement is made of. ``rows``: the most that pass one of its steps by the estimate.

    ``keeps_order``: whether its rows come in an order that was not made inside of it.
    """
    if cluster.wish == "here":
        return _here(text("the flow's run settings say so", "流程的运行设置如此指定"))
    if cluster.wish == "auto":
        if not cluster.is_shared:
            return _here(text("Spark shares no storage with the studio", "Spark 与平台没有共享存储"))
        if rows is None:
            return _here(text("nobody knows how many rows it has", "数据行数未知"))
        if rows < cluster.least_rows:
            return _here(
                text(
                    f"it has about {rows:,.0f} rows, and Spark is used from {cluster.least_rows:,}",
                    f"约 {rows:,.0f} 行，未达到使用 Spark 的 {cluster.least_rows:,} 行",
                )
            )
    why = _obstacle(stage, parts, keeps_order=keeps_order)
    if why is not None:
        return Chosen(False, "plan.not_on_spark", why)
    if cluster.wish == "cluster":
        return Chosen(True, "plan.on_spark", text("the flow's run settings say so", "流程的运行设置如此指定"))
    words = text(f"it has about {rows:,.0f} rows", f"约有 {rows:,.0f} 行")
    return Chosen(True, "plan.on_spark", words)


def _obstacle(stage: Stage, parts: StageText, *, keeps_order: bool) -> Text | None:
    if all(map(_hands_on, parts.relations.values())):
        return text("nothing is worked out in it, rows are only handed on", "该阶段只传递数据，没有计算")
    if stage.extensions:
        return text("it works on geometries", "该阶段处理几何数据")
    if keeps_order:
        return text("its rows keep an order that was made before", "数据须保持之前的排序")
    found = refusal(parts.relations.values())
    if found is None and is_unsure(parts.read_twice()):
        return text(
            "rows that two steps read could differ each time they are worked out",
            "供两个步骤读取的数据每次计算可能不同",
        )
    return found


def _hands_on(relation: Any) -> bool:
    """Whether a step only chooses among the columns of the step before."""
    node = relation.op()
    while isinstance(node, ops.Project) and all(isinstance(value, ops.Field) for value in node.values.values()):
        node = node.parent
    return isinstance(node, ops.UnboundTable)


def text_for_spark(parts: StageText, stage: Stage, ends: tuple[str, ...]) -> str | None:
    """The stage's statement for Spark; None when Spark has no words for it. ``ends`` are the parts that come out."""
    try:
        there = parts.for_spark()
    except PlanError:
        return None
    if stage.outlets:
        return there.finish_several(ends, stage.outlets, stage.schema)
    return there.finish(ends[0], stage.schema)


def _here(why: Text) -> Chosen:
    return Chosen(False, "plan.here", why)
