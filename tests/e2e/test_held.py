"""Run to here and pinned samples by visible controls: what is kept, where previews say so, and an edited cell."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.e2e.keeper import Keeper
from tests.e2e.person import SPEAKERS


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
