"""Reading JSON Lines as Arrow batches: blocks of whole lines, decoded into structs of just the wanted columns.

msgspec skips the rest of a line without building it. That measured as fast as pyarrow.json, which cannot give nested
or mixed values as text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec

from node_catalog.sdk.csv_settings import FileSettings
from node_catalog.sdk.errors import DataError
from node_catalog.sdk.file_bytes import DataFile, of_system, open_bytes
from node_catalog.sdk.ports import arrow_type
from node_catalog.sdk.text import text

BLOCK_BYTES = 4 << 20
MAX_LINE_BYTES = 16 << 20
_INTEGER = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
_ZONE = r"(?:Z|[+-]\d{2}:?\d{2})$"
_AT = re.compile(r"at `\$(?:\[\d+\])?\.(.+)`$", re.DOTALL)
_NONE = msgspec.Raw(b"null")


@dataclass
class Block:
    """Whole lines, and the number of the first one (from 1)."""

    data: bytes
    first: int

    @property
    def lines(self) -> list[bytes]:
        """The lines, also blank ones."""
        return self.data.split(b"\n")


def blocks(file: DataFile, size: int = BLOCK_BYTES) -> Iterator[Block]:
    """The file in blocks of whole lines; raises DataError for a line longer than any row can be."""
    number, held = 1, b""
    try:
        with open_bytes(file) as stream:
            is_first = True
            while chunk := bytes(stream.read(size)):
                if is_first:
                    chunk, is_first = chunk.removeprefix(b"\xef\xbb\xbf"), False
                held += chunk
                end = held.rfind(b"\n") + 1
                if end:
                    yield Block(held[:end], number)
                    number += held.count(b"\n", 0, end)
                    held = held[end:]
                if len(held) > MAX_LINE_BYTES:
                    raise _too_long(file, number)
            if held.strip():
                yield Block(held, number)
    except (OSError, EOFError) as error:
        raise of_system(file, error) from error


class Rows:
    """Blocks of lines as record batches of some columns."""

    def __init__(self, columns: Sequence[str], kinds: Mapping[str, str], settings: FileSettings) -> None:
        self._columns, self._kinds = list(columns), kinds
        self._formats, self._nulls = settings.formats, list(settings.null_values)
        self._raw: set[str] = {name for name in columns if kinds[name].startswith("decimal")}
        self._decoder = self._decoder_now()
        self._cells = msgspec.json.Decoder(str)

    def batch(self, file: DataFile, block: Block) -> Any:
        """The rows of a block. Raises DataError naming file, line and column."""
        import pyarrow as pa

        found = self._decoded(file, block)
        arrays = []
        for index, name in enumerate(self._columns):
            values = [getattr(row, f"c{index}") for row in found]
            if name in self._raw:
                values = [self._text(value) for value in values]
            try:
                arrays.append(self._array(name, values))
            except (pa.ArrowException, OverflowError, ValueError) as error:
                raise self._of_value(file, block, name, values, error) from error
        return pa.RecordBatch.from_arrays(arrays, names=self._columns)

    def _decoded(self, file: DataFile, block: Block) -> list[Any]:
        """The rows as structs. A text column that turns out to hold other values is taken raw from then on."""
        while True:
            try:
                return self._decoder.decode_lines(block.data)
            except msgspec.ValidationError as error:
                at = _AT.search(str(error))
                name = at[1] if at else ""
                if name in self._raw or not self._is_text(name):
                    raise self._of_line(file, block) from error
                self._raw.add(name)
                self._decoder = self._decoder_now()
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                raise self._of_line(file, block) from error

    def _decoder_now(self) -> msgspec.json.Decoder[Any]:
        known: dict[str, Any] = {"integer": _INTEGER, "number": float, "boolean": bool}
        fields: list[tuple[str, Any, Any]] = []
        for index, name in enumerate(self._columns):
            if name in self._raw:
                fields.append((f"c{index}", msgspec.Raw, _NONE))
            else:
                fields.append((f"c{index}", known.get(self._kinds[name], str) | None, None))
        names = {f"c{index}": name for index, name in enumerate(self._columns)}
        return msgspec.json.Decoder(msgspec.defstruct("Line", fields, rename=names, gc=False))

    def _is_text(self, name: str) -> bool:
        return self._kinds.get(name) in ("text", "date", "time", "timestamp", "binary")

    def _text(self, value: Any) -> str | None:
        raw = bytes(value)
        if raw.startswith(b'"'):
            return self._cells.decode(raw)
        return None if raw == b"null" else raw.decode()

    def _array(self, name: str, values: list[Any]) -> Any:
        import pyarrow as pa
        import pyarrow.compute as pc

        kind = self._kinds[name]
        if kind.startswith("decimal"):
            return pa.array(values, pa.string()).cast(arrow_type(kind))
        if not self._is_text(name):
            return pa.array(values, arrow_type(kind))
        array = pa.array(values, pa.string())
        if self._nulls:
            array = pc.if_else(pc.is_in(array, value_set=pa.array(self._nulls)), pa.scalar(None, pa.string()), array)
        if kind == "text":
            return array
        if name in self._formats:
            return pc.strptime(array, format=self._formats[name], unit="us").cast(arrow_type(kind), safe=False)
        return moments(array, kind)

    def _of_value(self, file: DataFile, block: Block, name: str, values: list[Any], error: Exception) -> DataError:
        """Find the row by trying the values one by one: only once something has gone wrong."""
        numbers = _line_numbers(block)
        for index, value in enumerate(values):
            try:
                self._array(name, [value])
            except Exception:
                line = numbers[index] if index < len(numbers) else block.first
                return _wrong_value(file, line, name, self._kinds[name], str(error))
        return _wrong_value(file, block.first, name, self._kinds[name], str(error))

    def _of_line(self, file: DataFile, block: Block) -> DataError:
        return _first_error(file, block, self._decoder.decode, self._kinds) or _malformed(file, block.first, "")


def moments(array: Any, kind: str) -> Any:
    """Text like 2024-01-31T08:00:00 as dates, times or timestamps; a zone is brought to UTC."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if kind != "timestamp":
        return array.cast(arrow_type(kind))
    zoned = pc.match_substring_regex(array, _ZONE)
    if not pc.any(zoned).as_py():
        return array.cast(pa.timestamp("us"))
    with_zone = pc.if_else(zoned, array, pc.binary_join_element_wise(array, "Z", ""))
    return with_zone.cast(pa.timestamp("us", "UTC")).cast(pa.int64()).cast(pa.timestamp("us"))


