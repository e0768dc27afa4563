"""The demo city's nodes and datasets in words. Numbers are fixed, so that starter apps can name them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from node_catalog.numbers import node_number
from security.text import Text, text

PREFIX = "33A017"
SYNTHETIC = text(
    "Synthetic data made for the demo; nothing in it is about real people or companies.",
    "合成数据，仅用于演示，与真实的人员和企业无关。",
)


@dataclass(frozen=True)
class ColumnWords:
    """What people would have written about a column."""

    title: Text
    unit: str = ""
    sensitivity: str = ""
    description: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class DemoDataset:
    """A dataset by its path in the node; ``ordinal`` is the one that discovery gives it (a test checks)."""

    path: tuple[str, ...]
    ordinal: int
    title: Text
    summary: Text
    share: str
    tags: tuple[str, ...] = ()
    columns: Mapping[str, ColumnWords] = field(default_factory=dict)


@dataclass(frozen=True)
class DemoNode:
    """A node: its fixed number, its type and settings below the demo's folder, its department, its keeper."""

    body: str
    kind: str
    type: str
    settings: Mapping[str, Any]
    place: str
    """The setting that is a path, below DATA_HOME/demo; ``url`` for the demo's own web service."""
    name: Text
    description: Text
    department: str
    keeper: str
    tags: tuple[str, ...] = ()
    datasets: tuple[DemoDataset, ...] = ()

    @property
    def number(self) -> str:
        return node_number(PREFIX, self.kind, self.body)


def _c(en: str, zh: str, unit: str = "", sensitivity: str = "") -> ColumnWords:
    return ColumnWords(text(en, zh), unit, sensitivity)


AIR = DemoNode(
    "DEM00001", "FL", "files", {"folder": "air", "patterns": ["PRSA_Data_*.csv.gz"]}, "folder",
    text("Air quality archive", "空气质量监测归档"),
    text(
        "Hourly files of the nationally controlled stations, as published.",
        "国控站点逐小时监测文件，按发布时的原样归档。",
    ),
    "environment", "xie.lan", ("环境",),
    (
        DemoDataset(
            ("PRSA_Data_*.csv.gz",), 1,
            text("Hourly air quality", "逐小时空气质量"),
            text(
                "PM2.5 and five more pollutants with the weather at eight Beijing sites, 2013-03 to 2017-02, hourly. "
                "Beijing Multi-Site Air-Quality Data (S. X. Chen, UCI, 2019), CC BY 4.0.",
                "北京市八个国控站点 2013 年 3 月至 2017 年 2 月的逐小时六项污染物与气象观测。来源：Beijing Multi-Site "
                "Air-Quality Data（陈松蹊，UCI，2019），CC BY 4.0 许可。",
            ),
            "unconditional", ("空气质量", "真实数据", "小时"),
            {
                "No": _c("Row number", "行号"), "year": _c("Year", "年"), "month": _c("Month", "月"),
                "day": _c("Day", "日"), "hour": _c("Hour", "时"),
                "PM2.5": _c("Fine particles PM2.5", "细颗粒物 PM2.5", "µg/m³"),
                "PM10": _c("Particles PM10", "可吸入颗粒物 PM10", "µg/m³"),
                "SO2": _c("Sulphur dioxide", "二氧化硫", "µg/m³"), "NO2": _c("Nitrogen dioxide", "二氧化氮", "µg/m³"),
                "CO": _c("Carbon monoxide", "一氧化碳", "µg/m³"), "O3": _c("Ozone", "臭氧", "µg/m³"),
                "TEMP": _c("Temperature", "气温", "°C"), "PRES": _c("Air pressure", "气压", "hPa"),
                "DEWP": _c("Dew point", "露点温度", "°C"), "RAIN": _c("Rain", "降水量", "mm"),
                "wd": _c("Wind direction", "风向"), "WSPM": _c("Wind speed", "风速", "m/s"),
                "station": _c("Station", "站点代码"),
            },
        ),
    ),
)  # fmt: skip

STATIONS = DemoNode(
    "DEM00002", "DB", "sqlite", {"path": "stations.sqlite"}, "path",
    text("Stations and districts", "监测站点与行政区"),
    text("Where the stations stand, and the districts of the city.", "监测站点位置及行政区划基础信息。"),
    "environment", "xie.lan", ("环境", "基础数据"),
    (
        DemoDataset(
            ("districts",), 1, text("Districts", "行政区"),
            text("Area and residents of the districts (rounded).", "各区面积与常住人口（取整）。"),
            "unconditional", ("基础数据",),
            {
                "code": _c("Code", "行政区划代码"), "name": _c("District", "区名"),
                "name_en": _c("District in English", "英文名"), "area_km2": _c("Area", "面积", "km²"),
                "residents_thousand": _c("Residents", "常住人口", "千人"),
            },
        ),
        DemoDataset(
            ("stations",), 2, text("Air quality stations", "空气质量监测站点"),
            text(
                "The stations of the air-quality archive with their districts.",
                "空气质量归档中各站点的名称、所在区与位置。",
            ),
            "unconditional", ("基础数据", "空气质量"),
            {
                "station": _c("Station", "站点代码"), "name": _c("Name", "站点名称"),
                "district": _c("District", "所在区"), "district_code": _c("District code", "行政区划代码"),
                "kind": _c("Kind", "站点类型"), "longitude": _c("Longitude", "经度", "°"),
                "latitude": _c("Latitude", "纬度", "°"), "opened": _c("In service since", "启用日期"),
            },
        ),
    ),
)  # fmt: skip

