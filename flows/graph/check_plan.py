"""L5: what a run would do. Rows it reads, where it writes, what it replaces. Hints, no errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flows.graph.check_access import Datasets, is_write
from flows.graph.document import Document
from flows.graph.findings import Finding
from flows.graph.sources import NodeInfo, title_of
from node_catalog.sdk.contract import Transform
from node_catalog.sdk.text import text

MANY_ROWS = 100_000_000


def plan_findings(
    document: Document,
    parsed: Mapping[str, tuple[type[Transform], Any]],
    datasets: Datasets,
    nodes: Mapping[str, NodeInfo],
) -> Iterator[Finding]:
    """Estimates and side effects of the steps whose settings are complete."""
    for step, (kind, settings) in parsed.items():
        pointer = f"/steps/{step}"
        if kind.role == "source":
            info = datasets.get(document.dataset_number(getattr(settings, "dataset", "")))
            if info is not None and info.rows is not None:
                many = info.rows >= MANY_ROWS
                more = ("; filter early to keep the run short", "，建议尽早筛选") if many else ("", "")
                message = text(f"Reads about {info.rows:,} rows{more[0]}.", f"约读取 {info.rows:,} 行{more[1]}。")
                yield Finding("plan.rows", "L5", message, "warning" if many else "info", pointer=pointer, step=step)
        elif is_write(kind, settings):
            yield _effect(document, step, settings, datasets, nodes)


def _effect(document: Document, step: str, settings: Any, datasets: Datasets, nodes: Mapping[str, NodeInfo]) -> Finding:
    if settings.dataset:
        number = document.dataset_number(settings.dataset)
        info = datasets.get(number)
        names = tuple(title_of(info.title if info else "", number, language) for language in ("en", "zh-CN"))
    else:
        node = nodes.get(settings.node)
        path = "/".join(settings.path)
        names = tuple(
            f"{title_of(node.title if node else '', settings.node, language)} / {path}" for language in ("en", "zh-CN")
        )
    if settings.mode == "replace":
        message = text(f"Each run replaces all rows of “{names[0]}”.", f"每次运行都会替换“{names[1]}”的全部数据。")
        return Finding("plan.replaces", "L5", message, "warning", pointer=f"/steps/{step}", step=step)
    if settings.mode == "upsert":
        key = ", ".join(settings.key), "、".join(settings.key)
        message = text(
            f"Each run changes the rows of “{names[0]}” with the same {key[0]} and adds the others.",
            f"每次运行按 {key[1]} 更新“{names[1]}”中已有的行，并追加其余的行。",
        )
        return Finding("plan.upserts", "L5", message, "warning", pointer=f"/steps/{step}", step=step)
    message = text(f"Each run adds rows to “{names[0]}”.", f"每次运行都会向“{names[1]}”追加数据。")
    return Finding("plan.appends", "L5", message, "info", pointer=f"/steps/{step}", step=step)
