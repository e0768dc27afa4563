"""A browser that is killed while somebody edits: at most the last operation is lost.

A real Chromium with a profile on disk gets SIGKILL at random moments, is started again with the same profile, and must
show what it had shown: the promise is about one's own computer, on which neither the browser nor the page can say
goodbye.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Error, Page, Playwright

from tests.api_client import ApiClient
from tests.e2e.conftest import CHROMIUM, FLAGS, VIEWPORT, sign_in
from tests.e2e.person import PATIENCE
from tests.services import wait_until
from tests.studio_process import Studio

KILLS = int(os.environ.get("KILLS") or 15)
LONGEST_S = 0.6
"""The browser is killed within so long after the first edit."""
PACE_MS = 110
"""A person's quickest edits are a tenth of a second apart."""
MOST_STEPS = 14
USER = "wang.fang"

Picture = dict[str, str]
"""What the canvas shows: the place of each step, by its id."""

SHOWN = """() => Object.fromEntries([...document.querySelectorAll(".react-flow__node")]
  .map(one => [one.dataset.id, one.style.transform]))"""
SHOWN_ANEW = f"""before => {{
  const now = ({SHOWN})(), keys = Object.keys(now);
  const isSame = keys.length === Object.keys(before).length && keys.every(key => now[key] === before[key]);
  return isSame ? null : now;
}}"""


class Browser:
    """A Chromium with a profile of its own, signed in, with one flow open."""

    def __init__(self, driver: Playwright, studio: Studio, profile: Path, cookies: list[Any]) -> None:
        self._profile = profile
        self._context = driver.chromium.launch_persistent_context(
            profile, executable_path=CHROMIUM, args=FLAGS, viewport=VIEWPORT, locale="en", base_url=studio.url
        )
        self._context.set_default_timeout(PATIENCE)
        # Who had signed in is no part of the promise: that cookie is written to disk now and then only.
        self._context.add_cookies(cookies)
        self._page = self._context.pages[0]

    def open(self, flow: str) -> None:
        self._page.goto(f"/flows/{flow}", wait_until="commit")
        self._page.locator(".react-flow__node").first.wait_for()

    def shown(self) -> Picture:
        return dict(self._page.evaluate(SHOWN))

    def edit_until_killed(self, dice: random.Random, seen: list[Picture]) -> None:
        """One edit by keyboard after the other; what the page shows after each is added to ``seen``."""
        self._select(dice)
        self._edit(dice, seen)
        killer = threading.Timer(dice.uniform(0, LONGEST_S), self.kill)
        killer.start()
        try:
            while True:
                self._page.wait_for_timeout(PACE_MS)
                self._edit(dice, seen)
        except Error:
            killer.join()
            assert not self._own_processes(), "the browser was killed, and nothing else went wrong"
        finally:
            killer.join()
            with contextlib.suppress(Error):
                self._context.close()

    def close(self) -> None:
        self._context.close()

    def kill(self) -> None:
        """SIGKILL to the browser and to all that belongs to it."""
        for process in self._own_processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        wait_until(lambda: not self._own_processes(), 30, "the killed browser has ended")

    def _select(self, dice: random.Random) -> None:
        boxes = self._page.locator(".react-flow__node")
        box = boxes.nth(dice.randrange(boxes.count()))
        box.focus()
        box.press("Enter")
        self._page.locator(".react-flow__node.selected").first.wait_for()

    def _edit(self, dice: random.Random, seen: list[Picture]) -> None:
        if len(seen[-1]) >= MOST_STEPS:
            self._page.keyboard.press("Delete")
            seen.append(self._changed(seen[-1]))
            return self._select(dice)
        if dice.random() < 0.35:
            self._page.keyboard.press("Control+d")
        else:
            key = dice.choice(("ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"))
            self._page.locator(".react-flow__node.selected").first.press(key)
        seen.append(self._changed(seen[-1]))
        return None

    def _changed(self, before: Picture) -> Picture:
        return dict(self._page.wait_for_function(SHOWN_ANEW, arg=before).json_value())

    def _own_processes(self) -> list[int]:
        mark, found = str(self._profile).encode(), []
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                is_alive = "\nState:\tZ" not in (entry / "status").read_text()
                if is_alive and mark in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
        return found


def lost_operations(seen: list[Picture], found: Picture) -> int | None:
    """How many of the operations that were seen are missing in what was found; None: it was never shown like this."""
    for lost, picture in enumerate(reversed(seen)):
        if picture == found:
            return lost
    # The last key may have been pressed without its effect being seen: one operation more than was seen.
    changed = {step for step in seen[-1].keys() | found.keys() if seen[-1].get(step) != found.get(step)}
    return 0 if len(changed) == 1 else None


@pytest.mark.timeout(900)
def test_a_killed_browser_loses_at_most_one_operation(
    new_page: Callable[..., Page], playwright: Playwright, studio: Studio, tmp_path: Path
) -> None:
    app = ApiClient(studio, USER).post(
        "apps", {"title": {"zh-CN": "断电", "en": "Power cut"}, "template": "air_quality"}
    )
    flow, dice = app["flows"][0]["id"], random.Random(50)
    page = new_page()
    sign_in(page, USER)
    cookies = page.context.cookies()
    page.context.close()

    def start() -> Browser:
        browser = Browser(playwright, studio, tmp_path / "profile", cookies)
        browser.open(flow)
        return browser

    browser = start()
    losses: list[int] = []
    for kill in range(KILLS):
        seen = [browser.shown()]
        browser.edit_until_killed(dice, seen)
        browser = start()
        found = browser.shown()
        lost = lost_operations(seen, found)
        assert lost is not None, f"kill {kill}: shown was {seen[-1]}, found {found}"
        assert lost <= 1, f"kill {kill}: {lost} of {len(seen) - 1} operations are lost"
        losses.append(lost)
    browser.close()
    print(f"{KILLS} kills: {losses.count(1)} lost their last operation")
