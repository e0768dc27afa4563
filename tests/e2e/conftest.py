"""The whole studio as a newcomer starts it (`manage.py up` with the demo city), and a real browser.

`studio` is started once per session on a free port with a DATA_HOME of its own. `page` is a fresh browser context per
test; what the page writes to its console as an error, or throws, fails the test at its end.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from studio.demo.accounts import PASSWORD
from tests.studio_process import ROOT, Studio, running_studio

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--force-color-profile=srgb", "--font-render-hinting=none",
]  # fmt: skip
VIEWPORT = {"width": 1366, "height": 768}
HARMLESS = ("favicon",)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.e2e)
            item.add_marker(pytest.mark.timeout(240))


@pytest.fixture(scope="session")
def studio() -> Iterator[Studio]:
    """The demo studio that all browser tests share."""
    if not (ROOT / "frontend" / "dist" / ".vite" / "manifest.json").exists():
        pytest.fail("The pages are not built: run `make setup`.")
    with running_studio() as started:
        yield started


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Playwright's driver."""
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """One browser for the session."""
    if not Path(CHROMIUM).exists():
        if os.environ.get("CITYGO_NEED_SERVICES") == "1":
            pytest.fail(f"{CHROMIUM} is missing (Debian package chromium)")
        pytest.skip(f"{CHROMIUM} is missing (Debian package chromium)")
    started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
    yield started
    started.close()


@pytest.fixture
def language() -> str:
    """The language of the browser; a test module may override it."""
    return "zh-CN"


@pytest.fixture
def new_page(browser: Browser, studio: Studio, language: str) -> Iterator[Callable[..., Page]]:
    """Makes pages, each in a context of its own (another person, another computer)."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def make(expected: tuple[str, ...] = (), **more: Any) -> Page:
        options = {"viewport": VIEWPORT, "locale": language, "timezone_id": "Asia/Shanghai", "base_url": studio.url}
        context = browser.new_context(**{**options, **more})
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(f"thrown: {error}"))
        page.on("console", lambda message: _note(message, complaints, expected))
        return page

    yield make
    for context in contexts:
        context.close()
    assert not complaints, "The pages complained:\n" + "\n".join(complaints)


def _note(message: Any, complaints: list[str], expected: tuple[str, ...]) -> None:
    text = message.text
    is_expected = "status of 4" in text or "status of 503" in text or any(word in text for word in HARMLESS + expected)
    if message.type == "error" and not is_expected:
        complaints.append(f"console: {text}")


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    """One page of a fresh browser context."""
    return new_page()


def sign_in(page: Page, user: str = "wang.fang", password: str = PASSWORD) -> None:
    """Through the sign-in page, as a person does."""
    page.goto("/sign-in")
    page.locator("input[autocomplete=username]").fill(user)
    page.locator("input[autocomplete=current-password]").fill(password)
    page.locator("button[type=submit]").click()
    page.wait_for_url(lambda url: "/sign-in" not in url)
