"""While somebody writes a query, its tables, columns, functions and words are offered, and taken by keyboard."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.canvas import Canvas
from tests.e2e.person import PATIENCE, SPEAKERS
from tests.e2e.screenshots import Person
from tests.e2e.tour import add_tour
from tests.studio_process import Studio

QUERY = 'select station, round("PM2.5") from air'


class Writer(Canvas):
    """Somebody who writes a query."""

    @property
    def query(self) -> Locator:
        return self.settings.get_by_label(self.t.setting("sql", "query"), exact=True)

    @property
    def offers(self) -> Locator:
        return self.page.get_by_role("listbox", name=self.t("canvas:completion.list")).get_by_role("option")

    def expect_chosen(self, *words: str) -> None:
        """The offer that Enter takes says these words."""
        for word in words:
            expect(self.offers.and_(self.page.locator("[aria-selected=true]"))).to_contain_text(word, timeout=PATIENCE)

    def type(self, words: str) -> None:
        self.page.keyboard.type(words)


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_a_query_is_written_with_what_is_offered(
    new_page: Callable[..., Page], browser: Browser, studio: Studio, language: str
) -> None:
    tour = add_tour(Person(browser, studio.url, SPEAKERS[language]).send)
    writer = Writer(new_page(locale=language), language)
    keyboard, query = writer.page.keyboard, writer.query
    writer.sign_in(SPEAKERS[language])
    writer.page.goto(f"/flows/{tour}")
    writer.expect_saved()
    writer.open_step(writer.t.step("sql"))
    query.press("Control+a")
    writer.type("select st")
    writer.expect_chosen("station", "air")
    expect(query).to_have_attribute("aria-activedescendant", re.compile("-0$"))
    keyboard.press("Enter")
    expect(query).to_have_value("select station")
    expect(writer.offers).to_have_count(0)
    writer.type(", ro")
    writer.expect_chosen("round(")
    keyboard.press("Tab")
    writer.type("pm")
    writer.expect_chosen("PM2.5")
    keyboard.press("Enter")
    writer.type(") from ")
    writer.expect_chosen("air", writer.t("canvas:completion.kind.table"))
    keyboard.press("Enter")
    expect(query).to_have_value(QUERY)
    writer.type(" a where a.")
    writer.expect_chosen("station")
    keyboard.press("ArrowDown")
    writer.expect_chosen("year")
    keyboard.press("Escape")
    expect(writer.offers).to_have_count(0)
    expect(query).to_be_focused()
    keyboard.press("Control+z")
    query.fill(QUERY)
    writer.expect_fine(writer.t.step("sql"))
