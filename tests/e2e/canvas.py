"""What a person does on the canvas, by visible controls only: roles and labels, never test ids or the API."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from tests.e2e.words import Words

PATIENCE = 30_000


class Canvas:
    """The canvas page in one language."""

    def __init__(self, page: Page, words: Words) -> None:
        self.page = page
        self.t = words

    def button(self, name: str, *, inside: Locator | Page | None = None, exact: bool = True) -> Locator:
        return (inside or self.page).get_by_role("button", name=name, exact=exact)

    def add_data(self, query: str, title: str) -> None:
        """Search the palette and click the dataset."""
        self.page.get_by_label(self.t("canvas:palette.search")).fill(query)
        self.button(self.t("canvas:palette.add_data", title=title)).first.click()
        self.page.get_by_label(self.t("canvas:palette.search")).fill("")

    def add_step(self, title: str) -> None:
        self.button(self.t("canvas:palette.add_step", title=title)).click()

    def step(self, title: str) -> Locator:
        """The box on the canvas whose accessible name begins with this step's name."""
        name = self.t("canvas:step.name", title=title, state="").rstrip()
        return self.page.get_by_role("group", name=re.compile("^" + re.escape(name))).first

    def select_steps(self, *titles: str) -> None:
        """Click the first, shift-click the others."""
        for index, title in enumerate(titles):
            self.step(title).click(modifiers=["Shift"] if index else [])

    def choose(self, label: str, option: str) -> None:
        """Pick one option of the drop-down called ``label``."""
        box = self.page.get_by_role("combobox", name=label, exact=True)
        box.click()
        box.fill(option) if box.is_editable() else None
        self.page.locator(".ant-select-dropdown:visible").get_by_text(option, exact=True).first.click()

    def choose_more(self, label: str, *options: str) -> None:
        """Pick several options of a multiple choice."""
        box = self.page.get_by_role("combobox", name=label, exact=True)
        for option in options:
            box.fill(option)
            self.page.locator(".ant-select-dropdown:visible").get_by_text(option, exact=True).first.click()
        self.page.keyboard.press("Escape")

    def expect_saved(self) -> None:
        saved = re.compile(self.t("canvas:sync.saved_at", time="").strip() + r"|" + self.t("canvas:sync.saved"))
        expect(self.page.get_by_text(saved).first).to_be_visible(timeout=PATIENCE)

    def preview_table(self, title: str) -> Locator:
        """The preview of a step, once it shows rows."""
        table = self.page.get_by_role("table", name=self.t("canvas:preview.table", title=title))
        expect(table).to_be_visible(timeout=PATIENCE)
        return table

    def expect_columns(self, *names: str) -> None:
        """The preview shows these columns."""
        for name in names:
            header = self.page.get_by_role("columnheader", name=re.compile("^" + re.escape(name))).first
            expect(header).to_be_visible(timeout=PATIENCE)
