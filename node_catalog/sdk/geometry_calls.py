"""Geometries as Ibis values: the functions of the engine that the spatial steps are made of.

All take and give x (longitude) before y (latitude) in degrees; distances are metres on the ellipsoid.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from node_catalog.sdk.contract import BuildContext
from node_catalog.sdk.engine_calls import engine_call
from node_catalog.sdk.gcj02 import at_depth
from node_catalog.sdk.geometry import CRS_WORDS, crs_of, geometry_type
from node_catalog.sdk.later import dt, ibis
from node_catalog.sdk.ports import ibis_type, type_of_ibis
from node_catalog.sdk.relation import NUMERIC, find_column, kind_of, type_words
from node_catalog.sdk.text import text

AREAS = ("POLYGON", "MULTIPOLYGON")
_KINDS_OF_DEPTH = {
    1: ("LINESTRING", "MULTIPOINT"),
    2: ("POLYGON", "MULTILINESTRING"),
    3: ("MULTIPOLYGON",),
}
"""How deep GeoJSON nests the points of each kind."""
_METRES_OF_DEGREE = 110_500.0
"""No degree of latitude is shorter (110 574 m at the equator)."""


# ── columns ───────────────────────────────────────────────────────────────────────────────────────────────


def find_geometry(context: BuildContext, table: Any, name: str, pointer: str) -> Any:
    """The geometry column ``name``; raises the step's problem when it is something else."""
    column = find_column(context, table, name, pointer)
    if not column.type().is_geospatial():
        words = type_words(kind_of(column))
        message = text(
            f"“{name}” is {words['en']}, but a geometry is needed. Make one before: “Point from x and y” of two "
            "numbers, “Read geometries” of text.",
            f"“{name}”是{words['zh-CN']}，这里需要几何列。请先用“生成点”由两列坐标生成，或用“解析几何”由文本生成。",
        )
        raise context.problem("geometry.needed", message, pointer)
    return column


def find_number(context: BuildContext, table: Any, name: str, pointer: str) -> Any:
    """The numeric column ``name`` as float64; raises the step's problem, with a cast as its fix."""
    column = find_column(context, table, name, pointer)
    if kind_of(column) not in NUMERIC:
        words = type_words(kind_of(column))
        message = text(
            f"“{name}” is {words['en']}, but a coordinate is a number of degrees. Convert it before.",
            f"“{name}”是{words['zh-CN']}，坐标应为以度为单位的数字，请先转换类型。",
        )
        fix = {"cast": {"column": name, "type": "number"}}
        raise context.problem("geometry.no_number", message, pointer, fix)
    return column.cast(ibis_type("number"))


def crs_of_value(value: Any) -> str:
    """The coordinate system of an Ibis geometry."""
    return crs_of(type_of_ibis(value.type())) or ""


def check_same_crs(context: BuildContext, first: Any, second: Any, pointer: str, column: str, port: str = "in") -> None:
    """Refuse geometries of two coordinate systems; the fix puts the conversion of ``column`` before ``port``."""
    wanted, found = crs_of_value(first), crs_of_value(second)
    if wanted == found:
        return
    a, b = CRS_WORDS[wanted], CRS_WORDS[found]
    message = text(
        f"The geometries are in two coordinate systems: {a['en']} and {b['en']}. Points would be off by up to "
        f"hundreds of metres. Convert “{column}” with “Convert coordinates” before.",
        f"两侧几何的坐标系不同：{a['zh-CN']} 与 {b['zh-CN']}，位置可能相差数百米。请先用“坐标转换”转换“{column}”。",
    )
    fix = {
        "before": {"type": "geo_transform", "port": port, "settings": {"column": column, "to": wanted}},
        "label": text(f"Convert “{column}” to {a['en']} before", f"先把“{column}”转换为 {a['zh-CN']}"),
    }
    raise context.problem("geometry.crs", message, pointer, fix)


# ── making and asking ─────────────────────────────────────────────────────────────────────────────────────


def _geometry(crs: str) -> Any:
    return ibis_type(geometry_type(crs))


def point(x: Any, y: Any, crs: str) -> Any:
    """The point at x, y; NULL when one of them is."""
    return engine_call("st_point", _geometry(crs), x, y)


def from_words(source: Any, form: str, crs: str) -> Any:
    """The geometry in a text or bytes (``wkt``, ``geojson``, ``wkb``), in two dimensions; NULL when there is none.

    A GeoJSON may be a geometry or a feature with one.
    """
    made = _geometry(crs)
    if form == "geojson":
        inner = engine_call("json_extract", dt.json, source, "$.geometry")
        source = ibis.coalesce(engine_call("try", dt.json, inner).cast(dt.string), source)
        read = engine_call("st_geomfromgeojson", made, source)
    elif form == "wkt":
        read = engine_call("st_geomfromtext", made, source)
    elif source.type().is_binary():
        read = engine_call("st_geomfromwkb", made, source)
    else:
        read = engine_call("st_geomfromhexwkb", made, source)
    return engine_call("try", made, engine_call("st_force2d", made, read))


def kind_words(geometry: Any) -> Any:
    """``POINT``, ``POLYGON`` …"""
    return engine_call("st_geometrytype", dt.string, geometry).cast(dt.string)


