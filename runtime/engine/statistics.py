"""Statistics of every column of a stream, in one pass of bounded memory, for profiles and previews alike.

Exact over all rows: rows, nulls, min, max, mean, lengths. From the sample (all rows when there are few):
distinct values, top values, histogram; what is estimated is named in ``approximate``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import pyarrow as pa

from node_catalog.sdk.geometry import crs_of
from node_catalog.sdk.kept import Kept, shared
from node_catalog.sdk.ports import Field, Schema, to_arrow
from runtime.engine.cancel import Cancel
from runtime.engine.duck import Connection, open_main
from runtime.engine.histogram import histogram
from runtime.engine.plain import listed, plain
from runtime.engine.reservoir import LONGEST_TEXT, Reservoir
from runtime.engine.streams import Flow, reader_of
from runtime.engine.work import Limits

FEW_VALUES = 1000
TOP = 10
_NUMERIC = ("integer", "number", "decimal")


class Statistics(msgspec.Struct, frozen=True):
    """``columns``: name → {nulls, distinct, min, max, mean?, top, histogram?, length?, approximate}.

    Of geometries ``min`` and ``max`` are the corners (x y) of the box around all of them.
    """

    rows: int
    sample_rows: int
    columns: dict[str, dict[str, Any]]
    beginning: pa.Table
    """The first rows, as many as were asked for."""


def describe(
    batches: Iterable[pa.RecordBatch],
    schema: Schema,
    limits: Limits,
    cancel: Cancel,
    *,
    sample_rows: int = 100_000,
    first: int = 0,
    kept: Kept | None = None,
) -> Statistics:
    """Read ``batches`` once to the end and describe every column (in a connection that ``kept`` keeps for the next)."""
    reservoir = Reservoir(sample_rows, first)
    flow = Flow("rows")
    extensions = ("spatial",) if any(crs_of(field.type) for field in schema.fields) else ()
    name = "statistics with geometries" if extensions else "statistics"
    with shared(kept, name, lambda: open_main(limits, cancel, ordered=True, extensions=extensions)) as connection:
        positioned = Schema(tuple(Field(f"c{place}", field.type) for place, field in enumerate(schema.fields)))
        renamed = (batch.rename_columns(list(positioned.names)) for batch in reservoir.pass_on(batches))
        counted = flow.count(renamed, cancel)
        connection.register("rows", reader_of(counted, positioned), flow)
        with connection.run(_scan(schema), ("rows",), 1024) as reader:
            table = reader.read_all()
        connection.forget("rows")
        facts = {name: listed(column)[0] for name, column in zip(table.column_names, table.columns)}
        sample = reservoir.sample()
        if sample is not None:
            connection.register("sampled", sample.to_reader())
            connection.script("create or replace temp table sample as select * from sampled")
            connection.forget("sampled")
        scale = reservoir.rows / sample.num_rows if sample is not None and sample.num_rows else 1.0
        columns = {
            field.name: _column(connection, place, field, facts, scale if sample is not None else 0.0)
            for place, field in enumerate(schema.fields)
        }
        connection.script("drop table if exists sample")
    seen = sample.num_rows if sample is not None else 0
    return Statistics(reservoir.rows, seen, columns, reservoir.beginning(to_arrow(schema)))


def _scan(schema: Schema) -> str:
    """One SELECT with every exact figure of every column."""
    parts = ["count(*) as n"]
    for place, field in enumerate(schema.fields):
        column = f"c{place}"
        parts.append(f"count({column}) as {column}_count")
        if field.type == "binary":
            parts += _lengths(f"octet_length({column})", column)
            continue
        if crs_of(field.type):
            sides = (("min", "xmin"), ("min", "ymin"), ("max", "xmax"), ("max", "ymax"))
            parts += [f"{figure}(st_{side}({column})) as {column}_{side}" for figure, side in sides]
            continue
        parts.append(f"approx_count_distinct({column}) as {column}_distinct")
        shown = f"left({column}, {LONGEST_TEXT})" if field.type == "text" else column
        parts += [f"min({shown}) as {column}_min", f"max({shown}) as {column}_max"]
        if field.type == "text":
            parts += _lengths(f"length({column})", column)
        if field.type.startswith(_NUMERIC):
            parts.append(f"avg({_finite(column, field)}) as {column}_mean")
    return f"select {', '.join(parts)} from rows"


def _lengths(length: str, column: str) -> list[str]:
    figures = ("min", "max", "avg")
    return [f"{figure}({length}) as {column}_length_{figure}" for figure in figures]


def _finite(column: str, field: Field) -> str:
    return f"case when isfinite({column}) then {column} end" if field.type == "number" else f"{column}::double"


def _column(connection: Connection, place: int, field: Field, facts: dict[str, Any], scale: float) -> dict[str, Any]:
    """The statistics of one column. ``scale``: rows per sampled row; 1 when all were looked at, 0 without rows."""
    name = f"c{place}"
    found: dict[str, Any] = {"nulls": facts["n"] - facts[f"{name}_count"]}
    longest = facts.get(f"{name}_length_max")
    if longest is not None or field.type in ("text", "binary"):
        found["length"] = {
            "min": facts[f"{name}_length_min"], "max": longest, "mean": facts[f"{name}_length_avg"],
        }  # fmt: skip
    if field.type == "binary":
        return {**found, "distinct": None, "min": None, "max": None, "approximate": []}
    if crs_of(field.type):
        corners = ([facts[f"{name}_{side}"] for side in sides] for sides in (("xmin", "ymin"), ("xmax", "ymax")))
        low, high = (None if None in corner else " ".join(f"{value:.6f}" for value in corner) for corner in corners)
        return {**found, "distinct": None, "min": low, "max": high, "approximate": []}
    low, high = facts[f"{name}_min"], facts[f"{name}_max"]
    found |= {"min": plain(low), "max": plain(high)}
    if field.type.startswith(_NUMERIC):
        found["mean"] = plain(facts[f"{name}_mean"])
    if scale == 0.0:
        return {**found, "distinct": 0, "top": [], "approximate": []}
    top, distinct = _values(connection, name, scale)
    is_cut = field.type == "text" and (longest or 0) > LONGEST_TEXT
    is_estimated = scale > 1.0 or is_cut
    # A large sample sees few values better than the sketch, which is off by some percent at any size.
    is_seen = not is_estimated or (distinct <= FEW_VALUES and not is_cut)
    found["distinct"] = distinct if is_seen else min(facts[f"{name}_distinct"], facts[f"{name}_count"])
    found["top"] = top
    bins = histogram(connection, name, field.type, low, high, scale)
    if bins is not None:
        found["histogram"] = bins
    found["approximate"] = [
        key for key in ("distinct", "top", "histogram")
        if key in found and (scale > 1.0 or (is_cut and key == "distinct"))
    ]  # fmt: skip
    return found


def _values(connection: Connection, name: str, scale: float) -> tuple[list[dict[str, Any]], int]:
    """The most frequent values with their (scaled) counts, and how many values there are in the sample."""
    rows = connection.script(
        f"select {name}, count(*) as n, count(*) over () as values_total from sample where {name} is not null "
        f"group by {name} order by n desc, {name} limit {TOP}"
    )
    top = [{"value": plain(value, LONGEST_TEXT), "count": round(count * scale)} for value, count, _ in rows]
    return top, rows[0][2] if rows else 0
