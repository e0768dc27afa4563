"""Reading text files as Arrow batches, vectorised, with errors that name file and line."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from node_catalog.sdk.csv_settings import FileSettings
from node_catalog.sdk.errors import DataError, SourceError
from node_catalog.sdk.file_bytes import DataFile, PlainStream, WithoutTail, empty_file, of_system, open_bytes
from node_catalog.sdk.ports import arrow_type
from node_catalog.sdk.text import text

BLOCK_BYTES = 4 << 20
_TRUE = ["true", "TRUE", "True", "1", "t", "T", "yes", "是"]
_FALSE = ["false", "FALSE", "False", "0", "f", "F", "no", "否"]
_ROW = re.compile(r"Row #(\d+)")
_COLUMN = re.compile(r"CSV column #(\d+)|In CSV column '(.*?)'")
_WIDTH = re.compile(r"Expected (\d+) columns, got (\d+)")


def read_csv(
    file: DataFile,
    settings: FileSettings,
    names: Sequence[str],
    kinds: Mapping[str, str],
    columns: Sequence[str] | None = None,
    broken: list[int] | None = None,
    keep_empty_lines: bool = False,
) -> Iterator[Any]:
    """Record batches of ``columns`` (default: all ``names``) in their ``kinds`` (our types; missing: text).

    ``names`` are the file's columns in its own order. Raises DataError naming file, line and column for a value that
    does not fit, a row that is too short or too long, bytes that are no text, or a file that breaks off. With
    ``broken``, rows of a wrong width are left out and their line numbers noted there instead (only discovery does
    that). ``keep_empty_lines``: an empty line is a row without values (only one-column files that we wrote).
    """
    import pyarrow.csv as pc

    wanted = list(columns if columns is not None else names)
    formatted = {name for name in wanted if name in settings.formats and kinds.get(name) in ("date", "timestamp")}
    with _words_for_errors(file, settings, names), _open(file, settings) as stream:
        reader = pc.open_csv(
            stream,
            read_options=pc.ReadOptions(
                use_threads=False,
                block_size=BLOCK_BYTES,
                encoding="utf8" if settings.encoding.lower().replace("-", "") == "utf8" else settings.encoding,
                column_names=list(names),
                skip_rows=settings.skip_rows + bool(settings.header),
            ),
            parse_options=pc.ParseOptions(
                delimiter=settings.delimiter,
                quote_char=settings.quote or False,
                newlines_in_values=settings.multiline,
                ignore_empty_lines=not keep_empty_lines,
                invalid_row_handler=None if broken is None else _noting(broken),
            ),
            convert_options=pc.ConvertOptions(
                column_types={name: _read_type(name, kinds, formatted) for name in wanted},
                include_columns=wanted,
                null_values=list(settings.null_values),
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                true_values=_TRUE,
                false_values=_FALSE,
                decimal_point=settings.decimal,
            ),
        )
        for batch in reader:
            if batch.num_rows:
                yield _finished(batch, kinds, settings.formats, formatted)


def _noting(broken: list[int]) -> Callable[[Any], str]:
    def note(row: Any) -> str:
        broken.append(row.number or 0)
        return "skip"

    return note


def _read_type(name: str, kinds: Mapping[str, str], formatted: set[str]) -> Any:
    import pyarrow as pa

    return pa.string() if name in formatted else arrow_type(kinds.get(name, "text"))


def _finished(batch: Any, kinds: Mapping[str, str], formats: Mapping[str, str], formatted: set[str]) -> Any:
    """NaN becomes NULL; dates in a form of their own are parsed."""
    import pyarrow as pa
    import pyarrow.compute as pc

    arrays = []
    for name, array in zip(batch.schema.names, batch.columns, strict=True):
        if name in formatted:
            parsed = pc.strptime(pc.utf8_trim_whitespace(array), format=formats[name], unit="us")
            array = parsed.cast(arrow_type(kinds[name]), safe=False)
        elif pa.types.is_floating(array.type):
            array = pc.if_else(pc.is_nan(array), pa.scalar(None, array.type), array)
        arrays.append(array)
    return pa.RecordBatch.from_arrays(arrays, names=batch.schema.names)


@contextmanager
def _open(file: DataFile, settings: FileSettings) -> Iterator[Any]:
    with open_bytes(file) as stream:
        if not settings.footer_rows:
            yield stream
            return
        yield io.BufferedReader(WithoutTail(stream, settings.footer_rows), buffer_size=1 << 20)


# ── errors ────────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def _words_for_errors(file: DataFile, settings: FileSettings, names: Sequence[str]) -> Iterator[None]:
    import pyarrow as pa

    try:
        yield
    except UnicodeDecodeError as error:
        raise _broken_encoding(file, settings) from error
    except pa.ArrowInvalid as error:
        raise _of_arrow(file, settings, names, str(error)) from error
    except (OSError, EOFError) as error:
        raise of_system(file, error) from error


def _of_arrow(file: DataFile, settings: FileSettings, names: Sequence[str], said: str) -> DataError | SourceError:
    if "Empty CSV file" in said:
        return empty_file(file)
    row, column, width = _ROW.search(said), _COLUMN.search(said), _WIDTH.search(said)
    line = f"{int(row[1])}" if row else "?"
    where = f"{file.name}:{line}"
    if "UTF8" in said or "utf-8" in said.lower():
        return _broken_encoding(file, settings)
    if width:
        message = text(
            f"Line {line} of “{file.name}” has {width[2]} values where {width[1]} are expected. The row may be "
            "cut off, or "
            "the separator or quote may be set wrongly. Mend the file, or correct the dataset's settings.",
            f"“{file.name}”第 {line} 行有 {width[2]} 个值，应为 {width[1]} 个。该行可能不完整，或分隔符、"
            "引号设置有误。请修正文件或数据集设置。",
        )
        return DataError("file.row_broken", message, where, said[:400])
    if column:
        name = column[2] or (names[int(column[1])] if int(column[1]) < len(names) else column[1])
        message = text(
            f"Line {line} of “{file.name}”: a value of column “{name}” does not fit its type. Correct the "
            "column's type or "
            "the values that mean “no value” in the dataset's settings, or mend the file.",
            f"“{file.name}”第 {line} 行：列“{name}”的值与类型不符。请在数据集设置中修改该列类型或空值写法，"
            "或修正文件。",
        )
        return DataError("file.value", message, where, said[:400])
    message = text(
        f"“{file.name}” cannot be read as a table (near line {line}). Check separator, quote and encoding in "
        "the dataset's "
        "settings.",
        f"“{file.name}”无法按表格读取（第 {line} 行附近）。请检查数据集设置中的分隔符、引号和编码。",
    )
    return DataError("file.broken", message, where, said[:400])


def _broken_encoding(file: DataFile, settings: FileSettings) -> DataError:
    line = _first_bad_line(file, settings.encoding)
    message = text(
        f"Line {line} of “{file.name}” is not valid {settings.encoding}. Choose another encoding in the "
        "dataset's settings "
        "(files from Chinese Windows are often gb18030), or save the file as UTF-8.",
        f"“{file.name}”第 {line} 行不是有效的 {settings.encoding} 编码。请在数据集设置中更换编码（中文 Windows "
        "的文件常为 gb18030），或另存为 UTF-8。",
    )
    return DataError("file.encoding", message, f"{file.name}:{line}")


def _first_bad_line(file: DataFile, encoding: str) -> int | str:
    """The line of the first byte that is no character; looked for only once something has gone wrong."""
    try:
        with open_bytes(file) as stream:
            for number, line in enumerate(io.BufferedReader(PlainStream(stream), 1 << 20), start=1):
                try:
                    line.decode(encoding)
                except UnicodeDecodeError:
                    return number
    except (OSError, EOFError):
        pass
    return "?"
