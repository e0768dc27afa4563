"""What somebody does who computes the slow part once: runs to a step, pins samples, edits them."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, expect

from tests.e2e.canvas import Canvas
from tests.e2e.person import PATIENCE


def around(words: str) -> re.Pattern[str]:
    """Words with something else in place of the dots."""
    return re.compile(".+".join(re.escape(part) for part in words.split("…")))


class Keeper(Canvas):
    """Somebody who computes the slow part once."""

    def open_starter(self) -> None:
        self.go("home")
        self.button(re.compile(self.t.pick("各区空气质量", "Air quality by district"))).click()
        self.expect_open()
        self.expect_saved()

    def expect_sample(self, words: str) -> None:
        """The line over the preview's rows."""
        panel = self.page.get_by_role("tabpanel", name=re.compile("^" + re.escape(self.t("canvas:preview.name"))))
        expect(panel.get_by_text(around(words)).first).to_be_visible(timeout=PATIENCE)

    def expect_marked(self, title: str, words: str) -> None:
        step = self.page.get_by_role("group", name=re.compile(re.escape(title) + ".*" + around(words).pattern))
        expect(step.first).to_be_visible(timeout=PATIENCE)

    def start_run_to(self, title: str) -> None:
        """Until the bar over the drawing says that it is done."""
        self.open_step(title)
        self.button(self.t("canvas:held.run"), self.inspector).click()
        expect(self.bar.get_by_role("status")).to_have_text(self.t("common:state.done"), timeout=PATIENCE)

    def pin(self) -> None:
        """Pin the sample of the chosen step, unless it is pinned."""
        unpin = self.button(self.t("canvas:held.unpin"), self.inspector)
        pin = self.button(self.t("canvas:held.pin"), self.inspector)
        expect(pin.or_(unpin)).to_be_visible(timeout=PATIENCE)
        if pin.count():
            pin.click()
        expect(unpin).to_be_visible(timeout=PATIENCE)
        self.expect_sample(self.t("canvas:held.pin_of", at="…"))

    def run_to(self, title: str) -> None:
        self.start_run_to(title)
        self.button(self.t("common:close"), self.bar).click()

    @property
    def bar(self) -> Locator:
        return self.page.get_by_role("group", name=self.t("canvas:held.bar"))

    def edit_first_cell(self, title: str, value: str) -> None:
        self.button(self.t("canvas:held.edit")).click()
        name = self.t("canvas:held.edit_title", step=title)
        dialog = self.page.get_by_role("dialog", name=name)
        dialog.locator("[data-cell='0,0']").click()
        cell = self.page.get_by_role("textbox", name=around(self.t("canvas:held.cell", row=1, column="…")))
        cell.fill(value)
        self.button(self.t("canvas:held.save")).click()
        expect(cell).to_have_count(0, timeout=PATIENCE)
        expect(dialog.locator("[data-cell='0,0']")).to_have_text(value, timeout=PATIENCE)
        self.button(self.t("common:close"), dialog).first.click()
        expect(dialog).to_have_count(0)

    def command(self, name: str) -> None:
        """Through Ctrl-K, by its name."""
        self.page.keyboard.press("Control+k")
        self.page.keyboard.type(name)
        self.page.get_by_role("option", name=re.compile(re.escape(name))).first.click()
