"""Where the table of a sheet begins and ends: titles above it, a header of one or more rows, notes below it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from node_catalog.sdk.csv_dialect import unique_names
from node_catalog.types.connectors.files.workbook import Merge

Cells = list[list[str | None]]
JOINT = " · "
MAX_HEADER_ROWS = 10
MAX_NOTES = 20
_VALUE = re.compile(
    r"^\s*(?:[+-]?\d+(?:[.,]\d+)?(?:[eE][+-]?\d+)?|\d{2,4}[-/.年]\d{1,2}[-/.月]\d{1,4}.*|true|false)\s*$"
)
_NOTE = re.compile(r"\s*(?:注|说明|备注|来源|数据来源|资料来源|制表|填表|审核|source|note)", re.IGNORECASE)
_TOTAL = re.compile(r"\s*(?:合\s*计|总\s*计|总和|total|sum)", re.IGNORECASE)


def find_header(cells: Cells, merges: Sequence[Merge]) -> tuple[int, int, bool]:
    """Rows before the header, rows of the header, and whether there is one at all.

    ``cells`` are the first rows as text, ``merges`` lie in their coordinates. Titles are rows with fewer values than
    the table is wide; a header grows over the rows that its merged cells span, and over the one below a wide cell.
    """
    filled = [sum(value is not None for value in row) for row in _spread(cells, merges)]
    distinct = [sum(value is not None for value in row) for row in cells]
    often = Counter(count for count in distinct if count)
    if not often:
        return 0, 1, True
    wide = max(often, key=lambda count: (count * often[count], count))
    least = 1 if wide == 1 else max(2, -(-wide * 6 // 10))
    start = next(
        (
            at
            for at, count in enumerate(filled)
            if count >= least and (wide == 1 or distinct[at] > 1 or _has_below(at, merges))
        ),
        0,
    )
    end = start
    while end - start < MAX_HEADER_ROWS - 1:
        reach = max((merge.bottom for merge in merges if start <= merge.top <= end), default=end)
        if any(merge.top == end and merge.left < merge.right for merge in merges):
            reach = max(reach, end + 1)  # below a wide cell stand the names of its parts
        if not end < reach < min(len(cells), start + MAX_HEADER_ROWS):
            break
        end = reach
    values = [value for value in cells[start] if value is not None]
    has_header = end > start or not values or not all(_VALUE.match(value) for value in values)
    return start, end - start + 1, has_header


def _has_below(at: int, merges: Sequence[Merge]) -> bool:
    return any(m.top == at and m.bottom > at for m in merges)


def _spread(cells: Cells, merges: Sequence[Merge]) -> Cells:
    """Merged cells with their value in every cell."""
    spread = [list(row) for row in cells]
    for merge in merges:
        if merge.top >= len(cells):
            continue
        value = cells[merge.top][merge.left]
        for row in range(merge.top, min(merge.bottom + 1, len(cells))):
            for column in range(merge.left, merge.right + 1):
                spread[row][column] = value
    return spread


def names_from(cells: Cells, merges: Sequence[Merge]) -> tuple[str, ...]:
    """One name per column out of the header's rows: its words from top to bottom, each once."""
    rows = _spread(cells, merges)
    width = max((len(row) for row in rows), default=0)
    joined = []
    for column in range(width):
        words = [" ".join((row[column] or "").split()) for row in rows]
        joined.append(JOINT.join(dict.fromkeys(word for word in words if word)))
    return unique_names(joined)


def count_notes(tail: Cells) -> tuple[int, bool]:
    """How many rows at the end are blank, notes or totals, and whether a total is among them."""
    notes, has_total = 0, False
    for row in reversed(tail[-MAX_NOTES:]):
        values = [value for value in row if value is not None]
        first = values[0] if values else ""
        is_total = bool(_TOTAL.match(first)) and row[0] == first
        is_note = len(values) == 1 and len(row) > 1 and (bool(_NOTE.match(first)) or len(first) > 20)
        if values and not is_note and not is_total:
            break
        notes += 1
        has_total = has_total or is_total
    return notes, has_total
