"""A run is watched live: counts grow on screen, also in a browser that another web process serves; and a screen that
has lost its socket says so and greys until it is there again."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.api_client import ApiClient
from tests.e2e.canvas import Canvas
from tests.e2e.person import PATIENCE
from tests.e2e.second_web import SecondWeb, second_web
from tests.services import patience, wait_until
from tests.studio_process import Studio

USER = "wang.fang"
KEPT = "Kept"
TRIPS = {
    "kind": "flow", "spec": "1", "title": {"en": "Trips"}, "datasets": {"trips": "33A017/FLDEM00005-2.0001"},
    "steps": {
        "trips": {"type": "read", "version": 1, "settings": {"dataset": "trips"}},
        "kept": {"type": "output", "version": 1, "settings": {"name": "trips"}, "title": {"en": KEPT, "zh-CN": KEPT}},
    },
    "wires": [{"from": "trips.out", "to": "kept.in"}],
}  # fmt: skip
LEAST_COUNTS = 5
SAYS_SO_WITHIN = 5.0
LOST = ("net::ERR_",)
"""What the browser itself notes when a server is gone."""


@pytest.fixture(scope="module")
def second(studio: Studio) -> Iterator[SecondWeb]:
    with second_web(studio) as started:
        yield started


class Watcher(Canvas):
    """Somebody who looks at the page of a run."""

    def __init__(self, page: Page, language: str = "zh-CN") -> None:
        super().__init__(page, language)
        self.counts: list[int] = []

    def start_trips(self, studio: Studio) -> None:
        """A run that keeps millions of trips: they are counted while they are written."""
        client = ApiClient(studio, USER)
        self.page.goto(f"/runs/{client.start(client.add_flow('Trips', TRIPS))['id']}")

    def open_run(self, url: str) -> None:
        """The same run by its address, as a colleague would send it; from the web process of this browser."""
        self.page.goto(urlsplit(url).path)

    @property
    def drawing(self) -> Locator:
        return self.page.get_by_role("region", name=self.t("runs:drawing"), exact=True)

    @property
    def state(self) -> Locator:
        """What the head of the page says about the run."""
        return self.page.get_by_role("main").get_by_role("status").first

    def look(self) -> None:
        """Note the count that stands at the step which keeps the trips, when it has grown."""
        name = self.t("canvas:step.name", title=KEPT, state="").rstrip()
        box = self.page.get_by_role("group", name=re.compile("^" + re.escape(name)))
        found = re.search(r"([\d,]+) (?:行|rows)", box.first.inner_text()) if box.count() else None
        count = int(found[1].replace(",", "")) if found else 0
        if count > max(self.counts, default=0):
            self.counts.append(count)

    def has_ended(self) -> bool:
        return self.state.inner_text().strip() == self.t("common:state.done")

    @property
    def banner(self) -> Locator:
        return self.page.get_by_text(self.t("common:stale.banner"))

    def expect_grey(self, seconds: float) -> None:
        expect(self.banner).to_be_visible(timeout=seconds * 1000)
        wait_until(self.is_grey, PATIENCE / 1000, "the drawing is grey")

    def expect_live(self) -> None:
        expect(self.banner).to_have_count(0, timeout=PATIENCE)
        wait_until(lambda: not self.is_grey(), PATIENCE / 1000, "the drawing has its colours")

    def is_grey(self) -> bool:
        """Whether the steps stand in something that takes their colours away."""
        return bool(
            self.drawing.evaluate(
                """region => {
                  let part = region.querySelector(".react-flow__node");
                  while (part && part !== region && getComputedStyle(part).filter !== "grayscale(1)")
                    part = part.parentElement;
                  return part !== null && part !== region;
                }"""
            )
        )


def test_counts_grow_on_two_screens_that_two_processes_serve(
    new_page: Callable[..., Page], second: SecondWeb, studio: Studio
) -> None:
    here, there = Watcher(new_page()), Watcher(new_page(base_url=second.url))
    there.sign_in(USER)
    here.sign_in(USER)
    here.start_trips(studio)
    there.open_run(here.page.url)
    assert urlsplit(here.page.url).port != urlsplit(there.page.url).port == second.port

    def both_ended() -> bool:
        here.look()
        there.look()
        return here.has_ended() and there.has_ended()

    wait_until(both_ended, 120, "the run is done on both screens")
    print("here", here.counts, "there", there.counts)
    assert len(here.counts) >= LEAST_COUNTS
    assert len(there.counts) >= LEAST_COUNTS
    assert here.counts[-1] == there.counts[-1]


def test_a_screen_that_lost_its_socket_says_so_and_comes_back(
    new_page: Callable[..., Page], second: SecondWeb, studio: Studio
) -> None:
    here = Watcher(new_page(expected=LOST))
    there = Watcher(new_page(expected=LOST, base_url=second.url))
    for watcher in (here, there):
        watcher.sign_in(USER)
    here.start_trips(studio)
    there.open_run(here.page.url)
    wait_until(lambda: (there.look(), there.counts)[-1], 60, "the first count on the second screen")
    second.kill()
    there.expect_grey(SAYS_SO_WITHIN * patience())
    expect(here.banner).to_have_count(0)
    second.start()
    there.expect_live()
    wait_until(there.has_ended, 120, "the second screen shows the end of the run")
    here.page.context.set_offline(True)
    here.expect_grey(SAYS_SO_WITHIN * patience())
    here.page.context.set_offline(False)
    here.expect_live()
