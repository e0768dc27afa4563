"""Spatial steps against plain definitions in Python: rays, the haversine formula, and the published GCJ-02 points."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from typing import Any

import duckdb
import pytest

from flows.graph.render import render
from node_catalog.sdk.geometry import without_crs
from node_catalog.sdk.ports import from_ibis
from node_catalog.sdk.testing import arrow_table
from node_catalog.sdk.wkb import Shape, read_wkb, read_wkt, wkt
from tests.spatial import open_duckdb
from tests.unit.sdk.step_runs import Table, build, code_of

Point = tuple[float, float]
PLACE = "geometry(WGS84)"


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with closing(open_duckdb(spatial=True)) as connection:
        yield connection


def run(engine: duckdb.DuckDBPyConnection, step: str, settings: dict[str, Any], *tables: Table) -> list[Any]:
    """The rows of the step's ``out``, geometries as ``Shape``."""
    relation, named = build(step, settings, *tables)
    relation = relation["out"] if isinstance(relation, dict) else relation
    for name, (columns, rows) in named.items():
        table = arrow_table(columns, rows)
        engine.register("given", table.cast(without_crs(table.schema)))
        engine.execute(f'create or replace temp table "{name}" as from given')
        engine.unregister("given")
    rows = engine.sql(render(relation)).to_arrow_table().to_pylist()
    places = [field.name for field in from_ibis(relation.schema()).fields if field.type.startswith("geometry")]
    for row in rows:
        row.update({name: read_wkb(row[name]) for name in places if row[name] is not None})
    return [tuple(row.values()) for row in rows]


def point(x: float, y: float) -> str:
    return f"POINT ({x!r} {y!r})"


# ── point in polygon ──────────────────────────────────────────────────────────────────────────────────────


def lies_in(place: Point, rings: list[list[Point]]) -> bool:
    """A ray to the right crosses the border an odd number of times."""
    x, y = place
    is_in = False
    for ring in rings:
        for (x1, y1), (x2, y2) in pairwise(ring):
            if (y1 > y) != (y2 > y) and x < x1 + (y - y1) / (y2 - y1) * (x2 - x1):
                is_in = not is_in
    return is_in


def star(chance: random.Random, x: float, y: float, most: float) -> list[Point]:
    """A ring that does not cross itself: rays of random length around a middle."""
    turns = sorted(chance.uniform(0, 2 * math.pi) for _ in range(chance.randint(5, 14)))
    ring = [
        (x + length * math.cos(turn), y + length * math.sin(turn))
        for turn in turns
        for length in [chance.uniform(most / 4, most)]
    ]
    return [*ring, ring[0]]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("several", ["all", "one"])
def test_point_in_polygon_is_what_rays_say(engine: Any, seed: int, several: str) -> None:
    chance = random.Random(seed)
    areas: list[tuple[int, list[list[Point]]]] = []
    while len(areas) < 12:
        x, y = chance.uniform(100, 120), chance.uniform(20, 40)
        rings = [star(chance, x, y, 6.0)]
        if engine.sql(f"select st_isvalid(st_geomfromtext('{wkt(Shape('POLYGON', rings))}'))").fetchall()[0][0]:
            areas.append((len(areas), rings))
    places = [(chance.uniform(95, 125), chance.uniform(15, 45)) for _ in range(400)]
    rows = [[n, point(*place)] for n, place in enumerate(places)] + [[-1, None]]
    settings = {"point": "place", "area": "border", "columns": ["code"], "several": several, "priority": "code"}
    found = run(
        engine,
        "point_in_polygon",
        settings,
        ({"n": "integer", "place": PLACE}, rows),
        ({"code": "integer", "border": PLACE}, [[n, wkt(Shape("POLYGON", rings))] for n, rings in areas]),
    )
    wanted: list[tuple[int, int | None]] = [(-1, None)]
    for n, place in enumerate(places):
        codes: list[int | None] = [code for code, rings in areas if lies_in(place, rings)]
        wanted += [(n, code) for code in ((codes or [None]) if several == "all" else [min(codes or [None])])]  # type: ignore[type-var]
    assert sorted(((n, code) for n, _, code in found), key=repr) == sorted(wanted, key=repr)


# ── distances ─────────────────────────────────────────────────────────────────────────────────────────────


def haversine(a: Point, b: Point) -> float:
    """Metres on a sphere; the ellipsoid differs by up to 0.6 %."""
    (x1, y1), (x2, y2) = [(math.radians(x), math.radians(y)) for x, y in (a, b)]
    part = math.sin((y2 - y1) / 2) ** 2 + math.cos(y1) * math.cos(y2) * math.sin((x2 - x1) / 2) ** 2
    return 2 * 6371008.8 * math.asin(math.sqrt(part))


