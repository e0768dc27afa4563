"""Arrow values as JSON for people's screens: exact, bounded, never ambiguous.

Integers beyond 2^53 and decimals are strings; dates and timestamps are ISO; NULL and NaN are null; infinities are
strings; bytes are hexadecimal; long texts are cut with an ellipsis; geometries are WKT, long ones kind and bounds.
"""

from __future__ import annotations

import datetime
import decimal
import math
from typing import Any

import pyarrow as pa

from node_catalog.sdk.geometry import crs_of_metadata
from node_catalog.sdk.ports import type_of_field
from node_catalog.sdk.wkb import read_wkb, short_words, wkt

SAFE_INTEGER = 2**53
LONGEST_TEXT = 2000


def plain(value: Any, longest: int = LONGEST_TEXT) -> Any:
    """One Python value (of ``Array.to_pylist``) as JSON."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if -SAFE_INTEGER <= value <= SAFE_INTEGER else str(value)
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return value if math.isfinite(value) else ("Infinity" if value > 0 else "-Infinity")
    if isinstance(value, str):
        return value if len(value) <= longest else value[: longest - 1] + "…"
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, bytes):
        return value[: longest // 2].hex() + ("…" if len(value) > longest // 2 else "")
    if isinstance(value, datetime.timedelta):
        return str(value)
    if isinstance(value, list | tuple):
        return [plain(item, longest) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item, longest) for key, item in value.items()}
    return str(value)


def columns_of(schema: pa.Schema) -> list[dict[str, str]]:
    """``[{name, type}]`` in our words for types."""
    return [{"name": field.name, "type": type_of_field(field)} for field in schema]


def rows_of(table: pa.Table | pa.RecordBatch, longest: int = LONGEST_TEXT) -> list[list[Any]]:
    """The rows as JSON lists."""
    columns = [_cells(column, field, longest) for column, field in zip(table.columns, table.schema)]
    return [list(row) for row in zip(*columns)] if columns else [[] for _ in range(table.num_rows)]


def _cells(column: pa.Array | pa.ChunkedArray, field: pa.Field, longest: int) -> list[Any]:
    if crs_of_metadata(field.metadata) is not None:
        return [None if value is None else short_words(value) for value in column.to_pylist()]
    return [plain(value, longest) for value in listed(column)]


def listed(column: pa.Array | pa.ChunkedArray) -> list[Any]:
    """Values as Python objects; a timestamp outside Python's years is given as Arrow writes it."""
    try:
        values: list[Any] = column.to_pylist()
    except (ValueError, OverflowError):
        values = column.cast(pa.string()).to_pylist()
    return values


def in_words(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with its geometries as WKT."""
    for place, field in enumerate(batch.schema):
        if crs_of_metadata(field.metadata) is not None:
            words = [None if value is None else wkt(read_wkb(value)) for value in batch.column(place).to_pylist()]
            batch = batch.set_column(place, field.name, pa.array(words, pa.string()))
    return batch
