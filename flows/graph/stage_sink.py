"""Where the rows of a stage go: what the caller asked for, what the last step says, or on to the next stage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from flows.graph.check_access import is_write
from flows.graph.document import Document
from flows.graph.errors import PlanError
from flows.graph.plan import Sink
from flows.graph.sources import DatasetInfo
from node_catalog.sdk.ports import Schema
from node_catalog.sdk.text import text


@dataclass(frozen=True)
class Ending:
    """What becomes of the rows of a plan's last step when it is not the step itself that says so."""

    kind: Literal["collect", "result", "exchange"]
    limit: int = 0
    name: str = ""


def sink_of(
    step: str,
    parsed: tuple[Any, Any],
    schema: Schema,
    ending: Ending | None,
    document: Document,
    datasets: Mapping[str, DatasetInfo],
) -> Sink:
    """The sink of the stage that ends in ``step`` (type and settings: ``parsed``). Raises PlanError when its dataset
    is not there.
    """
    if ending is not None:
        return Sink(ending.kind, step, schema, name=ending.name, limit=ending.limit)
    kind, settings = parsed
    if kind.role != "sink":
        return Sink("exchange", step, schema)
    if not is_write(kind, settings):
        return Sink("result", step, schema, name=str(getattr(settings, "name", "")) or step)
    more = {"mode": settings.mode, "create": settings.create, "key": tuple(settings.key)}
    if not settings.dataset:
        return Sink("write", step, schema, node=settings.node, path=tuple(settings.path), **more)
    number = document.dataset_number(settings.dataset)
    info = datasets.get(number)
    if info is None:
        raise PlanError("dataset.unknown", text(f"There is no dataset “{number}”.", f"没有数据集“{number}”。"))
    return Sink("write", step, schema, dataset=number, node=info.node, path=info.path, **more)
