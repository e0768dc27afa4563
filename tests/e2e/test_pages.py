"""Every page opens for who uses it: nothing thrown, nothing refused by the security policy, nothing too wide."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import sign_in
from tests.e2e.screenshots import SHOTS, Shot, prepare_city
from tests.studio_process import Studio


@pytest.fixture(scope="module")
def made(browser: Browser, studio: Studio) -> dict[str, Any]:
    return prepare_city(browser, studio.url)


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_signing_in_and_out_again(page: Page, language: str) -> None:
    sign_in(page, "wang.fang")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    page.reload()
    expect(page).not_to_have_url("**/sign-in**")


def test_a_wrong_password_is_said_in_words(page: Page) -> None:
    page.goto("/sign-in")
    page.locator("input[autocomplete=username]").fill("wang.fang")
    page.locator("input[autocomplete=current-password]").fill("not the password")
    page.locator("button[type=submit]").click()
    expect(page.get_by_text("用户名或密码不正确")).to_be_visible()


@pytest.mark.parametrize("shot", SHOTS, ids=lambda shot: shot.name)
def test_the_page_opens(new_page: Callable[..., Page], made: dict[str, Any], shot: Shot) -> None:
    page = new_page()
    if shot.user:
        sign_in(page, shot.user)
    page.goto(shot.path(made))
    page.wait_for_load_state("load")
    expect(page.locator("#root")).not_to_be_empty()
    expect(page.get_by_role("main").first).to_be_visible()
    shot.prepare(page)
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{wide} px too wide"


def test_the_api_can_be_browsed_offline(page: Page) -> None:
    sign_in(page, "wang.fang")
    page.goto("/api/docs/")
    expect(page.locator(".swagger-ui .info")).to_be_visible(timeout=30_000)
