"""File formats: the encodings of Chinese text files, JSON Lines with all its horrors, Parquet out of a store."""

from __future__ import annotations

import datetime as dt
import gzip
import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from node_catalog.sdk.access import Stream
from node_catalog.sdk.contract import DiscoveredDataset
from node_catalog.sdk.errors import DataError, NodeTypeError, SourceError
from node_catalog.sdk.file_bytes import LocalFile
from node_catalog.sdk.formats import Format, ending_of
from node_catalog.sdk.formats.csv import CsvFormat
from node_catalog.sdk.formats.jsonl import JsonLinesFormat
from node_catalog.sdk.formats.parquet import ParquetFormat
from node_catalog.sdk.jsonl_read import MAX_LINE_BYTES
from node_catalog.sdk.testing_nodes import reference

SIMPLE = "编号,区名,日期\n001,东城区,2024/1/5\n002,西城区（含什刹海）,2024/12/31\n"
TRADITIONAL = "編號,區名,日期\n001,中正區與大安區的國小,2024/1/5\n002,信義區，臺北市政府,2024/12/31\n"


class Stored:
    """A file of a store: bytes behind a stream, no path."""

    def __init__(self, name: str, data: bytes) -> None:
        self.name, self.data, self.size = name, data, len(data)

    def open(self) -> Any:
        return io.BytesIO(self.data)


def read(form: Format, file: Any, known: dict[str, Any] | None = None) -> tuple[DiscoveredDataset, pa.Table]:
    """What a format finds, and all rows through its own reading."""
    found = form.describe((file.name,), [file], known or {})
    wanted = reference(found)
    assert isinstance(form.access([file], wanted), Stream)
    return found, pa.Table.from_batches(form.read([file], wanted, wanted.schema.names))


