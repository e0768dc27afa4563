"""Types of the columns of a text file, found by looking at all values of a first part, vectorised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from node_catalog.sdk.csv_read import read_csv
from node_catalog.sdk.csv_settings import FileSettings
from node_catalog.sdk.file_bytes import DataFile

BUDGET_BYTES = 64 << 20
"""So much (decompressed) text is looked at; types of longer files are those of this part."""

EXTRA_NULLS = ("-", "--", "—", "——", "/", "*", "无", "缺测", "NODATA", "None")
"""Taken for “no value” only in columns that are otherwise numbers, dates or times."""

_NUMBER = r"^\s*[+-]?(?:(?:0|[1-9]\d{0,14})(?:\{point}\d*)?|\{point}\d+)(?:[eE][+-]?\d{1,3})?\s*$"
_PATTERNS: tuple[tuple[str, str, str], ...] = (
    ("boolean", "", r"^(?i:true|false)$"),
    ("integer", "", r"^\s*[+-]?(?:0|[1-9]\d{0,17})\s*$"),
    ("number", "", _NUMBER.replace("{point}", ".")),
    ("number", ",", _NUMBER.replace("{point}", ",").replace(r"\,", ",")),
    ("date", "", r"^\d{4}-\d{2}-\d{2}$"),
    ("date", "%Y/%m/%d", r"^\d{4}/\d{1,2}/\d{1,2}$"),
    ("date", "%d.%m.%Y", r"^\d{1,2}\.\d{1,2}\.\d{4}$"),
    ("date", "%Y年%m月%d日", r"^\d{4}年\d{1,2}月\d{1,2}日$"),
    ("timestamp", "", r"^\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?$"),
    ("timestamp", "%Y/%m/%d %H:%M:%S", r"^\d{4}/\d{1,2}/\d{1,2} \d{1,2}:\d{2}:\d{2}$"),
    ("timestamp", "%Y/%m/%d %H:%M", r"^\d{4}/\d{1,2}/\d{1,2} \d{1,2}:\d{2}$"),
    ("time", "", r"^(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,6})?)?$"),
)


@dataclass
class Inferred:
    """What was found: types and forms by column, extra null words, rows looked at, and whether those were all."""

    types: dict[str, str] = field(default_factory=dict)
    formats: dict[str, str] = field(default_factory=dict)
    nulls: tuple[str, ...] = ()
    decimal: str = "."
    rows: int = 0
    size_bytes: int = 0
    is_whole: bool = True
    broken: dict[str, list[int]] = field(default_factory=dict)
    """File name → lines whose number of values is wrong."""


ZONED = (
    "timestamp",
    "zone",
    r"^\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:Z|[+-]\d{2}:?\d{2})$",
)
"""Moments with a zone (not among the forms of CSV)."""
MOMENTS = tuple(pattern for pattern in _PATTERNS if pattern[0] in ("date", "timestamp", "time"))
"""The forms of dates and times alone, for formats whose numbers are told apart from text anyway."""


@dataclass
class TextColumn:
    """The forms that every value of a column so far has had; ``form`` is the narrowest of them."""

    open: list[tuple[str, str, str]] = field(default_factory=lambda: list(_PATTERNS))
    seen: bool = False
    nulls: set[str] = field(default_factory=set)

    def look(self, values: Any) -> None:
        """Take an Arrow array of text into account."""
        import pyarrow as pa
        import pyarrow.compute as pc

        values = pc.drop_null(values)
        if not len(values) or not self.open:
            return
        extra = pc.is_in(values, value_set=pa.array(EXTRA_NULLS))
        if pc.any(extra).as_py():
            self.nulls.update(pc.unique(values.filter(extra)).to_pylist())
            values = values.filter(pc.invert(extra))
        if not len(values):
            return
        self.seen = True
        self.open = [form for form in self.open if _fits(values, form)]

    @property
    def form(self) -> tuple[str, str]:
        """Our type, and the pattern of its dates when it is not the plain one."""
        return (self.open[0][0], self.open[0][1]) if self.seen and self.open else ("text", "")


def _fits(values: Any, form: tuple[str, str, str]) -> bool:
    import pyarrow as pa
    import pyarrow.compute as pc

    kind, pattern, regex = form
    if not pc.all(pc.match_substring_regex(values, regex)).as_py():
        return False
    if kind not in ("date", "timestamp"):
        return True
    try:
        if pattern == ZONED[1]:
            values.cast(pa.timestamp("us", "UTC"))
        elif pattern:
            pc.strptime(values, format=pattern, unit="us")
        else:
            values.cast(pa.date32() if kind == "date" else pa.timestamp("us"))
    except pa.ArrowInvalid:
        return False
    return True


def infer_types(files: Sequence[tuple[DataFile, tuple[str, ...]]], settings: FileSettings) -> Inferred:
    """Look at the files (each with its own column order) until the budget is used up.

    Raises DataError for a file that cannot be read as a table at all.
    """
    columns: dict[str, TextColumn] = {}
    found = Inferred()
    for file, names in files:
        broken = found.broken.setdefault(file.name, [])
        for batch in read_csv(file, settings, names, {}, broken=broken):
            if found.size_bytes >= BUDGET_BYTES:
                found.is_whole = False
                break
            found.rows += batch.num_rows
            found.size_bytes += batch.nbytes
            for name, values in zip(batch.schema.names, batch.columns, strict=True):
                columns.setdefault(name, TextColumn()).look(values)
        for name in names:
            columns.setdefault(name, TextColumn())
        if not found.is_whole:
            break
    _conclude(columns, found)
    return found


def _conclude(columns: dict[str, TextColumn], found: Inferred) -> None:
    forms = {name: column.form for name, column in columns.items()}
    has_comma = any(form == ("number", ",") for form in forms.values())
    has_point = any(form == ("number", "") for form in forms.values())
    found.decimal = "," if has_comma and not has_point else "."
    nulls: set[str] = set()
    for name, (kind, form) in forms.items():
        if form == "," and found.decimal != ",":
            kind = "text"
        found.types[name] = kind
        if form and form != "," and kind != "text":
            found.formats[name] = form
        if kind != "text":
            nulls |= columns[name].nulls
    found.nulls = tuple(sorted(nulls))
