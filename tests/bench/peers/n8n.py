"""n8n as a peer: installed on demand outside the product, on its own PostgreSQL database, driven by webhook."""

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
from tests.services import PostgresServer, free_port, wait_until

VERSION = "2.8.4"
PACKAGE = {
    "dependencies": {"n8n": VERSION},
    "overrides": {"xlsx": "0.18.5", "@langchain/langgraph-checkpoint": "1.0.0"},
}


def install() -> Path:
    """n8n's start script."""
    return npm.install("n8n", PACKAGE, "n8n/bin/n8n")


def node(name: str, kind: str, version: float, parameters: dict[str, Any], x: int, **more: Any) -> dict[str, Any]:
    """One n8n node."""
    return {
        "id": name, "name": name, "type": f"n8n-nodes-base.{kind}", "typeVersion": version,
        "position": [x, 0], "parameters": parameters, **more,
    }  # fmt: skip


def chain(key: str, nodes: list[dict[str, Any]], extra: dict[str, Any] | None = None) -> dict[str, Any]:
    """A workflow whose nodes follow each other; ``extra`` replaces the connections of some nodes."""
    connections = {
        before["name"]: {"main": [[{"node": after["name"], "type": "main", "index": 0}]]}
        for before, after in itertools.pairwise(nodes)
    }
    connections.update(extra or {})
    settings = {"executionOrder": "v1", "saveDataSuccessExecution": "all"}
    return {"id": key, "name": key, "active": True, "nodes": nodes, "connections": connections, "settings": settings}


class Studio:
    """A running n8n."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process = process
        self.port = port

    def call(self, path: str, timeout: float = 1800) -> bytes:
        """POST to a webhook and wait for the workflow's last node."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/webhook/{path}", b"{}", {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return bytes(answer.read())


@contextlib.contextmanager
def running(
    server: PostgresServer, workflows: list[dict[str, Any]], credentials: list[dict[str, Any]]
) -> Iterator[Studio]:
    """Start n8n with these workflows active; ends it afterwards."""
    script = install()
    home = Path(tempfile.mkdtemp(prefix="cg-n8n-", dir="/tmp"))
    port = free_port()
    server.create_database("n8n")
    environment = {
        **os.environ, "HOME": str(home), "N8N_USER_FOLDER": str(home), "N8N_PORT": str(port),
        "N8N_LISTEN_ADDRESS": "127.0.0.1", "N8N_HOST": "127.0.0.1", "DB_TYPE": "postgresdb",
        "DB_POSTGRESDB_HOST": server.host, "DB_POSTGRESDB_PORT": str(server.port), "DB_POSTGRESDB_DATABASE": "n8n",
        "DB_POSTGRESDB_USER": server.user, "DB_POSTGRESDB_PASSWORD": server.password,
        "N8N_DIAGNOSTICS_ENABLED": "false", "N8N_VERSION_NOTIFICATIONS_ENABLED": "false",
        "N8N_TEMPLATES_ENABLED": "false", "N8N_PERSONALIZATION_ENABLED": "false",
        "N8N_RUNNERS_BROKER_PORT": str(free_port()),
        "N8N_ENCRYPTION_KEY": "benchmark-only", "NODE_OPTIONS": "--max-old-space-size=8192",
        "N8N_PAYLOAD_SIZE_MAX": "1024", "N8N_CONCURRENCY_PRODUCTION_LIMIT": "-1",
    }  # fmt: skip
    for name, content in (("credentials", credentials), ("workflow", workflows)):
        path = home / f"{name}.json"
        path.write_text(json.dumps(content))
        if content:
            command = ["node", str(script), f"import:{name}", f"--input={path}"]
            subprocess.run(command, env=environment, check=True, capture_output=True)
    for workflow in workflows:
        publish = ["node", str(script), "publish:workflow", f"--id={workflow['id']}"]
        subprocess.run(publish, env=environment, check=True, capture_output=True)
    log = (home / "n8n.log").open("wb")
    process = subprocess.Popen(
        ["node", str(script), "start"], env=environment, stdout=log, stderr=log, start_new_session=True
    )
    studio = Studio(process, port)
    try:
        wait_until(lambda: _is_up(studio, home, len(workflows)), 180, "n8n answers")
        yield studio
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        log.close()
        shutil.rmtree(home, ignore_errors=True)


def _is_up(studio: Studio, home: Path, workflows: int) -> bool:
    said = (home / "n8n.log").read_text(errors="replace")
    if studio.process.poll() is not None:
        raise AssertionError(said[-3000:])
    return said.count("Activated workflow") >= workflows
