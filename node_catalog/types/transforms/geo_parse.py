"""Read geometries: texts (WKT, GeoJSON) or bytes (WKB) become a geometry column; what is wrong leaves by a port."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from node_catalog.sdk.choice_words import LEAVE_EMPTY, STOP, TAKE_OUT
from node_catalog.sdk.contract import BuildContext, Example, Settings, Transform, Verdict
from node_catalog.sdk.fields import setting
from node_catalog.sdk.geometry import CRS_WORDS, Crs
from node_catalog.sdk.geometry_calls import AREAS, are_degrees, ask, change, from_words, kind_words
from node_catalog.sdk.ports import Port, type_of_ibis
from node_catalog.sdk.relation import check_names, find_column, hidden_name, kind_of, type_words
from node_catalog.sdk.text import Text, text
from node_catalog.sdk.wkb import KINDS

FAILED = "failed"
_READABLE = text("readable, in degrees", "可读取，且坐标以度为单位")
_SIMPLE = text("border does not cross itself", "边界不自相交")


class GeoParseSettings(Settings):
    """Which column is read, how it is written, and what happens to what is wrong."""

    column: Annotated[
        str,
        setting(
            text("Column", "列"), widget="column", extra={"x-types": ["text", "binary"]}, min_length=1, max_length=200
        ),
    ]
    format: Annotated[
        Literal["wkt", "geojson", "wkb"],
        setting(
            text("Written as", "写法"),
            choices={
                "wkt": text("WKT, such as POINT (116.4 39.9)", "WKT，如 POINT (116.4 39.9)"),
                "geojson": text("GeoJSON, a geometry or a feature", "GeoJSON（几何或要素）"),
                "wkb": text("WKB, bytes or hexadecimal", "WKB（二进制或十六进制）"),
            },
        ),
    ] = "wkt"
    crs: Annotated[Crs, setting(text("Coordinate system", "坐标系"), choices=CRS_WORDS)] = "WGS84"
    name: Annotated[str, setting(text("New column", "新列名"), min_length=1, max_length=200)] = "geometry"
    on_error: Annotated[
        Literal["fail", "null", "skip"],
        setting(
            text("If it cannot be read", "无法读取时"),
            text(
                "Also when coordinates are no longitudes and latitudes, for example metres.",
                "坐标不是经纬度（例如以米为单位）时，也视为无法读取。",
            ),
            choices={"fail": STOP, "null": LEAVE_EMPTY, "skip": TAKE_OUT},
        ),
    ] = "fail"
    invalid: Annotated[
        Literal["fail", "repair", "skip"],
        setting(
            text("If an area's border crosses itself", "面的边界自相交时"),
            text(
                "Repair keeps what the border encloses an odd number of times, as the parts of a multipolygon.",
                "修复会保留边界围住奇数次的部分，结果为多部分面。",
            ),
            choices={"fail": STOP, "repair": text("repair it", "自动修复"), "skip": TAKE_OUT},
        ),
    ] = "fail"
    key: Annotated[
        str,
        setting(
            text("Column that names a row", "标识列"),
            text(
                "Used to say which row is wrong, for example the district's code.",
                "用于指出哪一行有问题，例如区划代码。",
            ),
            widget="column",
            extra={"x-advanced": True},
        ),
    ] = ""


class GeoParse(Transform):
    """Reads geometries from text or bytes, and finds areas whose border crosses itself."""

    key = "geo_parse"
    title = text("Read geometries", "解析几何")
    summary = text("WKT, GeoJSON or WKB to geometries", "把 WKT、GeoJSON、WKB 转为几何")
    help = text(
        "Adds a geometry column read from a text (WKT, GeoJSON) or from bytes (WKB). Points, lines and areas, single "
        "or several, are read; collections of mixed kinds are not, and a third coordinate is dropped. Coordinates are "
        "degrees, longitude first. Two things can be wrong, and for each you decide: a value that cannot be read, and "
        "an area whose border crosses itself, for which “inside” has no clear meaning. Rows that are taken out leave "
        "by “failed”. When the run stops, it says how many rows are wrong and names the first.",
        "新增一个几何列，由文本（WKT、GeoJSON）或二进制（WKB）读取。支持点、线、面及其多部分形式；不支持混合类型的几何集合，"
        "第三维坐标会被去掉。坐标单位为度，经度在前。可能出现两类问题，可分别设置处理方式：无法读取的值；边界自相交的面"
        "（无法明确判断“在内”还是“在外”）。被分离的行从“未通过”端口流出；停止运行时会说明有多少行有问题，并指出第一行。",
    )
    icon = "RadiusSettingOutlined"
    Settings = GeoParseSettings
    group = "spatial"
    rank = 20
    ports = (Port("in", "in"), Port("out", "out", required=False), Port(FAILED, "out", required=False, is_error=True))
    keeps_order = True
    judges = True
    examples = (
        Example(
            title=text("Districts as WKT; a bow tie is taken out", "WKT 行政区，分离自相交的面"),
            settings={"column": "border", "name": "area", "invalid": "skip", "on_error": "null"},
            inputs={
                "in": (
                    {"id": "text", "border": "text"},
                    [
                        ["square", "POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0))"],
                        ["bow tie", "POLYGON ((0 0, 4 4, 4 0, 0 4, 0 0))"],
                        ["broken", "POLYGON ((0 0, 4"],
                        ["empty", None],
                    ],
                )
            },
            outputs={
                "out": (
                    {"id": "text", "border": "text", "area": "geometry(WGS84)"},
                    [
                        [
                            "square",
                            "POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0))",
                            "POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0))",
                        ],
                        ["broken", "POLYGON ((0 0, 4", None],
                        ["empty", None, None],
                    ],
                ),
                FAILED: (
                    {"id": "text", "border": "text"},
                    [["bow tie", "POLYGON ((0 0, 4 4, 4 0, 0 4, 0 0))"], ["broken", "POLYGON ((0 0, 4"]],
                ),
            },
        ),
        Example(
            title=text("Repair an area whose border crosses itself", "修复自相交的面"),
            settings={"column": "border", "format": "geojson", "crs": "CGCS2000", "invalid": "repair"},
            inputs={
                "in": (
                    {"border": "text"},
                    [['{"type": "Polygon", "coordinates": [[[0, 0], [4, 4], [4, 0], [0, 4], [0, 0]]]}']],
                )
            },
            outputs={
                "out": (
                    {"border": "text", "geometry": "geometry(CGCS2000)"},
                    [
                        [
                            '{"type": "Polygon", "coordinates": [[[0, 0], [4, 4], [4, 0], [0, 4], [0, 0]]]}',
                            "MULTIPOLYGON (((0 4, 2 2, 0 0, 0 4)), ((4 0, 2 2, 4 4, 4 0)))",
                        ]
                    ],
                ),
                FAILED: ({"border": "text"}, []),
            },
        ),
    )

    @classmethod
    def ports_of(cls, settings: Mapping[str, Any]) -> Sequence[Port]:
        """Only rows that are taken out would be missed when nobody looks at them."""
        if "skip" in (settings.get("on_error"), settings.get("invalid")):
            return cls.ports
        return (*cls.ports[:2], Port(FAILED, "out", required=False))

    @classmethod
    def apply(cls, inputs: Mapping[str, Sequence[Any]], settings: GeoParseSettings, context: BuildContext) -> Any:
        """The rows with their geometries; and those that are wrong, as they came."""
        table = inputs["in"][0]
        names = [*table.columns, settings.name]
        check_names(context, names, ["/name"] * len(names))
        read, is_unread, is_crossing = _read(table, settings, context)
        kept = read[settings.name]
        if settings.invalid == "repair":
            kept = is_crossing.ifelse(change("st_collectionextract", change("st_makevalid", kept), 3), kept)
        good = read
        for is_wrong, choice in ((is_unread, settings.on_error), (is_crossing, settings.invalid)):
            if choice == "skip":
                good = good.filter(~is_wrong)
        good = good.select(*(good[name] for name in table.columns), kept.name(settings.name))
        wrong = is_unread if settings.invalid == "repair" else is_unread | is_crossing
        return {"out": good, FAILED: read.filter(wrong).select(*table.columns)}

    @classmethod
    def facts(cls, inputs: Mapping[str, Sequence[Any]], settings: GeoParseSettings, context: BuildContext) -> Any:
        """How many rows there are, how many are wrong in which way, and the smallest name of a wrong one."""
        table = inputs["in"][0]
        read, is_unread, is_crossing = _read(table, settings, context)
        shown = find_column(context, table, settings.key, "/key") if settings.key else table[settings.column]
        named = read[shown.get_name()]
        named = (named if named.type().is_string() else named.cast("string")).left(60)
        return read.aggregate(
            rows=read.count(),
            values=read[settings.column].count(),
            unread=read.count(where=is_unread),
            crossing=read.count(where=is_crossing),
            first_unread=named.min(where=is_unread),
            first_crossing=named.min(where=is_crossing),
        )

    @classmethod
    def decides(cls, settings: Mapping[str, Any]) -> bool:
        """Only when something that is wrong stops the run."""
        return "fail" in (settings.get("on_error", "fail"), settings.get("invalid", "fail"))

    @classmethod
    def judge(cls, settings: GeoParseSettings, facts: Mapping[str, Any]) -> Verdict:
        """Counts for the step; a failure when something is wrong for which the run shall stop."""
        rows, unread, crossing = (int(facts[name]) for name in ("rows", "unread", "crossing"))
        rules = [_counted(_READABLE, rows, unread), _counted(_SIMPLE, rows, crossing)]
        failure = None
        if unread and settings.on_error == "fail":
            failure = _unread(settings, unread, int(facts["values"]), facts["first_unread"])
        elif crossing and settings.invalid == "fail":
            failure = _crossing(settings, crossing, facts["first_crossing"])
        return Verdict(report={"kind": "check", "rows": rows, "rules": rules}, failure=failure)

    @classmethod
    def summarise(cls, settings: Mapping[str, Any]) -> Text:
        """The column, how it is written, and the new one."""
        form = {"geojson": "GeoJSON"}.get(str(settings.get("format")), str(settings.get("format") or "wkt").upper())
        line = f"{settings.get('column') or '…'} ({form}) → {settings.get('name') or 'geometry'}"
        return text(line, line)


def _read(table: Any, settings: GeoParseSettings, context: BuildContext) -> tuple[Any, Any, Any]:
    """The rows with their geometries (NULL where there is none), and over them: unread? crossing itself?"""
    column = find_column(context, table, settings.column, "/column")
    kind = type_of_ibis(column.type())
    if kind not in ("text", "binary") or (kind == "binary" and settings.format != "wkb"):
        words = type_words(kind_of(column))
        message = text(
            f"“{settings.column}” is {words['en']}: geometries are read from text, WKB also from bytes. Choose another "
            "column.",
            f"“{settings.column}”是{words['zh-CN']}：几何应由文本读取，WKB 也可由二进制读取。请选择其他列。",
        )
        raise context.problem("geo_parse.type", message, "/column")
    raw = hidden_name([*table.columns, settings.name], "__read")
    read = table.mutate(from_words(column, settings.format, settings.crs).name(raw))
    is_fine = are_degrees(read[raw]) & kind_words(read[raw]).isin(KINDS)
    read = read.mutate(is_fine.fill_null(False).ifelse(read[raw], None).name(settings.name)).drop(raw)
    made = read[settings.name]
    is_unread = read[settings.column].notnull() & made.isnull()
    is_crossing = (kind_words(made).isin(AREAS) & ~ask("st_isvalid", made)).fill_null(False)
    return read, is_unread, is_crossing


def _counted(rule: Text, rows: int, failed: int) -> dict[str, Any]:
    return {
        "name": rule["en"],
        "title": rule,
        "passed": rows - failed,
        "failed": failed,
        "at_least": 1.0,
        "holds": failed == 0,
    }


def _unread(settings: GeoParseSettings, count: int, values: int, first: Any) -> Text:
    return text(
        f"{count:,} of {values:,} values of “{settings.column}” are no geometry written as {settings.format.upper()} "
        f"with longitudes and latitudes; the first: “{first}”. Nothing behind this step was delivered. Preview its "
        "port “failed” to see these rows; correct them, or choose to leave them empty or to take them out.",
        f"“{settings.column}”的 {values:,} 个值中有 {count:,} 个不是以 {settings.format.upper()} "
        f"书写、以经纬度为坐标的几何，第一个为“{first}”。本步骤之后未写出任何数据。请预览“未通过”端口查看这些行，修正数据，或改为留空、分离。",
    )


def _crossing(settings: GeoParseSettings, count: int, first: Any) -> Text:
    return text(
        f"The borders of {count:,} area(s) in “{settings.column}” cross themselves, so that inside and outside are "
        f"not clear; the first: “{first}”. Nothing behind this step was delivered. Preview its port “failed” to see "
        "these rows; correct them, or choose to repair them or to take them out.",
        f"“{settings.column}”中有 {count:,} 个面的边界自相交，无法区分内外，第一个为“{first}”。"
        "本步骤之后未写出任何数据。请预览“未通过”端口查看这些行，修正数据，或改为自动修复、分离。",
    )
