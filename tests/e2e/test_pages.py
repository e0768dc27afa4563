"""Every page opens for who uses it, in both languages and themes: nothing thrown, nothing refused by the security
policy, nothing too wide at 1366×768, and nothing that axe calls serious or critical."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.asker import Asker
from tests.e2e.conftest import sign_in
from tests.e2e.person import PATIENCE
from tests.e2e.screenshots import SHOTS, Person, Shot, prepare_city
from tests.studio_process import ROOT, Studio

AXE = ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
GRAVE = ("serious", "critical")
LOOKS = [(shot, language) for shot in SHOTS for language in ("zh-CN", "en") if language == "zh-CN" or not shot.prepare]
"""Pages in both languages; what opens over them is made of the same parts, so one language does."""
AT_REST = """() => document.getAnimations().every(
  one => one.playState !== "running" || one.effect.getComputedTiming().iterations === Infinity)"""
"""Colours that still fade from one theme into the other are no colours to judge."""


@pytest.fixture(scope="module")
def made(browser: Browser, studio: Studio) -> dict[str, Any]:
    return prepare_city(browser, studio)


@pytest.fixture(scope="module")
def people(browser: Browser, studio: Studio) -> Iterator[Callable[[str], Person]]:
    """Everybody who has a page in the list, signed in once."""
    known: dict[str, Person] = {}

    def person(user: str) -> Person:
        if user not in known:
            known[user] = Person(browser, studio.url, user)
        return known[user]

    yield person
    for one in known.values():
        if one.request.get("/api/session").ok:
            one.send("patch", "/api/me", {"language": "zh-CN", "theme": "light"})
        one.context.close()


def problems_of(page: Page, *rules: str) -> list[str]:
    """What axe finds grave, in lines to read: rule, place, why."""
    page.wait_for_function(AT_REST)
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(f"() => {{ {AXE.read_text(encoding='utf-8')} }}")
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = {"type": "rule", "values": list(rules)}
    found = page.evaluate("options => axe.run(document, options)", options)["violations"]
    return [
        f"{one['id']} ({one['impact']}): {place['html'][:200]} {place['failureSummary']}"
        for one in found
        if one["impact"] in GRAVE
        for place in one["nodes"]
    ]


def assert_fits(page: Page) -> None:
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{wide} px too wide"


def test_a_wrong_password_is_said_in_words(page: Page) -> None:
    page.goto("/sign-in")
    page.locator("input[autocomplete=username]").fill("wang.fang")
    page.locator("input[autocomplete=current-password]").fill("not the password")
    page.locator("button[type=submit]").click()
    expect(page.get_by_text("用户名或密码不正确")).to_be_visible()


@pytest.mark.parametrize("shot, language", LOOKS, ids=lambda value: getattr(value, "name", value))
def test_the_page_is_in_order(
    new_page: Callable[..., Page],
    made: dict[str, Any],
    people: Callable[[str], Person],
    shot: Shot,
    language: str,
) -> None:
    person = people(shot.user)
    if shot.user:
        person.send("patch", "/api/me", {"language": language, "theme": "light"})
    asker = Asker(new_page(storage_state=person.context.storage_state()), language)
    page = asker.page
    page.goto(shot.path(made))
    page.wait_for_load_state("networkidle")
    expect(page.get_by_role("main").first).to_be_visible(timeout=PATIENCE)
    expect(page.locator("html")).to_have_attribute("lang", language)
    if shot.prepare:
        shot.prepare(asker)
    assert_fits(page)
    assert not problems_of(page)
    if shot.name.startswith("step-"):
        expect(asker.button(re.compile("^" + asker.t("canvas:tool.undo")))).to_be_disabled()
    if language == "zh-CN":
        look_in_the_dark(asker, shot)
    if shot.leave:
        shot.leave(asker)


def look_in_the_dark(asker: Asker, shot: Shot) -> None:
    """The same in the dark theme; a panel that lies over the switch is closed and opened again."""
    page, panel = asker.page, asker.page.get_by_role("dialog")
    is_covered = bool(panel.count())
    if is_covered:
        page.keyboard.press("Escape")
        expect(panel).to_have_count(0)
    asker.button(asker.t("common:top.theme_dark")).click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    if is_covered and shot.prepare:
        shot.prepare(asker)
    assert not problems_of(page, "color-contrast")


def test_the_api_can_be_browsed_offline(page: Page) -> None:
    sign_in(page, "wang.fang")
    page.goto("/api/docs/")
    expect(page.locator(".swagger-ui .info")).to_be_visible(timeout=30_000)
