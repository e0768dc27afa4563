"""Rows out of JSON answers, a page at a time: one parse, then column by column, never row by row in Python.

A page is decoded to raw slices per field (in C); the slices of a column are one JSON array, decoded as one typed list
and handed to Arrow. Nested values become their own JSON text, untouched: no digit is lost on the way.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import chain
from operator import attrgetter
from typing import Any

import msgspec

from node_catalog.sdk.errors import DataError
from node_catalog.sdk.ports import arrow_type
from node_catalog.sdk.text import text

MISSING = msgspec.Raw(b"null")
"""Stands for a field that a row does not have; told from a written null by identity."""
WHOLE = "value"
"""The one column of rows that are no objects."""
MAX_COLUMNS = 2000
EPOCHS = {"unix": 1_000_000, "unix_ms": 1_000, "unix_us": 1}
"""Forms of moments that are numbers → how many microseconds one of them is."""

_DAY = r"^\d{4}-\d{2}-\d{2}$"
_MOMENT = r"^\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}(?::?\d{2})?)?$"
_CLOCK = r"^\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?$"
_ZONE = r"(?:Z|[+-]\d{2}(?::?\d{2})?)$"
_CHARSET = re.compile(r"charset=\"?([\w.:-]+)", re.IGNORECASE)
_LISTS: dict[str, Any] = {
    "boolean": list[bool | None],
    "integer": list[int | None],
    "number": list[float | None],
    "decimal": list[Decimal | None],
}


@dataclass(frozen=True)
class FoundColumn:
    """A field as one page shows it: its type in JSON's words and in ours; ``is_optional`` when rows lack it."""

    name: str
    native: str
    type: str
    is_optional: bool
    has_nulls: bool


# ── finding the rows ──────────────────────────────────────────────────────────────────────────────────────


def as_utf8(body: bytes, content_type: str, where: str) -> bytes:
    """The body as UTF-8, whatever encoding the answer declares (also GB18030, GBK, Big5). Raises DataError."""
    if body.startswith(codecs.BOM_UTF8):
        return body[3:]
    found = _CHARSET.search(content_type)
    name = found[1].lower() if found else "utf-8"
    try:
        codec = codecs.lookup("gb18030" if name in ("gb2312", "gbk") else name).name
        return body if codec == "utf-8" else body.decode(codec).encode()
    except (LookupError, UnicodeError) as error:
        message = text(f"The answer is not valid {name[:40]}.", f"返回内容不是有效的 {name[:40]} 编码。")
        raise DataError("json.encoding", message, where) from error


def value_at(body: bytes, pointer: str, where: str) -> msgspec.Raw | None:
    """The raw value at an RFC 6901 pointer, or None when nothing is there. Raises DataError when it is no JSON."""
    found = _decoded(body, msgspec.Raw, where)
    for token in tokens_of(pointer):
        kind = _kind(found)
        if kind == "object":
            found = _decoded(found, dict[str, msgspec.Raw], where).get(token)
        elif kind == "array" and token.isdecimal():
            items = _decoded(found, list[msgspec.Raw], where)
            found = items[int(token)] if int(token) < len(items) else None
        else:
            return None
        if found is None:
            return None
    return found


def tokens_of(pointer: str) -> list[str]:
    """The tokens of an RFC 6901 pointer."""
    return [token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:]]


def scalar_at(body: bytes, pointer: str, where: str) -> str:
    """A text or number at a pointer as text; empty for null, false, "" and nothing."""
    raw = value_at(body, pointer, where)
    if raw is None or _kind(raw) in ("object", "array"):
        return ""
    value = _decoded(raw, Any, where)
    if value is None or isinstance(value, bool):
        return ""
    return value if isinstance(value, str) else bytes(raw).decode()


def rows_at(body: bytes, pointer: str, where: str) -> msgspec.Raw:
    """The raw array of rows (a single object is one row). Raises DataError naming what is there instead."""
    raw = value_at(body, pointer, where)
    kind = "" if raw is None else _kind(raw)
    if raw is not None and kind == "array":
        return raw
    if raw is not None and kind == "object":
        return msgspec.Raw(b"[" + bytes(raw) + b"]")
    if kind == "null":
        return msgspec.Raw(b"[]")
    spot = pointer or "/"
    there = f"{kind}" if kind else "nothing"
    message = text(
        f"The answer has no rows at “{spot}” (there is {there}). Correct “Where the rows are”.",
        f"返回内容的“{spot}”处没有数据行（实际为 {kind or '空'}）。请修正“数据行位置”。",
    )
    raise DataError("json.no_rows", message, where, bytes(body[:200]).decode("utf-8", "replace"))


def _kind(raw: Any) -> str:
    first = bytes(memoryview(raw)[:64]).lstrip()[:1]
    return {b"{": "object", b"[": "array", b'"': "string", b"t": "boolean", b"f": "boolean", b"n": "null"}.get(
        first, "number"
    )