@pytest.mark.parametrize(
    "words, encoding, found",
    [
        (SIMPLE, "utf-8", "utf-8"), (SIMPLE, "utf-8-sig", "utf-8"), (SIMPLE, "gb18030", "gb18030"),
        (SIMPLE, "gbk", "gb18030"), (SIMPLE, "utf-16", "utf-16"), (SIMPLE, "utf-16-le", "utf-16-le"),
        (SIMPLE, "utf-16-be", "utf-16-be"), (TRADITIONAL, "big5", "big5"), (TRADITIONAL, "gbk", "gb18030"),
        (TRADITIONAL, "utf-8", "utf-8"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("is_packed", [False, True], ids=["plain", "gz"])
def test_encodings_of_chinese_text(words: str, encoding: str, found: str, is_packed: bool) -> None:
    data = words.encode(encoding)
    file = Stored("a.csv.gz", gzip.compress(data)) if is_packed else Stored("a.csv", data)
    described, table = read(CsvFormat(), file)
    assert described.settings["encoding"] == found
    names = words.split("\n")[0].split(",")
    assert table.column_names == names
    assert table.column(names[1]).to_pylist() == [line.split(",")[1] for line in words.split("\n")[1:3]]
    assert table.column(names[0]).to_pylist() == ["001", "002"]
    assert table.column(names[2]).to_pylist() == [dt.date(2024, 1, 5), dt.date(2024, 12, 31)]


def test_endings() -> None:
    names = ["a.CSV", "a.csv.gz", "b.tar.gz", "x", "a.b.NDJSON"]
    assert [ending_of(name) for name in names] == [".csv", ".csv", ".tar", "", ".ndjson"]


@pytest.mark.parametrize("form, data", [
    (CsvFormat(), b",".join(b"c%d" % at for at in range(100_000)) + b"\n1\n"),
    (JsonLinesFormat(), b"{" + b",".join(b'"c%d":1' % at for at in range(100_000)) + b"}\n"),
], ids=["csv", "jsonl"])  # fmt: skip
def test_a_header_of_a_hundred_thousand_columns_is_refused(form: Format, data: bytes) -> None:
    with pytest.raises(SourceError) as caught:
        form.describe(("wide",), [Stored("wide", data)], {})
    assert caught.value.code == "file.too_wide"


# ── JSON Lines ────────────────────────────────────────────────────────────────────────────────────────────

LINES = b"""{"no": 1, "where": {"x": 1.10, "y": [1]}, "day": "2024-01-31", "ok": true, "at": "2024-01-31T08:00+0800"}

{"no": 2, "where": "here", "day": null, "at": "2024-01-31 08:00:00Z", "more": 0.1, "code": "007"}
{}
"""


def test_json_lines_types_and_values() -> None:
    found, table = read(JsonLinesFormat(), Stored("a.jsonl", LINES))
    kinds = {column.name: column.type for column in found.columns}
    assert kinds == {
        "no": "integer", "where": "text", "day": "date", "ok": "boolean", "at": "timestamp", "more": "number",
        "code": "text",
    }  # fmt: skip
    assert (found.rows, found.rows_exact, found.warnings) == (3, True, ())
    assert table.column("where").to_pylist() == ['{"x": 1.10, "y": [1]}', "here", None]
    eight = dt.datetime(2024, 1, 31, 8)  # noqa: DTZ001
    assert table.column("at").to_pylist() == [eight - dt.timedelta(hours=8), eight, None]
    assert table.column("code").to_pylist() == [None, "007", None]


def test_json_lines_are_read_alike_packed_with_a_mark_and_without_a_last_newline() -> None:
    plain = read(JsonLinesFormat(), Stored("a.jsonl", LINES))[1]
    packed = Stored("a.ndjson.gz", gzip.compress(b"\xef\xbb\xbf" + LINES.rstrip()))
    assert read(JsonLinesFormat(), packed)[1].equals(plain)


def test_json_lines_types_are_corrected() -> None:
    data = b'{"a": "1.50", "b": 20240131, "c": "31.01.2024", "d": "-"}\n'
    known = {
        "types": {"a": "decimal(10,2)", "b": "text", "c": "date", "d": "integer"},
        "formats": {"c": "%d.%m.%Y"},
        "null_values": ["-"],
    }
    known["types"]["d"] = "text"
    found, table = read(JsonLinesFormat(), Stored("a.jsonl", data), known)
    assert [str(value) for value in table.to_pylist()[0].values()] == ["1.50", "20240131", "2024-01-31", "None"]
    assert found.settings["types"] == known["types"]


def test_a_column_only_some_lines_have_may_be_missing_others_may_not(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"a": 1, "b": 2}\n{"a": 2}\n')
    form, file = JsonLinesFormat(), LocalFile(path)
    wanted = reference(form.describe(("a.jsonl",), [file], {}))
    path.write_text('{"a": 3}\n')
    assert isinstance(form.access([file], wanted), Stream)
    assert pa.Table.from_batches(form.read([file], wanted, ["b", "a"])).to_pylist() == [{"b": None, "a": 3}]
    path.write_text('{"b": 3}\n')
    with pytest.raises(SourceError) as caught:
        form.access([file], wanted)
    assert caught.value.code == "source.columns_moved"


@pytest.mark.parametrize(
    "data, known, where, code",
    [
        (b'{"a": 1}\n{"a": "x"}\n', {"types": {"a": "integer"}}, "a.jsonl:2", "file.value"),
        (b'{"a": 1}\n\n{"a": 1.5}\n', {"types": {"a": "integer"}}, "a.jsonl:3", "file.value"),
        (b'{"a": "2024-01-31"}\n{"a": "soon"}\n', {"types": {"a": "date"}}, "a.jsonl:2", "file.value"),
        (b'{"a": 1}\n{"a": 99999999999999999999}\n', {"types": {"a": "integer"}}, "a.jsonl:2", "file.value"),
        (b'{"a": 1}\n{"a":\n', {}, "a.jsonl:2", "file.line_broken"),
        (b'{"a": 1}\n[1, 2]\n', {}, "a.jsonl:2", "file.line_broken"),
        ('{"a": "好"}\n{"a": "中文"}\n'.encode("gb18030"), {"types": {"a": "text"}}, "a.jsonl:1", "file.line_broken"),
    ],
)
def test_what_is_wrong_in_json_lines_names_file_and_line(
    data: bytes, known: dict[str, Any], where: str, code: str
) -> None:
    form, file = JsonLinesFormat(), Stored("a.jsonl", data)
    found = form.describe(("a.jsonl",), [file], known)
    if code == "file.line_broken":
        assert where.partition(":")[2] in found.warnings[0]["en"]
    promised = reference(form.describe(("a",), [Stored("a.jsonl", b'{"a": 1}\n')], known))
    with pytest.raises(DataError) as caught:
        list(form.read([file], promised, ["a"]))
    assert (caught.value.where, caught.value.code) == (where, code)


def test_a_line_of_fifty_megabytes_is_refused_before_it_is_held() -> None:
    class Endless(io.RawIOBase):
        taken = 0

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            start = b'{"a": 1}\n{"a": "' if not Endless.taken else b""
            buffer[:] = start + b"x" * (len(buffer) - len(start))
            Endless.taken += len(buffer)
            return len(buffer)

    class File:
        name, size = "a.jsonl", 50 << 20

        def open(self) -> Any:
            return Endless()

    with pytest.raises(DataError) as caught:
        JsonLinesFormat().describe(("a",), [File()], {})
    assert (caught.value.code, caught.value.where) == ("file.line_too_long", "a.jsonl:2")
    assert Endless.taken < 2 * MAX_LINE_BYTES


def test_a_json_array_and_an_empty_file_say_what_they_are() -> None:
    with pytest.raises(DataError) as caught:
        JsonLinesFormat().describe(("a",), [Stored("a.jsonl", b'[{"a": 1},\n{"a": 2}]\n')], {})
    assert caught.value.code == "file.json_array"
    for data in (b"", b"\n\n", b"{}\n{}\n"):
        found = JsonLinesFormat().describe(("a",), [Stored("a.jsonl", data)], {})
        assert found.columns == ()
        assert found.warnings


# ── Parquet out of a store ────────────────────────────────────────────────────────────────────────────────


def test_parquet_from_a_stream_is_in_our_types() -> None:
    values = {
        "i": pa.array([1, None], pa.uint16()),
        "x": pa.array([float("nan"), 2.5], pa.float32()),
        "at": pa.array([0, 1_000_000_001], pa.timestamp("ns", tz="Asia/Shanghai")),
        "many": pa.array([[1], [2, 3]]),
        "word": pa.array(["a", "b"]).dictionary_encode(),
        "long": pa.array(["x", None], pa.large_string()),
    }
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(values), sink)
    found, table = read(ParquetFormat(), Stored("a.parquet", sink.getvalue().to_pybytes()))
    assert [column.type for column in found.columns] == ["integer", "number", "timestamp", "text", "text", "text"]
    first, later = dt.datetime(1970, 1, 1), dt.datetime(1970, 1, 1, 0, 0, 1)  # noqa: DTZ001
    assert table.to_pylist() == [
        {"i": 1, "x": None, "at": first, "many": "[1]", "word": "a", "long": "x"},
        {"i": None, "x": 2.5, "at": later, "many": "[2,3]", "word": "b", "long": None},
    ]


def test_half_a_parquet_file_is_said_to_be_one() -> None:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"a": [1]}), sink)
    with pytest.raises(NodeTypeError) as caught:
        ParquetFormat().describe(("a",), [Stored("a.parquet", sink.getvalue().to_pybytes()[:-20])], {})
    assert caught.value.code == "file.parquet"
