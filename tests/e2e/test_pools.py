"""An operator gives works places, somebody chooses them for a flow: it waits while they are closed, then goes on."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.e2e.person import PATIENCE
from tests.e2e.pools import PoolKeeper

NAME = "扫描仪"


def test_a_pool_is_made_chosen_closed_opened_and_removed(new_page: Callable[..., Page]) -> None:
    operator, owner = PoolKeeper(new_page(), "zh-CN"), PoolKeeper(new_page(), "zh-CN")
    t = operator.t
    operator.sign_in("zhao.min")
    operator.go("monitor")
    operator.make_pool(NAME, 2, "只有两台")
    operator.expect_line(NAME, "0 / 2", waiting=0, flows=0)

    form = operator.open_new()
    operator.fill(form, NAME, 1)
    expect(form.get_by_text("已有同名的资源池。")).to_be_visible(timeout=PATIENCE)
    operator.page.keyboard.press("Escape")
    expect(form).to_have_count(0)

    owner.sign_in("wang.fang")
    owner.open_starter()
    owner.choose_pool(f"{NAME}（2 个名额）")
    operator.expect_line(NAME, "0 / 2", waiting=0, flows=1)

    operator.change_places(NAME, 0)
    operator.expect_line(NAME, t("monitor:pools.closed"), waiting=0, flows=1)
    owner.run()
    expect(owner.page.get_by_text(f"等待资源池“{NAME}”：该资源池已关闭", exact=False).first).to_be_visible(
        timeout=PATIENCE
    )
    operator.expect_line(NAME, t("monitor:pools.closed"), waiting=1, flows=1)
    operator.change_places(NAME, 1)
    expect(owner.page.get_by_text(t("common:state.done"), exact=True).first).to_be_visible(timeout=PATIENCE)
    operator.expect_line(NAME, "0 / 1", waiting=0, flows=1)

    operator.remove_pool(NAME)
    refused = operator.pools.get_by_role("alert")
    expect(refused.get_by_text(f"有 1 个流程正在使用资源池“{NAME}”", exact=False)).to_be_visible(timeout=PATIENCE)
    expect(operator.line(NAME)).to_be_visible()

    owner.page.go_back()
    owner.expect_open()
    owner.choose_pool(t.pick("不使用", "none"))
    operator.remove_pool(NAME)
    expect(operator.line(NAME)).to_have_count(0, timeout=PATIENCE)
    expect(refused).to_have_count(0)
