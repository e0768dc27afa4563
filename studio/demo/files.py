"""The demo city's data as files under DATA_HOME/demo: real air quality copied, everything else made up and said so.

Made once, the same on every machine (fixed seeds); a marker file says which edition lies there. Everything synthetic
carries 合成数据 in its title or summary (see nodes.py).
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

EDITION = "1"
SOURCE = Path(__file__).resolve().parent / "data"
MOBILITY_DAYS = 18
MOBILITY_ROWS_A_DAY = 1_000_000
ENTERPRISES = 12_000
INSPECTIONS = 36_000

DISTRICTS = (
    # code, name, English name, km², residents in thousands (rounded)
    ("110101", "东城区", "Dongcheng", 41.8, 709),
    ("110102", "西城区", "Xicheng", 50.7, 1106),
    ("110105", "朝阳区", "Chaoyang", 470.8, 3452),
    ("110107", "石景山区", "Shijingshan", 84.3, 568),
    ("110108", "海淀区", "Haidian", 430.8, 3133),
    ("110114", "昌平区", "Changping", 1343.5, 2269),
    ("110116", "怀柔区", "Huairou", 2122.6, 441),
)
STATIONS = (
    # name in the air-quality files, Chinese name, district, kind, longitude, latitude (rounded)
    ("Aotizhongxin", "奥体中心", "110105", "城市", 116.397, 39.982),
    ("Changping", "昌平镇", "110114", "郊区", 116.230, 40.217),
    ("Dingling", "定陵", "110114", "对照", 116.220, 40.292),
    ("Dongsi", "东四", "110101", "城市", 116.417, 39.929),
    ("Guanyuan", "官园", "110102", "城市", 116.339, 39.929),
    ("Gucheng", "古城", "110107", "城市", 116.184, 39.914),
    ("Huairou", "怀柔镇", "110116", "郊区", 116.628, 40.328),
    ("Nongzhanguan", "农展馆", "110105", "城市", 116.461, 39.937),
)
SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚"
INDUSTRIES = ("餐饮", "零售", "机械制造", "软件", "物流", "建筑", "医药", "化工", "教育", "环保")
STATES = ("存续", "存续", "存续", "存续", "注销", "吊销")


def are_made(folder: Path) -> bool:
    """Whether this edition of the files lies in ``folder``."""
    marker = folder / "edition"
    return marker.exists() and marker.read_text() == EDITION


def make_files(folder: Path, say: Callable[[str], None]) -> bool:
    """Put all files below ``folder``; whether anything had to be made."""
    if are_made(folder):
        return False
    folder.mkdir(parents=True, exist_ok=True)
    say("copying air quality, making synthetic weather, enterprises and trips 正在生成演示数据")
    with ThreadPoolExecutor(2) as pool:
        days = [pool.submit(_mobility_day, _fresh(folder / "mobility"), day) for day in range(MOBILITY_DAYS)]
        _air(_fresh(folder / "air"))
        _stations(folder / "stations.sqlite")
        _enterprises(folder / "enterprises.sqlite")
        _weather(_fresh(folder / "weather"))
        _database(folder / "results.sqlite", "PRAGMA user_version = 1;", {})
        for done in days:
            done.result()
    (folder / "edition").write_text(EDITION)
    return True


def _fresh(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder


def _air(folder: Path) -> None:
    for source in sorted((SOURCE / "air").iterdir()):
        shutil.copyfile(source, folder / source.name)


def _database(path: Path, statements: str, rows: dict[str, Sequence[tuple[Any, ...]]]) -> None:
    """Write a SQLite file under another name and put it in place when it is whole."""
    partial = path.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    with closing(sqlite3.connect(partial)) as connection:
        connection.executescript(statements)
        for table, values in rows.items():
            marks = ", ".join("?" * len(values[0]))
            connection.executemany(f"INSERT INTO {table} VALUES ({marks})", values)
        connection.commit()
    partial.replace(path)


def _stations(path: Path) -> None:
    _database(
        path,
        """
        CREATE TABLE districts (code TEXT PRIMARY KEY, name TEXT NOT NULL, name_en TEXT, area_km2 REAL,
          residents_thousand INTEGER);
        CREATE TABLE stations (station TEXT PRIMARY KEY, name TEXT NOT NULL, district TEXT NOT NULL,
          district_code TEXT NOT NULL REFERENCES districts(code), kind TEXT, longitude REAL, latitude REAL,
          opened DATE);
        """,
        {
            "districts": DISTRICTS,
            "stations": [
                (key, name, next(one[1] for one in DISTRICTS if one[0] == code), code, kind, lon, lat, "2013-01-01")
                for key, name, code, kind, lon, lat in STATIONS
            ],
        },
    )


def _enterprises(path: Path) -> None:
    random = Random(2026)
    start = date(2001, 1, 1)
    enterprises = []
    for number in range(1, ENTERPRISES + 1):
        district = random.choice(DISTRICTS)
        person = random.choice(SURNAMES) + "".join(random.choice(GIVEN) for _ in range(random.choice((1, 2))))
        industry = random.choice(INDUSTRIES)
        born = date(1955, 1, 1) + timedelta(days=random.randrange(17000))
        enterprises.append(
            (
                f"9111{number:08d}",
                f"示范{industry}{number:05d}号企业",
                industry,
                district[1],
                random.choice(STATES),
                (start + timedelta(days=random.randrange(9000))).isoformat(),
                round(random.lognormvariate(4.5, 1.4), 2),
                max(1, int(random.lognormvariate(2.5, 1.2))),
                person,
                # Numbers that cannot belong to anybody: region 000000, and the unassigned block 100.
                f"100{random.randrange(10**8):08d}",
                f"000000{born:%Y%m%d}{random.randrange(1000):03d}X",
            )
        )
    begin = datetime(2024, 1, 1, 8, tzinfo=UTC)
    inspections = [
        (
            number,
            enterprises[random.randrange(ENTERPRISES)][0],
            f"{begin + timedelta(minutes=random.randrange(1_300_000)):%Y-%m-%d %H:%M:%S}",
            random.choice(("安全生产", "排污", "消防", "食品安全", "价格")),
            random.choice(("合格", "合格", "合格", "限期整改", "处罚")),
            random.choice((None, 0, 500, 2000, 10000)),
        )
        for number in range(1, INSPECTIONS + 1)
    ]
    _database(
        path,
        """
        CREATE TABLE enterprises (credit_code TEXT PRIMARY KEY, name TEXT NOT NULL, industry TEXT, district TEXT,
          state TEXT, founded DATE, capital_wan REAL, employees INTEGER, legal_person TEXT, phone TEXT, id_number TEXT);
        CREATE TABLE inspections (id INTEGER PRIMARY KEY, credit_code TEXT NOT NULL REFERENCES enterprises(credit_code),
          inspected_at TIMESTAMP, kind TEXT, outcome TEXT, fine_yuan INTEGER);
        CREATE INDEX inspections_enterprise ON inspections (credit_code);
        """,
        {"enterprises": enterprises, "inspections": inspections},
    )


def _weather(folder: Path) -> None:
    """Daily weather by district over the years of the air-quality data."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    random = Random(1871)
    rows: list[dict[str, Any]] = []
    for offset in range((date(2017, 3, 1) - date(2013, 3, 1)).days):
        day = date(2013, 3, 1) + timedelta(days=offset)
        season = -abs((day.timetuple().tm_yday - 200) / 182.5) * 30 + 28
        for _, name, *_ in DISTRICTS:
            high = season + random.gauss(0, 3)
            rain = (
                max(0.0, random.gauss(-6, 6)) if 120 < day.timetuple().tm_yday < 270 else max(0.0, random.gauss(-9, 5))
            )
            rows.append(
                {
                    "day": day,
                    "district": name,
                    "high_c": round(high, 1),
                    "low_c": round(high - random.uniform(6, 14), 1),
                    "rain_mm": round(rain, 1),
                    "wind_ms": round(random.lognormvariate(0.7, 0.5), 1),
                    "humidity": random.randrange(18, 97),
                    "warning": random.choice((None,) * 30 + ("大风蓝色", "高温黄色", "暴雨橙色", "霾黄色")),
                }
            )
    columns = [
        ("day", pa.date32()), ("district", pa.string()), ("high_c", pa.float64()), ("low_c", pa.float64()),
        ("rain_mm", pa.float64()), ("wind_ms", pa.float64()), ("humidity", pa.int64()), ("warning", pa.string()),
    ]  # fmt: skip
    pq.write_table(pa.Table.from_pylist(rows, pa.schema(columns)), folder / "weather_daily.parquet")


