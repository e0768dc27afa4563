"""Drives a running studio through its public API, as a program of the city would."""

from __future__ import annotations

import http.cookiejar
import json
import time
import urllib.error
import urllib.request
from typing import Any

from studio.demo.accounts import PASSWORD
from tests.services import wait_until
from tests.studio_process import Studio

DONE = {"done", "failed", "cancelled", "dead"}


class ApiClient:
    """One signed-in person; every call raises AssertionError with the problem's text."""

    def __init__(self, studio: Studio, username: str, password: str = PASSWORD) -> None:
        self.studio = studio
        self._jar = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self._jar))
        self._node_ids: dict[str, str] = {}
        self.get("context")
        self.post("session", {"username": username, "password": password})

    def fetch(self, method: str, path: str, body: Any = None) -> bytes:
        """The raw body of an answer."""
        token = next((cookie.value or "" for cookie in self._jar if cookie.name == "csrftoken"), "")
        request = urllib.request.Request(
            f"{self.studio.url}/api/{path}",
            None if body is None else json.dumps(body).encode(),
            {"Content-Type": "application/json", "X-CSRFToken": token, "Referer": f"{self.studio.url}/"},
            method=method,
        )
        try:
            with self._opener.open(request, timeout=600) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read().decode()[:2000]}") from None

    def get(self, path: str) -> Any:
        return json.loads(self.fetch("GET", path))

    def post(self, path: str, body: Any = None) -> Any:
        content = self.fetch("POST", path, body or {})
        return json.loads(content) if content else None

    def await_task(self, task: str) -> dict[str, Any]:
        """Wait for a lone task (discovery, preview, …) to end well."""
        answer: dict[str, Any] = {}

        def is_over() -> bool:
            answer.update(self.get(f"tasks/{task}"))
            return answer["state"] in DONE

        wait_until(is_over, 300, f"task {task} ends")
        assert answer["state"] == "done", answer
        return answer

    def add_node(self, kind: str, name: str, settings: dict[str, Any]) -> str:
        """Register and discover a node; answers its number."""
        body = {"type": kind, "name": {"en": name, "zh-CN": name}, "settings": settings}
        node = self.post("nodes", body)
        self.await_task(self.post(f"nodes/{node['id']}/discover")["task"])
        self._node_ids[node["number"]] = node["id"]
        return str(node["number"])

    def dataset(self, node: str, name: str) -> str:
        """The number of the dataset called ``name`` on a node that this client added."""
        rows = self.get(f"nodes/{self._node_ids[node]}/datasets")["results"]
        return str(next(row["number"] for row in rows if row["name"].endswith(name)))

    def add_flow(self, title: str, document: dict[str, Any]) -> str:
        """An app with this flow; answers the flow's id."""
        return str(self._add_app(title, document)["flows"][0]["id"])

    def _add_app(self, title: str, document: dict[str, Any]) -> dict[str, Any]:
        bundle = {"kind": "bundle", "title": {"en": title, "zh-CN": title}, "document": document, "layout": {}}
        return dict(self.post("apps/import", {"bundle": bundle}))

    def add_sub_flow(self, title: str, document: dict[str, Any]) -> dict[str, Any]:
        """A saved version of this flow; answers the ``flow`` setting of a call or for-each that uses it."""
        app = self._add_app(title, document)["id"]
        self.post(f"apps/{app}/versions")
        offered: list[dict[str, Any]] = [one["settings"] for one in self.get("sub-flows")["results"]]
        return next(settings for settings in offered if settings["app"] == app)

    def start(self, flow: str, **body: Any) -> dict[str, Any]:
        """Start a run of a flow's draft."""
        return dict(self.post(f"flows/{flow}/runs", body))

    def await_run(self, run: dict[str, Any], seconds: float = 600) -> dict[str, Any]:
        """The run when it has ended, asked for ever more slowly."""
        pause, deadline = 0.005, time.monotonic() + seconds
        while run["state"] not in DONE:
            assert time.monotonic() < deadline, run
            time.sleep(pause)
            pause = min(pause * 1.2, 0.25)
            run = self.get(f"runs/{run['id']}")
        return run

    def run(self, flow: str) -> dict[str, Any]:
        """Start a run and wait for it to end well."""
        run = self.await_run(dict(self.post(f"flows/{flow}/runs?wait=30")))
        assert run["state"] == "done", run["error"]
        return run

    def rows(self, run: dict[str, Any], name: str) -> list[list[Any]]:
        """All rows of a named output."""
        result = next(result for result in run["results"] if result["name"] == name)
        found: list[list[Any]] = []
        while len(found) < result["rows"]:
            page = self.get(f"results/{result['id']}/rows?offset={len(found)}&limit=1000")["rows"]
            assert page, "a page came back empty before all rows were there"
            found += page
        return found
