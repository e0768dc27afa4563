"""A table typed by hand: pasted from a spreadsheet, changed by keyboard, wrong cells told where they are, and run."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.canvas import Canvas
from tests.e2e.person import PATIENCE, SPEAKERS, cells

SHEET = "code\tlimit\tsince\nA1\t75\t2016-01-01\nB2\t150.5\t2016/3/1\n"


class Typist(Canvas):
    """Somebody who fills in a small table."""

    def begin(self) -> None:
        """A new app with a table and an output behind it."""
        self.sign_in(SPEAKERS[self.t.language])
        self.begin_app()
        self.expect_open()
        self.button(re.compile(re.escape(self.t("canvas:start.blank")))).first.click()
        self.press("Escape")
        self.add_step("table")
        self.add_step("output")
        self.open_step(self.t.step("table"))

    def paste(self, text: str) -> None:
        """Into what has the keyboard, as from a spreadsheet."""
        self.page.evaluate("text => navigator.clipboard.writeText(text)", text)
        self.press("Control+v")

    @property
    def rows(self) -> Locator:
        return self.settings.get_by_role("grid", name=self.t.setting("table", "rows"))

    def cell(self, row: int, column: str) -> Locator:
        """The field of a cell, which is there while the cell has the keyboard."""
        return self.settings.get_by_role("textbox", name=self.t("canvas:typed.cell", row=row, column=column))

    def expect_rows(self, *rows: tuple[str, ...]) -> None:
        """What the grid shows, without the row in which a new one can be begun."""
        lines = self.rows.locator("tbody tr")
        expect(lines).to_have_count(len(rows) + 1)
        for place, row in enumerate(rows):
            for column, text in enumerate(row):
                found = lines.nth(place).get_by_role("gridcell").nth(column)
                shown = found.evaluate("cell => cell.querySelector('input')?.value ?? cell.innerText")
                assert shown == text, (place, column, shown)


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_a_table_is_pasted_changed_and_run(new_page: Callable[..., Page], language: str) -> None:
    permissions = ["clipboard-read", "clipboard-write"]
    typist = Typist(new_page(locale=language, permissions=permissions), language)
    t, page = typist.t, typist.page
    typist.begin()

    # An empty table takes one from a spreadsheet as it is, with its names, and with types by its values.
    typist.settings.get_by_label(t.setting("table", "rows"), exact=True).click()
    typist.paste(SHEET)
    typist.expect_rows(("A1", "75", "2016-01-01"), ("B2", "150.5", "2016/3/1"))
    typist.expect_fine(t.step("table"))

    # Enter goes down and beyond the last row, Tab to the right; what was typed stays.
    typist.rows.get_by_role("gridcell", name="B2").click()
    expect(typist.cell(2, "code")).to_be_focused()
    typist.press("Enter")
    expect(typist.cell(3, "code")).to_be_focused()
    page.keyboard.type("C3")
    typist.press("Tab")
    expect(typist.cell(3, "limit")).to_be_focused()
    page.keyboard.type("much")
    typist.press("Enter")
    typist.expect_rows(
        ("A1", "75", "2016-01-01"),
        ("B2", "150.5", "2016/3/1"),
        ("C3", "much", ""),
    )

    # What does not fit is told, and the telling leads to the cell.
    told = typist.settings.get_by_role("button", name=re.compile(t.pick("第 3 行“limit”列", "Row 3, column “limit”")))
    expect(told).to_be_visible(timeout=PATIENCE)
    told.click()
    expect(typist.cell(3, "limit")).to_be_focused()
    expect(typist.cell(3, "limit")).to_have_attribute("aria-invalid", "true")
    page.keyboard.type("12")
    typist.press("Enter")
    typist.expect_fine(t.step("table"))

    # Escape leaves the cell as it was, Delete empties it; a block is pasted from the cell on, and adds rows.
    typist.press("ArrowUp", "ArrowRight")
    expect(typist.cell(3, "since")).to_be_focused()
    page.keyboard.type("never")
    typist.press("Escape")
    expect(typist.cell(3, "since")).to_have_value("")
    typist.press("ArrowUp", "Delete", "ArrowDown", "Home")
    expect(typist.cell(3, "code")).to_be_focused()
    typist.paste("D4\t1\nE5\t2\n")
    typist.expect_rows(
        ("A1", "75", "2016-01-01"),
        ("B2", "150.5", ""),
        ("D4", "1", ""),
        ("E5", "2", ""),
    )

    # A column is made anew at the end and taken away; its cells go with it.
    typist.button(t("canvas:typed.add_column"), typist.settings).click()
    expect(typist.rows.get_by_role("columnheader")).to_have_count(5)
    typist.button(t("canvas:list.remove", name="since"), typist.settings).click()
    expect(typist.rows.get_by_role("columnheader")).to_have_count(4)
    typist.expect_rows(("A1", "75", ""), ("B2", "150.5", ""), ("D4", "1", ""), ("E5", "2", ""))
    typist.expect_fine(t.step("table"))

    # The preview has the rows in their order, and a run keeps them.
    table = typist.expect_columns(t.step("table"), "code", "limit", but=("since",))
    assert [row[0] for row in cells(table)] == ["A1", "B2", "D4", "E5"]
    typist.run()
    expect(page.get_by_text(t("common:state.done")).first).to_be_visible(timeout=PATIENCE)
