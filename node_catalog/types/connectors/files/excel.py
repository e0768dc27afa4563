"""Excel: every visible sheet of an .xlsx workbook is a dataset.

Values come from fastexcel (Rust) as Arrow columns; formulas give the result that was saved with them. A vertically
merged cell gives its value to every row it spans (or only to the first, by setting); of a horizontally merged one only
the first column has the value. Error values such as #N/A are empty.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from node_catalog.sdk.access import DatasetRef
from node_catalog.sdk.contract import DiscoveredColumn, DiscoveredDataset
from node_catalog.sdk.csv_dialect import check_width
from node_catalog.sdk.csv_settings import FileSettings
from node_catalog.sdk.csv_types import TextColumn
from node_catalog.sdk.errors import DataError, SourceError
from node_catalog.sdk.file_bytes import LocalFile
from node_catalog.sdk.formats import DatasetPath, columns_moved
from node_catalog.sdk.ports import arrow_type
from node_catalog.sdk.schema import parse
from node_catalog.sdk.text import Text, text
from node_catalog.types.connectors.files.heading import Cells, count_notes, find_header, names_from
from node_catalog.types.connectors.files.workbook import Extent, Merge, Sheet, cell_name, extent_of, sheets_of

ENDINGS = (".xlsx", ".xlsm")
HEAD_ROWS = 100
BATCH_ROWS = 65_536
HOURS = "[h]"
"""The form of a column of durations: they are read as hours."""
_EXACT = 2.0**53
_DTYPES = {"number": "float", "boolean": "boolean", "date": "datetime", "time": "datetime", "timestamp": "datetime"}


def describe_sheets(
    path: DatasetPath, file: LocalFile, known: Callable[[DatasetPath], Mapping[str, Any]]
) -> Iterator[DiscoveredDataset]:
    """The visible sheets; ``known(path)`` gives the corrected settings of one. Raises NodeTypeError."""
    sheets = sheets_of(file)
    hidden = [sheet.name for sheet in sheets if sheet.is_hidden]
    notice = [_hidden(hidden)] if hidden else []
    for sheet in sheets:
        if not sheet.is_hidden:
            where = (*path, sheet.name)
            try:
                found = _described(where, file, sheet, known(where))
                yield replace(found, warnings=(*found.warnings, *notice))
            except (DataError, SourceError) as error:
                yield DiscoveredDataset(where, "file", (), None, False, file.size, warnings=(error.message, *notice))
            notice = []


def check_sheet(file: LocalFile, dataset: DatasetRef) -> None:
    """Raises SourceError when the sheet or a promised column is gone."""
    table = _table_of(file, dataset)
    missing = [name for name in dataset.schema.names if name not in table.names]
    if missing:
        raise columns_moved(dataset, missing)


def read_sheet(file: LocalFile, dataset: DatasetRef, columns: Sequence[str]) -> Iterator[Any]:
    """Record batches of ``columns`` in the promised types; the sheet is held in memory once (see MAX_CELLS)."""
    import pyarrow as pa

    table = _table_of(file, dataset)
    missing = [name for name in columns if name not in table.names]
    if missing:
        raise columns_moved(dataset, missing)
    settings = parse(FileSettings, dict(dataset.settings))
    kinds = {one.name: one.type for one in dataset.schema.fields}
    forms = {name: settings.formats.get(name, "") for name in columns}
    loaded = table.load({name: _dtype(kinds[name], forms[name]) for name in columns}, settings.null_values)
    arrays = []
    for name in columns:
        array = table.filled(loaded[name], name) if settings.merged == "fill" else loaded[name]
        arrays.append(_typed(table, name, array, kinds[name], forms[name], settings))
    whole = pa.RecordBatch.from_arrays(arrays, names=list(columns))
    for start in range(0, whole.num_rows, BATCH_ROWS):
        yield whole.slice(start, BATCH_ROWS)


# ── a table in a sheet ────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class _Table:
    """The rectangle of values below the header; ``top`` and ``bottom`` are rows of the sheet, ``bottom`` included."""

    file: LocalFile
    sheet: Sheet
    extent: Extent
    names: tuple[str, ...]
    top: int
    bottom: int

    def load(self, dtypes: Mapping[str, str], nulls: Sequence[str]) -> dict[str, Any]:
        """Columns by name. Raises DataError naming the cell whose value has another type (unless it means nothing)."""
        places = {name: self.extent.left + self.names.index(name) for name in dtypes}
        if self.bottom < self.top:
            import pyarrow as pa

            return {name: pa.array([], pa.string()) for name in dtypes}
        batch, errors = _load(
            self.file, self.sheet, self.top, self.bottom, {places[name]: kind for name, kind in dtypes.items()}
        )
        by_place = {place: name for name, place in places.items()}
        for error in errors:
            row, place = error.position
            said = str(error.detail)
            if "Error(" in said or any(f'String("{word}")' in said for word in nulls):
                continue
            raise _wrong(self, by_place.get(place, ""), row, said)
        return {name: batch.column(at) for at, name in enumerate(dtypes)}

    def filled(self, array: Any, name: str) -> Any:
        """With the value of a vertically merged cell in every row it spans."""
        import pyarrow as pa

        place = self.extent.left + self.names.index(name)
        merges = [m for m in self.extent.merges if m.left == place and m.bottom > m.top and m.bottom >= self.top]
        if not merges or not len(array):
            return array
        rows = list(range(len(array)))
        for merge in merges:
            first = max(merge.top - self.top, 0)
            last = min(merge.bottom - self.top, len(rows) - 1)
            rows[first : last + 1] = [first] * (last + 1 - first)
        return array.take(pa.array(rows, pa.int64()))


def _table_of(file: LocalFile, dataset: DatasetRef) -> _Table:
    """The table by its known settings."""
    name = dataset.path[-1]
    sheet = next((one for one in sheets_of(file) if one.name == name and not one.is_hidden), None)
    if sheet is None:
        message = text(
            f"“{file.name}” has no visible sheet “{name}” any more. Discover the node again, or choose another sheet.",
            f"“{file.name}”中已没有可见的工作表“{name}”。请重新发现该节点，或选择其他工作表。",
        )
        raise SourceError("file.sheet_missing", message, "/".join(dataset.path))
    extent = extent_of(file, sheet)
    return _table(file, sheet, extent, parse(FileSettings, dict(dataset.settings)))


def _table(file: LocalFile, sheet: Sheet, extent: Extent, settings: FileSettings) -> _Table:
    check_width(extent.width)
    first = extent.top + settings.skip_rows
    top = first + (settings.header_rows if settings.header else 0)
    names: tuple[str, ...] = tuple(f"column{index + 1}" for index in range(extent.width))
    if settings.header and extent.bottom >= first:
        head = _as_text(file, sheet, extent, first, min(top - 1, extent.bottom))
        names = names_from(head, _inside(extent, first, top - 1))
    return _Table(file, sheet, extent, names, top, extent.bottom - settings.footer_rows)


def _inside(extent: Extent, top: int, bottom: int) -> list[Merge]:
    """The merges that begin in these rows, in coordinates that start there and at the first column."""
    return [
        Merge(m.top - top, m.left - extent.left, m.bottom - top, m.right - extent.left)
        for m in extent.merges
        if top <= m.top <= bottom and extent.left <= m.left and m.right <= extent.right
    ]


def _load(file: LocalFile, sheet: Sheet, top: int, bottom: int, dtypes: Mapping[int, str]) -> tuple[Any, Sequence[Any]]:
    """Rows ``top`` to ``bottom`` as an Arrow batch, and the cells that did not have the asked type."""
    import fastexcel

    logging.getLogger("fastexcel").setLevel(logging.ERROR)  # it tells of every empty column
    try:
        loaded = fastexcel.read_excel(file.path).load_sheet(
            sheet.name,
            header_row=None,
            skip_rows=top,
            n_rows=bottom - top + 1,
            schema_sample_rows=None,
            use_columns=list(dtypes) or None,
            dtypes={place: kind for place, kind in dtypes.items() if kind} or None,
            whitespace_as_null=True,
        )
        batch, errors = loaded.to_arrow_with_errors()
    except (DataError, SourceError, KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:  # a panic of the Rust side is no Exception
        message = text(
            f"The sheet “{sheet.name}” of “{file.name}” cannot be read. Open it in a spreadsheet program and "
            "save it anew.",
            f"无法读取“{file.name}”的工作表“{sheet.name}”。请用表格软件打开后另存，再试一次。",
        )
        raise DataError("file.excel_sheet", message, file.name, str(error)[:400]) from error
    return batch, errors.errors if errors else ()


def _as_text(file: LocalFile, sheet: Sheet, extent: Extent, top: int, bottom: int) -> Cells:
    """A few rows as text, blank ones as None."""
    places = range(extent.left, extent.right + 1)
    batch, _ = _load(file, sheet, top, bottom, dict.fromkeys(places, "string"))
    columns = [batch.column(at).to_pylist() for at in range(batch.num_columns)]
    return [list(row) for row in zip(*columns, strict=True)]


# ── describing ────────────────────────────────────────────────────────────────────────────────────────────


def _described(path: DatasetPath, file: LocalFile, sheet: Sheet, known: Mapping[str, Any]) -> DiscoveredDataset:
    given = parse(FileSettings, {**known, "format": "excel"})
    extent = extent_of(file, sheet)
    warnings: list[Text] = []
    if extent.bottom < 0:
        warnings.append(text(f"The sheet “{sheet.name}” is empty.", f"工作表“{sheet.name}”是空的。"))
        return DiscoveredDataset(path, "file", (), 0, True, file.size, warnings=tuple(warnings))
    check_width(extent.width)
    last = min(extent.bottom, extent.top + HEAD_ROWS - 1)
    head = _as_text(file, sheet, extent, extent.top, last)
    skip, rows, has_header = find_header(head, _inside(extent, extent.top, last))
    settings = msgspec.structs.replace(
        given,
        skip_rows=known.get("skip_rows", skip),
        header_rows=known.get("header_rows", rows),
        header=known.get("header", has_header),
    )
    table = _table(file, sheet, extent, settings)
    if "footer_rows" not in known and table.bottom >= table.top:
        tail = _as_text(file, sheet, extent, max(table.top, extent.bottom - 19), extent.bottom)
        notes, has_total = count_notes(tail)
        settings = msgspec.structs.replace(settings, footer_rows=notes)
        table = _table(file, sheet, extent, settings)
        if has_total:
            warnings.append(TOTALS)
    settings, columns = _types(table, settings, known)
    if extent.without_value:
        warnings.append(_without_value(extent.without_value))
    count = max(0, table.bottom - table.top + 1)
    return DiscoveredDataset(
        path, "file", columns, count, True, file.size, settings=msgspec.to_builtins(settings), warnings=tuple(warnings)
    )


def _types(
    table: _Table, settings: FileSettings, known: Mapping[str, Any]
) -> tuple[FileSettings, tuple[DiscoveredColumn, ...]]:
    """What the columns hold, looking at all values."""
    types, formats, nulls = {}, {}, set()
    natives = {}
    if table.bottom >= table.top:
        left = table.extent.left
        places = dict.fromkeys(range(left, left + len(table.names)), "")
        batch, _ = _load(table.file, table.sheet, table.top, table.bottom, places)
        for at, name in enumerate(table.names):
            natives[name] = str(batch.column(at).type)
            types[name], formats[name], found = _found_type(batch.column(at), settings.null_values)
            nulls |= found
    for name in table.names:
        types[name] = settings.types.get(name) or types.get(name, "text")
    settings = msgspec.structs.replace(
        settings,
        types={name: types[name] for name in table.names},
        formats={name: form for name, form in {**formats, **settings.formats}.items() if form and name in table.names},
        null_values=settings.null_values if "null_values" in known else (*settings.null_values, *sorted(nulls)),
    )
    columns = tuple(DiscoveredColumn(name, natives.get(name, "null"), types[name]) for name in table.names)
    return settings, columns


def _found_type(array: Any, nulls: Sequence[str]) -> tuple[str, str, set[str]]:
    """Our type, the form of dates written as text, and words for no value in an otherwise clean column."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = array.type
    values = pc.drop_null(array)
    if not len(values):
        return "text", "", set()
    if pa.types.is_boolean(kind):
        return "boolean", "", set()
    if pa.types.is_duration(kind):
        return "number", HOURS, set()
    if pa.types.is_temporal(kind):
        return _moment_type(values), "", set()
    if pa.types.is_floating(kind) or pa.types.is_integer(kind):
        whole = pc.all(pc.equal(pc.floor(values), values)).as_py()
        small = pc.all(pc.less(pc.abs(values), _EXACT)).as_py()
        return ("integer" if whole and small else "number"), "", set()
    words = values.filter(pc.invert(pc.is_in(values, value_set=pa.array(list(nulls), pa.string()))))
    column = TextColumn()
    column.look(words)
    found, form = column.form
    if form == ",":
        return "text", "", set()
    if found in ("integer", "number") and pc.max(pc.utf8_length(words)).as_py() > 15:
        return "text", "", set()  # longer than any number that a spreadsheet keeps: a code
    return found, form, column.nulls if found != "text" else set()