def test_distances_are_those_of_the_sphere_within_its_error(engine: Any) -> None:
    chance = random.Random(1)
    pairs = [[(chance.uniform(-179, 179), chance.uniform(-80, 80)) for _ in range(2)] for _ in range(200)]
    rows = [[point(*a), point(*b)] for a, b in pairs]
    found = run(engine, "distance", {"start": "a", "end": "b"}, ({"a": PLACE, "b": PLACE}, rows))
    for (a, b), (_, _, metres) in zip(pairs, found, strict=True):
        assert metres == pytest.approx(haversine(a, b), rel=0.006)


def test_the_distance_to_an_area_is_that_to_its_nearest_point(engine: Any) -> None:
    square = "POLYGON ((116 40, 116.2 40, 116.2 40.2, 116 40.2, 116 40))"
    rows = [["POINT (116.1 39.9)", square], ["POINT (115.9 40.1)", square], ["POINT (116.1 40.1)", square]]
    found = run(engine, "distance", {"start": "a", "end": "b"}, ({"a": PLACE, "b": PLACE}, rows))
    south, west, inside = [row[-1] for row in found]
    assert south == pytest.approx(11103.0, rel=0.001)
    assert west == pytest.approx(haversine((115.9, 40.1), (116, 40.1)), rel=0.004)
    assert inside == 0


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("how", ["left", "inner"])
def test_the_nearest_places_are_the_nearest_of_all(engine: Any, seed: int, how: str) -> None:
    chance = random.Random(seed)
    here = [(chance.uniform(116, 117), chance.uniform(39.5, 40.5)) for _ in range(60)]
    there = [(chance.uniform(116, 117), chance.uniform(39.5, 40.5)) for _ in range(80)]
    there += there[:20]  # equally far: the smaller code is taken
    rows = [[n, point(*place)] for n, place in enumerate(here)]
    places = [[n, point(*place)] for n, place in enumerate(there)]
    kinds = {"n": "integer", "g": PLACE}
    settings = {"geometry": "g", "place": "g", "metres": 9000, "count": 3, "how": how}
    found = run(engine, "nearest_place", settings, (kinds, rows), (kinds, places))
    every = run(
        engine,
        "distance",
        {"start": "g", "end": "h"},
        ({"n": "integer", "m": "integer", "g": PLACE, "h": PLACE},
         [[n, m, point(*a), point(*b)] for n, a in enumerate(here) for m, b in enumerate(there)]),
    )  # fmt: skip
    wanted: list[tuple[Any, ...]] = []
    for n in range(len(here)):
        near = sorted((metres, m) for k, m, _, _, metres in every if k == n and metres <= 9000)[:3]
        wanted += [(n, m, metres) for metres, m in near] or ([(n, None, None)] if how == "left" else [])
    assert sorted(((n, m, metres) for n, _, m, metres in found), key=repr) == sorted(wanted, key=repr)


# ── coordinates ───────────────────────────────────────────────────────────────────────────────────────────

PUBLISHED = [
    # longitude and latitude in WGS 84, then in GCJ-02: the points that the well-known libraries test with
    ((121.5272106, 31.1774276), (121.531541859215, 31.17530398364597)),
    ((113.912316, 22.543847), (113.9171764808363, 22.540796131694766)),
    ((116.377817, 39.911954), (116.38404722455657, 39.91334545536069)),
    ((116.404, 39.915), (116.41024449916938, 39.91640428150164)),
]


@pytest.mark.parametrize("plain, moved", PUBLISHED)
def test_gcj02_of_published_points(engine: Any, plain: Point, moved: Point) -> None:
    ((there,),) = run(engine, "geo_transform", {"column": "g", "to": "GCJ02"}, ({"g": PLACE}, [[point(*plain)]]))
    assert there.coordinates == pytest.approx(moved, abs=1e-9)


