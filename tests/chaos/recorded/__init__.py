"""A package of no node types: whoever imports it writes down the failpoints that its process passes.

A worker's child imports it because the worker walks it for node types. The names of one worker and its children go to
one file each, which the worker's process id names.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from node_catalog.sdk import failpoint


def passed(worker: int, where: str) -> Path:
    """Where the names are written that the worker itself (``worker``) or its children (``child``) have passed."""
    return Path(tempfile.gettempdir()) / f"citygo-passed-{worker}-{where}"


class _Passed(list[str]):
    """Looks like the list that ``failpoint.recording`` uses, and writes each name to a file."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def append(self, name: str) -> None:
        with self._path.open("a") as file:
            file.write(name + "\n")


_worker = os.environ.get("TESTED_WORKER")
failpoint._recorded = _Passed(passed(int(_worker), "child") if _worker else passed(os.getpid(), "worker"))
