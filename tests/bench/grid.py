"""The run grid: 5,000 tasks of 30 runs on one page, seconds from the navigation until the marks are drawn, in Chromium.

GRID_TASKS and GRID_RUNS change the size; median of GRID_OPENINGS (5).
"""

from __future__ import annotations

import os
import statistics
import time

from playwright.sync_api import sync_playwright

from tests.bench.flow import document
from tests.bench.measure import Comparison
from tests.bench.ours import ours as our_studio
from tests.e2e.conftest import CHROMIUM, FLAGS, VIEWPORT
from tests.e2e.history import History, fill_history

TASKS = int(os.environ.get("GRID_TASKS", "5000"))
RUNS = int(os.environ.get("GRID_RUNS", "30"))
OPENINGS = int(os.environ.get("GRID_OPENINGS", "5"))


def run() -> list[Comparison]:
    """First paint, and the one request alone."""
    with our_studio() as studio, sync_playwright() as driver:
        done = studio.run(studio.add_flow("History", document(studio.add_stations())))
        app = done["app"]["id"]
        fill_history(studio.studio, app, TASKS, RUNS)
        answers = []
        for _ in range(OPENINGS):
            began = time.perf_counter()
            studio.fetch("GET", f"apps/{app}/grid")
            answers.append(time.perf_counter() - began)
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_context(viewport=VIEWPORT, locale="zh-CN", base_url=studio.studio.url).new_page()
        history = History(page)
        history.sign_in("li.qiang")
        drawn = [history.open_history(app) for _ in range(OPENINGS + 1)][1:]
        browser.close()
    work, runs = f"run grid, {TASKS} × {RUNS}", {"drawn": drawn, "answer": answers}
    return [
        Comparison(work, "drawn after", statistics.median(drawn), 1.0, "goal", 1, "at_most", runs=runs),
        Comparison(work, "answer", statistics.median(answers), 1.0, "goal for all", 1, "at_most", runs=runs),
    ]
