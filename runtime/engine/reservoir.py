"""A uniform random sample of a stream of any length, in bounded memory, and the rows it began with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

SEED = 20_260
MOST_BYTES = 128 * 1024 * 1024
LONGEST_TEXT = 200
"""Texts are kept up to this many characters: enough for top values, and no long text fills the sample."""
_KEY = "__key__"


class Reservoir:
    """Every row gets a random key; the ``size`` rows with the smallest keys are the sample.

    While no more than ``size`` rows have passed, the sample is all of them. ``size`` shrinks when rows are so wide
    that the sample would not fit in MOST_BYTES; the rows kept stay a uniform sample.
    """

    def __init__(self, size: int, first: int = 0) -> None:
        self._size = size
        self._threshold = 1.0
        self._kept: list[pa.Table] = []
        self._kept_rows = 0
        self._kept_bytes = 0
        self._first = first
        self._beginning: list[pa.RecordBatch] = []
        self._beginning_rows = 0
        self._batches = 0
        self.rows = 0

    @property
    def is_complete(self) -> bool:
        """Whether the sample is all rows."""
        return self._threshold == 1.0 and self.rows == self._kept_rows

    def pass_on(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The same batches, looked at on their way."""
        for batch in batches:
            self._look(batch)
            yield batch

    def beginning(self, schema: pa.Schema) -> pa.Table:
        """The first rows of the stream."""
        return pa.Table.from_batches(self._beginning, schema)

    def sample(self) -> pa.Table | None:
        """The sampled rows (columns of bytes left out); None when no row passed."""
        if self._kept_rows > self._size:
            self._shrink()
        if not self._kept:
            return None
        return pa.concat_tables(self._kept).drop_columns([_KEY])

    def _look(self, batch: pa.RecordBatch) -> None:
        missing = self._first - self._beginning_rows
        if missing > 0:
            part = batch.slice(0, missing)
            self._beginning.append(part)
            self._beginning_rows += part.num_rows
        self.rows += batch.num_rows
        self._batches += 1
        keys = pc.random(batch.num_rows, initializer=SEED + self._batches)
        table = pa.table(_short(batch)).append_column(_KEY, keys)
        if self._threshold < 1.0:
            table = table.filter(pc.less(keys, self._threshold))
        if table.num_rows:
            self._kept.append(table)
            self._kept_rows += table.num_rows
            self._kept_bytes += table.nbytes
        if self._kept_rows > 2 * self._size or self._kept_bytes > 2 * MOST_BYTES:
            self._shrink()

    def _shrink(self) -> None:
        while self._size > 1000 and self._kept_bytes / max(1, self._kept_rows) * self._size > MOST_BYTES:
            self._size //= 2
        table = pa.concat_tables(self._kept).combine_chunks()
        if table.num_rows > self._size:
            table = table.take(pc.sort_indices(table[_KEY]).slice(0, self._size))
            self._threshold = table[_KEY][-1].as_py()
        self._kept = [table]
        self._kept_rows = table.num_rows
        self._kept_bytes = table.nbytes


def _short(batch: pa.RecordBatch) -> dict[str, pa.Array]:
    """Columns by position (names may be anything), texts cut, bytes left out."""
    columns: dict[str, pa.Array] = {}
    for place, column in enumerate(batch.columns):
        if pa.types.is_string(column.type):
            column = pc.utf8_slice_codeunits(column, 0, LONGEST_TEXT)
        elif pa.types.is_binary(column.type):
            continue
        columns[f"c{place}"] = column
    if not columns:
        columns["c"] = pa.nulls(batch.num_rows)
    return columns
