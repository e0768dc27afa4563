"""`make screenshots`: pictures of every page in both languages and themes, taken from the demo city as it runs.

`python -m tests.e2e.screenshots [NAME…]` takes only the named pages. Each page is opened at 1366×768 by a person who
uses it; what sticks out of the window sideways is reported.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import APIRequestContext, Browser, Page, sync_playwright

from studio.demo.accounts import PASSWORD
from studio.demo.nodes import AIR, ENTERPRISES
from tests.e2e.conftest import CHROMIUM, FLAGS, VIEWPORT
from tests.studio_process import ROOT, running_studio

FOLDER = ROOT / "docs" / "screenshots"
LANGUAGES = ("zh-CN", "en")
THEMES = ("light", "dark")


@dataclass(frozen=True)
class Shot:
    """One page: whose, and where; ``prepare`` does what a person would do there first."""

    name: str
    user: str
    path: Callable[[dict[str, Any]], str]
    prepare: Callable[[Page], None] = field(default=lambda page: None)


def _click_first_step(page: Page) -> None:
    page.locator(".react-flow__node").nth(2).click()
    page.wait_for_timeout(2500)


SHOTS = (
    Shot("sign-in", "", lambda made: "/sign-in"),
    Shot("home", "wang.fang", lambda made: "/"),
    Shot("apps", "wang.fang", lambda made: "/apps"),
    Shot("canvas", "wang.fang", lambda made: f"/apps/{made['app']}", _click_first_step),
    Shot("canvas-run", "wang.fang", lambda made: f"/runs/{made['run']}"),
    Shot("catalogue", "wang.fang", lambda made: "/catalogue"),
    Shot("dataset", "wang.fang", lambda made: f"/catalogue/datasets/{made['air']}"),
    Shot("dataset-request", "wang.fang", lambda made: f"/catalogue/datasets/{made['enterprises']}"),
    Shot("files", "wang.fang", lambda made: "/files"),
    Shot("requests", "li.qiang", lambda made: "/requests?box=inbox"),
    Shot("nodes", "li.qiang", lambda made: "/catalogue/nodes"),
    Shot("node", "li.qiang", lambda made: f"/catalogue/nodes/{made['node']}"),
    Shot("node-new", "li.qiang", lambda made: "/catalogue/nodes/new"),
    Shot("runs", "wang.fang", lambda made: "/runs"),
    Shot("monitor", "zhao.min", lambda made: "/monitor"),
    Shot("people", "admin", lambda made: "/admin/people"),
    Shot("organisations", "admin", lambda made: "/admin/organisations"),
    Shot("openings", "admin", lambda made: "/admin/openings"),
    Shot("audit", "admin", lambda made: "/admin/audit"),
    Shot("account", "wang.fang", lambda made: "/account"),
)


class Person:
    """Somebody signed in over the API, in a browser context of their own."""

    def __init__(self, browser: Browser, url: str, user: str) -> None:
        self.context = browser.new_context(viewport=VIEWPORT, base_url=url, locale="zh-CN", timezone_id="Asia/Shanghai")
        self.request: APIRequestContext = self.context.request
        self.request.get("/api/context")
        if user:
            self.send("post", "/api/session", {"username": user, "password": PASSWORD})

    def send(self, method: str, path: str, body: Any) -> Any:
        """One change over the API; its JSON."""
        cookies = {cookie["name"]: cookie["value"] for cookie in self.context.cookies()}
        headers = {"X-CSRFToken": cookies.get("csrftoken", "")}
        answer = getattr(self.request, method)(path, data=body, headers=headers)
        if not answer.ok:
            raise AssertionError(f"{method} {path}: {answer.status} {answer.text()[:500]}")
        return answer.json() if answer.body() else None

    def get(self, path: str) -> Any:
        """JSON of a GET."""
        answer = self.request.get(path)
        if not answer.ok:
            raise AssertionError(f"get {path}: {answer.status} {answer.text()[:500]}")
        return answer.json()


def prepare_city(browser: Browser, url: str) -> dict[str, Any]:
    """An app from the template, a finished run, an open request: so that no page is empty."""
    wang = Person(browser, url, "wang.fang")
    app = wang.send(
        "post", "/api/apps", {"title": {"en": "Air by district", "zh-CN": "各区空气质量"}, "template": "air_quality"}
    )
    run = wang.send("post", f"/api/flows/{app['flows'][0]['id']}/runs", {})
    deadline = time.monotonic() + 90
    while wang.get(f"/api/runs/{run['id']}")["state"] not in {"done", "failed"} and time.monotonic() < deadline:
        time.sleep(0.3)
    enterprises = wang.get(f"/api/n/{ENTERPRISES.number}.0001")["id"]
    asked = {"dataset": enterprises, "columns": ["credit_code", "name", "district"], "purpose": "各区企业分布统计"}
    if not wang.get("/api/requests?box=mine&state=submitted")["results"]:
        wang.send("post", "/api/requests", asked)
    return {
        "app": app["id"],
        "run": run["id"],
        "air": wang.get(f"/api/n/{AIR.number}.0001")["id"],
        "enterprises": enterprises,
        "node": Person(browser, url, "li.qiang").get(f"/api/n/{AIR.number}")["id"],
    }


def take(page: Page, shot: Shot, path: str, target: Path) -> str:
    """One picture; in words what is wrong with the page, or nothing."""
    page.goto(path)
    page.wait_for_load_state("networkidle")
    shot.prepare(page)
    page.wait_for_timeout(400)
    target.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=target)
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return f"{target.name}: {wide} px too wide" if wide > 0 else ""


def main(names: list[str]) -> int:
    """Take the pictures; 1 when a page is too wide."""
    wrong: list[str] = []
    with running_studio() as studio, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        made = prepare_city(browser, studio.url)
        for user in dict.fromkeys(shot.user for shot in SHOTS):
            person = Person(browser, studio.url, user)
            for language in LANGUAGES:
                for theme in THEMES:
                    if user:
                        person.send("patch", "/api/me", {"language": language, "theme": theme})
                    page = person.context.new_page()
                    kept = json.dumps({"language": language, "theme": theme})
                    page.add_init_script(f"localStorage.setItem('citygo.preferences', JSON.stringify({kept}))")
                    for shot in SHOTS:
                        if shot.user == user and (not names or shot.name in names):
                            target = FOLDER / f"{shot.name}-{language.lower()}-{theme}.png"
                            wrong.append(take(page, shot, shot.path(made), target))
                    page.close()
        browser.close()
    for line in filter(None, wrong):
        print(line)
    print(f"{len(wrong)} pictures in {FOLDER.relative_to(ROOT)}")
    return 1 if any(wrong) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
