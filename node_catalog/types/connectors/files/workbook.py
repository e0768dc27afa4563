"""What an .xlsx file holds besides its values: sheets, merged cells, extents, formulas without a value.

The file is a zip of XML. It is looked at as a stream before anything unpacks it as a whole: sizes that no honest
workbook has are refused, and the extent of a sheet bounds what the reader of values will need.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

from node_catalog.sdk.errors import DataError, SourceError
from node_catalog.sdk.file_bytes import LocalFile, of_system
from node_catalog.sdk.text import text

MAX_CELLS = 5_000_000
"""Cells of a sheet's whole rectangle: the reader keeps all of them in memory, empty ones too (about 100 bytes each)."""
MAX_UNPACKED = 1 << 30
MAX_RATIO = 300
MAX_MERGES = 100_000
_SMALL = 16 << 20
_CHUNK = 1 << 20
_OLE = b"\xd0\xcf\x11\xe0"
_CELL = re.compile(rb'<(?:\w+:)?c [^>]*?\br="([A-Z]{1,3})(\d{1,7})"')
_MERGE = re.compile(rb'<(?:\w+:)?mergeCell [^>]*?\bref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"')
_NO_VALUE = re.compile(
    rb"(?:</(?:\w+:)?f>|<(?:\w+:)?f(?: [^>]*)?/>)(?:<(?:\w+:)?v ?/>|<(?:\w+:)?v></(?:\w+:)?v>)?</(?:\w+:)?c>"
)
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


@dataclass(frozen=True)
class Merge:
    """A merged rectangle, from 0, both ends included."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass
class Extent:
    """What the XML of one sheet says; rows and columns from 0, both ends included. ``bottom`` -1: no cells."""

    top: int = 1 << 21
    left: int = 1 << 15
    bottom: int = -1
    right: int = -1
    merges: list[Merge] = field(default_factory=list)
    without_value: int = 0
    """Formulas whose last result the file does not keep."""

    @property
    def width(self) -> int:
        return self.right - self.left + 1

    @property
    def cells(self) -> int:
        return (self.bottom - self.top + 1) * self.width if self.bottom >= 0 else 0


@dataclass(frozen=True)
class Sheet:
    """A worksheet by its name; ``part`` is its file in the zip."""

    name: str
    is_hidden: bool
    part: str


def sheets_of(file: LocalFile) -> list[Sheet]:
    """The worksheets in their order (chart sheets left out). Raises DataError for what is no workbook."""
    with _opened(file) as archive:
        book = _xml(archive, "xl/workbook.xml")
        relations = {one.get("Id"): one for one in _xml(archive, "xl/_rels/workbook.xml.rels")}
        found = []
        for one in book.iter():
            if not one.tag.endswith("}sheet"):
                continue
            relation = relations.get(one.get(_RELATION))
            if relation is None or not str(relation.get("Type")).endswith("/worksheet"):
                continue
            target = str(relation.get("Target")).lstrip("/")
            part = target if target.startswith("xl/") else f"xl/{target}"
            found.append(Sheet(str(one.get("name")), one.get("state", "visible") != "visible", part))
        return found


def extent_of(file: LocalFile, sheet: Sheet) -> Extent:
    """Walk the sheet's XML once. Raises SourceError when the sheet is larger than can be read."""
    found = Extent()
    with _opened(file) as archive:
        if "xl/sharedStrings.xml" in archive.namelist():
            for _ in _chunks(archive, "xl/sharedStrings.xml"):
                pass  # its checksum is compared at the end: a size that lies shows here
        held = b""
        for chunk in _chunks(archive, sheet.part):
            held += chunk
            end = max(held.rfind(b"<c "), held.rfind(b"<row "), held.rfind(b":c "), held.rfind(b"<mergeCell "))
            whole, held = (held[:end], held[end:]) if end > 0 else (b"", held)
            _take(found, whole)
            if len(held) > _SMALL:
                raise _broken(file, "no cells")
        _take(found, held)
    if len(found.merges) > MAX_MERGES:
        raise _broken(file, f"{len(found.merges)} merged cells")
    if found.cells > MAX_CELLS:
        raise _too_large(file, sheet.name, found.cells)
    return found


