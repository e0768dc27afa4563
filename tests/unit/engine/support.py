"""Small ways to make streams and connections for engine tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from node_catalog.sdk.ports import Schema, to_arrow


def batches(schema: Schema, columns: Mapping[str, Sequence[Any]], rows: int = 3) -> list[pa.RecordBatch]:
    """Columns of Python values as batches of ``rows`` rows."""
    arrow = to_arrow(schema)
    table = pa.table({field.name: pa.array(columns[field.name], field.type) for field in arrow}, schema=arrow)
    return table.to_batches(max_chunksize=rows)


def numbers(count: int, batch: int = 1000) -> Iterable[pa.RecordBatch]:
    """``a`` = 0 … count − 1 and ``b`` = its text modulo 7."""
    for start in range(0, count, batch):
        values = range(start, min(start + batch, count))
        yield pa.record_batch({"a": pa.array(values, pa.int64()), "b": pa.array([str(v % 7) for v in values])})


NUMBERS = Schema.of([("a", "integer"), ("b", "text")])
