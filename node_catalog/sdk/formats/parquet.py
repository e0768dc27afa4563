"""Parquet: scanned by the engine where the files lie in a folder, read by column ranges where they lie in a store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from node_catalog.sdk.access import Access, Attach, DatasetRef, Stream
from node_catalog.sdk.contract import DiscoveredDataset
from node_catalog.sdk.errors import DataError
from node_catalog.sdk.file_bytes import DataFile, LocalFile
from node_catalog.sdk.formats import DatasetPath, columns_moved
from node_catalog.sdk.parquet_read import damaged, parquet_columns, parquet_footer, parquet_view
from node_catalog.sdk.ports import arrow_type
from node_catalog.sdk.text import text

BATCH_ROWS = 65_536
_MOST_FOOTERS = 100
"""Files whose rows are added up before a read; of more the count is left open."""


class ParquetFormat:
    """Columns and rows come from the footers; there is nothing to correct."""

    endings: tuple[str, ...] = (".parquet", ".pq")

    def describe(self, path: DatasetPath, files: Sequence[DataFile], known: Mapping[str, Any]) -> DiscoveredDataset:
        """Read all footers."""
        footers = [parquet_footer(file) for file in files]
        columns = parquet_columns(footers[0][1])
        names = [column.name for column in columns]
        warnings = tuple(
            text(f"“{file.name}” has other columns than the first file.", f"“{file.name}”的列与第一个文件不同。")
            for file, (_, arrow) in zip(files, footers, strict=True)
            if [part.name for part in arrow] != names
        )
        return DiscoveredDataset(
            path,
            "file",
            columns,
            sum(metadata.num_rows for metadata, _ in footers),
            True,
            sum(file.size for file in files),
            settings={"format": "parquet"},
            warnings=warnings,
        )

    def access(self, files: Sequence[DataFile], dataset: DatasetRef) -> Access:
        """A scan by the engine over local files, else a stream."""
        if not files:
            return Stream()
        metadata, arrow = parquet_footer(files[0])
        missing = [name for name in dataset.schema.names if name not in arrow.names]
        if missing:
            raise columns_moved(dataset, missing)
        local = [file.path for file in files if isinstance(file, LocalFile)]
        if len(local) < len(files):
            return Stream()
        folders = tuple(sorted({str(path.parent) for path in local}))
        rows = metadata.num_rows if len(local) <= _MOST_FOOTERS else None
        for file in files[1:] if rows is not None else ():
            rows += parquet_footer(file)[0].num_rows
        return Attach((parquet_view(local, arrow, dataset.schema, dataset.bounds),), folders=folders, rows=rows)

    def read(self, files: Sequence[DataFile], dataset: DatasetRef, columns: Sequence[str]) -> Iterator[Any]:
        """Only the ranges of ``columns`` are fetched."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        kinds = {field.name: field.type for field in dataset.schema.fields}
        for file in files:
            with file.open() as raw:
                try:
                    with pq.ParquetFile(raw) as opened:
                        missing = [name for name in columns if name not in opened.schema_arrow.names]
                        if missing:
                            raise columns_moved(dataset, missing, file.name)
                        for batch in opened.iter_batches(BATCH_ROWS, columns=list(columns), use_threads=False):
                            arrays = [_plain(batch.column(name), kinds[name], file, name) for name in columns]
                            yield pa.RecordBatch.from_arrays(arrays, names=list(columns))
                except pa.ArrowException as error:
                    raise damaged(file, error) from error


def _plain(array: Any, kind: str, file: DataFile, name: str) -> Any:
    """A column in one of our ten types: no NaN, no zone, no dictionary; nested values as JSON text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    native, wanted = array.type, arrow_type(kind)
    if native.equals(wanted) and kind != "number":
        return array
    try:
        if pa.types.is_timestamp(native) and native.tz:
            # Through integers: a cast would turn the moment into the wall clock of its zone.
            array = array.cast(pa.timestamp("us", native.tz), safe=False).cast(pa.int64()).cast(pa.timestamp("us"))
        elif pa.types.is_nested(native):
            array = _json(array)
        if pa.types.is_timestamp(array.type) and kind == "timestamp":
            return array.cast(wanted, safe=False)
        array = array.cast(wanted)
    except (pa.ArrowException, ValueError) as error:
        message = text(
            f"“{file.name}”: a value of column “{name}” does not fit its type {kind}. Change the type of the column, "
            "or mend the file.",
            f"“{file.name}”中列“{name}”的值与类型 {kind} 不符。请修改该列的类型，或修正文件。",
        )
        raise DataError("file.value", message, file.name, str(error)[:400]) from error
    return pc.if_else(pc.is_nan(array), pa.scalar(None, wanted), array) if kind == "number" else array


def _json(array: Any) -> Any:
    import msgspec
    import pyarrow as pa

    # Arrow has no way from nested values to text; only such columns are walked value by value.
    return pa.array(
        [None if value is None else msgspec.json.encode(value).decode() for value in array.to_pylist()], pa.string()
    )