# ── errors ────────────────────────────────────────────────────────────────────────────────────────────────


def _line_numbers(block: Block) -> list[int]:
    """The line number of every row: blank lines are no rows."""
    return [number for number, line in enumerate(block.lines, start=block.first) if line.strip()]


def _first_error(
    file: DataFile,
    block: Block,
    decode: Callable[[bytes], Any],
    kinds: Mapping[str, str],
) -> DataError | None:
    for number, line in enumerate(block.lines, start=block.first):
        if not line.strip():
            continue
        try:
            decode(line)
        except msgspec.ValidationError as error:
            at = _AT.search(str(error))
            if at is None:
                return _malformed(file, number, str(error))
            return _wrong_value(file, number, at[1], kinds.get(at[1], ""), str(error))
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            return _malformed(file, number, str(error))
    return None


def _wrong_value(file: DataFile, line: int, name: str, kind: str, said: str) -> DataError:
    message = text(
        f"Line {line} of “{file.name}”: the value of “{name}” is no {kind}. Correct the column's type in the "
        "dataset's settings, or mend the file.",
        f"“{file.name}”第 {line} 行：“{name}”的值不是 {kind}。请在数据集设置中修改该列类型，或修正文件。",
    )
    return DataError("file.value", message, f"{file.name}:{line}", said[:400])


def _malformed(file: DataFile, line: int, said: str) -> DataError:
    message = text(
        f"Line {line} of “{file.name}” is no JSON object in UTF-8. Each line must be one whole object like "
        '{"name": 1}; mend the line or leave it out.',
        f"“{file.name}”第 {line} 行不是 UTF-8 编码的 JSON 对象。每行必须是一个完整的对象，例如 "
        '{"name": 1}；请修正或删除该行。',
    )
    return DataError("file.line_broken", message, f"{file.name}:{line}", said[:400])


def _too_long(file: DataFile, line: int) -> DataError:
    message = text(
        f"Line {line} of “{file.name}” is longer than {MAX_LINE_BYTES >> 20} MB, which no row can be. Write every "
        "object on a line of its own.",
        f"“{file.name}”第 {line} 行超过 {MAX_LINE_BYTES >> 20} MB，不可能是一行数据。请把每个对象单独写成一行。",
    )
    return DataError("file.line_too_long", message, f"{file.name}:{line}")
