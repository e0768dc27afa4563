"""Figures over many rows, with the types that ``flow_format`` promises: shared by aggregate, window, pivot and fill."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from node_catalog.sdk.ports import ibis_type, type_of_ibis

Figure = Callable[[Any, Any, float | None], Any]
"""Value, condition (or None), share (for the quantile) → the aggregate."""


def as_float(value: Any) -> Any:
    """The mean of a decimal is a float; Ibis would round it to the decimal's own scale."""
    return value.cast("float64")


def exact_sum(total: Any, value: Any) -> Any:
    """The sum ``total`` of ``value`` in its promised type: integers stay int64 (overflow is an error), decimals keep
    their scale in 38 digits.

    The engine adds integers in 128 bits while Ibis says int64, so a plain cast would vanish: go through a decimal.
    """
    kind = type_of_ibis(value.type())
    if kind == "integer":
        return total.cast(ibis_type("decimal(38,0)")).cast("int64")
    if kind.startswith("decimal"):
        return total.cast(ibis_type(f"decimal(38,{value.type().scale})"))
    return total


def _sum(value: Any, where: Any, _q: float | None) -> Any:
    return exact_sum(value.sum(where=where), value)


FIGURES: Mapping[str, Figure] = {
    "count": lambda value, where, _: value.count(where=where),
    "count_distinct": lambda value, where, _: value.nunique(where=where),
    "sum": _sum,
    "mean": lambda value, where, _: as_float(value).mean(where=where),
    "min": lambda value, where, _: value.min(where=where),
    "max": lambda value, where, _: value.max(where=where),
    "median": lambda value, where, _: as_float(value).median(where=where),
    "stddev": lambda value, where, _: as_float(value).std(where=where, how="sample"),
    "quantile": lambda value, where, q: as_float(value).quantile(q, where=where),
}