def _decoded(data: Any, kind: Any, where: str) -> Any:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        message = text(
            "The answer is no proper JSON. Check the address: it may lead to a page for people.",
            "返回内容不是合法的 JSON。请检查地址，它可能指向网页而非数据接口。",
        )
        detail = f"{error}: " + bytes(memoryview(data)[:200]).decode("utf-8", "replace")
        raise DataError("json.broken", message, where, detail[:400]) from error


# ── what a page shows ─────────────────────────────────────────────────────────────────────────────────────


def count_rows(rows: msgspec.Raw, where: str) -> int:
    """How many rows the raw array holds."""
    return len(_decoded(rows, list[msgspec.Raw], where))


def find_columns(rows: msgspec.Raw, where: str) -> list[FoundColumn]:
    """Columns in order of their first appearance, with types that hold all values of the page. Raises DataError."""
    if _is_flat(rows, where):
        names = [WHOLE] if count_rows(rows, where) else []
    else:
        listed = _decoded(rows, list[dict[str, msgspec.Raw]], where)
        names = list(dict.fromkeys(chain.from_iterable(listed)))
    if len(names) > MAX_COLUMNS:
        message = text(
            f"The rows have {len(names)} different fields; at most {MAX_COLUMNS} can be columns. Names may be data "
            "here: look for another form of the answer.",
            f"数据行共有 {len(names)} 个不同字段，最多支持 {MAX_COLUMNS} 列。字段名可能就是数据，请改用其他格式。",
        )
        raise DataError("json.too_wide", message, where)
    return [_found(name, column, where) for name, column in zip(names, _columns(rows, names, where), strict=True)]


def _found(name: str, column: Sequence[Any], where: str) -> FoundColumn:
    import pyarrow as pa
    import pyarrow.compute as pc

    values = _decoded(_joined(column), list[Any], where)
    kinds = set(map(type, values)) - {type(None)}
    native, kind = "mixed", "text"
    if not kinds:
        native = "null"
    elif kinds == {bool}:
        native = kind = "boolean"
    elif kinds == {int}:
        native, kind = "integer", "integer"
        if not all(-(2**63) <= value < 2**63 for value in values if value is not None):
            kind = "decimal(38,0)"
    elif kinds <= {int, float}:
        native = kind = "number"
    elif kinds == {str}:
        native = "string"
        words = pc.drop_null(pa.array(values, pa.string()))
        forms = (("date", _DAY), ("timestamp", _MOMENT), ("time", _CLOCK))
        for found, form in forms:
            if pc.all(pc.match_substring_regex(words, form)).as_py() and _parses(words, found):
                kind = found
                break
    elif kinds == {dict}:
        native = "object"
    elif kinds == {list}:
        native = "array"
    is_optional = any(raw is MISSING for raw in column)
    return FoundColumn(name, native, kind, is_optional, None in values)


def _parses(words: Any, kind: str) -> bool:
    import pyarrow as pa

    try:
        _moment(words, kind, "")
    except (pa.ArrowInvalid, ValueError):
        return False
    return True


# ── a page as Arrow ───────────────────────────────────────────────────────────────────────────────────────


def to_batch(
    rows: msgspec.Raw, columns: Sequence[str], kinds: Mapping[str, str], formats: Mapping[str, str], where: str
) -> tuple[Any, frozenset[str]]:
    """A record batch of ``columns`` in their ``kinds`` (our types), and which of them no row of the page has.

    ``formats`` gives forms of moments by column: ``unix``, ``unix_ms``, ``unix_us`` or a strptime pattern. Raises
    DataError naming column and row of a value that does not fit.
    """
    import pyarrow as pa

    arrays, absent = [], set()
    for name, column in zip(columns, _columns(rows, columns, where), strict=True):
        if column and all(raw is MISSING for raw in column):
            absent.add(name)
        kind = kinds.get(name, "text")
        try:
            arrays.append(_array(column, kind, formats.get(name, "")))
        except (pa.ArrowException, msgspec.DecodeError, OverflowError, ValueError) as error:
            raise _unfit(name, kind, column, formats.get(name, ""), where) from error
    return pa.RecordBatch.from_arrays(arrays, names=list(columns)), frozenset(absent)


def _is_flat(rows: msgspec.Raw, where: str) -> bool:
    """Whether the rows are values or lists rather than objects."""
    listed = _decoded(rows, list[msgspec.Raw], where)
    return bool(listed) and _kind(listed[0]) != "object"


def _columns(rows: msgspec.Raw, names: Sequence[str], where: str) -> list[Sequence[Any]]:
    """For every name the raw values of all rows; MISSING where a row has no such field."""
    if _is_flat(rows, where):
        listed = _decoded(rows, list[msgspec.Raw], where)
        return [listed if name == WHOLE else [MISSING] * len(listed) for name in names]
    if not names:
        return []
    fields = tuple(f"f{index}" for index in range(len(names)))
    listed = _decoded(rows, list[_row_type(tuple(names))], where)
    if not listed:
        return [[] for _ in names]
    if len(fields) == 1:
        return [list(map(attrgetter(fields[0]), listed))]
    return list(zip(*map(attrgetter(*fields), listed), strict=True))


