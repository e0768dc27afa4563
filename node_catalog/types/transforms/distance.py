"""Distance: how many metres lie between two places of the same row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from node_catalog.sdk.contract import BuildContext, Example, Settings, Transform
from node_catalog.sdk.fields import geometry_column, setting
from node_catalog.sdk.geometry_calls import check_same_crs, distance, find_geometry
from node_catalog.sdk.relation import check_names
from node_catalog.sdk.text import Text, text


class DistanceSettings(Settings):
    """The two places and the new column."""

    start: Annotated[str, geometry_column(text("From", "起点"))]
    end: Annotated[str, geometry_column(text("To", "终点"))]
    name: Annotated[str, setting(text("New column", "新列名"), min_length=1, max_length=200)] = "distance_m"


class Distance(Transform):
    """Adds the distance in metres between two geometries of a row."""

    key = "distance"
    title = text("Distance", "计算距离")
    summary = text("Metres between two places of a row", "计算同一行两个位置之间的米数")
    help = text(
        "Adds a column with the distance in metres, as the crow flies, between two geometry columns of each row. "
        "Between points it is exact on the earth's ellipsoid. To lines and areas it is measured at their nearest "
        "points, which is right to about 1 in 1,000 up to some tens of kilometres; a point inside an area is 0 metres "
        "away. An empty geometry gives no distance. In GCJ-02 positions are shifted, distances hardly.",
        "新增一列，内容为同一行两个几何列之间的直线距离（米）。点与点之间按地球椭球精确计算；到线、面的距离按最近点计算，"
        "在数十公里内误差约千分之一，点在面内时为 0。几何为空时没有距离。GCJ-02 的位置有偏移，但距离基本不受影响。",
    )
    icon = "ColumnWidthOutlined"
    Settings = DistanceSettings
    group = "spatial"
    rank = 50
    keeps_order = True
    keeps_rows = True
    examples = (
        Example(
            title=text("From each call to its hospital", "从事发地到医院"),
            settings={"start": "call", "end": "hospital"},
            inputs={
                "in": (
                    {"call": "geometry(WGS84)", "hospital": "geometry(WGS84)"},
                    [
                        ["POINT (0 0)", "POINT (0 1)"],
                        ["POINT (0 0)", "POINT (1 0)"],
                        ["POINT (2 2)", "POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0))"],
                        ["POINT (0 0)", None],
                    ],
                )
            },
            output=(
                {"call": "geometry(WGS84)", "hospital": "geometry(WGS84)", "distance_m": "number"},
                [
                    ["POINT (0 0)", "POINT (0 1)", 110574.38855779878],
                    ["POINT (0 0)", "POINT (1 0)", 111319.49079327358],
                    ["POINT (2 2)", "POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0))", 0.0],
                    ["POINT (0 0)", None, None],
                ],
            ),
            ordered=True,
        ),
    )

    @classmethod
    def apply(cls, inputs: Mapping[str, Sequence[Any]], settings: DistanceSettings, context: BuildContext) -> Any:
        """All columns, then the distance."""
        table = inputs["in"][0]
        start = find_geometry(context, table, settings.start, "/start")
        end = find_geometry(context, table, settings.end, "/end")
        check_same_crs(context, start, end, "/end", settings.end)
        names = [*table.columns, settings.name]
        check_names(context, names, ["/name"] * len(names))
        return table.select(*(table[name] for name in table.columns), distance(start, end).name(settings.name))

    @classmethod
    def summarise(cls, settings: Mapping[str, Any]) -> Text:
        """Between what."""
        line = f"{settings.get('start') or '…'} – {settings.get('end') or '…'}"
        return text(line, line)