def _take(found: Extent, part: bytes) -> None:
    letters = {letters: int(row) for letters, row in _CELL.findall(part)}
    if letters:
        columns = [_column(one) for one in letters]
        found.left, found.right = min(found.left, *columns), max(found.right, *columns)
        first = _CELL.search(part)
        assert first is not None
        found.top = min(found.top, int(first[2]) - 1)
        found.bottom = max(found.bottom, *(row - 1 for row in letters.values()))
    found.without_value += len(_NO_VALUE.findall(part))
    for left, top, right, bottom in _MERGE.findall(part):
        found.merges.append(Merge(int(top) - 1, _column(left), int(bottom) - 1, _column(right)))


def _column(letters: bytes) -> int:
    number = 0
    for sign in letters:
        number = number * 26 + sign - 64
    return number - 1


def cell_name(row: int, column: int) -> str:
    """``C7`` for row 6 and column 2 (from 0)."""
    letters, number = "", column + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{letters}{row + 1}"


# ── the zip ───────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def _opened(file: LocalFile) -> Iterator[zipfile.ZipFile]:
    try:
        with file.path.open("rb") as raw:
            if raw.read(4) == _OLE:
                raise _protected(file)
            with zipfile.ZipFile(file.path) as archive:
                _check_sizes(file, archive)
                yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, ElementTree.ParseError, NotImplementedError) as error:
        raise _broken(file, str(error)) from error
    except OSError as error:
        raise of_system(file, error) from error
    except RuntimeError as error:  # "password required"
        raise _protected(file) from error


def _check_sizes(file: LocalFile, archive: zipfile.ZipFile) -> None:
    """Refuse a zip bomb by what its directory says (what lies there fails its checksum later)."""
    entries = archive.infolist()
    unpacked = sum(entry.file_size for entry in entries)
    is_bomb = any(
        entry.file_size > _SMALL and entry.file_size > MAX_RATIO * max(entry.compress_size, 1) for entry in entries
    )
    if unpacked > MAX_UNPACKED or is_bomb or len(entries) > 10_000:
        message = text(
            f"“{file.name}” unpacks to {unpacked >> 20:,} MB, which is more than is read from a workbook. Save the "
            "sheet as CSV or Parquet.",
            f"“{file.name}”解压后为 {unpacked >> 20:,} MB，超出工作簿的读取上限。请把工作表另存为 CSV 或 Parquet。",
        )
        raise SourceError("file.excel_bomb", message, file.name)


def _chunks(archive: zipfile.ZipFile, part: str) -> Iterator[bytes]:
    with archive.open(part) as stream:
        while chunk := stream.read(_CHUNK):
            yield chunk


def _xml(archive: zipfile.ZipFile, part: str) -> Any:
    if archive.getinfo(part).file_size > _SMALL:
        raise zipfile.BadZipFile(f"{part} is too large")
    content = archive.read(part)
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise zipfile.BadZipFile(f"{part} declares entities")
    return ElementTree.fromstring(content)


def _protected(file: LocalFile) -> SourceError:
    message = text(
        f"“{file.name}” is protected by a password, or it is in the old .xls format. Save it as .xlsx "
        "without a password.",
        f"“{file.name}”设有密码，或为旧版 .xls 格式。请另存为不带密码的 .xlsx。",
    )
    return SourceError("file.excel_password", message, file.name)


def _broken(file: LocalFile, said: str) -> DataError:
    message = text(
        f"“{file.name}” is no complete Excel workbook (.xlsx): it may have been cut off while copying. Copy it again, "
        "or open it in a spreadsheet program and save it anew.",
        f"“{file.name}”不是完整的 Excel 工作簿（.xlsx），可能未复制完整。请重新复制，或用表格软件打开后另存。",
    )
    return DataError("file.excel_broken", message, file.name, said[:400])


def _too_large(file: LocalFile, sheet: str, cells: int) -> SourceError:
    message = text(
        f"The sheet “{sheet}” of “{file.name}” spans {cells:,} cells; at most {MAX_CELLS:,} are read. Delete stray "
        "cells far away from the table, or save the sheet as CSV or Parquet.",
        f"“{file.name}”的工作表“{sheet}”跨越 {cells:,} 个单元格，最多读取 {MAX_CELLS:,} 个。"
        "请删除远离表格的零散单元格，"
        "或另存为 CSV 或 Parquet。",
    )
    return SourceError("file.excel_large", message, file.name)
