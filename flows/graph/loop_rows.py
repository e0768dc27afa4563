"""Where the rows of a for-each come out: the union of what its iterations gave, with the row's key columns in front.

It exists only in expanded documents. The check asks it for the schema; a plan reads the iterations' files instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from node_catalog.sdk.contract import BuildContext, Settings, Transform
from node_catalog.sdk.open_columns import require_closed
from node_catalog.sdk.ports import Port
from node_catalog.sdk.registry import Registry
from node_catalog.sdk.text import text

LOOP_ROWS = "for_each:rows"
"""No document can name it: step types have plain names."""


class LoopRowsSettings(Settings, frozen=True, kw_only=True):
    """The columns that tell iterations apart."""

    keys: tuple[str, ...] = ()


class LoopRows(Transform):
    """The rows of all iterations. A column that is a key and also comes out of the sub-flow has the key's value."""

    key = LOOP_ROWS
    title = text("For each: rows", "逐项执行：结果")
    summary = text("The rows of all iterations", "各次执行的结果行")
    help = text("Made from a for-each step.", "由“逐项执行”步骤生成。")
    icon = "RetweetOutlined"
    Settings = LoopRowsSettings
    group = "flow"
    ports = (Port("items", "in"), Port("rows", "in"), Port("out", "out"))
    takes_unbounded = False

    @classmethod
    def apply(cls, inputs: Mapping[str, Sequence[Any]], settings: LoopRowsSettings, context: BuildContext) -> Any:
        """The schema: keys first, then what the sub-flow gives."""
        import ibis

        items, rows = inputs["items"][0], inputs["rows"][0]
        require_closed(context, rows)
        keys = [ibis.null().cast(items[name].type()).name(name) for name in settings.keys]
        return rows.select(*keys, *(name for name in rows.columns if name not in settings.keys))


def with_loop_rows(registry: Registry) -> Registry:
    """The registry for expanded documents."""
    return replace(registry, transforms=MappingProxyType({**registry.transforms, LOOP_ROWS: LoopRows}))
