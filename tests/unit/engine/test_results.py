"""Pages of results: right rows, in the right order, without reading the whole file."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from node_catalog.sdk.failpoint import arm
from node_catalog.sdk.ports import Schema
from runtime.engine.errors import DiskFullError, PageError
from runtime.engine.parquet_file import GROUP_ROWS
from runtime.engine.results import read_page, result_file
from tests.unit.engine.support import NUMBERS, batches, numbers

SCHEMA = Schema.of([("id", "integer"), ("name", "text"), ("value", "number")])


@pytest.fixture
def result(tmp_path: Path) -> tuple[str, list[list[Any]]]:
    chance = random.Random(7)
    rows = [
        [i, chance.choice(["甲", "乙", None, "b"]), chance.choice([None, 1.5, -2.0, float(i % 50)])]
        for i in range(5000)
    ]
    path = tmp_path / "result.parquet"
    columns = dict(zip(SCHEMA.names, zip(*rows)))
    table = pa.Table.from_batches(batches(SCHEMA, columns))  # type: ignore[arg-type]
    pq.write_table(table, path, row_group_size=700)
    return str(path), rows


@pytest.mark.parametrize("offset, limit", [(0, 10), (695, 10), (4995, 100), (0, 5000), (5000, 10), (99_999, 5), (3, 0)])
def test_a_page_is_the_rows_at_its_place(result: tuple[str, list[list[Any]]], offset: int, limit: int) -> None:
    path, rows = result
    page = read_page(path, None, offset, limit)
    assert page["rows"] == rows[offset : offset + limit]
    assert page["total"] == 5000
    assert page["columns"] == [{"name": f.name, "type": f.type} for f in SCHEMA.fields]


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("offset", [0, 1234, 4990])
def test_a_sorted_page_puts_nulls_last_and_keeps_ties(
    result: tuple[str, list[list[Any]]], descending: bool, offset: int
) -> None:
    path, rows = result
    page = read_page(path, ["name", "id"], offset, 20, [("value", descending)])
    known = [row for row in rows if row[2] is not None]
    expected = sorted(known, key=lambda row: -row[2] if descending else row[2]) + [r for r in rows if r[2] is None]
    assert page["rows"] == [[row[1], row[0]] for row in expected[offset : offset + 20]]


def test_two_sort_columns(result: tuple[str, list[list[Any]]]) -> None:
    path, rows = result
    page = read_page(path, ["id"], 0, 50, [("name", True), ("value", False)])
    expected = sorted(rows, key=lambda r: (r[2] is None, r[2] or 0))
    expected = sorted([r for r in expected if r[1]], key=lambda r: r[1].encode(), reverse=False)
    order = sorted({r[1] for r in expected}, reverse=True)
    expected = sorted(expected, key=lambda r: order.index(r[1]))
    assert page["rows"] == [[row[0]] for row in expected[:50]]


def test_unknown_columns_and_gone_files_are_told_in_words(result: tuple[str, list[list[Any]]], tmp_path: Path) -> None:
    for arguments in ({"columns": ["id", "x; drop"]}, {"order": [("nope", False)]}):
        with pytest.raises(PageError) as caught:
            read_page(result[0], **arguments)  # type: ignore[arg-type]
        assert caught.value.code == "result.no_column"
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 this is no Parquet PAR1")
    for path in (tmp_path / "gone.parquet", tmp_path / "bad.parquet"):
        with pytest.raises(PageError) as caught:
            read_page(str(path))
        assert caught.value.code == "result.gone"


def test_a_page_reads_only_its_row_groups(tmp_path: Path) -> None:
    path = str(tmp_path / "r.parquet")
    file = result_file(path, NUMBERS, 1)
    for batch in numbers(250_000, 30_000):
        file.write(batch)
    assert file.finish() == Path(path).stat().st_size
    metadata = pq.read_metadata(path)
    assert [metadata.row_group(g).num_rows for g in range(metadata.num_row_groups)] == [GROUP_ROWS, GROUP_ROWS, 50_000]
    damaged = bytearray(Path(path).read_bytes())
    first = metadata.row_group(0).column(0)
    start = first.dictionary_page_offset or first.data_page_offset
    damaged[start : start + 2000] = b"\xff" * 2000
    Path(path).write_bytes(damaged)
    assert read_page(path, ["a"], 240_000, 2)["rows"] == [[240_000], [240_001]]
    with pytest.raises(PageError):
        read_page(path, ["a"], 0, 2)


def test_an_unfinished_file_never_shows(tmp_path: Path) -> None:
    path = tmp_path / "r.parquet"
    file = result_file(str(path), NUMBERS, 3)
    for batch in numbers(150_000, 50_000):
        file.write(batch)
    assert not path.exists()
    file.abort()
    file.abort()
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    arm("engine.file_write=enospc")
    try:
        file = result_file(str(tmp_path / "r.parquet"), NUMBERS, 1)
        with pytest.raises(DiskFullError) as caught:
            for batch in numbers(150_000, 50_000):
                file.write(batch)
        file.abort()
    finally:
        arm("")
    assert caught.value.retry == "retry"
    assert list(tmp_path.iterdir()) == []


def test_an_empty_result_has_its_columns(tmp_path: Path) -> None:
    path = str(tmp_path / "r.parquet")
    result_file(path, NUMBERS, 1).finish()
    assert read_page(path, order=[("a", True)]) == {
        "columns": [{"name": "a", "type": "integer"}, {"name": "b", "type": "text"}], "rows": [], "total": 0,
    }  # fmt: skip