def _moment_type(values: Any) -> str:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_date(values.type):
        return "date"
    at = values.cast(pa.timestamp("ms"))
    day = pc.floor_temporal(at, unit="day")
    if pc.all(pc.less(pc.year(at), 1900)).as_py():
        return "time"
    return "date" if pc.all(pc.equal(at, day)).as_py() else "timestamp"


# ── values ────────────────────────────────────────────────────────────────────────────────────────────────


def _dtype(kind: str, form: str) -> str:
    """What the reader is asked for. Whole numbers come as text: its own conversion would cut 1.5 to 1."""
    if form == HOURS:
        return "duration"
    if form:
        return "string"
    return _DTYPES.get(kind, "string")


def _typed(table: _Table, name: str, array: Any, kind: str, form: str, settings: FileSettings) -> Any:
    """A loaded column in its promised type. Raises DataError naming the first cell that does not fit."""
    import pyarrow as pa

    try:
        return _cast(array, kind, form, settings.null_values)
    except (pa.ArrowException, ValueError) as error:
        for row in range(len(array)):
            try:
                _cast(array.slice(row, 1), kind, form, settings.null_values)
            except (pa.ArrowException, ValueError):
                raise _wrong(table, name, table.top + row, str(error)) from error
        raise _wrong(table, name, table.top, str(error)) from error


