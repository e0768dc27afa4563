"""Point from x and y: two columns of coordinates become one geometry column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from node_catalog.sdk.choice_words import LEAVE_EMPTY, STOP
from node_catalog.sdk.contract import BuildContext, Example, Settings, Transform
from node_catalog.sdk.fields import setting
from node_catalog.sdk.geometry import CRS_WORDS, Crs
from node_catalog.sdk.geometry_calls import find_number, point
from node_catalog.sdk.relation import NUMERIC, check_names
from node_catalog.sdk.text import Text, text

_NUMBERS = {"x-types": [*NUMERIC]}


class GeoPointSettings(Settings):
    """Where the coordinates stand, what they mean, and what the new column is called."""

    x: Annotated[
        str, setting(text("Longitude (x)", "经度（x）"), widget="column", extra=_NUMBERS, min_length=1, max_length=200)
    ]
    y: Annotated[
        str, setting(text("Latitude (y)", "纬度（y）"), widget="column", extra=_NUMBERS, min_length=1, max_length=200)
    ]
    crs: Annotated[
        Crs,
        setting(
            text("Coordinate system", "坐标系"),
            text(
                "GPS devices give WGS 84, official Chinese maps CGCS2000, Chinese map apps GCJ-02. When unsure, ask "
                "who delivers the data: a wrong choice puts points hundreds of metres away.",
                "GPS 设备为 WGS 84，国家测绘成果为 CGCS2000，国内地图应用为 GCJ-02。不确定时请向数据提供方确认，"
                "选错会使位置偏移数百米。",
            ),
            choices=CRS_WORDS,
        ),
    ] = "WGS84"
    name: Annotated[str, setting(text("New column", "新列名"), min_length=1, max_length=200)] = "location"
    on_error: Annotated[
        Literal["fail", "null"],
        setting(
            text("If there is no such place", "坐标超出范围时"),
            text(
                "Longitudes reach from −180 to 180, latitudes from −90 to 90. Empty coordinates give an empty point.",
                "经度应在 −180 到 180 之间，纬度应在 −90 到 90 之间。坐标为空时，点也为空。",
            ),
            choices={"fail": STOP, "null": LEAVE_EMPTY},
        ),
    ] = "fail"


class GeoPoint(Transform):
    """Adds a column of points made of a longitude and a latitude."""

    key = "geo_point"
    title = text("Point from x and y", "生成点")
    summary = text("Make points of longitude and latitude", "由经度和纬度生成点")
    help = text(
        "Adds a geometry column with the point at each row's longitude and latitude, both in decimal degrees. The "
        "coordinate system belongs to the column's type, so that later steps notice when two do not fit. Coordinates "
        "outside of the globe are often swapped columns, or metres of a projected map.",
        "新增一个几何列，内容为每行经纬度（十进制度）对应的点。坐标系是列类型的一部分，后续步骤会据此发现坐标系不一致的情况。"
        "坐标超出范围，常见原因是经纬度列选反，或数据是以米为单位的投影坐标。",
    )
    icon = "EnvironmentOutlined"
    Settings = GeoPointSettings
    group = "spatial"
    rank = 10
    keeps_order = True
    keeps_rows = True
    examples = (
        Example(
            title=text("Sensors on the map", "传感器的位置"),
            settings={"x": "lon", "y": "lat", "name": "place", "on_error": "null"},
            inputs={
                "in": (
                    {"id": "text", "lon": "number", "lat": "number"},
                    [["a", 116.4, 39.9], ["b", None, 39.9], ["c", 39.9, 116.4]],
                )
            },
            output=(
                {"id": "text", "lon": "number", "lat": "number", "place": "geometry(WGS84)"},
                [["a", 116.4, 39.9, "POINT (116.4 39.9)"], ["b", None, 39.9, None], ["c", 39.9, 116.4, None]],
            ),
            ordered=True,
        ),
    )

    @classmethod
    def apply(cls, inputs: Mapping[str, Sequence[Any]], settings: GeoPointSettings, context: BuildContext) -> Any:
        """All columns, then the points."""
        import ibis

        table = inputs["in"][0]
        x = find_number(context, table, settings.x, "/x")
        y = find_number(context, table, settings.y, "/y")
        names = [*table.columns, settings.name]
        check_names(context, names, ["/name"] * len(names))
        is_off = (x.abs() > 180) | (y.abs() > 90)
        instead = ibis.null("float64")
        if settings.on_error == "fail":
            words = ibis.literal("x ") + x.cast("string") + ", y " + y.cast("string") + ": not on the globe"
            instead = words.cast("float64")
        made = point(ibis.ifelse(is_off, instead, x), y, settings.crs)
        return table.select(*(table[name] for name in table.columns), made.name(settings.name))

    @classmethod
    def summarise(cls, settings: Mapping[str, Any]) -> Text:
        """The two columns and the new one."""
        line = f"({settings.get('x') or '…'}, {settings.get('y') or '…'}) → {settings.get('name') or 'location'}"
        return text(line, line)
