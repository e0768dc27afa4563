"""Geometries as a column type: coordinate systems, their marks in Arrow and Ibis, and the engine's functions.

A geometry column holds points, lines or areas of two dimensions, x (longitude) before y (latitude), in degrees. Its
type names the coordinate system, ``geometry(WGS84)``, so that the check before a run sees when two do not belong
together. Outside the engine a value is WKB in an Arrow binary column marked as GeoArrow (``geoarrow.wkb``); inside it
is the engine's own GEOMETRY. ``docs/adr/geometry-is-a-column-type.md`` says why.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Literal

from node_catalog.sdk.text import Text, text

Crs = Literal["WGS84", "CGCS2000", "GCJ02"]

_TYPE = re.compile(r"^geometry\((\w+)\)$")
_SRIDS: Mapping[str, int] = {"WGS84": 4326, "CGCS2000": 4490, "GCJ02": 990002}
"""EPSG codes; GCJ-02 has none: a number of ours that never leaves the process."""
_ARROW_CRS = {"WGS84": "EPSG:4326", "CGCS2000": "EPSG:4490", "GCJ02": "GCJ-02"}
_CRS_OF_ARROW = {"OGC:CRS84": "WGS84", "": "WGS84"} | {word: crs for crs, word in _ARROW_CRS.items()}
_NAME, _MORE = b"ARROW:extension:name", b"ARROW:extension:metadata"
_WKB = b"geoarrow.wkb"

CRS_WORDS: Mapping[str, Text] = {
    "WGS84": text("WGS 84 (GPS)", "WGS 84（GPS）"),
    "CGCS2000": text("CGCS2000 (official Chinese maps)", "CGCS2000（国家大地坐标系）"),
    "GCJ02": text("GCJ-02 (Chinese map apps)", "GCJ-02（国内地图应用，火星坐标）"),
}


def geometry_type(crs: str) -> str:
    """The column type of geometries in a coordinate system."""
    return f"geometry({crs})"


def crs_of(kind: str) -> str | None:
    """The coordinate system of a column type; None when it is no geometry (or one in a system that we lack)."""
    match = _TYPE.match(kind)
    return match[1] if match and match[1] in _SRIDS else None


def srid_of(crs: str) -> int:
    """How Ibis tells our coordinate systems apart."""
    return _SRIDS[crs]


def crs_of_srid(srid: int | None) -> str:
    """The coordinate system of an Ibis type; KeyError when it is none of ours."""
    for crs, number in _SRIDS.items():
        if number == srid:
            return crs
    raise KeyError(f"geometry with srid {srid}")


# ── Arrow ─────────────────────────────────────────────────────────────────────────────────────────────────


def arrow_metadata(crs: str = "") -> dict[bytes, bytes]:
    """What marks an Arrow binary field as geometries; without ``crs`` the coordinate system is left open."""
    return {_NAME: _WKB, _MORE: json.dumps({"crs": _ARROW_CRS[crs]} if crs else {}).encode()}


def crs_of_metadata(metadata: Mapping[bytes, bytes] | None) -> str | None:
    """The coordinate system of an Arrow field's geometries; None when it is no such field or in another system."""
    if not metadata or metadata.get(_NAME) != _WKB:
        return None
    try:
        more = json.loads(metadata.get(_MORE) or b"{}")
    except ValueError:
        return None
    found = more.get("crs") if isinstance(more, dict) else None
    return _CRS_OF_ARROW.get(found or "") if found is None or isinstance(found, str) else None


def without_crs(schema: Any) -> Any:
    """The Arrow schema with its geometries' coordinate systems left open: in the engine the flow's types tell them."""
    import pyarrow as pa

    return pa.schema(
        [
            field if crs_of_metadata(field.metadata) is None else field.with_metadata(arrow_metadata())
            for field in schema
        ]
    )


def has_geometry(schema: Any) -> bool:
    """Whether an Arrow schema has a geometry column."""
    return any(field.metadata and field.metadata.get(_NAME) == _WKB for field in schema)
