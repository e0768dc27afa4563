"""Geometries to text: for files, databases and people that know no geometries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from node_catalog.sdk.contract import BuildContext, Example, Settings, Transform
from node_catalog.sdk.fields import geometry_column, setting
from node_catalog.sdk.geometry_calls import find_geometry, in_words, kind_words, measure
from node_catalog.sdk.relation import check_names
from node_catalog.sdk.text import Text, text


class GeoTextSettings(Settings):
    """Which geometry is written, and how."""

    column: Annotated[
        str,
        geometry_column(text("Geometry", "几何列")),
    ]
    format: Annotated[
        Literal["wkt", "geojson", "xy"],
        setting(
            text("Write as", "写成"),
            text(
                "Two numbers are for points only; other geometries leave them empty.",
                "两列数字只适用于点，其他几何留空。",
            ),
            choices={
                "wkt": text("WKT, such as POINT (116.4 39.9)", "WKT，如 POINT (116.4 39.9)"),
                "geojson": text("GeoJSON", "GeoJSON"),
                "xy": text("two columns: longitude and latitude", "两列：经度和纬度"),
            },
        ),
    ] = "wkt"
    keep: Annotated[bool, setting(text("Keep the geometry", "保留几何列"))] = False


class GeoText(Transform):
    """Writes a geometry column as text, or points as two columns of numbers."""

    key = "geo_text"
    title = text("Geometry to text", "几何转文本")
    summary = text("Write geometries as WKT, GeoJSON or x and y", "把几何写成 WKT、GeoJSON 或经纬度")
    help = text(
        "Replaces a geometry column by a text of the same name (WKT or GeoJSON), or points by two columns of numbers, "
        "with “_x” and “_y” behind the name. Use it before an output that takes no geometries: CSV files and database "
        "tables. Choose to keep the geometry, and the text gets a name of its own.",
        "把几何列替换为同名的文本列（WKT 或 GeoJSON），或把点替换为两列数字（列名后加“_x”“_y”）。"
        "CSV 文件和数据库表不接受几何列，写出前请先用本步骤转换。若选择保留几何列，文本会使用新的列名。",
    )
    icon = "FontSizeOutlined"
    Settings = GeoTextSettings
    group = "spatial"
    rank = 70
    keeps_order = True
    keeps_rows = True
    examples = (
        Example(
            title=text("Points as two columns", "点写成两列"),
            settings={"column": "place", "format": "xy"},
            inputs={
                "in": ({"place": "geometry(WGS84)"}, [["POINT (116.4 39.9)"], [None], ["LINESTRING (0 0, 1 1)"]]),
            },
            output=({"place_x": "number", "place_y": "number"}, [[116.4, 39.9], [None, None], [None, None]]),
            ordered=True,
        ),
        Example(
            title=text("WKT beside the geometry", "保留几何列并附上 WKT"),
            settings={"column": "place", "keep": True},
            inputs={"in": ({"place": "geometry(CGCS2000)"}, [["POINT (116.4 39.9)"], [None]])},
            output=(
                {"place": "geometry(CGCS2000)", "place_wkt": "text"},
                [["POINT (116.4 39.9)", "POINT (116.4 39.9)"], [None, None]],
            ),
            ordered=True,
        ),
    )

    @classmethod
    def apply(cls, inputs: Mapping[str, Sequence[Any]], settings: GeoTextSettings, context: BuildContext) -> Any:
        """The columns with the text, or the numbers, in the geometry's place."""
        table = inputs["in"][0]
        value = find_geometry(context, table, settings.column, "/column")
        made = _made(value, settings)
        columns: list[Any] = []
        for name in table.columns:
            if name != settings.column or settings.keep:
                columns.append(table[name])
            if name == settings.column:
                columns += made
        names = [column.get_name() for column in columns]
        check_names(context, names, ["/column"] * len(names))
        return table.select(*columns)

    @classmethod
    def summarise(cls, settings: Mapping[str, Any]) -> Text:
        """The column and how it is written."""
        form = {"geojson": "GeoJSON", "xy": "x, y"}.get(str(settings.get("format")), "WKT")
        line = f"{settings.get('column') or '…'} → {form}"
        return text(line, line)


def _made(value: Any, settings: GeoTextSettings) -> list[Any]:
    if settings.format == "xy":
        is_point = kind_words(value) == "POINT"
        return [
            is_point.ifelse(measure(f"st_{axis}", value), None).name(f"{settings.column}_{axis}") for axis in ("x", "y")
        ]
    name = f"{settings.column}_{settings.format}" if settings.keep else settings.column
    return [in_words(value, settings.format).name(name)]
