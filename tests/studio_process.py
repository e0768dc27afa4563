"""The whole studio as a process of its own, started as a newcomer starts it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studio.env import OPTIONS
from tests import services

ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Studio:
    """A running studio: its address, its data folder, its process and its log."""

    url: str
    home: Path
    process: subprocess.Popen[bytes]
    log: Path

    def get(self, path: str) -> Any:
        """JSON of an anonymous GET."""
        with urllib.request.urlopen(self.url + path, timeout=10) as response:
            return json.load(response)

    def stop(self, seconds: float = 10.0) -> float:
        """TERM, as a service manager sends it; the seconds until everything had ended."""
        began = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=seconds)
        return time.monotonic() - began


def clean_environment(**options: Any) -> dict[str, str]:
    """The environment of a newcomer: none of our options but those named."""
    kept = {name: value for name, value in os.environ.items() if name not in {option.name for option in OPTIONS}}
    kept.pop("DJANGO_SETTINGS_MODULE", None)
    return {**kept, **{name: str(value) for name, value in options.items()}}


UP = (str(ROOT / "manage.py"), "up")


def start_studio(
    home: Path, port: int | None = None, seconds: float = 90.0, program: Sequence[str] = UP, **options: Any
) -> Studio:
    """`manage.py up` (or another Python ``program``) until it says that it is ready."""
    port = port or services.free_port()
    log = home.parent / f"{home.name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *program],
            cwd=ROOT,
            env=clean_environment(**{"DEMO": "1", "PORT": port, "DATA_HOME": home, **options}),
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            preexec_fn=services.die_with_parent,
        )

    def is_ready() -> bool:
        if process.poll() is not None:
            raise AssertionError(f"`manage.py up` ended with {process.returncode}:\n{log.read_text()}")
        return "is ready" in log.read_text()

    studio = Studio(f"http://127.0.0.1:{port}", home, process, log)
    try:
        services.wait_until(is_ready, seconds, f"`manage.py up` is ready; its output so far:\n{log.read_text()}")
    except AssertionError:
        process.kill()
        raise
    return studio


@contextmanager
def running_studio(**options: Any) -> Iterator[Studio]:
    """A studio with a fresh data folder, stopped and removed at the end."""
    with tempfile.TemporaryDirectory(prefix="citygo-e2e-", ignore_cleanup_errors=True) as folder:
        studio = start_studio(Path(folder) / "home", **options)
        try:
            yield studio
        finally:
            studio.stop(20)
