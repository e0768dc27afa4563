"""GeoParquet: the key ``geo`` of a Parquet file's metadata says which columns hold geometries, and in which system.

https://geoparquet.org/releases/v1.1.0/. Read are columns of WKB in two dimensions in WGS 84 (also when no system is
named: that is its meaning) or CGCS2000; others stay bytes. GCJ-02 has no entry in any register: it is written as
unknown for others, and known again to us by the mark that Arrow keeps.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from node_catalog.sdk.geometry import crs_of_metadata, geometry_type

_KEY = b"geo"
_CRS_OF_CODE = {("OGC", "CRS84"): "WGS84", ("EPSG", "4326"): "WGS84", ("EPSG", "4490"): "CGCS2000"}
_CGCS2000: Mapping[str, Any] = {
    "$schema": "https://proj.org/schemas/v0.7/projjson.schema.json",
    "type": "GeographicCRS",
    "name": "China Geodetic Coordinate System 2000",
    "datum": {
        "type": "GeodeticReferenceFrame",
        "name": "China 2000",
        "ellipsoid": {"name": "CGCS2000", "semi_major_axis": 6378137, "inverse_flattening": 298.257222101},
    },
    "coordinate_system": {
        "subtype": "ellipsoidal",
        "axis": [
            {"name": "Geodetic latitude", "abbreviation": "Lat", "direction": "north", "unit": "degree"},
            {"name": "Geodetic longitude", "abbreviation": "Lon", "direction": "east", "unit": "degree"},
        ],
    },
    "id": {"authority": "EPSG", "code": 4490},
}


def geometry_marks(arrow: Any) -> Mapping[str, Mapping[str, Any]]:
    """The columns that a file's Arrow schema marks as geometries in WKB, with what it says of them."""
    try:
        found = json.loads((arrow.metadata or {}).get(_KEY) or b"{}")
        columns = dict(found.get("columns") or {})
    except (ValueError, TypeError, AttributeError):
        return {}
    return {
        name: one
        for name, one in columns.items()
        if isinstance(one, dict) and one.get("encoding") == "WKB" and name in arrow.names
    }


def geometry_types(arrow: Any) -> dict[str, str]:
    """Our types of the marked columns that we can read as geometries."""
    found = {name: _crs(arrow.field(name), one) for name, one in geometry_marks(arrow).items()}
    return {name: geometry_type(crs) for name, crs in found.items() if crs is not None}


def _crs(field: Any, mark: Mapping[str, Any]) -> str | None:
    kinds = mark.get("geometry_types")
    if isinstance(kinds, list) and any(str(kind).endswith((" Z", " M", " ZM")) for kind in kinds):
        return None
    if "crs" not in mark:
        return "WGS84"
    crs = mark["crs"]
    if crs is None:
        return crs_of_metadata(field.metadata)
    code = crs.get("id") if isinstance(crs, dict) else None
    if not isinstance(code, dict):
        return None
    return _CRS_OF_CODE.get((str(code.get("authority")), str(code.get("code"))))


def with_geo_marks(schema: Any) -> Any:
    """An Arrow schema of ours with GeoParquet's mark, when it has geometries."""
    systems = {field.name: crs for field in schema if (crs := crs_of_metadata(field.metadata)) is not None}
    if not systems:
        return schema
    columns: dict[str, dict[str, Any]] = {}
    for name, crs in systems.items():
        columns[name] = {"encoding": "WKB", "geometry_types": []}
        if crs != "WGS84":
            columns[name]["crs"] = _CGCS2000 if crs == "CGCS2000" else None
    mark = {"version": "1.1.0", "primary_column": next(iter(systems)), "columns": columns}
    return schema.with_metadata({**(schema.metadata or {}), _KEY: json.dumps(mark).encode()})
