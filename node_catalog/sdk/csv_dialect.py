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
from node_catalog.sdk.errors import DataError, SourceError
from node_catalog.sdk.text import text

_SEPARATORS = (",", "\t", ";", "|")
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_BIG5 = ("big5", "cp950", "big5hkscs")
MAX_COLUMNS = 4096
"""More columns than any table of people has; a header wider than this is a file read in the wrong way."""
_NUMBER = re.compile(r"^\s*[+-]?\d+([.,]\d+)?([eE][+-]?\d+)?\s*$")
_DATE = re.compile(r"^\s*\d{2,4}[-/.年]\d{1,2}[-/.月]\d{1,4}")

csv.field_size_limit(1 << 20)  # a sample is shorter than that: looked at with a wrong separator it is one field


class NotTextError(DataError):
    """The file holds binary data or an encoding that cannot be told."""


def find_encoding(sample: bytes, is_whole: bool) -> str:
    """UTF-8 when it is that (with or without BOM), UTF-16 (with or without), Big5 or GB18030 by their frequent signs.

    Raises NotTextError.
    """
    for bom, name in _BOMS:
        if sample.startswith(bom):
            return name
    if b"\0" in sample:
        return _wide(sample)
    if _decodes(sample, "utf-8", is_whole):
        return "utf-8"
    big5 = next((name for name in _BIG5 if _decodes(sample, name, is_whole)), "")
    if big5 and _share(sample, 0xA4, 0xC6, 0x40) > max(0.7, _share(sample, 0xB0, 0xD7, 0xA1)):
        return big5
    if _decodes(sample, "gb18030", is_whole):
        return "gb18030"
    if big5:
        return big5
    raise _not_text()


def _decodes(sample: bytes, encoding: str, is_whole: bool) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)().decode(sample, final=is_whole)
    except UnicodeDecodeError:
        return False
    return True


def _wide(sample: bytes) -> str:
    """UTF-16 without a mark: every second byte of its ASCII signs is NUL, always on the same side."""
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    name = "utf-16-le" if odd > even else "utf-16-be"
    enough = max(even, odd) * 20 >= len(sample) // 2 and min(even, odd) * 50 <= max(even, odd)
    if not enough or not _decodes(sample[: len(sample) // 2 * 2], name, False):
        raise _not_text()
    return name


def _share(sample: bytes, low: int, high: int, least: int) -> float:
    """Of the two-byte signs, the part that lies where an encoding keeps its frequent ones (or its punctuation)."""
    common = total = 0
    position, end = 0, min(len(sample), 65536) - 1
    while position < end:
        lead = sample[position]
        if lead < 0x81:
            position += 1
            continue
        total += 1
        common += (low <= lead <= high or 0xA1 <= lead <= 0xA3) and sample[position + 1] >= least
        position += 2
    return common / total if total else 0.0


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
    check_width(len(first))
    if not settings.header:
        return tuple(f"column{index + 1}" for index in range(len(first)))
    return unique_names(first)


def check_width(columns: int) -> None:
    """Raises SourceError for a table with more columns than can be meant."""
    if columns > MAX_COLUMNS:
        message = text(
            f"The table has {columns:,} columns; at most {MAX_COLUMNS:,} are read. Perhaps separator or header row are "
            "set wrongly. Otherwise turn the columns into rows before it is connected.",
            f"表格有 {columns:,} 列，最多读取 {MAX_COLUMNS:,} 列。可能是分隔符或表头设置有误；"
            "否则请先把列转为行再接入。",
        )
        raise SourceError("file.too_wide", message)


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
        "The file is no text in UTF-8, UTF-16, GB18030 or Big5: it may be binary, compressed or damaged. Save it as "
        "CSV in UTF-8, or set the encoding by hand.",
        "文件不是 UTF-8、UTF-16、GB18030 或 Big5 文本，可能是二进制、压缩文件或已损坏。请另存为 UTF-8 编码的 CSV，"
        "或手动设置编码。",
    )
    return NotTextError("file.not_text", message)
