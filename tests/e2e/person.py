"""What a person does in the studio outside of the canvas, by visible controls only: roles and labels, never the API."""

from __future__ import annotations

import re
from contextlib import suppress

from playwright.sync_api import Locator, Page, TimeoutError, expect

from studio.demo.accounts import PASSWORD
from tests.e2e.words import Words
from tests.services import wait_until

PATIENCE = 60_000
SPEAKERS = {"zh-CN": "wang.fang", "en": "emma.clark"}
"""Business staff of the same department, by the language of their account."""


class Person:
    """Somebody at a browser who reads one language."""

    def __init__(self, page: Page, language: str) -> None:
        self.page = page
        self.t = Words(language)

    def button(self, name: str | re.Pattern[str], inside: Locator | None = None) -> Locator:
        exact = isinstance(name, str)
        return (inside or self.page).get_by_role("button", name=name, exact=exact)

    def sign_in(self, user: str, password: str = PASSWORD) -> None:
        self.page.goto("/")
        self.page.get_by_label(self.t("account:sign_in.username")).fill(user)
        self.page.get_by_label(self.t("account:sign_in.password"), exact=True).fill(password)
        self.button(self.t("account:sign_in.submit")).click()
        expect(self.page.get_by_role("navigation", name=self.t("common:nav.label"))).to_be_visible(timeout=PATIENCE)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def go(self, place: str) -> None:
        """One of the places in the left rail."""
        rail = self.page.get_by_role("navigation", name=self.t("common:nav.label"))
        rail.get_by_role("link", name=self.t(f"common:nav.{place}"), exact=True).click()

    def find_dataset(self, query: str, title: str) -> None:
        """Search the catalogue and open the card."""
        self.go("catalogue")
        self.page.get_by_label(self.t("catalogue:search.label")).fill(query)
        results = self.page.get_by_role("region", name=self.t("catalogue:results.label"))
        self.page.wait_for_url("**/catalogue?q=*", timeout=PATIENCE)
        expect(results).to_have_attribute("aria-busy", "false", timeout=PATIENCE)
        heading = self.page.get_by_role("heading", name=title, level=1)
        link = results.get_by_role("link", name=title, exact=True).first

        def is_there() -> bool:
            # A list that is just being drawn anew may swallow a click: a person clicks again. And a click that has
            # already led away finds no link any more, so each attempt is short.
            if not heading.count() and link.count():
                with suppress(TimeoutError):
                    link.click(timeout=2_000)
            return bool(heading.count())

        wait_until(is_there, PATIENCE / 1000, f"the page of {title}")
        expect(heading).to_be_visible(timeout=PATIENCE)

    def choose(self, label: str, option: str, inside: Locator | None = None) -> None:
        """Pick one option of the drop-down called ``label``."""
        self._open(label, inside)
        self._option(option).click()

    def choose_more(self, label: str, *options: str) -> None:
        """Pick several options of a multiple choice."""
        self._open(label)
        for option in options:
            self._option(option).click()
        self.page.keyboard.press("Escape")

    def _open(self, label: str, inside: Locator | None = None) -> None:
        # The chosen text lies over the input: a person clicks the box as a whole.
        box = (inside or self.page).get_by_role("combobox", name=label, exact=True)
        box.locator("xpath=ancestor-or-self::*[contains(concat(' ', @class, ' '), ' ant-select ')][1]").click()

    def _option(self, option: str) -> Locator:
        shown = self.page.locator(".ant-select-dropdown:visible .ant-select-item-option")
        return shown.filter(has=self.page.get_by_text(option, exact=True)).first

    def menu_item(self, name: str) -> None:
        """Click an entry of the menu that is open."""
        self.page.get_by_role("menuitem", name=name).first.click()

    def table(self, label: str) -> Locator:
        """A table of data rows, once it is there."""
        found = self.page.get_by_role("region", name=label, exact=True)
        expect(found).to_be_visible(timeout=PATIENCE)
        return found.get_by_role("table")


def cells(table: Locator) -> list[list[str]]:
    """The texts of the rows that are on screen, without the head."""
    return table.evaluate(
        "table => [...table.tBodies[0].rows].filter(row => row.cells.length)"
        ".map(row => [...row.cells].map(cell => cell.innerText.trim()))"
    )


def headings(table: Locator) -> list[str]:
    """The names of the columns."""
    return table.locator("thead th [title]").evaluate_all("marks => marks.map(mark => mark.title)")


def as_number(shown: str) -> float:
    """The number in a cell, with its thousands marks."""
    return float(shown.replace(",", ""))
