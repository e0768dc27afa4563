"""One host: a worker, and a scheduler, that can be lost together, at once, like a machine."""

from __future__ import annotations

import functools
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NAMESPACES = ("unshare", "--pid", "--uts", "--fork", "--mount-proc", "--kill-child")


@functools.cache
def has_namespaces() -> bool:
    """Whether a host can have a process space of its own here: as root on Linux, where that is allowed."""
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*NAMESPACES, "true"], capture_output=True, check=False).returncode == 0


class Host:
    """Started at once. In a process space of its own nobody else sees that it is gone: its leases must run out."""

    def __init__(
        self, name: str, folder: Path, options: Mapping[str, str], *, schedules: bool = True, root: Path = ROOT
    ) -> None:
        """``root`` is the version that it runs: a checkout with a virtual environment (``.venv``)."""
        self.name = name
        folder.mkdir(parents=True)
        python = sys.executable if root == ROOT else root / ".venv" / "bin" / "python"
        environment = {**os.environ, "DATA_HOME": str(folder / "data"), **options, "WORKER_ID": name}
        environment["DJANGO_SETTINGS_MODULE"] = "studio.settings"
        rename = f"hostname {name}; " if has_namespaces() else ""
        scheduler = f"{python} manage.py scheduler & " if schedules else ""
        command = f"{rename}{scheduler}{python} manage.py worker"
        self.log = folder / "log"
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [*(NAMESPACES if has_namespaces() else ()), "sh", "-c", command],
                cwd=root, env=environment, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        """SIGKILL to all its processes at once."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
