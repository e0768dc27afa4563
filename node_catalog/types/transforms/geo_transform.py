"""Convert coordinates: geometries from one coordinate system to another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from node_catalog.sdk.contract import BuildContext, Example, Settings, Transform
from node_catalog.sdk.fields import geometry_column, setting
from node_catalog.sdk.gcj02 import from_gcj02, to_gcj02
from node_catalog.sdk.geometry import CRS_WORDS, Crs, geometry_type
from node_catalog.sdk.geometry_calls import change_points, crs_of_value, find_geometry, marked
from node_catalog.sdk.text import Text, text


class GeoTransformSettings(Settings):
    """Which geometry is converted, and into what."""

    column: Annotated[
        str,
        geometry_column(text("Geometry", "几何列")),
    ]
    to: Annotated[Crs, setting(text("Into", "转换为"), choices=CRS_WORDS)] = "WGS84"


class GeoTransform(Transform):
    """Converts a geometry column between WGS 84, CGCS2000 and GCJ-02."""

    key = "geo_transform"
    title = text("Convert coordinates", "坐标转换")
    summary = text("Between WGS 84, CGCS2000 and GCJ-02", "WGS 84、CGCS2000、GCJ-02 互转")
    help = text(
        "Converts a geometry column in place; from which system is known from its type. WGS 84 and CGCS2000 differ by "
        "centimetres, so between them only the name changes. GCJ-02 shifts positions in China by 300 to 700 metres; "
        "it is converted by the published formula, point by point, and back by iteration to less than a millionth of "
        "a degree. Outside of China (longitude 72.0 to 137.8, latitude 0.8 to 55.8) GCJ-02 is not shifted. "
        "Coordinates of Baidu maps (BD-09) and projected coordinates in metres are other systems, which are not "
        "converted here.",
        "原位转换几何列，源坐标系由列类型得知。WGS 84 与 CGCS2000 仅相差厘米级，互转时只改变坐标系名称。"
        "GCJ-02 在中国境内会偏移 300 至 700 米，按公开公式逐点转换；反向转换用迭代求解，误差小于百万分之一度。"
        "境外（经度 72.0 至 137.8、纬度 0.8 至 55.8 之外）GCJ-02 不偏移。"
        "百度坐标（BD-09）和以米为单位的投影坐标属于其他坐标系，本步骤不转换。",
    )
    icon = "GlobalOutlined"
    Settings = GeoTransformSettings
    group = "spatial"
    rank = 30
    keeps_order = True
    keeps_rows = True
    examples = (
        Example(
            title=text("GPS positions for a Chinese map", "把 GPS 位置转到国内地图"),
            settings={"column": "place", "to": "GCJ02"},
            inputs={"in": ({"place": "geometry(WGS84)"}, [["POINT (116.404 39.915)"], ["POINT (2.35 48.85)"], [None]])},
            output=(
                {"place": "geometry(GCJ02)"},
                [["POINT (116.41024449916938 39.91640428150164)"], ["POINT (2.35 48.85)"], [None]],
            ),
            ordered=True,
        ),
        Example(
            title=text("The way back, for a road", "线的反向转换"),
            settings={"column": "road", "to": "CGCS2000"},
            inputs={
                "in": (
                    {"road": "geometry(GCJ02)"},
                    [["LINESTRING (116.41024449916938 39.91640428150164, 121.531541859215 31.17530398364597)"]],
                )
            },
            output=(
                {"road": "geometry(CGCS2000)"},
                [["LINESTRING (116.404 39.915, 121.5272106 31.1774276)"]],
            ),
        ),
    )

    @classmethod
    def apply(cls, inputs: Mapping[str, Sequence[Any]], settings: GeoTransformSettings, context: BuildContext) -> Any:
        """All columns, the geometry in its new coordinate system."""
        table = inputs["in"][0]
        value = find_geometry(context, table, settings.column, "/column")
        found = crs_of_value(value)
        if found == settings.to:
            words = CRS_WORDS[found]
            message = text(
                f"“{settings.column}” is in {words['en']} already; this step changes nothing.",
                f"“{settings.column}”已是 {words['zh-CN']}，本步骤不起作用。",
            )
            context.warn("geo_transform.same", message, "/to")
        elif "GCJ02" in (found, settings.to):
            value = change_points(value, to_gcj02 if settings.to == "GCJ02" else from_gcj02)
        made = marked(value, geometry_type(settings.to)).name(settings.column)
        return table.select(*(made if name == settings.column else table[name] for name in table.columns))

    @classmethod
    def summarise(cls, settings: Mapping[str, Any]) -> Text:
        """The column and its new system."""
        line = f"{settings.get('column') or '…'} → {settings.get('to') or 'WGS84'}"
        return text(line, line)
