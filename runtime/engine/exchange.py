"""Rows between two stages of a run: Parquet files of ours, written once, read as Arrow batches.

Few rows stay in memory beside their file as well, for the stage that this process does next (``KEEPER``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from node_catalog.sdk.access import Attach
from node_catalog.sdk.geometry import crs_of_metadata, has_geometry
from node_catalog.sdk.ports import Schema
from node_catalog.sdk.sql_node import literal, quoted
from node_catalog.sdk.text import text
from runtime.engine.errors import SourceFailedError
from runtime.engine.keeper import KEEPER
from runtime.engine.parquet_file import ParquetFile


def exchange_file(path: str, schema: Schema, attempt: int, *, is_synced: bool = True) -> ParquetFile:
    """A file for the rows of a stage that others follow: fast to write rather than small."""
    return _ExchangeFile(path, schema, attempt, is_synced=is_synced)


class _ExchangeFile(ParquetFile):
    """A file whose rows, when they are few, are left to the next work as well."""

    def __init__(self, path: str, schema: Schema, attempt: int, *, is_synced: bool) -> None:
        super().__init__(path, schema, attempt=attempt, compression="lz4", is_synced=is_synced)
        self._name = path
        KEEPER.forget_rows(path)

    def finish(self) -> int:
        """As of any file; one without a row is read like those of many."""
        few = self.held_rows()
        size = super().finish()
        if few is not None and not has_geometry(few.schema):
            KEEPER.keep_rows(self._name, few)
        return size


def read_exchange(path: str, columns: Sequence[str], batch_rows: int) -> Iterator[pa.RecordBatch]:
    """The rows of an earlier stage, only ``columns``, a row group at a time; none without a path (it was skipped)."""
    if not path:
        return
    held = KEEPER.rows_of(path)
    if held is not None:
        yield from held.select(list(columns)).to_batches(max_chunksize=batch_rows)
        return
    with _words(path), pq.ParquetFile(path, memory_map=False) as file:
        yield from file.iter_batches(batch_size=batch_rows, columns=list(columns))


def exchange_scan(path: str) -> Attach:
    """The same rows for the engine to scan itself."""
    held = KEEPER.rows_of(path)
    if held is not None:
        rows, schema = held.num_rows, held.schema
    else:
        with _words(path), pq.ParquetFile(path, memory_map=False) as file:
            rows, schema = file.metadata.num_rows, file.schema_arrow
    columns = ", ".join(_column(field) for field in schema)
    view = f'CREATE VIEW "src" AS SELECT {columns} FROM read_parquet({literal(path)})'
    return Attach((view,), folders=(str(Path(path).parent),), rows=rows)


def _column(field: pa.Field) -> str:
    """Parquet keeps geometries as bytes; our mark on the field says that they are more."""
    name = quoted(field.name)
    return name if crs_of_metadata(field.metadata) is None else f"st_geomfromwkb({name}) AS {name}"


@contextmanager
def _words(path: str) -> Iterator[None]:
    try:
        yield
    except (OSError, pa.ArrowInvalid) as error:
        raise SourceFailedError(
            "engine.exchange_gone",
            text(
                "The rows of an earlier stage of this run are gone or damaged. Run again from the start.",
                "本次运行中前一阶段的数据已丢失或损坏。请从头重新运行。",
            ),
            path,
            str(error)[:500],
            retry="fatal",
        ) from error
