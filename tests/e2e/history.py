"""The page that shows an app's runs side by side, as a person uses it, and how soon it is drawn."""

from __future__ import annotations

import subprocess
import sys

from playwright.sync_api import Page

from tests.e2e.canvas import Canvas
from tests.studio_process import ROOT, Studio, clean_environment

DRAWN = "() => performance.getEntriesByName('run-grid-drawn').at(0)?.startTime"
WHAT_IS_SEEN = """() => {
  const sheet = document.querySelector("canvas");
  const pixels = sheet.getContext("2d").getImageData(260, 0, 400, 300).data;
  return pixels.some((value, place) => place % 4 === 3 && value > 0);
}"""


def fill_history(studio: Studio, app: str, tasks: int, runs: int) -> None:
    """So many ended runs of the app, which has been run once, with so many tasks each."""
    command = [sys.executable, "-m", "tests.grid_rows", app, str(tasks), str(runs)]
    subprocess.run(command, cwd=ROOT, env=clean_environment(DATA_HOME=studio.home), check=True, timeout=300)


class History(Canvas):
    """The run grid."""

    def __init__(self, page: Page, language: str = "zh-CN") -> None:
        super().__init__(page, language)
        self.area = page.locator("[role=application]")

    def open_history(self, app: str) -> float:
        """Go to the page by its address; seconds from the navigation until the marks are drawn."""
        self.page.goto(f"/apps/{app}/runs")
        milliseconds = self.page.wait_for_function(DRAWN, timeout=60_000).json_value()
        assert self.page.evaluate(WHAT_IS_SEEN), "there are marks on the sheet"
        return float(milliseconds) / 1000

    @property
    def words(self) -> str:
        """What the page says about the cell under the pointer or the keys."""
        return self.page.get_by_role("main").get_by_role("status").first.inner_text()
