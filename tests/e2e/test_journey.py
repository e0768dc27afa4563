"""The journey of a newcomer, in both languages, by visible controls only: from the catalogue to a result that is right.

Nobody types an expression: conditions, formulas, groups and figures are picked. The answer is compared with SQL written
by hand over the same files.
"""

from __future__ import annotations

import csv
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import duckdb
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.canvas import Canvas
from tests.e2e.person import PATIENCE, SPEAKERS, as_number, cells, headings
from tests.services import wait_until
from tests.studio_process import Studio

Row = tuple[str, int, float, float]


def independent_answer(home: Path) -> list[Row]:
    """Bad hours by district, their mean PM2.5 and the mean share of fine particles, without any code of ours."""
    connection = duckdb.connect()
    with closing(sqlite3.connect(home / "demo" / "stations.sqlite")) as database:
        stations = database.execute("select station, district from stations").fetchall()
    connection.execute("create table station (station text, district text)")
    connection.executemany("insert into station values (?, ?)", stations)
    return connection.execute(
        f"""
        select s.district, count(*), avg(a."PM2.5"), avg(a."PM2.5" / a."PM10")
        from read_csv('{home}/demo/air/PRSA_Data_*.csv.gz', nullstr='NA', header=true) a
        join station s on a.station = s.station
        where a."PM2.5" >= 75 group by 1 order by 1
        """
    ).fetchall()


