"""Writing a Parquet file that is either whole and durable, or not there."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq

from node_catalog.sdk.failpoint import failpoint
from node_catalog.sdk.parquet_write import parquet_writer
from node_catalog.sdk.ports import Schema, to_arrow
from runtime.engine.durable import sync
from runtime.engine.errors import disk_error

GROUP_ROWS = 100_000
"""Rows of one row group: what a page of a result has to read at most."""
GROUP_BYTES = 64 * 1024 * 1024


class ParquetFile:
    """One attempt's file: rows go to ``<path>.<attempt>.part``; ``finish`` makes it ``path`` in one rename.

    Without ``is_synced`` it is whole then, but not durable.
    """

    def __init__(
        self,
        path: str,
        schema: Schema,
        *,
        attempt: int = 0,
        compression: Literal["zstd", "lz4"] = "zstd",
        is_synced: bool = True,
    ) -> None:
        self._path = Path(path)
        self._part = self._path.with_name(f"{self._path.name}.{attempt}.part")
        self._schema = to_arrow(schema)
        self._is_synced = is_synced
        self._held: list[pa.RecordBatch] = []
        self._held_rows = 0
        self._held_bytes = 0
        self.rows = 0
        with _disk(str(self._path.parent)):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            failpoint("engine.file_open")
            self._writer: pq.ParquetWriter | None = parquet_writer(self._part, self._schema, compression)

    def write(self, batch: pa.RecordBatch) -> None:
        """Add rows; whole row groups go to disk."""
        self._held.append(batch)
        self._held_rows += batch.num_rows
        self._held_bytes += batch.nbytes
        self.rows += batch.num_rows
        while self._held_rows >= GROUP_ROWS or self._held_bytes >= GROUP_BYTES:
            self._write_group()

    def held_rows(self) -> pa.Table | None:
        """All rows, as long as none of them has gone to disk; None without rows, or with some on disk."""
        is_all = 0 < self._held_rows == self.rows
        return pa.Table.from_batches(self._held, self._schema) if is_all else None

    def finish(self) -> int:
        """Write what is left, make it durable and visible; the file's size in bytes."""
        writer = self._writer
        assert writer is not None
        if self._held_rows:
            self._write_group()
        with _disk(str(self._path)):
            writer.close()
            self._writer = None
            if self._is_synced:
                sync(self._part)
            failpoint("engine.file_rename")
            os.replace(self._part, self._path)
            if self._is_synced:
                sync(self._path.parent)
        return self._path.stat().st_size

    def abort(self) -> None:
        """Remove the unfinished file; safe at any time."""
        writer, self._writer = self._writer, None
        self._held = []
        if writer is not None:
            with contextlib.suppress(Exception):
                writer.close()
        with contextlib.suppress(OSError):
            self._part.unlink(missing_ok=True)

    def _write_group(self) -> None:
        assert self._writer is not None
        table = pa.Table.from_batches(self._held, self._schema)
        now, later = table.slice(0, GROUP_ROWS), table.slice(GROUP_ROWS)
        with _disk(str(self._path)):
            failpoint("engine.file_write")
            self._writer.write_table(now, row_group_size=GROUP_ROWS)
        self._held = later.to_batches() if later.num_rows else []
        self._held_rows = later.num_rows
        self._held_bytes = later.nbytes if later.num_rows else 0


@contextlib.contextmanager
def _disk(where: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT) or "No space left" in str(error):
            raise disk_error(where, str(error)) from error
        raise