def ask(name: str, geometry: Any) -> Any:
    """A yes/no question about one geometry, for example ``st_isvalid``."""
    return engine_call(name, dt.boolean, geometry)


def measure(name: str, geometry: Any) -> Any:
    """A number of one geometry, for example ``st_xmin``."""
    return engine_call(name, dt.float64, geometry)


def change(name: str, geometry: Any, *args: Any) -> Any:
    """A geometry made of another in the same coordinate system, for example ``st_makevalid``."""
    return engine_call(name, geometry.type(), geometry, *args)


def meets(first: Any, second: Any) -> Any:
    """Whether the two have a point in common, the border included. A join over it uses an index of boxes."""
    return engine_call("st_intersects", dt.boolean, first, second)


def marked(geometry: Any, kind: str) -> Any:
    """The same geometry under another column type (the engine itself knows one type of geometry)."""
    return engine_call("st_force2d", ibis_type(kind), geometry)


def change_points(geometry: Any, change: Callable[[Any], Any]) -> Any:
    """The geometry with every point changed; ``change`` takes and gives a list of ``[x, y]``.

    A point goes straight; the points of lines and areas are taken out of and put back into GeoJSON's nested lists.
    """
    single = change(ibis.array([ibis.array([measure("st_x", geometry), measure("st_y", geometry)])]))[0]
    kind = kind_words(geometry)
    cases = [(kind == "POINT", engine_call("st_point", geometry.type(), single[0], single[1]))]
    words = engine_call("st_asgeojson", dt.string, geometry)
    for depth, kinds in _KINDS_OF_DEPTH.items():
        lists = dt.Array(dt.Array(dt.float64))
        for _ in range(depth - 1):
            lists = dt.Array(lists)
        coordinates = engine_call("json_extract", dt.string, words, "$.coordinates")
        nested = engine_call("from_json", lists, coordinates, _shape(depth))
        changed = engine_call("to_json", dt.string, at_depth(change, depth)(nested))
        name = engine_call("json_extract_string", dt.string, words, "$.type")
        written = ibis.literal('{"type":"') + name + '","coordinates":' + changed + "}"
        cases.append((kind.isin(kinds), engine_call("st_geomfromgeojson", geometry.type(), written)))
    return ibis.cases(*cases)


def _shape(depth: int) -> str:
    """How the engine is told the type of nested lists in JSON: ``[["DOUBLE"]]``."""
    return "[" * (depth + 1) + '"DOUBLE"' + "]" * (depth + 1)


def in_words(geometry: Any, form: str) -> Any:
    """The geometry as a text: ``wkt`` or ``geojson``."""
    return engine_call({"wkt": "st_astext", "geojson": "st_asgeojson"}[form], dt.string, geometry).cast(dt.string)


def are_degrees(geometry: Any) -> Any:
    """Whether all coordinates can be longitudes and latitudes (those of projected maps are metres)."""
    return (
        (measure("st_xmin", geometry) >= -180)
        & (measure("st_xmax", geometry) <= 180)
        & (measure("st_ymin", geometry) >= -90)
        & (measure("st_ymax", geometry) <= 90)
    )


# ── distance ──────────────────────────────────────────────────────────────────────────────────────────────


def distance(first: Any, second: Any) -> Any:
    """Metres on the ellipsoid between two geometries, 0 when they meet.

    Between points it is exact. Lines and areas are measured between their nearest points, which are looked for in a
    plane in which a degree of longitude is as much shorter as it is at the first geometry's latitude.
    """
    are_points = (kind_words(first) == "POINT") & (kind_words(second) == "POINT")
    shrink = engine_call("cos", dt.float64, engine_call("radians", dt.float64, _middle(first)))
    line = engine_call("st_shortestline", first.type(), _stretched(first, shrink), _stretched(second, shrink))
    ends = [change(name, line) for name in ("st_startpoint", "st_endpoint")]
    apart = _between(*((measure("st_x", end) / shrink, measure("st_y", end)) for end in ends))
    exact = _between(*((measure("st_x", end), measure("st_y", end)) for end in (first, second)))
    return ibis.ifelse(are_points, exact, apart)


def _between(start: tuple[Any, Any], end: tuple[Any, Any]) -> Any:
    # the engine wants latitude before longitude here
    places = [engine_call("st_point2d", dt.binary, y, x) for x, y in (start, end)]
    return engine_call("st_distance_spheroid", dt.float64, *places)


def _middle(geometry: Any) -> Any:
    return (measure("st_ymin", geometry) + measure("st_ymax", geometry)) / 2


def _stretched(geometry: Any, factor: Any) -> Any:
    """Longitudes times ``factor``."""
    return change("st_affine", geometry, factor, 0.0, 0.0, 1.0, 0.0, 0.0)


def box_around(geometry: Any, metres: float) -> Any:
    """A box that holds everything within ``metres`` of a geometry, and somewhat more."""
    up = metres / _METRES_OF_DEGREE
    low, high = measure("st_ymin", geometry) - up, measure("st_ymax", geometry) + up
    farthest = ibis.least(ibis.greatest(low.abs(), high.abs()), 89.0)
    aside = up / engine_call("cos", dt.float64, engine_call("radians", dt.float64, farthest))
    left, right = measure("st_xmin", geometry) - aside, measure("st_xmax", geometry) + aside
    return engine_call("st_makeenvelope", geometry.type(), left, low, right, high)
