"""How many rows a Parquet dataset has, told before it is read: from the footers of all of its files."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from node_catalog.sdk.access import Attach, DatasetRef
from node_catalog.sdk.errors import DataError
from node_catalog.sdk.file_bytes import LocalFile
from node_catalog.sdk.formats import parquet
from node_catalog.sdk.ports import Schema

REF = DatasetRef(("many",), Schema.of([("id", "integer")]))


def files(folder: Path, *sizes: int) -> list[LocalFile]:
    made = []
    for number, size in enumerate(sizes):
        path = folder / f"{number}.parquet"
        pq.write_table(pa.table({"id": pa.array(range(size), pa.int64())}), path)
        made.append(LocalFile(path))
    return made


def test_the_rows_of_all_files_are_known(tmp_path: Path) -> None:
    found = parquet.ParquetFormat().access(files(tmp_path, 3, 0, 4), REF)
    assert isinstance(found, Attach)
    assert found.rows == 7


def test_of_very_many_files_they_are_left_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "_MOST_FOOTERS", 2)
    found = parquet.ParquetFormat().access(files(tmp_path, 1, 2, 3), REF)
    assert isinstance(found, Attach)
    assert found.rows is None


def test_a_file_that_is_cut_off_is_named(tmp_path: Path) -> None:
    made = files(tmp_path, 3, 4)
    made[1].path.write_bytes(made[1].path.read_bytes()[:-9])
    with pytest.raises(DataError) as told:
        parquet.ParquetFormat().access(made, REF)
    assert "1.parquet" in told.value.message["en"]