def _mobility_day(folder: Path, index: int) -> None:
    """One day of trips as a Parquet file, in the order of their start.

    All days together are big enough that a flow over them works for more than ten seconds on two cores.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    rows = MOBILITY_ROWS_A_DAY

    def draw(seed: int, below: int) -> Any:
        scaled = pc.multiply(pc.random(rows, initializer=index * 16 + seed), float(below))
        return pc.cast(scaled, pa.int32(), safe=False)

    def pick(seed: int, words: Sequence[str]) -> Any:
        return pa.DictionaryArray.from_arrays(draw(seed, len(words)), pa.array(words))

    midnight = int((datetime(2026, 10, 1, tzinfo=UTC) + timedelta(days=index)).timestamp())
    gap = 86_399_000_000 / rows
    steps = pc.cast(pc.cumulative_sum(pc.multiply(pc.random(rows, initializer=index), gap * 2)), pa.int64(), safe=False)
    limit = pa.scalar(86_399_000_000, pa.int64())
    micros = pc.add(pc.min_element_wise(steps, limit), pa.scalar(midnight * 1_000_000, pa.int64()))
    stops = [f"{DISTRICTS[number % len(DISTRICTS)][1]}{number:03d}站" for number in range(420)]
    distance = pc.cast(pc.multiply(pc.negate(pc.ln(pc.subtract(1.0, pc.random(rows, initializer=index + 99)))), 6000.0),
                       pa.int32(), safe=False)  # fmt: skip
    seconds = pc.add(pc.divide(distance, pa.scalar(5, pa.int32())), draw(6, 600))
    table = pa.table(
        {
            "started_at": pc.cast(micros, pa.timestamp("us")),
            "from_stop": pick(2, stops),
            "to_stop": pick(3, stops),
            "mode": pick(4, ("地铁", "公交", "共享单车", "出租车", "步行")),
            "distance_m": distance,
            "seconds": seconds,
            "card": draw(7, 2_000_000),
        }
    )
    path = folder / f"trips_2026-10-{index + 1:02d}.parquet"
    partial = path.with_suffix(".partial")
    pq.write_table(table, partial, row_group_size=250_000, use_dictionary=["from_stop", "to_stop", "mode"])
    partial.replace(path)