WEATHER = DemoNode(
    "DEM00003", "FL", "files", {"folder": "weather", "patterns": []}, "folder",
    text("Weather by day", "逐日气象"),
    SYNTHETIC, "weather", "tang.wei", ("气象", "合成数据"),
    (
        DemoDataset(
            ("weather_daily.parquet",), 1, text("Daily weather by district (synthetic)", "分区逐日天气（合成数据）"),
            SYNTHETIC, "unconditional", ("气象", "合成数据", "日"),
            {
                "day": _c("Day", "日期"), "district": _c("District", "区名"), "high_c": _c("Highest", "最高气温", "°C"),
                "low_c": _c("Lowest", "最低气温", "°C"), "rain_mm": _c("Rain", "降水量", "mm"),
                "wind_ms": _c("Wind", "平均风速", "m/s"), "humidity": _c("Humidity", "相对湿度", "%"),
                "warning": _c("Warning", "预警信号"),
            },
        ),
    ),
)  # fmt: skip

ENTERPRISES = DemoNode(
    "DEM00004", "DB", "sqlite", {"path": "enterprises.sqlite"}, "path",
    text("Enterprise registration", "企业登记库"),
    SYNTHETIC, "market", "chen.jing", ("市场监管", "合成数据"),
    (
        DemoDataset(
            ("enterprises",), 1, text("Enterprises (synthetic)", "企业登记信息（合成数据）"),
            SYNTHETIC, "conditional", ("市场监管", "合成数据"),
            {
                "credit_code": _c("Credit code", "统一社会信用代码"), "name": _c("Name", "企业名称"),
                "industry": _c("Industry", "行业"), "district": _c("District", "所在区"),
                "state": _c("State", "登记状态"), "founded": _c("Founded", "成立日期"),
                "capital_wan": _c("Registered capital", "注册资本", "万元"),
                "employees": _c("Employees", "从业人数", "人"),
                "legal_person": _c("Legal representative", "法定代表人", sensitivity="personal"),
                "phone": _c("Phone", "联系电话", sensitivity="personal"),
                "id_number": _c("Identity number", "证件号码", sensitivity="sensitive"),
            },
        ),
        DemoDataset(
            ("inspections",), 2, text("Inspections (synthetic)", "执法检查记录（合成数据）"),
            SYNTHETIC, "conditional", ("市场监管", "执法", "合成数据"),
            {
                "id": _c("Number", "编号"), "credit_code": _c("Credit code", "统一社会信用代码"),
                "inspected_at": _c("Time", "检查时间"), "kind": _c("Kind", "检查类别"),
                "outcome": _c("Outcome", "检查结果"),
                "fine_yuan": _c("Fine", "罚款金额", "元"),
            },
        ),
    ),
)  # fmt: skip

MOBILITY = DemoNode(
    "DEM00005", "FL", "files", {"folder": "mobility", "patterns": ["trips_*.parquet"]}, "folder",
    text("Trips in public transport", "公共出行"),
    SYNTHETIC, "transport", "sun.lei", ("交通", "合成数据"),
    (
        DemoDataset(
            ("trips_*.parquet",), 1, text("Trips (synthetic)", "出行记录（合成数据）"),
            text(
                "Eighteen million made-up trips of eighteen days in October 2026, for runs that take a while. "
                + SYNTHETIC["en"],
                "2026 年 10 月 18 天共 1800 万条出行记录，用于体验耗时较长的运行。" + SYNTHETIC["zh-CN"],
            ),
            "unconditional", ("交通", "合成数据", "大数据量"),
            {
                "started_at": _c("Start", "出发时间"), "from_stop": _c("From", "出发站"), "to_stop": _c("To", "到达站"),
                "mode": _c("Mode", "出行方式"), "distance_m": _c("Distance", "距离", "m"),
                "seconds": _c("Duration", "时长", "s"), "card": _c("Card", "卡号", sensitivity="sensitive"),
            },
        ),
    ),
)  # fmt: skip

RESULTS = DemoNode(
    "DEM00006", "DB", "sqlite", {"path": "results.sqlite"}, "path",
    text("Results of the data centre", "大数据中心成果库"),
    text("An empty database that flows may write to.", "供流程写入成果的空数据库。"),
    "data-centre", "lin.tao", ("成果",),
)  # fmt: skip

BICYCLES = DemoNode(
    "DEM00007", "AP", "http_json",
    {
        "datasets": [
            {"name": "docks", "path": "docks", "rows_at": "/data/items", "paging": "offset", "size_parameter": "limit",
             "page_size": 60},
        ],
    },
    "url",
    text("Shared bicycles", "公共自行车接口"),
    text(
        "A small web service of this studio itself. " + SYNTHETIC["en"],
        "由本平台自身提供的示例接口。" + SYNTHETIC["zh-CN"],
    ),
    "transport", "sun.lei", ("交通", "合成数据"),
    (
        DemoDataset(
            ("docks",), 1, text("Bicycle docks (synthetic)", "自行车停车点（合成数据）"),
            SYNTHETIC, "unconditional", ("交通", "合成数据"),
            {
                "dock": _c("Dock", "停车点编号"), "name": _c("Name", "名称"), "district": _c("District", "所在区"),
                "places": _c("Places", "车位数"), "bicycles": _c("Bicycles", "在桩车辆数"),
                "position": _c("Position", "位置"), "reported_at": _c("Reported", "上报时间"),
                "note": _c("Note", "备注"),
            },
        ),
    ),
)  # fmt: skip

NODES = (AIR, STATIONS, WEATHER, ENTERPRISES, MOBILITY, RESULTS)
