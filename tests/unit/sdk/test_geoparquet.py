"""GeoParquet: which columns are geometries of ours, read by the engine and as a stream, and the mark that we write."""

from __future__ import annotations

import json
import struct
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from node_catalog.sdk.access import Attach, DatasetRef
from node_catalog.sdk.contract import ConnectContext, Delivery, Target
from node_catalog.sdk.file_bytes import LocalFile
from node_catalog.sdk.file_output import open_part
from node_catalog.sdk.formats.parquet import ParquetFormat
from node_catalog.sdk.geoparquet import geometry_types
from node_catalog.sdk.ports import Field, Schema, to_arrow
from node_catalog.sdk.registry import load_registry
from node_catalog.sdk.schema import parse
from runtime.engine.duck import BYTES_STAY_BYTES

POINT = struct.pack("<BIdd", 1, 1, 116.4, 39.9)
FORMAT = ParquetFormat()


def crs(authority: str, code: Any) -> dict[str, Any]:
    return {"crs": {"type": "GeographicCRS", "name": "x", "id": {"authority": authority, "code": code}}}


def marked(mark: Any) -> pa.Schema:
    schema = pa.schema([("id", pa.int64()), ("geom", pa.binary())])
    return schema.with_metadata({b"geo": json.dumps(mark).encode() if not isinstance(mark, bytes) else mark})


def column(**more: Any) -> dict[str, Any]:
    return {"version": "1.1.0", "primary_column": "geom", "columns": {"geom": {"encoding": "WKB", **more}}}


@pytest.mark.parametrize(
    "mark, kind",
    [
        (column(), "geometry(WGS84)"),
        (column(geometry_types=["Point", "MultiPolygon"]), "geometry(WGS84)"),
        (column(**crs("OGC", "CRS84")), "geometry(WGS84)"),
        (column(**crs("EPSG", 4326)), "geometry(WGS84)"),
        (column(**crs("EPSG", 4490)), "geometry(CGCS2000)"),
        (column(**crs("EPSG", 3857)), None),
        (column(crs=None), None),
        (column(crs="EPSG:4326"), None),
        (column(geometry_types=["Point Z"]), None),
        (column(encoding="point"), None),
        ({"columns": {"other": {"encoding": "WKB"}}}, None),
        ({"columns": []}, None),
        (b"{broken", None),
        (b"[]", None),
    ],
)
def test_what_a_mark_means(mark: Any, kind: str | None) -> None:
    assert geometry_types(marked(mark)).get("geom") == kind


def read(path: Path, schema: Schema) -> list[dict[str, Any]]:
    """By the engine, over the view that the format gives."""
    access = FORMAT.access([LocalFile(path)], DatasetRef((path.name,), schema))
    assert isinstance(access, Attach)
    with closing(duckdb.connect()) as connection:
        connection.execute(BYTES_STAY_BYTES)
        for statement in access.statements:
            connection.execute(statement)
        return connection.sql('select * from "src"').to_arrow_table().to_pylist()


@pytest.mark.parametrize("mark", [column(), column(**crs("EPSG", 4490)), column(**crs("EPSG", 3857))])
def test_marked_files_are_read_both_ways(tmp_path: Path, mark: Any) -> None:
    path = tmp_path / "places.parquet"
    table = pa.table({"id": [1, 2], "geom": pa.array([POINT, None], pa.binary())}, schema=marked(mark))
    pq.write_table(table, path)
    found = FORMAT.describe((path.name,), [LocalFile(path)], {})
    schema = Schema(tuple(Field(one.name, one.type) for one in found.columns))
    assert schema.fields[1].type == (geometry_types(marked(mark)).get("geom") or "binary")
    rows = [{"id": 1, "geom": POINT}, {"id": 2, "geom": None}]
    assert read(path, schema) == rows
    (batch,) = FORMAT.read([LocalFile(path)], DatasetRef((path.name,), schema), schema.names)
    assert batch.to_pylist() == rows


@pytest.mark.parametrize("system", ["WGS84", "CGCS2000", "GCJ02"])
def test_what_we_write_is_read_again_with_its_system(tmp_path: Path, system: str) -> None:
    path, schema = tmp_path / "out.parquet", Schema.of([("id", "integer"), ("geom", f"geometry({system})")])
    part = open_part(path, "parquet", schema)
    part.write(pa.RecordBatch.from_pylist([{"id": 1, "geom": POINT}], schema=to_arrow(schema)))
    part.close()
    mark = json.loads(pq.read_schema(path).metadata[b"geo"])
    assert mark["columns"]["geom"]["encoding"] == "WKB"
    found = FORMAT.describe((path.name,), [LocalFile(path)], {})
    assert [one.type for one in found.columns] == ["integer", f"geometry({system})"]
    assert read(path, schema) == [{"id": 1, "geom": POINT}]


def test_files_without_geometries_get_no_mark(tmp_path: Path) -> None:
    part = open_part(tmp_path / "a.parquet", "parquet", Schema.of([("id", "integer")]))
    part.close()
    assert b"geo" not in (pq.read_schema(tmp_path / "a.parquet").metadata or {})


def test_a_written_file_is_a_dataset_with_geometries(tmp_path: Path) -> None:
    connector = load_registry().connectors["files"]
    settings = parse(connector.Settings, {"folder": str(tmp_path)})
    context = ConnectContext(file_roots=(str(tmp_path),))
    schema = Schema.of([("id", "integer"), ("geom", "geometry(CGCS2000)")])
    assert connector.output is not None
    target = Target(("places.parquet",), schema, "replace", create=True)
    writer = connector.output.open(settings, target, Delivery("s", "r", "t", 1), context)
    writer.write(pa.RecordBatch.from_pylist([{"id": 1, "geom": POINT}], schema=to_arrow(schema)))
    assert writer.commit().rows == 1
    (found,) = connector.discover(settings, context)
    assert [one.type for one in found.columns] == ["integer", "geometry(CGCS2000)"]
    assert found.rows == 1
