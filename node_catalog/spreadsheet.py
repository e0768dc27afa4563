"""Small tables that people bring: CSV in the usual encodings, or the first sheet of an .xlsx, as numbered lines."""

from __future__ import annotations

import csv
import io
import zipfile

from security.errors import InvalidError, Problem
from security.text import text

MAX_BYTES = 5 << 20
MAX_UNPACKED = 64 << 20
"""An .xlsx is a zip: what it unpacks to is looked up before anything is unpacked."""
MAX_CELL = 20_000

Line = tuple[int, list[str]]


def read_table(data: bytes, most: int, pointer: str = "/file") -> list[Line]:
    """The lines that are not empty, each with its number from 1. Raises InvalidError when it is no table or has more
    than ``most`` lines.
    """
    if len(data) > MAX_BYTES:
        raise _refuse(pointer, "table.too_large", "At most 5 MB; split the file.", "文件不能超过 5 MB，请拆分。")
    lines = _sheet(data, pointer) if data[:4] == b"PK\x03\x04" else _csv(data, pointer)
    found = [(number, cells) for number, cells in lines if any(cells)]
    if len(found) > most:
        raise _refuse(
            pointer, "table.too_long", f"At most {most} lines; split the file.", f"最多 {most} 行，请拆分文件。"
        )
    if not found:
        raise _refuse(pointer, "table.empty", "The file is empty.", "文件为空。")
    return found


def _csv(data: bytes, pointer: str) -> list[Line]:
    reader = csv.reader(io.StringIO(_decoded(data, pointer), newline=""), strict=True)
    try:
        return [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader]
    except csv.Error as error:
        raise _refuse(
            pointer,
            "table.broken",
            f"Line {reader.line_num} is no proper CSV: a quote is not closed or stands in the wrong place.",
            f"第 {reader.line_num} 行不是合法的 CSV：引号未闭合或位置不对。",
        ) from error


def _decoded(data: bytes, pointer: str) -> str:
    for encoding in ("utf-16",) if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _refuse(
        pointer,
        "table.encoding",
        "The file is no text. Save it as CSV in UTF-8, or as .xlsx.",
        "文件不是文本。请另存为 UTF-8 编码的 CSV，或 .xlsx 文件。",
    )


def _sheet(data: bytes, pointer: str) -> list[Line]:
    import fastexcel

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(part.file_size for part in archive.infolist()) > MAX_UNPACKED:
                raise _refuse(pointer, "table.too_large", "The workbook is too large.", "工作簿过大。")
        sheet = fastexcel.read_excel(data).load_sheet(0, header_row=None, dtypes="string").to_arrow()
    except (zipfile.BadZipFile, fastexcel.FastExcelError) as error:
        raise _refuse(
            pointer,
            "table.workbook",
            "The workbook cannot be read. Save it again as .xlsx, or as CSV.",
            "无法读取该工作簿。请重新另存为 .xlsx 或 CSV。",
        ) from error
    columns = [column.to_pylist() for column in sheet.columns]
    return [
        (number, [(cell or "").strip()[:MAX_CELL] for cell in cells])
        for number, cells in enumerate(zip(*columns), start=1)
    ]


def _refuse(pointer: str, code: str, en: str, zh: str) -> InvalidError:
    return InvalidError(problems=[Problem(pointer, code, text(en, zh))])
