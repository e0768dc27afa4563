"""Flows with geometries: what the check says, one-click conversions, and fused = unfused over random flows."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import ibis
import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from flows.graph.context import StepContext
from flows.graph.document import Document
from flows.graph.operations import apply_operations
from flows.graph.planner import make_plan
from flows.graph.render import render
from flows.graph.settings import parse_settings
from flows.graph.sources import NodeInfo
from flows.graph.step_ports import end_of
from flows.graph.topology import Topology
from flows.graph.typecheck import build
from flows.graph.validate import check
from node_catalog.sdk.geometry import without_crs
from node_catalog.sdk.ports import Schema, to_arrow, to_ibis
from studio.demo.files import STATIONS
from tests.spatial import open_duckdb
from tests.unit.graph.support import all_rights, flow, info, load, registry

PLACES = "33A017/DB00000003-C.0001"
BORDERS = "33A017/DB00000003-C.0002"
PLACE_COLUMNS = [("id", "integer"), ("x", "number"), ("y", "number"), ("kind", "text")]
BORDER_COLUMNS = [("code", "text"), ("border", "text")]
DATASETS = {PLACES: info(PLACES, PLACE_COLUMNS), BORDERS: info(BORDERS, BORDER_COLUMNS)}
RIGHTS = all_rights(DATASETS)
POINTS = {"type": "geo_point", "settings": {"x": "x", "y": "y", "name": "place"}}
AREAS = {"type": "geo_parse", "settings": {"column": "border", "name": "area", "crs": "GCJ02"}}
INSIDE = {"type": "point_in_polygon", "settings": {"point": "place", "area": "area"}}


def document(steps: dict[str, Any], wires: list[str]) -> Document:
    sources = {
        "places": {"type": "read", "settings": {"dataset": PLACES}},
        "borders": {"type": "read", "settings": {"dataset": BORDERS}},
    }
    return load(flow({name: {"version": 1, **step} for name, step in {**sources, **steps}.items()}, *wires))


def findings(made: Document) -> list[Any]:
    return [one for one in check(made, registry(), DATASETS, RIGHTS, upto="L3").findings if one.severity == "error"]


def test_two_coordinate_systems_are_refused_and_mended_in_one_click() -> None:
    made = document(
        {"points": POINTS, "areas": AREAS, "inside": INSIDE, "out": {"type": "output", "settings": {"name": "o"}}},
        ["places.out > points.in", "borders.out > areas.in", "points.out > inside.points", "areas.out > inside.areas",
         "inside.out > out.in"],
    )  # fmt: skip
    (found,) = findings(made)
    assert (found.code, found.step, found.pointer) == ("geometry.crs", "inside", "/steps/inside/settings/area")
    assert found.fix["label"]["zh-CN"] == "先把“area”转换为 WGS 84（GPS）"
    mended = load(apply_operations(msgspec.to_builtins(made), {}, found.fix["operations"])[0])
    assert findings(mended) == []
    (added,) = set(mended.steps) - set(made.steps)
    assert mended.steps[added].settings == {"column": "area", "to": "WGS84"}


@pytest.mark.parametrize(
    "step",
    [
        {"type": "sort", "settings": {"by": [{"column": "place"}]}},
        {"type": "aggregate", "settings": {"by": ["place"], "measures": [{"name": "n", "function": "count"}]}},
        {"type": "aggregate", "settings": {"measures": [{"name": "n", "function": "max", "column": "place"}]}},
        {"type": "filter", "settings": {"where": "place = place"}},
        {"type": "distinct", "settings": {}},
        {"type": "window", "settings": {"partition_by": ["place"], "columns": [{"name": "n", "function": "count"}]}},
        {"type": "derive", "settings": {"columns": [{"name": "n", "expression": "cast(place as text)"}]}},
        {"type": "derive", "settings": {"columns": [{"name": "n", "expression": "length(place)"}]}},
        {"type": "cast", "settings": {"columns": [{"column": "place", "type": "text"}]}},
        {"type": "write", "settings": {"dataset": PLACES}},
    ],
    ids=lambda step: step["type"],
)
def test_what_geometries_cannot_do_is_said_before_a_run(step: dict[str, Any]) -> None:
    made = document({"points": POINTS, "next": step}, ["places.out > points.in", "points.out > next.in"])
    found = [one for one in findings(made) if one.step == "next"]
    assert found and not any(one.code == "step.unexpected" for one in found), found


@pytest.mark.parametrize(
    "node_type, path, code", [("files", "a.parquet", ""), ("files", "a.csv", "write.geometry"),
                              ("postgresql", "a.parquet", "write.geometry")],
)  # fmt: skip
def test_only_new_parquet_files_take_geometries(node_type: str, path: str, code: str) -> None:
    number = "33A017/DB00000009-A"
    write = {"type": "write", "settings": {"node": number, "path": [path], "create": True}}
    made = document({"points": POINTS, "next": write}, ["places.out > points.in", "points.out > next.in"])
    known = {number: NodeInfo(number, node_type, True)}
    found = check(made, registry(), DATASETS, RIGHTS, known).findings
    assert {one.code for one in found if one.severity == "error"} == ({code} if code else set())


@pytest.mark.parametrize("step", ["filter", "limit", "union", "join"])
def test_what_geometries_can_do(step: str) -> None:
    settings = {
        "filter": {"where": "place is not null and x > 1"},
        "limit": {"rows": 3},
        "union": {},
        "join": {"on": [{"left": "id", "right": "id"}]},
    }[step]
    ports = {"join": ["left", "right"], "union": ["in", "in"]}.get(step, ["in"])
    steps = {"points": POINTS, "again": POINTS, "next": {"type": step, "settings": settings}}
    wires = [f"{source}.out > next.{port}" for source, port in zip(("points", "again"), ports)]
    assert findings(document(steps, ["places.out > points.in", "places.out > again.in", *wires])) == []


# ── fused = unfused ───────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    chance = random.Random(7)
    places = [
        (n, round(chance.uniform(99, 111), 2), round(chance.uniform(29, 41), 2), chance.choice("ab"))
        if n % 11 else (n, None, 30.0, None)
        for n in range(120)
    ]  # fmt: skip
    corners = [(chance.randint(100, 108), chance.randint(30, 38), chance.randint(1, 3)) for _ in range(15)]
    borders = [(f"c{n}", f"POLYGON (({x} {y}, {x + s} {y}, {x + s} {y + s}, {x} {y + s}, {x} {y}))")
               for n, (x, y, s) in enumerate(corners)]  # fmt: skip
    borders += [("tie", "POLYGON ((100 30, 104 34, 104 30, 100 34, 100 30))"), ("none", None), ("bad", "POLYGON")]
    with closing(open_duckdb(spatial=True)) as connection:
        for number, columns, rows in ((PLACES, PLACE_COLUMNS, places), (BORDERS, BORDER_COLUMNS, borders)):
            kinds = to_arrow(Schema.of(columns))
            arrays = [pa.array(values, field.type) for values, field in zip(zip(*rows), kinds)]
            connection.register("given", pa.Table.from_arrays(arrays, schema=kinds))
            connection.execute(f'create table "{number}" as from given')
        yield connection


def draw(chance: random.Random) -> Document:
    """A flow that uses each of the spatial steps with some probability, between steps of other kinds."""
    crs = chance.choice(["WGS84", "CGCS2000", "GCJ02"])
    steps: dict[str, Any] = {
        "point": {"type": "geo_point", "settings": {"x": "x", "y": "y", "name": "place", "crs": crs}},
        "area": {
            "type": "geo_parse",
            "settings": {"column": "border", "name": "area", "crs": crs, "on_error": chance.choice(["null", "skip"]),
                         "invalid": chance.choice(["repair", "skip"])},
        },
        "inside": {
            "type": "point_in_polygon",
            "settings": {"point": "place", "area": "area", "how": chance.choice(["left", "inner"]), "priority": "code",
                         "several": chance.choice(["one", "all"]),
                         "columns": chance.choice([[], ["code"], ["code", "area"]])},
        },
    }  # fmt: skip
    wires = ["places.out > point.in", "borders.out > area.in", "area.out > inside.areas"]
    last = "point.out"
    for name, step in {
        "few": {"type": "filter", "settings": {"where": "x is null or x < 108"}},
        "moved": {"type": "geo_transform", "settings": {"column": "place", "to": "GCJ02"}},
        "back": {"type": "geo_transform", "settings": {"column": "place", "to": crs}},
        "twice": {"type": "derive", "settings": {"columns": [{"name": "twice", "expression": "x * 2"}]}},
    }.items():
        if (name == "back" and "moved" in steps) or (name != "back" and chance.random() < 0.5):
            steps[name] = step
            wires.append(f"{last} > {name}.in")
            last = f"{name}.out"
    wires.append(f"{last} > inside.points")
    last = "inside.out"
    if chance.random() < 0.5:
        steps["near"] = {
            "type": "nearest_place",
            "settings": {"geometry": "place", "place": "area", "metres": 150000, "count": chance.randint(1, 3),
                         "how": chance.choice(["left", "inner"]), "columns": ["code", "area"], "suffix": "_near"},
        }  # fmt: skip
        steps["far"] = {"type": "distance", "settings": {"start": "place", "end": "area_near", "name": "again"}}
        if "area" not in steps["inside"]["settings"]["columns"]:
            steps["far"]["settings"]["end"] = "area"
        wires += [f"{last} > near.rows", "area.out > near.places", "near.out > far.in"]
        last = "far.out"
    steps["words"] = {"type": "geo_text", "settings": {"column": "place", "format": chance.choice(["wkt", "xy"])}}
    steps["out"] = {"type": "output", "settings": {"name": "out"}}
    return document(steps, [*wires, f"{last} > words.in", "words.out > out.in"])


@pytest.mark.parametrize("seed", range(8))
def test_fused_and_unfused_give_the_same_rows(engine: duckdb.DuckDBPyConnection, seed: int) -> None:
    made = draw(random.Random(seed))
    checked = check(made, registry(), DATASETS, RIGHTS, upto="L4")
    assert [one for one in checked.findings if one.severity == "error"] == []
    assert rows_of(fused(engine, made)) == rows_of(unfused(engine, made, checked.schemas))


def rows_of(table: pa.Table) -> list[str]:
    return sorted(repr(tuple(row.values())) for row in table.to_pylist())


def keep(engine: duckdb.DuckDBPyConnection, name: str, rows: pa.Table, schema: Schema) -> None:
    """Rows as a table of the engine, geometries as the product hands them on."""
    engine.register("given", pa.Table.from_arrays(rows.columns, schema=without_crs(to_arrow(schema))))
    engine.execute(f'create or replace temp table "{name}" as from given')
    engine.unregister("given")


def fused(engine: duckdb.DuckDBPyConnection, made: Document, datasets: Any = DATASETS) -> pa.Table:
    """The rows of the output from the plan that a run would have."""
    answer: pa.Table | None = None
    for stage in make_plan(made, registry(), datasets, all_rights(datasets)).stages:
        assert stage.extensions == (("spatial",) if "ST_" in stage.text.upper() else ())
        for binding in stage.bindings:
            key = f"{binding.stage}.{binding.port}" if binding.port else binding.stage
            engine.execute(f'create or replace temp view src as from "{binding.dataset or f"e_{key}"}"')
            columns = ", ".join(f'"{name}"' for name in binding.schema.names)
            rows = engine.sql(binding.text or f"select {columns} from src").to_arrow_table()
            keep(engine, binding.alias, rows, binding.schema)
        rows = engine.sql(stage.text).to_arrow_table()
        for place, outlet in enumerate(stage.outlets):
            part = rows.filter(pc.equal(rows.column(0), place))
            chosen = pa.Table.from_arrays([part.column(at) for at in outlet.columns], list(outlet.schema.names))
            keep(engine, f"e_{stage.key}.{outlet.port}", chosen, outlet.schema)
        if stage.sink.kind == "result":
            answer = rows
        elif not stage.outlets:
            keep(engine, f"e_{stage.key}", rows, stage.schema)
    assert answer is not None
    return answer


def unfused(engine: duckdb.DuckDBPyConnection, made: Document, schemas: dict[str, Schema]) -> pa.Table:
    """Every step into a table of its own, one after the other."""
    topology = Topology(made)
    rows: pa.Table | None = None
    for step in topology.order:
        value = made.steps[step]
        kind = registry().transforms[value.type]
        parsed, _ = parse_settings(kind, value.settings)
        tables: dict[str, list[Any]] = {}
        if kind.role == "source":
            number = made.dataset_number(parsed.dataset)
            tables["dataset"] = [ibis.table(to_ibis(DATASETS[number].schema), name=number)]
        for wire in topology.into[step]:
            end = end_of(wire.source_step, wire.source_port)
            tables.setdefault(wire.target_port, []).append(ibis.table(to_ibis(schemas[wire.source]), name=f"u_{end}"))
        for port, relation in build(kind, tables, parsed, StepContext({})).items():
            rows = engine.sql(render(relation)).to_arrow_table()
            if port != "in":
                keep(engine, f"u_{end_of(step, port)}", rows, schemas[f"{step}.{port}"])
    assert rows is not None
    return rows


def test_the_starter_app_finds_the_neighbours_of_each_station(engine: duckdb.DuckDBPyConnection, repo: Path) -> None:
    starter = json.loads((repo / "templates" / "apps" / "station_neighbours.json").read_text(encoding="utf-8"))
    (number,) = starter["document"]["datasets"].values()
    columns = [(name, "text") for name in ("station", "name", "district")]
    columns += [(name, "number") for name in ("longitude", "latitude")]
    datasets = {number: info(number, columns)}
    kinds = to_arrow(Schema.of(columns))
    rows = [(key, name, code, x, y) for key, name, code, _, x, y in STATIONS]
    arrays = [pa.array(values, field.type) for values, field in zip(zip(*rows), kinds)]
    keep(engine, number, pa.Table.from_arrays(arrays, schema=kinds), Schema.of(columns))
    found = fused(engine, load(starter["document"]), datasets).to_pylist()
    assert len(found) == 2 * len(STATIONS)
    first = found[0]
    assert (first["name"], first["area"], first["name_near"]) == ("奥体中心", "五环内", "东四")
    assert 6_000 < first["distance_m"] < 6_300
    assert {row["name"] for row in found if row["area"] is None} == {"昌平镇", "定陵", "怀柔镇", "古城"}
