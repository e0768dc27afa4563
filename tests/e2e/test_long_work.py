"""Long work is watched, looked into, stopped and gone on with: the iterations of a for-each, the profiles of a node."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.onlooker import Onlooker, add_wide_node
from tests.e2e.person import PATIENCE
from tests.e2e.screenshots import Person
from tests.e2e.tour import DAYS, add_days
from tests.services import wait_until
from tests.studio_process import Studio

TABLES = 200


@pytest.fixture(scope="module")
def days(browser: Browser, studio: Studio) -> str:
    """The flow whose for-each fails on some days, as wang.fang has it."""
    return add_days(Person(browser, studio.url, "wang.fang").send)


@pytest.fixture(scope="module")
def node(browser: Browser, studio: Studio) -> str:
    return add_wide_node(Person(browser, studio.url, "li.qiang").send, studio.home, "reports", TABLES)


def expect_steps(onlooker: Onlooker, state: str) -> None:
    """What is inside the first iteration of this state: the steps of the sub-flow, one of them in that state."""
    steps = onlooker.look_into_first(state).get_by_role("group")
    for key in ("read", "filter", "derive", "output"):
        expect(steps.filter(has_text=onlooker.t.step(key)).first).to_be_visible(timeout=PATIENCE)
    word = onlooker.t(f"common:state.{state}")
    expect(steps.filter(has_text=word).first).to_be_visible(timeout=PATIENCE)


def test_iterations_are_counted_and_looked_into(page: Page, days: str) -> None:
    onlooker = Onlooker(page, "zh-CN")
    t = onlooker.t
    onlooker.sign_in("wang.fang")
    page.goto(f"/flows/{days}")
    onlooker.run()
    onlooker.open_iterations()
    seen: list[int] = []

    def has_ended() -> bool:
        ended, total = onlooker.turns() or (0, DAYS)
        assert total == DAYS
        if ended > max(seen, default=0):
            seen.append(ended)
        return ended == DAYS

    wait_until(has_ended, 120, "the last iteration")
    print("iterations on screen:", seen)
    assert any(0 < ended < DAYS for ended in seen)

    onlooker.show_only("failed")
    failed = onlooker.lines.count()
    assert 0 < failed < DAYS
    expect(onlooker.drawer.get_by_text(t("runs:inside.failed_other", shown=failed))).to_be_visible()
    expect(onlooker.lines.first).to_contain_text("转换")
    expect_steps(onlooker, "failed")
    expect(onlooker.drawer.get_by_text("'暴雨'")).to_be_visible()

    expect_steps(onlooker, "done")
    expect(onlooker.drawer.get_by_text(t("runs:inside.version", version=1))).to_be_visible()


def test_a_scan_is_watched_stopped_and_gone_on_with(page: Page, node: str) -> None:
    onlooker = Onlooker(page, "zh-CN")
    onlooker.sign_in("li.qiang")
    page.goto(f"/catalogue/nodes/{node}")
    onlooker.watch_scan()
    first = onlooker.scanned()
    wait_until(lambda: onlooker.scanned() > first, PATIENCE / 1000, "the count grows")
    page.reload()
    wait_until(onlooker.scanned, PATIENCE / 1000, "the scan is found again after a reload")
    stopped = onlooker.scanned()
    onlooker.stop_scan()

    onlooker.scan_button.click()
    rest = onlooker.expect_scan_done()
    print(f"scan: {first}, stopped after {stopped}, then {rest} of {TABLES}")
    assert first < stopped
    assert 0 < rest <= TABLES - stopped
    onlooker.scan_button.click()
    expect(page.get_by_text(onlooker.t("catalogue:node.profile_none"))).to_be_visible(timeout=PATIENCE)
