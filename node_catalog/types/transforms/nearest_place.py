"""Nearest place: for each row the nearest places of another input, within so many metres."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from node_catalog.sdk.contract import BuildContext, Example, Settings, Transform
from node_catalog.sdk.fields import geometry_column, setting
from node_catalog.sdk.geometry_calls import box_around, check_same_crs, distance, find_geometry, meets
from node_catalog.sdk.ports import Port
from node_catalog.sdk.relation import hidden_name
from node_catalog.sdk.side_columns import side_columns
from node_catalog.sdk.text import Text, text

PLACES = "places"


class NearestPlaceSettings(Settings):
    """The two geometry columns, how many places, and how far away."""

    geometry: Annotated[
        str,
        geometry_column(text("From", "出发位置"), "rows"),
    ]
    place: Annotated[
        str,
        geometry_column(text("To the nearest of", "查找最近的"), PLACES),
    ]
    metres: Annotated[
        float,
        setting(
            text("At most this far away (m)", "最大距离（米）"),
            text(
                "Exactly as far still counts. The smaller, the faster.",
                "恰好等于该距离也算在内。距离越小，计算越快。",
            ),
            gt=0,
            le=1_000_000,
        ),
    ] = 1000.0
    count: Annotated[
        int,
        setting(text("How many", "取几个"), text("Each gives a row.", "每个一行。"), ge=1, le=100),
    ] = 1
    columns: Annotated[
        tuple[str, ...],
        setting(
            text("Columns of the place to add", "附上地点的哪些列"),
            text("Empty: all but geometries.", "不选则为除几何以外的全部列。"),
            widget="columns",
            extra={"x-port": PLACES},
        ),
    ] = ()
    how: Annotated[
        Literal["left", "inner"],
        setting(
            text("Rows with no place near", "附近没有地点的行"),
            choices={
                "left": text("keep them, with empty columns", "保留，地点列留空"),
                "inner": text("drop them", "去掉"),
            },
        ),
    ] = "left"
    distance: Annotated[str, setting(text("Column for the distance", "距离列名"), min_length=1, max_length=200)] = (
        "distance_m"
    )
    suffix: Annotated[
        str,
        setting(
            text("Suffix for taken names", "重名列的后缀"),
            text("Added to place columns whose name the rows have too.", "地点列与左侧列重名时，在名称后加上它。"),
            min_length=1,
            max_length=40,
            extra={"x-advanced": True},
        ),
    ] = "_place"


class NearestPlace(Transform):
    """Adds to each row the nearest places of another input, with their distances."""

    key = "nearest_place"
    title = text("Nearest place", "就近地点")
    summary = text("Find the nearest places within a distance", "在一定距离内查找最近的地点")
    help = text(
        "Finds for each row the nearest places of the second input, at most so many and not further than so many "
        "metres, and adds their columns and the distance. Several places give several rows, the nearest first. Of "
        "places that are equally far always the same is taken: the one that comes first by the columns that are added. "
        "Rows without a geometry have no place near. Distances are those of “Distance”. Nothing is looked for across "
        "the 180th meridian.",
        "为每一行在第二个输入中查找最近的地点（限定个数和最大米数），并附上其列与距离。取多个时每个一行，近的在前。距离相同时结果固定：按附上的列"
        "排序取靠前者。几何为空的行没有就近地点。距离的算法同“计算距离”。不会跨越 180 度经线查找。",
    )
    icon = "CompassOutlined"
    Settings = NearestPlaceSettings
    group = "spatial"
    rank = 60
    takes_unbounded = False
    ports = (
        Port("rows", "in", title=text("rows", "出发位置")),
        Port(PLACES, "in", title=text("places", "地点")),
        Port("out", "out"),
    )
    examples = (
        Example(
            title=text("The nearest fire station within 50 km", "50 公里内最近的消防站"),
            settings={"geometry": "fire", "place": "station", "metres": 50000, "columns": ["name"]},
            inputs={
                "rows": (
                    {"fire": "geometry(WGS84)"},
                    [["POINT (0 0)"], ["POINT (0.15 0)"], ["POINT (3 3)"], [None]],
                ),
                PLACES: (
                    {"name": "text", "station": "geometry(WGS84)"},
                    [["b", "POINT (0.1 0)"], ["a", "POINT (0.2 0)"], ["far", "POINT (9 9)"], ["nowhere", None]],
                ),
            },
            output=(
                {"fire": "geometry(WGS84)", "name": "text", "distance_m": "number"},
                [
                    ["POINT (0 0)", "b", 11131.949079327358],
                    ["POINT (0.15 0)", "b", 5565.974539663679],
                    ["POINT (3 3)", None, None],
                    [None, None, None],
                ],
            ),
        ),
        Example(
            title=text("The two nearest, each in a row of its own", "最近的两个，各占一行"),
            settings={"geometry": "g", "place": "g", "metres": 200000, "count": 2, "how": "inner", "distance": "m"},
            inputs={
                "rows": ({"id": "integer", "g": "geometry(WGS84)"}, [[1, "POINT (0 0)"], [2, "POINT (9 9)"]]),
                PLACES: (
                    {"id": "integer", "g": "geometry(WGS84)"},
                    [[7, "POINT (1 0)"], [8, "POINT (0 0)"], [9, "POINT (0 1)"]],
                ),
            },
            output=(
                {"id": "integer", "g": "geometry(WGS84)", "id_place": "integer", "m": "number"},
                [[1, "POINT (0 0)", 8, 0.0], [1, "POINT (0 0)", 9, 110574.38855779878]],
            ),
        ),
    )

    @classmethod
    def apply(cls, inputs: Mapping[str, Sequence[Any]], settings: NearestPlaceSettings, context: BuildContext) -> Any:
        """Left columns, then the chosen place columns, then the distance.

        Boxes around the places choose who is measured at all; what was measured is ranked within each row. A row
        that was near to boxes only is kept once, with empty columns.
        """
        import ibis

        rows, places = inputs["rows"][0], inputs[PLACES][0]
        geometry = find_geometry(context, rows, settings.geometry, "/geometry")
        place = find_geometry(context, places, settings.place, "/place")
        check_same_crs(context, geometry, place, "/place", settings.place, PLACES)
        sides = side_columns(context, rows, places, settings.columns, settings.suffix, [settings.distance])
        row = hidden_name([*rows.columns, *places.columns, *sides.shown.values(), settings.distance], "__row")
        box, far, rank = f"{row}_box", f"{row}_far", f"{row}_rank"
        numbered = rows.mutate(ibis.row_number().name(row))
        around = sides.hidden(places, place)
        around = around.mutate(box_around(around[sides.place], settings.metres).name(box))
        near = numbered.left_join(around, meets(numbered[settings.geometry], around[box]))
        apart = distance(near[settings.geometry], near[sides.place])
        kept = [near[name] for name in near.columns if name not in (box, sides.place)]
        near = near.select(*kept, (apart <= settings.metres).ifelse(apart, None).name(far))
        order = [ibis.asc(near[name], nulls_first=False) for name in (far, *sides.order_of(places))]
        near = near.mutate(ibis.row_number().over(group_by=[near[row]], order_by=order).name(rank))
        is_near = near[far].notnull()
        is_kept = is_near & (near[rank] < settings.count)
        near = near.filter(is_kept if settings.how == "inner" else is_kept | (near[rank] == 0))
        is_near = near[far].notnull()
        shown = [is_near.ifelse(near[new], None).name(name) for new, name in sides.names()]
        return near.select(*(near[name] for name in rows.columns), *shown, near[far].name(settings.distance))

    @classmethod
    def summarise(cls, settings: Mapping[str, Any]) -> Text:
        """Which, and how far."""
        pair = f"{settings.get('geometry') or '…'} → {settings.get('place') or '…'}"
        metres = settings.get("metres", 1000)
        far = f"{metres:g}" if isinstance(metres, int | float) else "…"
        return text(f"{pair} ≤ {far} m", f"{pair} ≤ {far} 米")
