"""Results: Parquet under the data home, read page by page with pyarrow alone (the web process never imports DuckDB).

A page reads only the row groups it touches. A sorted page reads its sort columns group by group, keeping no more
rows than the page lies deep, and then fetches just the rows of the page.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from node_catalog.sdk.ports import Schema
from node_catalog.sdk.text import text
from runtime.engine.errors import PageError
from runtime.engine.parquet_file import ParquetFile
from runtime.engine.plain import columns_of, rows_of

LARGEST_PAGE = 10_000
DEEPEST_SORT = 1_000_000
_ROW = "__row__"


def result_file(path: str, schema: Schema, attempt: int, *, is_synced: bool = True) -> ParquetFile:
    """A file for the rows of a named output."""
    return ParquetFile(path, schema, attempt=attempt, compression="zstd", is_synced=is_synced)


@contextmanager
def parquet_of(source: Any) -> Iterator[pq.ParquetFile]:
    """A Parquet file by its path, or by something whose ``open()`` gives its bytes."""
    is_path = isinstance(source, str | Path)
    with nullcontext(source) if is_path else source.open() as opened, pq.ParquetFile(opened) as file:
        yield file


def read_page(
    source: Any,
    columns: Sequence[str] | None = None,
    offset: int = 0,
    limit: int = 100,
    order: Sequence[tuple[str, bool]] = (),
) -> dict[str, Any]:
    """A page of a result: ``{"columns": [{name, type}], "rows": [[…]], "total": n}``.

    ``source``: its path, or what opens its file.
    ``columns``: which ones and in which order (None: all). ``order``: ``(column, descending)`` pairs; NULLs come
    last either way. Raises PageError for an unknown column, a vanished file or a sorted page that lies too deep.
    """
    table, total = read_page_table(source, columns, offset, limit, order)
    return {"columns": columns_of(table.schema), "rows": rows_of(table), "total": total}


def read_page_table(
    source: Any,
    columns: Sequence[str] | None = None,
    offset: int = 0,
    limit: int = 100,
    order: Sequence[tuple[str, bool]] = (),
) -> tuple[pa.Table, int]:
    """The same page as an Arrow table, and the total number of rows."""
    offset, limit = max(0, offset), max(0, min(limit, LARGEST_PAGE))
    try:
        with parquet_of(source) as file:
            names = list(file.schema_arrow.names if columns is None else columns)
            _check_columns(file, [*names, *(name for name, _ in order)])
            total = file.metadata.num_rows
            stop = min(offset + limit, total)
            if offset >= stop:
                return file.schema_arrow.empty_table().select(names), total
            if order:
                rows = _sorted_rows(file, order, offset, stop)
                return _take(file, names, rows), total
            return _slice(file, names, offset, stop), total
    except (OSError, pa.ArrowInvalid) as error:
        raise _gone(str(source), error) from error


def _check_columns(file: pq.ParquetFile, names: Iterable[str]) -> None:
    known = set(file.schema_arrow.names)
    for name in names:
        if name not in known:
            raise PageError(
                "result.no_column",
                text(f'The result has no column "{name[:80]}".', f"结果中没有列“{name[:80]}”。"),
                name[:80],
            )


def _groups(file: pq.ParquetFile) -> list[tuple[int, int, int]]:
    """(group, first row, row after the last) of every row group."""
    found, start = [], 0
    for group in range(file.metadata.num_row_groups):
        stop = start + file.metadata.row_group(group).num_rows
        found.append((group, start, stop))
        start = stop
    return found


def _slice(file: pq.ParquetFile, names: list[str], offset: int, stop: int) -> pa.Table:
    parts = []
    for group, first, after in _groups(file):
        if first < stop and after > offset:
            start = max(offset - first, 0)
            parts.append(file.read_row_group(group, names).slice(start, min(stop, after) - first - start))
    return pa.concat_tables(parts).select(names)


def _sorted_rows(file: pq.ParquetFile, order: Sequence[tuple[str, bool]], offset: int, stop: int) -> list[int]:
    """Row numbers of the page in sorted order; equal keys keep the file's order."""
    if stop > DEEPEST_SORT:
        raise PageError(
            "result.too_deep",
            text(
                f"Sorted pages reach to row {DEEPEST_SORT:,}. Sort in the flow, filter, or download the result.",
                f"排序后的分页最多到第 {DEEPEST_SORT:,} 行。请在流程中排序、筛选，或下载整个结果。",
            ),
        )
    keys = list(dict.fromkeys(name for name, _ in order))
    directions = dict(reversed([(name, "descending" if down else "ascending") for name, down in order]))
    sort_keys = [*((name, directions[name], "at_end") for name in keys), (_ROW, "ascending", "at_end")]
    best: pa.Table | None = None
    for group, first, after in _groups(file):
        part = file.read_row_group(group, keys).select(keys)
        part = part.append_column(_ROW, pa.arange(first, after))
        both = part if best is None else pa.concat_tables([best, part])
        best = both.take(pc.sort_indices(both, sort_keys=sort_keys).slice(0, stop))
    assert best is not None
    rows: list[int] = best.column(_ROW).slice(offset, stop - offset).to_pylist()
    return rows


def _take(file: pq.ParquetFile, names: list[str], rows: list[int]) -> pa.Table:
    """The given rows, in the given order, reading each touched row group once."""
    parts, found = [], []
    for group, first, after in _groups(file):
        inside = [row for row in rows if first <= row < after]
        if inside:
            parts.append(file.read_row_group(group, names).take([row - first for row in inside]))
            found.extend(inside)
    at = {row: place for place, row in enumerate(found)}
    return pa.concat_tables(parts).select(names).take([at[row] for row in rows])


def _gone(path: str, error: Exception) -> PageError:
    return PageError(
        "result.gone",
        text(
            "The file of this result is gone or damaged; it may have been removed by retention. Run the flow again.",
            "结果文件已不存在或已损坏，可能已按保留期限清理。请重新运行该流程。",
        ),
        "",
        f"{path}: {error}"[:500],
    )
