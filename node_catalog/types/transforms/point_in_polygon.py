"""Point in polygon: for each point the area that it lies in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal

from node_catalog.sdk.contract import BuildContext, Example, Settings, Transform
from node_catalog.sdk.errors import Problem
from node_catalog.sdk.fields import geometry_column, setting
from node_catalog.sdk.geometry_calls import check_same_crs, find_geometry, meets
from node_catalog.sdk.ports import Port
from node_catalog.sdk.relation import find_column, hidden_name
from node_catalog.sdk.side_columns import SideColumns, side_columns
from node_catalog.sdk.text import Text, text

AREAS = "areas"


class PointInPolygonSettings(Settings):
    """The two geometry columns, what comes from the areas, and what a place in several areas means."""

    point: Annotated[
        str,
        geometry_column(text("Points", "点所在列"), "points"),
    ]
    area: Annotated[
        str,
        geometry_column(text("Areas", "面所在列"), AREAS),
    ]
    columns: Annotated[
        tuple[str, ...],
        setting(
            text("Columns of the area to add", "附上区域的哪些列"),
            text("Empty: all but geometries.", "不选则为除几何以外的全部列。"),
            widget="columns",
            extra={"x-port": AREAS},
        ),
    ] = ()
    how: Annotated[
        Literal["left", "inner"],
        setting(
            text("Points that lie in no area", "不在任何区域内的点"),
            choices={
                "left": text("keep them, with empty columns", "保留，区域列留空"),
                "inner": text("drop them", "去掉"),
            },
        ),
    ] = "left"
    several: Annotated[
        Literal["all", "one"],
        setting(
            text("Points that lie in several areas", "同时位于多个区域内的点"),
            text(
                "A point on a common border lies in both areas.",
                "位于公共边界上的点，同时属于两侧的区域。",
            ),
            choices={
                "all": text("one row for each area", "每个区域一行"),
                "one": text("one row, by priority", "按优先级只取一个"),
            },
        ),
    ] = "all"
    priority: Annotated[
        str,
        setting(
            text("Priority", "优先级列"),
            text(
                "Of several areas the one with the smallest value here is taken, for example the area's code.",
                "在多个区域中，取该列值最小的一个，例如区划代码。",
            ),
            widget="column",
            extra={"x-port": AREAS, "x-when": {"several": ["one"]}},
        ),
    ] = ""
    suffix: Annotated[
        str,
        setting(
            text("Suffix for taken names", "重名列的后缀"),
            text("Added to area columns whose name the points have too.", "区域列与点的列重名时，在名称后加上它。"),
            min_length=1,
            max_length=40,
            extra={"x-advanced": True},
        ),
    ] = "_area"

    def problems(self) -> Iterable[Problem]:
        """Without a priority the choice among several areas would be left to chance."""
        if self.several == "one" and not self.priority:
            message = text(
                "Choose the column that decides which of several areas is taken.",
                "请选择用于决定取哪个区域的优先级列。",
            )
            yield Problem("/priority", "point_in_polygon.priority", message)


class PointInPolygon(Transform):
    """Adds to each point the columns of the area that it lies in."""

    key = "point_in_polygon"
    title = text("Point in polygon", "落区判断")
    summary = text("Find the area that each point lies in", "判断每个点落在哪个区域")
    help = text(
        "Finds for each point the areas that it lies in or on whose border it lies, and adds their columns. A point "
        "in several areas gives a row for each, or one row for the area that comes first by priority (of equal ones "
        "always the same). Points without a place lie in no area. Both geometries must be in the same coordinate "
        "system. Many points against many areas are fast: boxes around the areas are compared first. Areas should "
        "come from “Read geometries”, which finds those whose border crosses itself.",
        "为每个点找到它所在（含边界上）的区域，并附上区域的列。位于多个区域的点，可以每个区域输出一行，也可以按优先级只取一个"
        "（优先级相同时结果固定）。位置为空的点不属于任何区域。两侧几何的坐标系必须一致。计算时先比较外包矩形，"
        "点和区域都很多时也很快。区域建议先经“解析几何”读取，以发现边界自相交的面。",
    )
    icon = "AimOutlined"
    Settings = PointInPolygonSettings
    group = "spatial"
    rank = 40
    takes_unbounded = False
    ports = (
        Port("points", "in", title=text("points", "点")),
        Port(AREAS, "in", title=text("areas", "区域")),
        Port("out", "out"),
    )
    examples = (
        Example(
            title=text("The district of each sensor", "每个传感器所在的区"),
            settings={"point": "place", "area": "border"},
            inputs={
                "points": (
                    {"id": "text", "place": "geometry(WGS84)"},
                    [
                        ["inside", "POINT (1 1)"],
                        ["in the hole", "POINT (7 2)"],
                        ["on both", "POINT (4 2)"],
                        ["outside", "POINT (9 9)"],
                        ["nowhere", None],
                    ],
                ),
                AREAS: (
                    {"id": "integer", "name": "text", "border": "geometry(WGS84)"},
                    [
                        [1, "west", "POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0))"],
                        [2, "east", "POLYGON ((4 0, 9 0, 9 4, 4 4, 4 0), (6 1, 8 1, 8 3, 6 3, 6 1))"],
                        [3, "unknown", None],
                    ],
                ),
            },
            output=(
                {"id": "text", "place": "geometry(WGS84)", "id_area": "integer", "name": "text"},
                [
                    ["inside", "POINT (1 1)", 1, "west"],
                    ["in the hole", "POINT (7 2)", None, None],
                    ["on both", "POINT (4 2)", 1, "west"],
                    ["on both", "POINT (4 2)", 2, "east"],
                    ["outside", "POINT (9 9)", None, None],
                    ["nowhere", None, None, None],
                ],
            ),
        ),
        Example(
            title=text("One area for each point, the smallest code first", "每个点只取代码最小的区域"),
            settings={
                "point": "place",
                "area": "border",
                "how": "inner",
                "several": "one",
                "priority": "code",
                "columns": ["code"],
            },
            inputs={
                "points": ({"place": "geometry(GCJ02)"}, [["POINT (1 1)"], ["POINT (3 3)"], ["POINT (9 9)"]]),
                AREAS: (
                    {"code": "text", "border": "geometry(GCJ02)"},
                    [
                        ["b", "POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0))"],
                        ["a", "POLYGON ((2 2, 5 2, 5 5, 2 5, 2 2))"],
                        [None, "POLYGON ((0 0, 5 0, 5 5, 0 5, 0 0))"],
                    ],
                ),
            },
            output=(
                {"place": "geometry(GCJ02)", "code": "text"},
                [["POINT (1 1)", "b"], ["POINT (3 3)", "a"]],
            ),
        ),
    )

    @classmethod
    def apply(cls, inputs: Mapping[str, Sequence[Any]], settings: PointInPolygonSettings, context: BuildContext) -> Any:
        """Point columns, then the chosen area columns; taken names with the suffix."""
        points, areas = inputs["points"][0], inputs[AREAS][0]
        place = find_geometry(context, points, settings.point, "/point")
        border = find_geometry(context, areas, settings.area, "/area")
        check_same_crs(context, place, border, "/area", settings.area, AREAS)
        sides = side_columns(context, points, areas, settings.columns, settings.suffix)
        if settings.several == "all":
            inside = sides.hidden(areas, border)
            joined = points.join(inside, meets(points[settings.point], inside[sides.place]), how=settings.how)
            return joined.select(*(joined[name] for name in points.columns), *sides.shown_of(joined))
        find_column(context, areas, settings.priority, "/priority")
        return _first(points, areas, border, settings, sides)

    @classmethod
    def summarise(cls, settings: Mapping[str, Any]) -> Text:
        """Which points in which areas."""
        point, area = settings.get("point") or "…", settings.get("area") or "…"
        return text(f"{point} in {area}", f"{point} 落在 {area}")


def _first(points: Any, areas: Any, border: Any, settings: PointInPolygonSettings, sides: SideColumns) -> Any:
    """Each point with the first of its areas by priority, then by all columns that are shown."""
    import ibis

    row = hidden_name([*points.columns, *areas.columns, *sides.shown.values()], "__row")
    numbered = points.mutate(ibis.row_number().name(row))
    inside = sides.hidden(areas, border, first=settings.priority)
    joined = numbered.join(inside, meets(numbered[settings.point], inside[sides.place]), how=settings.how)
    joined = joined.select(*(joined[name] for name in joined.columns if name != sides.place))
    rank = f"{row}_rank"
    order = [ibis.asc(joined[name], nulls_first=False) for name in (sides.first, *sides.order_of(areas))]
    ranked = joined.mutate(ibis.row_number().over(group_by=[joined[row]], order_by=order).name(rank))
    kept = ranked.filter(ranked[rank] == 0)
    return kept.select(*(kept[name] for name in points.columns), *sides.shown_of(kept))
