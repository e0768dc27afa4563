"""Columns of JSON Lines and their types, found by looking at all values of a first part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from node_catalog.sdk.csv_dialect import check_width
from node_catalog.sdk.csv_types import MOMENTS, ZONED, TextColumn
from node_catalog.sdk.errors import DataError
from node_catalog.sdk.file_bytes import DataFile
from node_catalog.sdk.jsonl_read import Block, blocks
from node_catalog.sdk.text import Text, text

BUDGET_BYTES = 32 << 20
"""So much (decompressed) text is looked at."""
SHOWN_LINES = 5
_FORMS = (*MOMENTS, ZONED)


@dataclass
class JsonColumn:
    """What was seen under one name."""

    count: int = 0
    kinds: set[type] = field(default_factory=set)
    words: TextColumn = field(default_factory=lambda: TextColumn(open=list(_FORMS)))
    is_wide: bool = False

    def look(self, values: list[Any]) -> None:
        """Take decoded values into account."""
        import pyarrow as pa

        self.count += len(values)
        self.kinds.update(map(type, values))
        texts = [value for value in values if type(value) is str]
        if texts:
            self.words.look(pa.array(texts, pa.string()))
        if int in self.kinds and not self.is_wide:
            self.is_wide = any(type(value) is int and not -(2**63) <= value < 2**63 for value in values)

    @property
    def native(self) -> str:
        """The JSON types, for example ``number, string``."""
        names = {_NAMES[kind] for kind in self.kinds}
        return ", ".join(sorted(names - {"null"})) or "null"

    @property
    def form(self) -> tuple[str, str]:
        """Our type and, for dates written in a form of their own, the pattern."""
        kinds = self.kinds - {type(None)}
        if kinds == {bool}:
            return "boolean", ""
        if kinds == {int}:
            return ("number" if self.is_wide else "integer"), ""
        if kinds and kinds <= {int, float}:
            return "number", ""
        if kinds != {str} or self.words.nulls:
            return "text", ""
        kind, form = self.words.form
        return kind, "" if form == ZONED[1] else form


_NAMES: dict[type, str] = {
    type(None): "null", bool: "boolean", int: "number", float: "number", str: "string", list: "array", dict: "object",
}  # fmt: skip


@dataclass
class Seen:
    """What discovery has seen so far."""

    columns: dict[str, JsonColumn] = field(default_factory=dict)
    rows: int = 0
    size_bytes: int = 0
    is_whole: bool = True
    warnings: list[Text] = field(default_factory=list)

    def look(self, file: DataFile) -> None:
        """Take a file into account until the budget is used up."""
        broken: list[int] = []
        for block in blocks(file, 1 << 20):
            if self.size_bytes >= BUDGET_BYTES:
                self.is_whole = False
                break
            self.size_bytes += len(block.data)
            self._take(file, block, broken)
        if broken:
            self.warnings.append(_broken_lines(file, broken))

    def _take(self, file: DataFile, block: Block, broken: list[int]) -> None:
        decoder: msgspec.json.Decoder[dict[str, Any]] = msgspec.json.Decoder(dict[str, Any])
        try:
            rows = decoder.decode_lines(block.data)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            rows = []
            for number, line in enumerate(block.lines, start=block.first):
                try:
                    rows += [decoder.decode(line)] if line.strip() else []
                except (msgspec.MsgspecError, UnicodeDecodeError):
                    if not self.rows and not rows and line.lstrip().startswith(b"["):
                        raise _whole_array(file) from None
                    broken.append(number)
        self.rows += len(rows)
        gathered: dict[str, list[Any]] = {}
        for row in rows:
            for name, value in row.items():
                gathered.setdefault(name, []).append(value)
        check_width(len(gathered))
        for name, values in gathered.items():
            self.columns.setdefault(name, JsonColumn()).look(values)


def _whole_array(file: DataFile) -> DataError:
    message = text(
        f"“{file.name}” is one JSON array, not JSON Lines. Write each object on a line of its own, without brackets "
        "and commas around them.",
        f"“{file.name}”是一个完整的 JSON 数组，不是 JSON Lines。请把每个对象单独写成一行，去掉外层方括号和逗号。",
    )
    return DataError("file.json_array", message, f"{file.name}:1")


def _broken_lines(file: DataFile, lines: Sequence[int]) -> Text:
    shown = ", ".join(map(str, lines[:SHOWN_LINES])) + (" …" if len(lines) > SHOWN_LINES else "")
    return text(
        f"“{file.name}”: line {shown} is no JSON object. Reading will stop there.",
        f"“{file.name}”第 {shown} 行不是 JSON 对象，读取到此处会停止。",
    )
