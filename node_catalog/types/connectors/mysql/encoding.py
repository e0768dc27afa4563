"""Arrow batches as text that MySQL loads: built column by column inside Arrow, never row by row in Python.

Two forms of the same cells: lines for LOAD DATA (tabs between, backslash escapes, ``\\N`` for NULL), and the VALUES of
one INSERT for servers that do not admit LOAD DATA LOCAL.
"""

from __future__ import annotations

from typing import Any, Literal

Form = Literal["lines", "values"]
_ESCAPES = (("\\", "\\\\"), ("\0", "\\0"), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t"), ("'", "\\'"))


def encode(batch: Any, form: Form) -> memoryview:
    """The batch's rows as one block of UTF-8. It is the data buffer of an Arrow array: nothing is copied.

    In ``lines`` a binary column arrives as hexadecimal digits, to be read through UNHEX.
    """
    import pyarrow.compute as pc

    between, start, end = ("\t", "", "\n") if form == "lines" else (",", "(", "),")
    cells = [_cell(column, form) for column in batch.columns]
    rows = pc.binary_join_element_wise(*cells, _big(between))
    return _block(pc.binary_join_element_wise(_big(start), rows, _big(end), _big("")))


def _big(value: str) -> Any:
    import pyarrow as pa

    return pa.scalar(value, pa.large_string())


def _cell(column: Any, form: Form) -> Any:
    """One column as text cells of type large_string, NULL written out."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind, big = column.type, pa.large_string()
    quoted = True
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind):
        text = (column.cast(pa.int8()) if pa.types.is_boolean(kind) else column).cast(big)
        quoted = False
    elif pa.types.is_floating(kind):
        # MySQL knows neither NaN nor infinity.
        text = pc.if_else(pc.is_finite(column), column, pa.scalar(None, kind)).cast(big)
        quoted = False
    elif pa.types.is_binary(kind):
        text = _hex(column)
    elif pa.types.is_string(kind):
        text = column.cast(big)
        for plain, escaped in _ESCAPES:
            text = pc.replace_substring(text, plain, escaped)
    else:
        text = column.cast(pa.string()).cast(big)
    if form == "values" and quoted:
        before = "x'" if pa.types.is_binary(kind) else "'"
        text = pc.binary_join_element_wise(_big(before), text, _big("'"), _big(""))
    return pc.fill_null(text, _big("\\N" if form == "lines" else "NULL"))


def _hex(column: Any) -> Any:
    """Bytes as hexadecimal digits: all at once, the offsets doubled."""
    import pyarrow as pa
    import pyarrow.compute as pc

    plain = pa.concat_arrays([column.cast(pa.large_binary())])  # offsets that begin at nothing
    _, offsets, data = plain.buffers()
    ends = pa.Array.from_buffers(pa.int64(), len(plain) + 1, [None, offsets])
    first, last = ends[0].as_py(), ends[-1].as_py()
    digits = bytes(memoryview(data)[first:last]).hex().encode() if data is not None else b""
    doubled = pc.multiply(pc.subtract(ends, first), 2)
    validity = pc.is_valid(plain).buffers()[1]
    return pa.LargeStringArray.from_buffers(len(plain), doubled.buffers()[1], pa.py_buffer(digits), validity)


def _block(rows: Any) -> memoryview:
    """The bytes of all values of a text array, one after the other."""
    import pyarrow as pa

    if not len(rows):
        return memoryview(b"")
    _, offsets, data = rows.buffers()
    ends = pa.Array.from_buffers(pa.int64(), rows.offset + len(rows) + 1, [None, offsets])
    return memoryview(data)[ends[rows.offset].as_py() : ends[-1].as_py()]