def _cast(array: Any, kind: str, form: str, nulls: Sequence[str]) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    wanted = arrow_type(kind)
    if form == HOURS:
        milliseconds = array.cast(pa.duration("ms")).cast(pa.int64()).cast(pa.float64())
        return pc.divide(milliseconds, 3_600_000.0).cast(wanted)
    if pa.types.is_string(array.type):
        means_none = pc.is_in(array, value_set=pa.array(list(nulls), pa.string()))
        array = pc.if_else(means_none, pa.scalar(None, pa.string()), array)
        if form:
            return pc.strptime(pc.utf8_trim_whitespace(array), format=form, unit="us").cast(wanted, safe=False)
        return array if kind == "text" else pc.utf8_trim_whitespace(array).cast(wanted)
    if kind == "time":
        at = array.cast(pa.timestamp("ms"))
        inside = pc.subtract(at.cast(pa.int64()), pc.floor_temporal(at, unit="day").cast(pa.int64()))
        return inside.cast(pa.int32()).cast(pa.time32("ms")).cast(wanted)
    return array.cast(wanted, safe=kind != "date")


# ── words ─────────────────────────────────────────────────────────────────────────────────────────────────

TOTALS = text(
    "A row of totals at the end is left out, so that nothing is counted twice.", "末尾的合计行不读取，以免重复统计。"
)


