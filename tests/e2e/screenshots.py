"""`make screenshots`: pictures of every page in both languages and themes, taken from the demo city as it runs.

`python -m tests.e2e.screenshots [NAME…]` takes only the named pages. Each page is opened at 1366×768 by a person who
uses it; what sticks out of the window sideways is reported.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import APIRequestContext, Browser, expect, sync_playwright

from studio.demo.accounts import PASSWORD
from studio.demo.nodes import AIR, ENTERPRISES
from tests.e2e.asker import Asker
from tests.e2e.conftest import CHROMIUM, FLAGS, VIEWPORT
from tests.e2e.keeper import Keeper
from tests.e2e.onlooker import Onlooker, add_wide_node
from tests.e2e.person import PATIENCE
from tests.e2e.pools import LICENCE, PoolKeeper, add_pools
from tests.e2e.tour import SHOWN, SHOWN_PLACES, add_days, add_limits, add_places, add_tour
from tests.services import wait_until
from tests.studio_process import ROOT, Studio, running_studio

FOLDER = ROOT / "docs" / "screenshots"
LANGUAGES = ("zh-CN", "en")
THEMES = ("light", "dark")
WIDE = 400
"""Tables of the node that is scanned: so many that a scan is still under way when it is looked at."""


@dataclass(frozen=True)
class Shot:
    """One page: whose, and where; ``prepare`` does what a person would do there first."""

    name: str
    user: str
    path: Callable[[dict[str, Any]], str]
    prepare: Callable[[Asker], None] | None = None
    leave: Callable[[Asker], None] | None = None
    """Ends what ``prepare`` has begun and would go on by itself."""


def _choose_step(key: str) -> Callable[[Asker], None]:
    def prepare(person: Asker) -> None:
        person.expect_saved()
        person.open_step(person.t.step(key))
        expect(person.settings).to_be_visible()
        expect(person.page.locator(".ant-skeleton, .ant-spin")).to_have_count(0, timeout=PATIENCE)

    return prepare


def _overlay(open_it: Callable[[Asker], Any]) -> Callable[[Asker], None]:
    def prepare(person: Asker) -> None:
        person.expect_saved()
        open_it(person)

    return prepare


def _rules(person: Asker) -> None:
    """How many runs at once, and for how long."""
    person.from_menu(person.t("canvas:rules.name"))
    expect(person.page.get_by_role("spinbutton").first).to_be_visible(timeout=PATIENCE)


def _rules_pool(person: Asker) -> None:
    """The pool that the flow takes places of."""
    form = PoolKeeper(person.page, person.t.language).open_rules()
    form.get_by_label(person.t.pick("仅限这些步骤", "Only for these steps")).scroll_into_view_if_needed()


def _pools(person: Asker) -> None:
    keeper = PoolKeeper(person.page, person.t.language)
    expect(keeper.line(LICENCE)).to_be_visible(timeout=PATIENCE)
    keeper.pools.scroll_into_view_if_needed()


def _pool_name_taken(person: Asker) -> None:
    keeper = PoolKeeper(person.page, person.t.language)
    form = keeper.open_new()
    keeper.fill(form, LICENCE, 3)
    taken = person.t.pick("已有同名的资源池。", "There is a pool of this name already.")
    expect(form.get_by_text(taken)).to_be_visible(timeout=PATIENCE)


def _pool_in_use(person: Asker) -> None:
    """One that cannot be removed."""
    keeper = PoolKeeper(person.page, person.t.language)
    keeper.remove_pool(LICENCE)
    expect(keeper.pools.get_by_role("alert")).to_be_visible(timeout=PATIENCE)
    keeper.pools.scroll_into_view_if_needed()
    person.page.mouse.move(0, 0)


def _api(person: Asker) -> None:
    """The flow as an API, switched on."""
    person.from_menu(person.t("canvas:api.name"))
    switch = person.page.get_by_role("dialog").get_by_role("switch")
    expect(switch).to_be_enabled(timeout=PATIENCE)
    if switch.get_attribute("aria-checked") != "true":
        switch.click()
    expect(switch).to_be_checked(timeout=PATIENCE)
    expect(person.page.get_by_text("curl").first).to_be_visible(timeout=PATIENCE)


def _counts(person: Asker) -> None:
    """What every step and wire has passed on."""
    person.page.get_by_role("tab", name=person.t("runs:counts.name")).click()
    expect(person.page.get_by_role("tabpanel").get_by_role("table").first).to_be_visible(timeout=PATIENCE)


def _click_first_step(person: Asker) -> None:
    person.page.locator(".react-flow__node").nth(2).click()
    expect(person.page.get_by_role("tabpanel").get_by_role("table").first).to_be_visible(timeout=PATIENCE)


def _quick_add(person: Asker) -> None:
    person.page.locator(".react-flow__pane").dblclick(position={"x": 330, "y": 330})


def _comments(person: Asker) -> None:
    person.expect_saved()
    person.say(person.t.pick("为什么以 75 为界？", "Why is 75 the limit?"))


def _import_nodes(person: Asker) -> None:
    person.button(person.t("catalogue:nodes.import")).click()


def _limits(person: Asker) -> None:
    person.page.get_by_role("radio", name="PostgreSQL").click()
    person.page.get_by_role("heading", name=person.t("catalogue:limits.title")).scroll_into_view_if_needed()
    person.page.mouse.move(700, 500)
    person.page.mouse.wheel(0, 4000)


def _run(person: Asker) -> None:
    expect(person.page.locator(".react-flow__node").first).to_be_visible(timeout=PATIENCE)
    expect(person.page.locator("[data-cell='0,1']").first).to_be_visible(timeout=PATIENCE)


def _offers(person: Asker) -> None:
    _choose_step("sql")(person)
    query = person.settings.get_by_label(person.t.setting("sql", "query"), exact=True)
    query.press("Control+Home")
    query.press("Control+Space")
    expect(person.page.get_by_role("listbox", name=person.t("canvas:completion.list"))).to_be_visible()


def _iterations(person: Asker) -> None:
    onlooker = Onlooker(person.page, person.t.language)
    onlooker.open_iterations()
    onlooker.look_into_first("failed")


def _held(person: Asker) -> None:
    """A part that was computed once, and its sample pinned."""
    keeper = Keeper(person.page, person.t.language)
    keeper.expect_saved()
    keeper.start_run_to(keeper.t.step("aggregate"))
    keeper.pin()
    person.page.mouse.move(0, 0)  # a hint over a button would cover what stands below it


def _scan(person: Asker) -> None:
    Onlooker(person.page, person.t.language).watch_scan()


def _stop_scan(person: Asker) -> None:
    Onlooker(person.page, person.t.language).stop_scan()


def _uses(person: Asker) -> None:
    name = person.t("catalogue:dataset.tab.uses")
    person.page.get_by_role("tab", name=name).click()
    expect(person.page.get_by_role("tabpanel", name=name).get_by_role("table").first).to_be_visible(timeout=PATIENCE)


SHOTS = (
    Shot("sign-in", "", lambda made: "/sign-in"),
    Shot("home", "wang.fang", lambda made: "/"),
    Shot("apps", "wang.fang", lambda made: "/apps"),
    Shot("canvas", "wang.fang", lambda made: f"/apps/{made['app']}", _click_first_step),
    Shot("canvas-plan", "wang.fang", lambda made: f"/apps/{made['app']}", _overlay(Asker.open_plan)),
    Shot("canvas-difference", "wang.fang", lambda made: f"/apps/{made['app']}", _overlay(Asker.open_difference)),
    Shot("canvas-rules", "wang.fang", lambda made: f"/apps/{made['app']}", _overlay(_rules)),
    Shot("canvas-rules-pool", "wang.fang", lambda made: f"/apps/{made['app']}", _overlay(_rules_pool)),
    Shot("canvas-api", "wang.fang", lambda made: f"/apps/{made['app']}", _overlay(_api)),
    Shot("canvas-comments", "wang.fang", lambda made: f"/apps/{made['app']}", _comments),
    Shot("canvas-quick-add", "wang.fang", lambda made: f"/apps/{made['app']}", _overlay(_quick_add)),
    *(
        Shot(f"step-{key.replace('_', '-')}", "wang.fang", lambda made: f"/flows/{made['tour']}", _choose_step(key))
        for key in SHOWN
    ),
    *(
        Shot(f"step-{key.replace('_', '-')}", "wang.fang", lambda made: f"/flows/{made['places']}", _choose_step(key))
        for key in SHOWN_PLACES
    ),
    Shot("step-table", "wang.fang", lambda made: f"/flows/{made['limits']}", _choose_step("table")),
    Shot("step-sql-offers", "wang.fang", lambda made: f"/flows/{made['tour']}", _offers),
    Shot("canvas-held", "wang.fang", lambda made: f"/flows/{made['days']}", _held),
    Shot("canvas-run", "wang.fang", lambda made: f"/runs/{made['run']}", _run),
    Shot("run-counts", "wang.fang", lambda made: f"/runs/{made['run']}", _counts),
    Shot("runs-grid", "wang.fang", lambda made: f"/apps/{made['app']}/runs"),
    Shot("run-origin", "wang.fang", lambda made: f"/runs/{made['run']}", Asker.open_origin),
    Shot("run-each", "wang.fang", lambda made: f"/runs/{made['each']}", _run),
    Shot("run-iterations", "wang.fang", lambda made: f"/runs/{made['turns']}", _iterations),
    Shot("catalogue", "wang.fang", lambda made: "/catalogue"),
    Shot("dataset", "wang.fang", lambda made: f"/catalogue/datasets/{made['air']}"),
    Shot("dataset-uses", "wang.fang", lambda made: f"/catalogue/datasets/{made['air']}", _uses),
    Shot("dataset-request", "wang.fang", lambda made: f"/catalogue/datasets/{made['enterprises']}"),
    Shot("files", "wang.fang", lambda made: "/files"),
    Shot("requests", "li.qiang", lambda made: "/requests?box=inbox"),
    Shot("nodes", "li.qiang", lambda made: "/catalogue/nodes"),
    Shot("node", "li.qiang", lambda made: f"/catalogue/nodes/{made['node']}"),
    Shot("node-scan", "li.qiang", lambda made: f"/catalogue/nodes/{made['wide']()}", _scan, _stop_scan),
    Shot("node-new", "li.qiang", lambda made: "/catalogue/nodes/new"),
    Shot("node-limits", "li.qiang", lambda made: "/catalogue/nodes/new", _limits),
    Shot("node-import", "li.qiang", lambda made: "/catalogue/nodes", _import_nodes),
    Shot("runs", "wang.fang", lambda made: "/runs"),
    Shot("monitor", "zhao.min", lambda made: "/monitor"),
    Shot("monitor-pools", "zhao.min", lambda made: "/monitor", _pools),
    Shot("pool-new", "zhao.min", lambda made: "/monitor", _pool_name_taken),
    Shot("pool-in-use", "zhao.min", lambda made: "/monitor", _pool_in_use),
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
        """One question or change over the API; its JSON."""
        cookies = {cookie["name"]: cookie["value"] for cookie in self.context.cookies()}
        headers = {"X-CSRFToken": cookies.get("csrftoken", "")}
        given = {} if body is None else {"data": body}
        answer = getattr(self.request, method)(path, headers=headers, **given)
        if not answer.ok:
            raise AssertionError(f"{method} {path}: {answer.status} {answer.text()[:500]}")
        return answer.json() if answer.body() else None

    def ended(self, run: str) -> str:
        """How the run has ended, or nothing."""
        state = str(self.send("get", f"/api/runs/{run}", None)["state"])
        return state if state in {"done", "failed", "cancelled"} else ""


def prepare_city(browser: Browser, studio: Studio) -> dict[str, Any]:
    """Apps, finished runs, a saved version, an open request: so that no page is empty."""
    wang, li, zhao = (Person(browser, studio.url, user) for user in ("wang.fang", "li.qiang", "zhao.min"))
    app = wang.send(
        "post", "/api/apps", {"title": {"en": "Air by district", "zh-CN": "各区空气质量"}, "template": "air_quality"}
    )
    flow = app["flows"][0]["id"]
    makers = {"tour": add_tour, "days": add_days, "places": add_places, "limits": add_limits}
    flows = {name: make(wang.send) for name, make in makers.items()}
    begun = {"run": flow, "each": flows["tour"], "turns": flows["days"]}
    runs = {name: wang.send("post", f"/api/flows/{of}/runs", {})["id"] for name, of in begun.items()}
    for run in runs.values():
        wait_until(lambda run=run: wang.ended(run), 120, f"the end of run {run}")
    add_pools(zhao.send, wang.send, flow)
    revision = wang.send("get", f"/api/flows/{flow}/draft", None)["revision"]
    limit = {"type": "limit", "version": 1, "settings": {"rows": 100}}
    changes = [
        {"op": "add_step", "id": "first", "step": limit},
        {"op": "disconnect", "from": "ordered.out", "to": "hourly.in"},
        {"op": "connect", "from": "ordered.out", "to": "first.in"},
        {"op": "connect", "from": "first.out", "to": "hourly.in"},
        {"op": "move", "positions": {"first": {"x": 1340, "y": 120}, "hourly": {"x": 1600, "y": 120}}},
    ]
    wang.send("post", f"/api/flows/{flow}/operations", {"base": revision, "client": "pictures", "operations": changes})
    enterprises = wang.send("get", f"/api/n/{ENTERPRISES.number}.0001", None)["id"]
    asked = {"dataset": enterprises, "columns": ["credit_code", "name", "district"], "purpose": "各区企业分布统计"}
    if not wang.send("get", "/api/requests?box=mine&state=submitted", None)["results"]:
        wang.send("post", "/api/requests", asked)
    return {
        "app": app["id"],
        **flows,
        **runs,
        # Made when it is first looked at: other pages are no pages of four hundred reports.
        "wide": cache(lambda: add_wide_node(li.send, studio.home, "wide", WIDE)),
        "air": wang.send("get", f"/api/n/{AIR.number}.0001", None)["id"],
        "enterprises": enterprises,
        "node": li.send("get", f"/api/n/{AIR.number}", None)["id"],
    }


def take(person: Asker, shot: Shot, path: str, target: Path) -> str:
    """One picture; in words what is wrong with the page, or nothing."""
    page = person.page
    page.goto(path)
    page.wait_for_load_state("networkidle")
    if shot.prepare:
        shot.prepare(person)
    page.wait_for_timeout(400)
    target.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=target)
    if shot.leave:
        shot.leave(person)
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return f"{target.name}: {wide} px too wide" if wide > 0 else ""


def main(names: list[str]) -> int:
    """Take the pictures; 1 when a page is too wide."""
    wrong: list[str] = []
    with running_studio() as studio, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        made = prepare_city(browser, studio)
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
                            wrong.append(take(Asker(page, language), shot, shot.path(made), target))
                    page.close()
        browser.close()
    for line in filter(None, wrong):
        print(line)
    print(f"{len(wrong)} pictures in {FOLDER.relative_to(ROOT)}")
    return 1 if any(wrong) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
