"""How Parquet is encoded: every type comes back as it was, from pyarrow and from DuckDB."""

from __future__ import annotations

import datetime as dt
import decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from node_catalog.sdk.parquet_write import parquet_writer
from node_catalog.sdk.ports import Schema, to_arrow

KINDS: dict[str, tuple[Any, ...]] = {
    "boolean": (True, False, None),
    "integer": (-(2**63), 2**63 - 1, None),
    "number": (1.5, float("inf"), None),
    "decimal(38,2)": (decimal.Decimal("-12345678901234567890.12"), decimal.Decimal(0), None),
    "text": ("", "海曙 ✓", None),
    "date": (dt.date(1, 1, 1), dt.date(9999, 12, 31), None),
    "time": (dt.time(0), dt.time(23, 59, 59, 999_999), None),
    "timestamp": (
        dt.datetime.fromisoformat("0001-01-01"),
        dt.datetime.fromisoformat("9999-12-31T23:59:59.999999"),
        None,
    ),
    "binary": (b"", b"\0\xff", None),
}


def table(rows: int) -> pa.Table:
    """``rows`` rows over all types; one column's name is one that Parquet itself could take for a path."""
    schema = to_arrow(Schema.of([(f"{kind}.列", kind) for kind in KINDS]))
    return pa.table(
        [pa.array([values[i % 3] for i in range(rows)], field.type) for values, field in zip(KINDS.values(), schema)],
        schema=schema,
    )


@pytest.mark.parametrize("rows", [0, 1, 4000])
@pytest.mark.parametrize("compression", ["zstd", "lz4"])
def test_every_type_comes_back(tmp_path: Path, rows: int, compression: Any) -> None:
    file, wanted = tmp_path / "rows.parquet", table(rows)
    with parquet_writer(file, wanted.schema, compression) as writer:
        writer.write_table(wanted)
    assert pq.read_table(file).equals(wanted)
    with duckdb.connect() as connection:
        found = connection.execute("select * from read_parquet(?)", [str(file)]).to_arrow_table()
    assert found.cast(wanted.schema).equals(wanted)


def test_whole_numbers_and_moments_are_differences_and_only_texts_have_a_dictionary(tmp_path: Path) -> None:
    with parquet_writer(tmp_path / "rows.parquet", table(1).schema) as writer:
        writer.write_table(table(4000))
    group = pq.read_metadata(tmp_path / "rows.parquet").row_group(0)
    encodings = {kind: set(group.column(place).encodings) for place, kind in enumerate(KINDS)}
    assert all("DELTA_BINARY_PACKED" in encodings[kind] for kind in ("integer", "date", "time", "timestamp"))
    assert {kind for kind, used in encodings.items() if "RLE_DICTIONARY" in used} == {"text", "decimal(38,2)"}
    assert all(group.column(place).is_stats_set for place in range(len(KINDS)))
