"""The studio under test: the real `manage.py up` in a folder of its own, driven through its public API."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.api_client import ApiClient
from tests.bench.data import fill_sqlite
from tests.services import wait_until
from tests.studio_process import running_studio

REST_SECONDS = 3.0
"""Between two works of its own a city seems to rest."""


class Ours(ApiClient):
    """A data admin of the demo city in a running studio; ``folder`` may hold file nodes."""

    folder: Path
    _busy_at: float | None = None

    @cached_property
    def _watcher(self) -> ApiClient:
        """Somebody who may look at the monitor; signed in once, since a password costs more than many runs."""
        return ApiClient(self.studio, "zhao.min")

    def is_idle(self) -> bool:
        """No work waits or goes on, and has not for a while: a new city profiles its datasets one by one."""
        seen = self._watcher.get("monitor")
        now = time.monotonic()
        if self._busy_at is None or seen["queue_depth"] or any(worker["busy"] for worker in seen["workers"]):
            self._busy_at = now
        return now - self._busy_at > REST_SECONDS

    def add_stations(self) -> str:
        """The stations in a SQLite file, as a node; the number of their dataset."""
        file = self.folder / "stations.sqlite3"
        fill_sqlite(file)
        return self.dataset(self.add_node("sqlite", "Stations", {"path": str(file)}), "station")

    def profile(self, node: str) -> None:
        """Profile all datasets of a node that this client added."""
        self.await_task(self.post(f"nodes/{self._node_ids[node]}/profile")["task"])

    def discover(self, node: str) -> None:
        """Discover a node, that this client added, once more."""
        self.await_task(self.post(f"nodes/{self._node_ids[node]}/discover")["task"])

    def datasets(self, node: str) -> list[dict[str, Any]]:
        """The cards of a node's datasets."""
        return list(self.get(f"nodes/{self._node_ids[node]}/datasets")["results"])

    @property
    def pid(self) -> int:
        """The supervisor: everything of ours runs below it."""
        return self.studio.process.pid


@contextlib.contextmanager
def ours(**options: Any) -> Iterator[Ours]:
    """A studio whose file nodes may lie in ``folder`` and whose database nodes may lie on this machine."""
    with (
        tempfile.TemporaryDirectory(prefix="cg-bench-") as folder,
        running_studio(FILE_ROOTS=folder, ALLOWED_NETWORKS="127.0.0.1/32", **options) as studio,
    ):
        client = Ours(studio, "li.qiang")
        client.folder = Path(folder)
        wait_until(client.is_idle, 300, "the demo city's own work is done")
        yield client
