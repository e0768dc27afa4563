"""Finding out how a text file is written: encoding, separator, title rows, header. Looks at the first part only."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec

from node_catalog.sdk.csv_settings import FileSettings
from node_catalog.sdk.errors import DataError
from node_catalog.sdk.text import text

_SEPARATORS = (",", "\t", ";", "|")
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_NUMBER = re.compile(r"^\s*[+-]?\d+([.,]\d+)?([eE][+-]?\d+)?\s*$")
_DATE = re.compile(r"^\s*\d{2,4}[-/.年]\d{1,2}[-/.月]\d{1,4}")


class NotTextError(DataError):
    """The file holds binary data or an encoding that cannot be told."""


def find_encoding(sample: bytes, is_whole: bool) -> str:
    """UTF-8 when it is that (with or without BOM), UTF-16 by its BOM, else GB18030. Raises NotTextError."""
    for bom, name in _BOMS:
        if sample.startswith(bom):
            return name
    if b"\0" in sample:
        raise _not_text()
    for name in ("utf-8", "gb18030"):
        try:
            codecs.getincrementaldecoder(name)().decode(sample, final=is_whole)
        except UnicodeDecodeError:
            continue
        return name
    raise _not_text()


def decode_sample(sample: bytes, encoding: str) -> str:
    """The sample as text; a character cut off at its end is dropped, wrong bytes become question marks."""
    decoder = codecs.getincrementaldecoder("utf-8-sig" if encoding == "utf-8" else encoding)(errors="replace")
    return decoder.decode(sample, final=False).removeprefix("\ufeff")


def find_dialect(sample: bytes, is_whole: bool, known: dict[str, Any]) -> FileSettings:
    """Settings inferred from ``sample``; what ``known`` says wins and guides the rest."""
    encoding = known.get("encoding") or find_encoding(sample, is_whole)
    words = decode_sample(sample, encoding)
    quote = known.get("quote", '"')
    lines = _lines(words, is_whole)
    delimiter = known.get("delimiter") or _find_delimiter(lines, quote)
    rows = list(
        csv.reader(
            lines, delimiter=delimiter, quotechar=quote or None, quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE
        )
    )
    skip = known.get("skip_rows", _find_skip(rows))
    body = rows[skip:]
    found = {
        "format": "csv",
        "encoding": encoding,
        "delimiter": delimiter,
        "quote": quote,
        "skip_rows": skip,
        "header": known.get("header", _has_header(body)),
        "multiline": known.get("multiline", any("\n" in value for row in body for value in row)),
        "footer_rows": known.get("footer_rows", _find_footer(body) if is_whole else 0),
    }
    return msgspec.convert({**found, **known}, FileSettings)


def names_of(sample: bytes, settings: FileSettings) -> tuple[str, ...]:
    """The column names: the header's (made unique and never empty), or column1, column2 …"""
    words = decode_sample(sample, settings.encoding)
    reader = csv.reader(
        io.StringIO(words, newline=""),
        delimiter=settings.delimiter,
        quotechar=settings.quote or None,
        quoting=csv.QUOTE_MINIMAL if settings.quote else csv.QUOTE_NONE,
    )
    first: list[str] = []
    for index, row in enumerate(reader):
        if index >= settings.skip_rows and row:
            first = row
            break
    if not settings.header:
        return tuple(f"column{index + 1}" for index in range(len(first)))
    return unique_names(first)


def unique_names(given: Sequence[str]) -> tuple[str, ...]:
    """Names without surrounding blanks; empty ones are numbered, repeated ones get a number behind."""
    names: list[str] = []
    taken: set[str] = set()
    for index, raw in enumerate(given):
        base = " ".join(raw.split()) or f"column{index + 1}"
        name, count = base, 1
        while name in taken:
            count += 1
            name = f"{base}_{count}"
        taken.add(name)
        names.append(name)
    return tuple(names)


def _lines(words: str, is_whole: bool) -> list[str]:
    lines = words.splitlines(keepends=True)
    return lines if is_whole or len(lines) < 2 else lines[:-1]


def _find_delimiter(lines: list[str], quote: str) -> str:
    best, best_score = ",", 0.0
    for separator in _SEPARATORS:
        rows = csv.reader(lines[:200], delimiter=separator, quotechar=quote or None)
        widths = Counter(len(row) for row in rows if row)
        if not widths:
            continue
        width, count = widths.most_common(1)[0]
        score = (count / widths.total()) * min(width, 20) if width > 1 else 0.0
        if score > best_score:
            best, best_score = separator, score
    return best


def _find_skip(rows: list[list[str]]) -> int:
    """Title rows: those before the first row that is as wide as most rows."""
    widths = Counter(len(row) for row in rows if row)
    if not widths:
        return 0
    usual = widths.most_common(1)[0][0]
    if usual < 2:
        return 0
    return next((index for index, row in enumerate(rows[:100]) if len(row) == usual), 0)


def _find_footer(body: list[list[str]]) -> int:
    """Note rows at the end: narrower than the header, at most five, after at least as many right rows.

    A single narrow last row is rather a row that was cut off: it is not skipped but reported when it is read.
    """
    width = len(body[0]) if body else 0
    narrow = 0
    for row in reversed(body):
        if len(row) == width:
            break
        narrow += 1
    marked = narrow and any(
        re.match(r"\s*(total|sum|source|note|合计|总计|来源|说明|注)", (row or [""])[0], re.I) for row in body[-narrow:]
    )
    return narrow if marked and narrow <= 5 < len(body) else 0


def _has_header(body: list[list[str]]) -> bool:
    if not body:
        return True
    first = [value.strip() for value in body[0]]
    if any(_NUMBER.match(value) or _DATE.match(value) for value in first):
        return False
    return len(set(first)) == len(first)


def _not_text() -> NotTextError:
    message = text(
        "The file is no text in UTF-8 or GB18030: it may be binary, compressed or damaged. Save it as CSV in UTF-8, or "
        "set the encoding by hand.",
        "文件不是 UTF-8 或 GB18030 文本，可能是二进制、压缩文件或已损坏。请另存为 UTF-8 编码的 CSV，或手动设置编码。",
    )
    return NotTextError("file.not_text", message)