class Journey(Canvas):
    """The steps of the journey; each looks at what it brought."""

    def __init__(self, page: Page, language: str) -> None:
        super().__init__(page, language)
        self.air = self.t.pick("逐小时空气质量", "Hourly air quality")
        self.stations = self.t.pick("空气质量监测站点", "Air quality stations")

    def start_from_catalogue(self) -> None:
        self.find_dataset(self.t.pick("空气质量", "air quality"), self.air)
        expect(self.page.get_by_text("PM2.5", exact=True).first).to_be_visible(timeout=PATIENCE)
        self.button(re.compile(re.escape(self.t("catalogue:use.button")))).click()
        self.menu_item(self.t("catalogue:use.new_app"))
        self.expect_open()

    def join_stations(self) -> None:
        self.open_step(self.air)
        self.expect_columns(self.air, "PM2.5", "station")
        self.add_data(self.stations)
        self.expect_columns(self.stations, "station", "district")
        self.select_steps(self.air, self.stations)
        joined = self.add_step("join")
        for side in ("left", "right"):
            key = self.page.get_by_role("combobox", name=self.t(f"canvas:join.{side}", number=1))
            expect(key.locator("xpath=ancestor::*[contains(@class, 'ant-select')][1]")).to_contain_text("station")
        self.expect_fine(joined)
        self.expect_columns(joined, "PM2.5", "district")

    def change_type(self) -> None:
        """PM2.5 as a number, which it is already: the place of the later mistake."""
        changed = self.add_step("cast")
        self.button(self.t("canvas:cast.add")).click()
        self.choose(self.t("canvas:cast.column", number=1), "PM2.5")
        self.choose(self.t("canvas:cast.type", number=1), self.t("common:type.number"))
        self.expect_fine(changed)
        self.expect_columns(changed, "PM2.5")

    def filter_bad_air(self) -> None:
        filtered = self.add_step("filter")
        self.choose(self.t("canvas:condition.column", number=1), "PM2.5")
        self.choose(self.t("canvas:condition.operator", number=1), self.t("canvas:operator.ge"))
        self.page.get_by_label(self.t("canvas:condition.value", number=1), exact=True).fill("75")
        self.expect_fine(filtered)
        table = self.expect_columns(filtered, "PM2.5", "PM10")
        column = headings(table).index("PM2.5")
        wait_until(lambda: all(as_number(row[column]) >= 75 for row in cells(table)), 30, "only bad air in the preview")

    def derive_share(self) -> None:
        derived = self.add_step("derive")
        self.button(self.t("canvas:derive.add")).click()
        self.page.get_by_label(self.t("canvas:derive.name", number=1)).fill("fine_share")
        formula = self.t("canvas:derive.formula", number=1)
        self.choose(self.t("canvas:formula.operand", label=formula, number=1), "PM2.5")
        self.choose(self.t("canvas:formula.sign_label", label=formula, number=1), self.t("canvas:formula.sign./"))
        self.pick_column_value(self.t("canvas:formula.operand", label=formula, number=2), "PM10")
        self.expect_fine(derived)
        self.expect_columns(derived, "fine_share")

    def aggregate(self) -> None:
        summarised = self.add_step("aggregate")
        self.choose_more(self.t.setting("aggregate", "by"), "district")
        for number, (function, column) in enumerate([("count", ""), ("mean", "PM2.5"), ("mean", "fine_share")], 1):
            self.button(self.t("canvas:measure.add")).click()
            if function != "count":
                words = self.t.pick("平均值", "average")
                self.choose(self.t("canvas:measure.function_label", number=number), words)
                self.choose(self.t("canvas:measure.column", number=number), column)
        self.expect_fine(summarised)
        self.expect_columns(summarised, "district", but=("PM10", "station"))

    def keep_result(self) -> None:
        kept = self.add_step("output")
        self.settings.get_by_label(self.t.setting("output", "name")).fill("bad_air")
        self.expect_fine(kept)
        self.expect_columns(kept, "district")

    def make_a_mistake(self) -> None:
        """PM2.5 becomes text, so that it can no longer be compared with 75: the flow says so and does not run."""
        filtered = self.t.step("filter")
        self.open_step(self.t.step("cast"))
        self.choose(self.t("canvas:cast.type", number=1), self.t("common:type.text"))
        self.expect_step(filtered, self.t("canvas:step.errors_one", count=1))
        self.open_step(filtered)
        expect(self.inspector.get_by_text("PM2.5").first).to_be_visible()
        expect(self.page.get_by_text(self.t("canvas:preview.blocked"))).to_be_visible(timeout=PATIENCE)
        self.button(self.t("canvas:run.run")).click()
        problems = self.page.get_by_role("list", name=self.t("canvas:problems.name"))
        expect(problems.get_by_text(filtered)).to_be_visible()
        expect(problems.get_by_text(self.t.pick("类型", "type"))).to_be_visible()

    def mend_it(self) -> None:
        """One click on what the message offers."""
        self.button(self.t.pick("先把“PM2.5”转换为小数", "Convert “PM2.5” to number before")).first.click()
        self.expect_fine(self.t.step("filter"))

    def read_result(self, expected: list[Row]) -> None:
        """The table on the run's page and the downloaded file, against SQL written by hand."""
        table = self.table(self.t("runs:results.rows_of", name="bad_air"))
        rows = sorted(cells(table))
        assert len(rows) == len(expected)
        for shown, (district, hours, mean, share) in zip(rows, sorted(expected), strict=True):
            assert shown[0] == district
            assert [as_number(cell) for cell in shown[1:]] == pytest.approx([hours, mean, share], abs=1e-6)
        self.button(self.t("runs:results.download")).click()
        with self.page.expect_download() as download:
            self.page.get_by_role("link", name=self.t("runs:results.csv")).click()
        with Path(download.value.path()).open(encoding="utf-8-sig", newline="") as file:
            lines = sorted(list(csv.reader(file))[1:])
        for line, row in zip(lines, sorted(expected), strict=True):
            assert line[0] == row[0]
            assert [float(cell) for cell in line[1:]] == pytest.approx(row[1:], rel=1e-12)

    def look_at_chart(self) -> None:
        self.page.get_by_text(self.t("runs:results.chart"), exact=True).click()
        chart = self.page.get_by_role("img", name=re.compile("bad_air"))
        expect(chart).to_be_visible(timeout=PATIENCE)


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_from_the_catalogue_to_a_right_answer(page: Page, studio: Studio, language: str) -> None:
    person = Journey(page, language)
    person.sign_in(SPEAKERS[language])
    person.start_from_catalogue()
    person.join_stations()
    person.change_type()
    person.filter_bad_air()
    person.derive_share()
    person.aggregate()
    person.keep_result()
    person.make_a_mistake()
    person.mend_it()
    person.run()
    person.read_result(independent_answer(studio.home))
    person.look_at_chart()