def _hidden(names: Sequence[str]) -> Text:
    listed = ", ".join(names[:5])
    return text(
        f"Hidden sheets are left out: {listed}. Show them in the workbook if they are meant to be read.",
        f"隐藏的工作表未读取：{listed}。如需读取，请在工作簿中取消隐藏。",
    )


def _without_value(count: int) -> Text:
    return text(
        f"{count:,} formulas have no saved result and are read as empty. Open the workbook in a spreadsheet program, "
        "let it calculate, and save it.",
        f"有 {count:,} 个公式没有保存计算结果，读作空值。请用表格软件打开工作簿，重新计算后保存。",
    )


def _wrong(table: _Table, name: str, row: int, said: str) -> DataError:
    place = table.extent.left + (table.names.index(name) if name in table.names else 0)
    where = cell_name(row, place)
    message = text(
        f"Cell {where} of sheet “{table.sheet.name}” in “{table.file.name}” does not fit the type of column “{name}”. "
        "Correct the column's type or the words for “no value” in the dataset's settings, or mend the cell.",
        f"“{table.file.name}”的工作表“{table.sheet.name}”中，单元格 {where} 的值与列“{name}”的类型不符。"
        "请在数据集设置中修改该列类型或空值写法，或修正该单元格。",
    )
    return DataError("file.value", message, f"{table.file.name}:{table.sheet.name}!{where}", said[:400])
