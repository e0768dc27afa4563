"""Parquet files as the engine scans them: schema, rows and the view in our ten types."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from node_catalog.sdk.bounds import Bound, by_column
from node_catalog.sdk.contract import DiscoveredColumn
from node_catalog.sdk.errors import DataError
from node_catalog.sdk.file_bytes import DataFile
from node_catalog.sdk.geometry import crs_of
from node_catalog.sdk.geoparquet import geometry_types
from node_catalog.sdk.ports import Schema, type_of_arrow, type_of_field, value_type_of_open
from node_catalog.sdk.sql_node import conditions, literal, quoted
from node_catalog.sdk.text import text

SQL_TYPES = {
    "boolean": "BOOLEAN",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "text": "VARCHAR",
    "date": "DATE",
    "time": "TIME",
    "timestamp": "TIMESTAMP",
    "binary": "BLOB",
}


def sql_type(kind: str) -> str:
    """The engine's SQL type of one of our types."""
    values = value_type_of_open(kind)
    if values is not None:
        return f"MAP(VARCHAR, {sql_type(values)})"
    return "GEOMETRY" if crs_of(kind) is not None else SQL_TYPES.get(kind, kind.upper())


def parquet_footer(file: DataFile) -> Any:
    """``pyarrow.parquet`` metadata and Arrow schema. Raises DataError for a file that is none or broken off."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with file.open() as raw, pq.ParquetFile(raw) as opened:
            return opened.metadata, opened.schema_arrow
    except (pa.ArrowException, OSError, ValueError) as error:
        raise damaged(file, error) from error


def damaged(file: DataFile, error: Exception) -> DataError:
    """The error for a file that is no Parquet, or not all of one."""
    message = text(
        f"“{file.name}” is no complete Parquet file: it may have been cut off while copying. Copy it again.",
        f"“{file.name}”不是完整的 Parquet 文件，可能未复制完整。请重新复制。",
    )
    return DataError("file.parquet", message, file.name, str(error)[:400])


def parquet_columns(arrow: Any) -> tuple[DiscoveredColumn, ...]:
    """Columns with Arrow's type as the native one; GeoParquet's mark tells geometries from other bytes."""
    marked = geometry_types(arrow)
    return tuple(
        DiscoveredColumn(part.name, str(part.type)[:120], marked.get(part.name) or type_of_field(part), part.nullable)
        for part in arrow
    )


def parquet_view(files: Sequence[Path], arrow: Any, promised: Schema, bounds: Sequence[Bound] = ()) -> str:
    """A view ``src`` with exactly the promised columns and types over ``files``, without rows beyond ``bounds``."""
    import pyarrow as pa

    columns, tests, bounded = [], [], by_column(bounds)
    for column in promised.fields:
        name = quoted(column.name)
        native = arrow.field(column.name).type
        value = name
        if pa.types.is_timestamp(native) and native.tz:
            value = f"make_timestamp(epoch_us({name}))"
        if column.type == "number":
            value, more = bounded_number(value, bounded.get(column.name, ()), may_be_nan=pa.types.is_floating(native))
            tests += more
        elif crs_of(column.type) is not None:
            value = f"st_geomfromwkb({value})"
        elif pa.types.is_nested(native) and column.type == "text":
            value = f"CAST(to_json({value}) AS VARCHAR)"
        elif type_of_arrow(native) != column.type or not _same_width(native, column.type):
            value = f"CAST({value} AS {sql_type(column.type)})"
        columns.append(f"{value} AS {name}")
    listed = ", ".join(literal(str(path)) for path in files)
    union = ", union_by_name=true" if len(files) > 1 else ""
    where = f" WHERE {' AND '.join(tests)}" if tests else ""
    return f"CREATE VIEW src AS SELECT {', '.join(columns)} FROM read_parquet([{listed}]{union}){where}"


def bounded_number(value: str, bounds: Sequence[Bound], *, may_be_nan: bool) -> tuple[str, list[str]]:
    """``number_of`` with the conditions that leave out what is beyond ``bounds``: where there are any, NaN is gone.

    The comparisons are made on the column as the file has it, so that the statistics of its row groups decide about
    whole groups. NaN has a condition of its own, because a comparison that they decide is not made at all.
    """
    if not bounds or not may_be_nan:
        return number_of(value, may_be_nan=may_be_nan), []
    number = number_of(value, may_be_nan=False)
    return number, [*conditions(bounds, number, "DOUBLE"), f"NOT isnan({number})"]


def number_of(value: str, *, may_be_nan: bool) -> str:
    """DuckDB's text of ``value`` as a number of ours: a DOUBLE with NULL in place of NaN.

    NaN is above infinity there, and comparing costs half of what ``isnan`` does; but DuckDB believes the least and
    greatest values in a file's statistics, which leave NaN out, and takes such a comparison away.
    """
    number = f"CAST({value} AS DOUBLE)"  # DuckDB drops a cast to the type that the value has
    return f"CASE WHEN isnan({number}) THEN NULL ELSE {number} END" if may_be_nan else number


def _same_width(native: Any, kind: str) -> bool:
    import pyarrow as pa

    match kind:
        case "integer":
            return bool(pa.types.is_int64(native))
        case "timestamp":
            return bool(native == pa.timestamp("us"))
        case _:
            return not (pa.types.is_nested(native) or pa.types.is_dictionary(native))
