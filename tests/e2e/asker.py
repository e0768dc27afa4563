"""What somebody does who wants to know: how a run is planned, where a number comes from, what has changed."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, expect

from tests.e2e.canvas import Canvas
from tests.e2e.person import PATIENCE


def between(words: str) -> re.Pattern[str]:
    """Words with something else in place of the dots."""
    return re.compile("^" + ".+".join(re.escape(part) for part in words.split("…")) + "$")


class Asker(Canvas):
    """Somebody who wants to know."""

    def open_starter(self) -> str:
        self.go("home")
        self.button(re.compile(self.t.pick("各区空气质量", "Air quality by district"))).click()
        self.expect_open()
        self.expect_saved()
        found = re.search(r"/flows/([0-9a-f-]{36})", self.page.url)
        assert found
        return found[1]

    def from_menu(self, entry: str) -> None:
        self.button(self.t("canvas:tool.more")).click()
        self.menu_item(entry)

    def open_plan(self) -> Locator:
        """Draw the plan over the canvas."""
        self.from_menu(self.t("canvas:plan.name"))
        plan = self.page.get_by_role("region", name=self.t("canvas:plan.name"), exact=True)
        expect(plan.get_by_role("heading", name=self.t("canvas:plan.stage", number=1))).to_be_visible(timeout=PATIENCE)
        return plan

    def look_at_plan(self) -> None:
        """Stages, their SQL, why not all of it is pushed, and about how many rows."""
        plan = self.open_plan()
        expect(plan.get_by_text(re.compile(r"SELECT\b")).first).to_be_visible()
        expect(plan.get_by_text(self.t("canvas:plan.why"))).to_be_visible()
        about = self.t("canvas:plan.about", rows="…", bytes="").split("…")[0].strip()
        expect(plan.get_by_text(about).first).to_be_visible()
        self.button(self.t("canvas:overlay.close")).click()
        expect(plan).to_have_count(0)

    def open_origin(self) -> Locator:
        """Ask the second cell of the first row where it comes from."""
        self.page.locator("[data-cell='0,1']").first.click()
        panel = self.page.get_by_role("dialog", name=self.t("runs:origin.title"))
        expect(panel.get_by_role("heading", name=self.t("runs:origin.sources"))).to_be_visible(timeout=PATIENCE)
        expect(panel.get_by_text(self.t("runs:origin.exact")).first).to_be_visible()
        return panel

    def ask_cell(self) -> None:
        """Ask a cell, then for the rows of every dataset behind it."""
        panel = self.open_origin()
        panel.get_by_role("button", name=between(self.t("runs:origin.show_of", title="…"))).first.click()
        rows = panel.get_by_role("region", name=between(self.t("runs:origin.rows_of", title="…"))).get_by_role("table")
        expect(rows.get_by_role("row").nth(1)).to_be_visible(timeout=PATIENCE)
        self.page.keyboard.press("Escape")
        expect(panel).to_have_count(0)

    def open_difference(self) -> Locator:
        """Draw what has changed since the first version."""
        self.from_menu(self.t("canvas:versions.name"))
        self.page.get_by_label(self.t("canvas:versions.choose", number=1)).check()
        self.button(self.t("canvas:overlay.draw_draft", old=1)).click()
        drawn = self.page.get_by_role("region", name=self.t("canvas:overlay.against_draft", old=1), exact=True)
        expect(drawn.get_by_text(f"+ {self.t('canvas:marks.added')}").first).to_be_visible(timeout=PATIENCE)
        return drawn

    def compare_with_draft(self) -> None:
        """The step that was added stands in the difference."""
        drawn = self.open_difference()
        expect(drawn.get_by_role("button", name=re.compile(re.escape(self.t.step("limit"))))).to_be_visible()
        self.page.keyboard.press("Escape")
        expect(drawn).to_have_count(0)

    def say(self, words: str) -> Locator:
        """Write a comment on the flow."""
        self.page.keyboard.press("Escape")
        self.page.get_by_role("tab", name=re.compile("^" + re.escape(self.t("canvas:comments.name")))).click()
        self.page.get_by_label(self.t("canvas:comments.write_flow")).fill(words)
        self.button(self.t("canvas:comments.send")).click()
        threads = self.page.get_by_role("list", name=self.t("canvas:comments.list"))
        expect(threads.get_by_text(words).first).to_be_visible(timeout=PATIENCE)
        return threads

    def comment(self, words: str) -> None:
        """Write a comment and settle it."""
        threads = self.say(words)
        self.button(self.t("canvas:comments.resolve"), threads).click()
        expect(threads.get_by_text(words)).to_have_count(0, timeout=PATIENCE)