def test_there_and_back_is_less_than_a_millionth_of_a_degree(engine: Any) -> None:
    chance = random.Random(3)
    rings = [star(chance, chance.uniform(80, 130), chance.uniform(10, 50), 1.0) for _ in range(40)]
    shapes = [
        *(Shape("POINT", ring[0]) for ring in rings),
        *(Shape("LINESTRING", ring) for ring in rings[:5]),
        *(Shape("MULTIPOINT", ring) for ring in rings[:5]),
        *(Shape("POLYGON", [ring]) for ring in rings),
        Shape("MULTILINESTRING", rings[:2]),
        Shape("MULTIPOLYGON", [[rings[0]], [rings[1], rings[2]]]),
        Shape("POINT", (2.35, 48.85)),
    ]
    there = run(engine, "geo_transform", {"column": "g", "to": "GCJ02"}, ({"g": PLACE}, [[wkt(s)] for s in shapes]))
    moved = [shape for (shape,) in there]
    back = run(
        engine,
        "geo_transform",
        {"column": "g", "to": "CGCS2000"},
        ({"g": "geometry(GCJ02)"}, [[wkt(s)] for s in moved]),
    )
    for before, (after,) in zip(shapes, back, strict=True):
        assert after.kind == before.kind
        for (x, y), (a, b) in zip(before.points(), after.points(), strict=True):
            assert abs(x - a) < 1e-8 and abs(y - b) < 1e-8
    distances = [
        abs(a - x) + abs(b - y) for one, two in zip(shapes, moved) for (x, y), (a, b) in zip(one.points(), two.points())
    ]
    assert max(distances) > 0.004 and moved[-1] == shapes[-1]


# ── reading and writing ───────────────────────────────────────────────────────────────────────────────────


def test_every_form_gives_the_same_geometry(engine: Any) -> None:
    shape = read_wkt("POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0), (1 1, 2 1, 2 2, 1 1))")
    written = {
        "wkt": "POLYGON Z ((0 0 9, 4 0 9, 4 4 9, 0 4 9, 0 0 9), (1 1 9, 2 1 9, 2 2 9, 1 1 9))",
        "geojson": '{"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": '
        "[[[0, 0], [4, 0], [4, 4], [0, 4], [0, 0]], [[1, 1], [2, 1], [2, 2], [1, 1]]]}}",
    }
    for form, text in written.items():
        ((_, read),) = run(engine, "geo_parse", {"column": "t", "format": form}, ({"t": "text"}, [[text]]))
        assert read == shape, form
    hexadecimal = run(engine, "geo_text", {"column": "g", "format": "geojson"}, ({"g": PLACE}, [[wkt(shape)]]))
    ((_, again),) = run(
        engine, "geo_parse", {"column": "t", "format": "geojson"}, ({"t": "text"}, [list(hexadecimal[0])])
    )
    assert again == shape


@pytest.mark.parametrize(
    "written",
    ["", "POINT", "POINT (1", "nonsense", "POINT (500000 4400000)", "POINT (1 91)", "GEOMETRYCOLLECTION (POINT (1 2))",
     "POINT EMPTY"],
)  # fmt: skip
def test_what_cannot_be_read_is_left_empty(engine: Any, written: str) -> None:
    settings = {"column": "t", "on_error": "null"}
    assert run(engine, "geo_parse", settings, ({"t": "text"}, [[written]])) == [(written, None)]


def test_a_place_off_the_globe_stops_or_is_left_empty(engine: Any) -> None:
    table: Table = ({"x": "number", "y": "number"}, [[39.9, 116.4]])
    assert run(engine, "geo_point", {"x": "x", "y": "y", "on_error": "null"}, table) == [(39.9, 116.4, None)]
    with pytest.raises(duckdb.ConversionException, match="not on the globe"):
        run(engine, "geo_point", {"x": "x", "y": "y"}, table)


def test_problems_are_told_before_a_run() -> None:
    places: Table = ({"g": PLACE, "n": "integer", "t": "text"}, [])
    moved: Table = ({"g": "geometry(GCJ02)", "code": "text"}, [])
    assert code_of("geo_point", {"x": "t", "y": "n"}, places) == "geometry.no_number"
    assert code_of("geo_point", {"x": "n", "y": "n", "name": "N"}, places) == "column.case"
    assert code_of("geo_parse", {"column": "n"}, places) == "geo_parse.type"
    assert code_of("distance", {"start": "g", "end": "n"}, places) == "geometry.needed"
    assert code_of("point_in_polygon", {"point": "g", "area": "g"}, places, moved) == "geometry.crs"
    assert code_of("nearest_place", {"geometry": "g", "place": "g"}, places, moved) == "geometry.crs"
    assert code_of("point_in_polygon", {"point": "g", "area": "g", "several": "one"}, places, places) == (
        "point_in_polygon.priority"
    )
    assert code_of("cast", {"columns": [{"column": "g", "type": "text"}]}, places) == "cast.impossible"