@lru_cache(maxsize=64)
def _row_type(names: tuple[str, ...]) -> Any:
    """A struct with one raw field per name: decoding to it makes no Python object per value but the slice."""
    fields = [(f"f{index}", msgspec.Raw, MISSING) for index in range(len(names))]
    rename = {f"f{index}": name for index, name in enumerate(names)}
    return msgspec.defstruct("Row", fields, rename=rename, gc=False)


def _joined(column: Iterable[Any]) -> bytes:
    return b"[" + b",".join(column) + b"]"


def _array(column: Sequence[Any], kind: str, form: str) -> Any:
    import pyarrow as pa

    base = kind.partition("(")[0]
    if base == "text":
        return _texts(column)
    if base in _LISTS:
        values = msgspec.json.decode(_joined(column), type=_LISTS[base], strict=False)
        return pa.array(values, arrow_type(kind))
    if form in EPOCHS:
        return _from_epoch(column, kind, EPOCHS[form])
    words = pa.array(msgspec.json.decode(_joined(column), type=list[str | None]), pa.string())
    if base == "binary":
        return words.cast(pa.binary())
    return _moment(words, kind, form)


def _from_epoch(column: Sequence[Any], kind: str, micros: int) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    values = pa.array(msgspec.json.decode(_joined(column), type=list[float | None], strict=False), pa.float64())
    moments = pc.round(pc.multiply(values, float(micros))).cast(pa.int64()).cast(pa.timestamp("us"))
    return moments.cast(arrow_type(kind), safe=False)


def _texts(column: Sequence[Any]) -> Any:
    """Texts as they are, everything else as its own JSON text, null as NULL."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        return pa.array(msgspec.json.decode(_joined(column), type=list[str | None]), pa.string())
    except msgspec.ValidationError:
        pass
    raws = pa.array(list(map(bytes, column)), pa.binary()).cast(pa.string())
    raws = pc.if_else(pc.equal(raws, "null"), pa.scalar(None, pa.string()), raws)
    is_word = pc.fill_null(pc.starts_with(raws, '"'), False)
    words = msgspec.json.decode("[" + ",".join(raws.filter(is_word).to_pylist()) + "]", type=list[str])
    return pc.replace_with_mask(raws, is_word, pa.array(words, pa.string()))


def _moment(words: Any, kind: str, form: str) -> Any:
    """Texts as dates, times or moments; a zone is taken into account (our moments are UTC), digits beyond micro
    seconds are dropped.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    words = pc.utf8_trim_whitespace(words)
    words = pc.if_else(pc.equal(words, ""), pa.scalar(None, pa.string()), words)
    wanted = arrow_type(kind)
    if form:
        return pc.strptime(words, format=form, unit="us").cast(wanted, safe=False)
    if kind == "time":
        return words.cast(wanted)
    if kind == "date":
        if pc.all(pc.match_substring_regex(pc.drop_null(words), _DAY)).as_py() is not False:
            return words.cast(wanted)
        return _moment(words, "timestamp", "").cast(wanted, safe=False)
    words = pc.replace_substring_regex(words, r"(\.\d{6})\d+", r"\1")
    words = pc.replace_substring_regex(words, r"([+-]\d{2})(\d{2})$", r"\1:\2")
    is_zoned = pc.match_substring_regex(words, r"T?\d{2}:\d{2}.*" + _ZONE)
    none = pa.scalar(None, pa.string())
    zoned = pc.if_else(is_zoned, words, none).cast(pa.timestamp("us", "UTC")).cast(pa.timestamp("us"))
    naive = pc.if_else(is_zoned, none, words).cast(pa.timestamp("us"))
    return pc.coalesce(zoned, naive)


def _unfit(name: str, kind: str, column: Sequence[Any], form: str, where: str) -> DataError:
    """The error for a value that does not fit; looked for only once something has gone wrong."""
    row, value = _first_unfit(column, kind, form)
    message = text(
        f"Row {row} of a page: the value of “{name}” is not what its type ({kind}) says. Correct the column's type or "
        "form in the dataset's settings.",
        f"某页第 {row} 行：列“{name}”的值与类型（{kind}）不符。请在数据集设置中修改该列的类型或写法。",
    )
    return DataError("json.value", message, where, f"{name}: {value[:200]}")


def _first_unfit(column: Sequence[Any], kind: str, form: str) -> tuple[int, str]:
    import pyarrow as pa

    for number, raw in enumerate(column, start=1):
        try:
            _array([raw], kind, form)
        except (pa.ArrowException, msgspec.DecodeError, OverflowError, ValueError):
            return number, bytes(raw).decode("utf-8", "replace")
    return 0, ""
