"""Node-RED as a peer: installed on demand outside the product, a flow behind its http-in node."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import signal
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.bench.peers import npm
from tests.services import free_port, wait_until

VERSION = "4.1"
PACKAGE = {"dependencies": {"node-red": f"~{VERSION}.0"}}
ADDRESS = "/flow"


def install() -> Path:
    """Node-RED's start script."""
    return npm.install("node_red", PACKAGE, "node-red/red.js")


def chain(functions: list[str]) -> list[dict[str, Any]]:
    """A flow: a request, then function nodes with these bodies, then the answer."""
    nodes: list[dict[str, Any]] = [
        {"id": "in", "type": "http in", "name": "", "url": ADDRESS, "method": "post", "upload": False},
        *({"id": f"f{number}", "type": "function", "func": body} for number, body in enumerate(functions)),
        {"id": "out", "type": "http response", "name": "", "statusCode": "", "headers": {}},
    ]
    for node, after in itertools.pairwise(nodes):
        node["wires"] = [[after["id"]]]
    return [{"id": "tab", "type": "tab", "label": "flow"}, *({"z": "tab", "wires": [], **node} for node in nodes)]


@contextlib.contextmanager
def running(flow: list[dict[str, Any]]) -> Iterator[tuple[int, int]]:
    """Start Node-RED with this flow; its port and process id. Ends it afterwards."""
    script = install()
    home, port = Path(tempfile.mkdtemp(prefix="cg-node-red-", dir="/tmp")), free_port()
    (home / "flows.json").write_text(json.dumps(flow))
    (home / "settings.js").write_text(
        f"module.exports = {{uiPort: {port}, uiHost: '127.0.0.1', flowFile: 'flows.json', "
        "telemetry: {enabled: false}, logging: {console: {level: 'warn'}}, httpAdminRoot: false}"
    )
    environment = {**os.environ, "HOME": str(home)}
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            ["node", str(script), "--userDir", str(home)],
            env=environment, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
        try:
            wait_until(lambda: _is_up(port), 120, "Node-RED answers")
            yield port, process.pid
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
            shutil.rmtree(home, ignore_errors=True)


def _is_up(port: int) -> bool:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{ADDRESS}", b"{}", {"Content-Type": "application/json"}, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
