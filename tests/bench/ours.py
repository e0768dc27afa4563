"""The studio under test: the real `manage.py up` in a folder of its own, driven through its public API."""

from __future__ import annotations

import http.cookiejar
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Self

from tests.services import free_port, wait_until

ROOT = Path(__file__).resolve().parents[2]
DONE = {"done", "failed", "cancelled"}


class Ours:
    """Starts the studio with the demo city; speaks to it as a data admin of the demo."""

    def __init__(self, **environment: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="cg-bench-", dir="/tmp"))
        self.port = free_port()
        self._environment = environment
        self._jar = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self._jar))

    def __enter__(self) -> Self:
        environment = {
            **os.environ, "DATA_HOME": str(self.folder / "home"), "PORT": str(self.port), "DEMO": "1",
            "FILE_ROOTS": str(self.folder), "ALLOWED_NETWORKS": "127.0.0.1/32", **self._environment,
        }  # fmt: skip
        self._log = (self.folder / "up.log").open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "up"], cwd=ROOT, env=environment, stdout=self._log, stderr=self._log
        )
        wait_until(self._is_ready, 120, f"the studio is ready (see {self.folder / 'up.log'})")
        account = next(a for a in self.get("context")["demo_accounts"] if "data_admin" in a["roles"])
        self.post("session", {"username": account["username"], "password": account["password"]})
        return self

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)
        self._log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def pid(self) -> int:
        """The supervisor: everything of ours runs below it."""
        return self.process.pid

    def _is_ready(self) -> bool:
        assert self.process.poll() is None, (self.folder / "up.log").read_text()[-3000:]
        try:
            with self._opener.open(f"http://127.0.0.1:{self.port}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """One API call; a problem body becomes the error's text."""
        token = next((cookie.value or "" for cookie in self._jar if cookie.name == "csrftoken"), "")
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/{path}",
            None if body is None else json.dumps(body).encode(),
            {"Content-Type": "application/json", "X-CSRFToken": token, "Referer": f"http://127.0.0.1:{self.port}/"},
            method=method,
        )
        try:
            with self._opener.open(request, timeout=600) as answer:
                content = answer.read()
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.read().decode()[:2000]}") from None
        return json.loads(content) if content else None

    def get(self, path: str) -> Any:
        return self.call("GET", path)

    def post(self, path: str, body: Any) -> Any:
        return self.call("POST", path, body)

    def await_task(self, task: str) -> None:
        """Wait for a lone task (discovery, check, …) to end well."""
        answer: dict[str, Any] = {}

        def is_over() -> bool:
            answer.update(self.get(f"tasks/{task}"))
            return answer["state"] in {*DONE, "dead"}

        wait_until(is_over, 300, f"task {task}")
        assert answer["state"] == "done", answer

    def add_node(self, kind: str, name: str, settings: dict[str, Any]) -> str:
        """Register and discover a node; answers its number."""
        body = {"type": kind, "name": {"en": name, "zh-CN": name}, "settings": settings}
        node = self.post("nodes", body)
        self.await_task(self.post(f"nodes/{node['id']}/discover", {})["task"])
        self._nodes = {**getattr(self, "_nodes", {}), node["number"]: node["id"]}
        return str(node["number"])

    def dataset(self, node: str, name: str) -> str:
        """The number of the dataset called ``name`` on a node."""
        rows = self.get(f"nodes/{self._nodes[node]}/datasets")["results"]
        return str(next(row["number"] for row in rows if row["name"].endswith(name)))

    def add_flow(self, title: str, document: dict[str, Any]) -> str:
        """An app with this flow; answers the flow's id."""
        bundle = {"kind": "bundle", "title": {"en": title, "zh-CN": title}, "document": document, "layout": {}}
        return str(self.post("apps/import", {"bundle": bundle})["flows"][0]["id"])

    def run(self, flow: str) -> dict[str, Any]:
        """Start a run and wait for its end, asking every 10 ms at first."""
        run = self.post(f"flows/{flow}/runs", {})
        pause, deadline = 0.01, time.monotonic() + 600
        while run["state"] not in DONE:
            assert time.monotonic() < deadline, run
            time.sleep(pause)
            pause = min(pause * 1.2, 0.25)
            run = self.get(f"runs/{run['id']}")
        assert run["state"] == "done", run["error"]
        return dict(run)
