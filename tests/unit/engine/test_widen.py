"""Columns that the data decides, as a result gets them: order, missing names, clashes, bounds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from node_catalog.sdk.errors import DataError
from node_catalog.sdk.ports import Schema, to_arrow
from runtime.engine.widen import MOST_COLUMNS, Widener, is_open, widened

NARROW = Schema.of([("k", "integer"), ("p …", "columns(number)"), ("z", "text")])


def batch(*maps: Any) -> pa.RecordBatch:
    rows = [{"k": index, "p …": held, "z": str(index)} for index, held in enumerate(maps)]
    return pa.RecordBatch.from_pylist(rows, schema=to_arrow(NARROW))


def wide(tmp_path: Path, *batches: pa.RecordBatch) -> tuple[list[str], list[dict[str, Any]]]:
    with widened(batches, NARROW, str(tmp_path / "spill")) as (schema, rows):
        found = [row for one in rows for row in one.to_pylist()]
    assert list((tmp_path / "spill").iterdir()) == []
    return list(schema.names), found


def test_only_such_columns_are_open() -> None:
    assert is_open(NARROW)
    assert not is_open(Schema.of([("k", "integer"), ("g", "geometry(WGS84)")]))


def test_rows_with_the_same_names_and_others(tmp_path: Path) -> None:
    same = batch([("b", 1.0), ("a", 2.0)], [("b", None), ("a", 4.0)])
    names, rows = wide(tmp_path, same)
    assert names == ["k", "b", "a", "z"]
    assert rows == [{"k": 0, "b": 1.0, "a": 2.0, "z": "0"}, {"k": 1, "b": None, "a": 4.0, "z": "1"}]
    names, rows = wide(tmp_path, same, batch(None, [("c", 5.0), ("b", 6.0)]))
    assert names == ["k", "b", "a", "c", "z"]
    assert [(row["b"], row["a"], row["c"]) for row in rows] == [
        (1.0, 2.0, None), (None, 4.0, None), (None, None, None), (6.0, None, 5.0),
    ]  # fmt: skip
    assert wide(tmp_path, batch()) == (["k", "z"], [])


def test_a_slice_of_rows_keeps_to_its_own(tmp_path: Path) -> None:
    whole = batch(*([("a", float(index)), ("b", -float(index))] for index in range(10)))
    _, rows = wide(tmp_path, whole.slice(3, 2))
    assert [(row["k"], row["a"], row["b"]) for row in rows] == [(3, 3.0, -3.0), (4, 4.0, -4.0)]


@pytest.mark.parametrize(
    "names, code",
    [
        (["k"], "columns.twice"),
        (["pm", "PM"], "columns.case"),
        (["x" * 201], "columns.long_name"),
        ([str(index) for index in range(MOST_COLUMNS + 1)], "columns.too_many"),
    ],
)
def test_names_that_cannot_be_columns_are_told(names: list[str], code: str) -> None:
    widener = Widener(NARROW, "out")
    with pytest.raises(DataError) as told:
        widener.note(batch([(name, 1.0) for name in names]))
        widener.schema()
    assert told.value.code == code
    assert told.value.message["zh-CN"]


def test_a_result_without_any_column_is_told() -> None:
    with pytest.raises(DataError) as told:
        Widener(Schema.of([("p …", "columns(number)")])).schema()
    assert told.value.code == "columns.none"
