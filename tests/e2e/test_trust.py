"""Plan, differences and comments on the canvas; where a number comes from; who uses a column. In both languages."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.asker import Asker
from tests.e2e.person import PATIENCE, SPEAKERS


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_a_number_can_be_followed_back(new_page: Callable[..., Page], language: str) -> None:
    asker = Asker(new_page(locale=language), language)
    asker.sign_in(SPEAKERS[language])
    flow = asker.open_starter()
    asker.look_at_plan()
    asker.run()
    state = asker.page.get_by_role("main").get_by_role("status").first
    expect(state).to_have_text(asker.t("common:state.done"), timeout=PATIENCE)
    asker.ask_cell()
    asker.page.goto(f"/flows/{flow}")
    asker.expect_open()
    asker.add_step("limit")
    asker.expect_saved()
    asker.compare_with_draft()
    asker.comment(asker.t.pick("为什么是 75？", "Why 75?"))
    asker.find_dataset(asker.t.pick("空气质量", "air quality"), asker.t.pick("逐小时空气质量", "Hourly air quality"))
    asker.page.get_by_role("tab", name=asker.t("catalogue:dataset.tab.uses")).click()
    expect(asker.page.get_by_role("rowheader", name="PM2.5", exact=True).first).to_be_visible(timeout=PATIENCE)
