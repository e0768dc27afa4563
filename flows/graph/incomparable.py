"""Geometries have no equality and no order: no step may compare, sort, group or match by one. Said before a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import ibis.expr.operations as ops

from flows.graph.errors import StepError
from node_catalog.sdk.text import text

_COMPARING = (ops.Comparison, ops.Between, ops.InValues, ops.SortKey, ops.Min, ops.Max, ops.Mode, ops.CountDistinct)


def check_geometries(tables: Mapping[str, Sequence[Any]], built: Mapping[str, Any]) -> None:
    """Raise StepError when a step's relations compare geometries of its inputs; quick where there are none."""
    if not any(kind.is_geospatial() for many in tables.values() for one in many for kind in one.schema().types):
        return
    for relation in built.values():
        for value in _compared(relation.op()):
            if value.dtype.is_geospatial():
                raise _refused(value)


def _compared(node: Any) -> Iterator[Any]:
    """All values in a relation of which the engine must know whether two are equal, or which comes first."""
    for one in node.find((*_COMPARING, ops.Aggregate, ops.WindowFunction, ops.Distinct, ops.Set)):
        if isinstance(one, ops.Aggregate):
            yield from one.groups.values()
        elif isinstance(one, ops.WindowFunction):
            yield from one.group_by
        elif isinstance(one, ops.Distinct):
            yield from one.parent.fields.values()
        elif isinstance(one, ops.Set):
            yield from one.left.fields.values() if one.distinct or not isinstance(one, ops.Union) else ()
        else:
            yield from _values(one.args)


def _values(args: Iterable[Any]) -> Iterator[Any]:
    for arg in args:
        if isinstance(arg, tuple):
            yield from _values(arg)
        elif isinstance(arg, ops.Value):
            yield arg


def _refused(value: Any) -> StepError:
    name = value.name if isinstance(value, ops.Field) else "…"
    message = text(
        f"“{name}” is a geometry: it cannot be compared, sorted, grouped or matched by. Use another column, such as a "
        "code, or “Geometry to text” before; places are matched by “Point in polygon” and “Nearest place”.",
        f"“{name}”是几何列，不能用于比较、排序、分组或匹配。请改用其他列（例如代码），或先用“几何转文本”；"
        "按位置匹配请用“落区判断”或“就近地点”。",
    )
    return StepError("geometry.not_comparable", message)
