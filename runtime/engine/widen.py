"""Rows leave the flow: the columns that only the data knew become real ones (see ``node_catalog.sdk.open_columns``).

All rows must have been seen before the columns are known, so they wait in a file of ours.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.compute as pc

from node_catalog.sdk.contract import Committed
from node_catalog.sdk.errors import DataError
from node_catalog.sdk.open_columns import open_names
from node_catalog.sdk.ports import Field, Schema, to_arrow, value_type_of_open
from node_catalog.sdk.text import Text, text
from runtime.engine.exchange import exchange_file, read_exchange
from runtime.engine.folders import make_folder
from runtime.engine.results import result_file

MOST_COLUMNS = 1000
"""Columns of one result, however many steps have made some."""
LONGEST_NAME = 200


def is_open(schema: Schema) -> bool:
    """Whether some of the columns are known only when all rows have been seen."""
    return bool(open_names((field.name, field.type) for field in schema.fields))


class Widener:
    """Notes the names in the rows that pass; afterwards it puts the values under them."""

    def __init__(self, schema: Schema, where: str = "") -> None:
        self._narrow, self._where = schema, where
        self._names: dict[str, dict[str, None]] = {
            name: {} for name in open_names((field.name, field.type) for field in schema.fields)
        }

    def note(self, batch: pa.RecordBatch) -> None:
        """Remember the names in these rows. Raises DataError when they become too many."""
        for column, names in self._names.items():
            found = pc.unique(batch.column(column).keys)
            names.update(dict.fromkeys(found.to_pylist()))
        count = sum(map(len, self._names.values()))
        if count > MOST_COLUMNS:
            raise self._error("columns.too_many", _too_many(count))

    def schema(self) -> Schema:
        """The columns of all rows noted so far; raises DataError for names that cannot stand side by side."""
        fields: list[Field] = []
        taken: dict[str, str] = {}
        for field in self._narrow.fields:
            values = value_type_of_open(field.type)
            for name in [field.name] if values is None else self._names[field.name]:
                self._check(name, taken.get(name.casefold()))
                taken[name.casefold()] = name
                fields.append(Field(name, values or field.type))
        if not fields:
            raise self._error("columns.none", _NONE)
        return Schema(tuple(fields))

    def widen(self, batch: pa.RecordBatch, wide: pa.Schema) -> pa.RecordBatch:
        """The rows with a column for every name."""
        columns: list[pa.Array] = []
        for field, column in zip(self._narrow.fields, batch.columns, strict=True):
            if field.name in self._names:
                columns += self._apart(column, list(self._names[field.name]))
            else:
                columns.append(column)
        return pa.RecordBatch.from_arrays(columns, schema=wide)

    @staticmethod
    def _apart(column: pa.MapArray, names: list[str]) -> list[pa.Array]:
        """The values by name. Rows that all have the same names in one order, the usual case, are cut quickly."""
        rows, width = len(column), len(names)
        keys, items = column.keys, column.items
        if column.null_count == 0 and len(keys) == rows * width:
            places = [pa.array(range(place, rows * width, width), pa.int64()) for place in range(width)]
            if all(pc.all(pc.equal(keys.take(at), name)).as_py() for at, name in zip(places, names) if rows):
                return [items.take(at) for at in places]
        return [pc.map_lookup(column, pa.scalar(name), "first") for name in names]

    def _check(self, name: str, other: str | None) -> None:
        if len(name) > LONGEST_NAME:
            raise self._error("columns.long_name", _too_long(name))
        if other == name:
            raise self._error("columns.twice", _twice(name))
        if other is not None:
            raise self._error("columns.case", _differ_in_case(other, name))

    def _error(self, code: str, words: Text) -> DataError:
        return DataError(code, words, self._where)


@contextmanager
def widened(
    batches: Iterable[pa.RecordBatch], schema: Schema, folder: str, where: str = ""
) -> Iterator[tuple[Schema, Iterator[pa.RecordBatch]]]:
    """All of ``batches`` with real columns, and their schema; they wait in ``folder`` meanwhile."""
    if folder:
        make_folder(folder)
    with tempfile.TemporaryDirectory(prefix="columns-", dir=folder or None) as place:
        path = os.path.join(place, "rows.parquet")
        widener, file = Widener(schema, where), exchange_file(path, schema, 0, is_synced=False)
        try:
            for batch in batches:
                widener.note(batch)
                file.write(batch)
            file.finish()
        except BaseException:
            file.abort()
            raise
        wide = widener.schema()
        yield wide, _again(widener, path, schema, wide)


def _again(widener: Widener, path: str, schema: Schema, wide: Schema) -> Iterator[pa.RecordBatch]:
    columns = to_arrow(wide)
    for batch in read_exchange(path, schema.names, _BATCH_ROWS):
        yield widener.widen(batch, columns)


_BATCH_ROWS = 16_384


class WideSink:
    """A result whose columns the data decides."""

    def __init__(self, path: str, schema: Schema, attempt: int, where: str) -> None:
        self._path, self._narrow, self._attempt = path, schema, attempt
        self._waiting = f"{path}.{attempt}.columns"
        self._widener = Widener(schema, where)
        self._file = exchange_file(self._waiting, schema, attempt, is_synced=False)
        self.schema: Schema | None = None
        """What came out, once it is committed."""

    def write(self, batch: pa.RecordBatch) -> None:
        self._widener.note(batch)
        self._file.write(batch)

    def commit(self) -> Committed:
        self._file.finish()
        self.schema = self._widener.schema()
        result = result_file(self._path, self.schema, self._attempt)
        try:
            for batch in _again(self._widener, self._waiting, self._narrow, self.schema):
                result.write(batch)
            size = result.finish()
        except BaseException:
            result.abort()
            raise
        self._forget()
        return Committed(result.rows, self._attempt, size, self._path)

    def abort(self) -> None:
        self._file.abort()
        self._forget()

    def _forget(self) -> None:
        if os.path.exists(self._waiting):
            os.unlink(self._waiting)


_NONE = text(
    "The data holds no value that could become a column, and there are no other columns: the result would be empty. "
    "Look at the rows that reach “Rows to columns”, or list the values under “New columns”.",
    "数据中没有可以变成列的取值，也没有其他列，结果将为空。请检查进入“行转列”的行，或在“新列”中列出取值。",
)


def _too_many(count: int) -> Text:
    return text(
        f"The data makes {count:,} columns; a result has at most {MOST_COLUMNS:,}. List the values you need under "
        "“New columns” of “Rows to columns”.",
        f"数据产生了 {count:,} 列，而一个结果最多 {MOST_COLUMNS:,} 列。请在“行转列”的“新列”中列出需要的取值。",
    )


def _too_long(name: str) -> Text:
    shown = f"{name[:40]}…"
    return text(
        f"The value “{shown}” is too long for the name of a column (at most {LONGEST_NAME} characters). Shorten it "
        "before, or list the values under “New columns” with names of their own.",
        f"取值“{shown}”过长，不能作为列名（最多 {LONGEST_NAME} 个字符）。请先缩短，或在“新列”中列出取值并另取列名。",
    )


def _differ_in_case(one: str, other: str) -> Text:
    return text(
        f"The columns “{one}” and “{other}” would differ only in upper and lower case. Bring the values to one "
        "spelling before, or list them under “New columns” with names of their own.",
        f"列“{one}”与“{other}”仅大小写不同，无法区分。请先统一写法，或在“新列”中列出取值并另取列名。",
    )


def _twice(name: str) -> Text:
    return text(
        f"The data makes a column “{name}”, but there is one of that name already. Rename that one before, or list the "
        "values under “New columns” with names of their own.",
        f"数据产生了名为“{name}”的列，但已有同名的列。请先为原有的列改名，或在“新列”中列出取值并另取列名。",
    )
