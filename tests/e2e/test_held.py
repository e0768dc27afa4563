"""Run to here and pinned samples by visible controls: what is kept, where previews say so, and an edited cell."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.canvas import Canvas
from tests.e2e.person import PATIENCE, SPEAKERS


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

    def run_to(self, title: str) -> None:
        self.open_step(title)
        self.button(self.t("canvas:held.run"), self.inspector).click()
        expect(self.bar.get_by_role("status")).to_have_text(self.t("common:state.done"), timeout=PATIENCE)
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


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_a_slow_part_is_computed_once_and_its_sample_pinned(new_page: Callable[..., Page], language: str) -> None:
    keeper = Keeper(new_page(locale=language), language)
    t = keeper.t
    joined = t.pick("关联站点", "Join the stations")
    measured = t.pick("去掉缺测的小时", "Measured hours only")
    keeper.sign_in(SPEAKERS[language])
    keeper.open_starter()
    keeper.run_to(measured)
    keeper.expect_sample(t("canvas:held.result", number="…", at="…"))
    keeper.open_step(joined)
    kept = t("canvas:held.of_step", what=t("canvas:held.result", number="…", at="…"), step=measured)
    keeper.expect_sample(kept)
    keeper.step(measured).click()
    keeper.page.keyboard.press("p")
    keeper.expect_marked(measured, t("canvas:held.pin_of", at="…"))
    keeper.expect_sample(t("canvas:held.pin_of", at="…"))
    keeper.edit_first_cell(measured, "1999")
    keeper.open_step(joined)
    keeper.expect_sample(t("canvas:held.of_step", what=t("canvas:held.edited_pin", at="…"), step=measured))
    keeper.step(measured).click()
    keeper.command(t("canvas:held.unpin"))
    keeper.expect_marked(measured, t("canvas:held.result", number="…", at="…"))
