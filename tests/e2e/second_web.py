"""One more web process on the data of a running studio: its own port, its own process, which a test may kill."""

from __future__ import annotations

import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from studio.supervisor.broker import socket_path
from tests import services
from tests.studio_process import ROOT, Studio, clean_environment


@dataclass
class SecondWeb:
    """`manage.py serve` beside the one that `up` started."""

    studio: Studio
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        environment = clean_environment(
            DEMO=1, DATA_HOME=self.studio.home, PORT=self.port, REDIS_URL=f"unix://{socket_path(self.studio.home)}"
        )
        with (self.studio.home / "logs" / "second-web.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(ROOT / "manage.py"), "serve"],
                cwd=ROOT,
                env=environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                preexec_fn=services.die_with_parent,
            )
        services.wait_until(self.answers, 60, f"the second web process answers on port {self.port}")

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=5) as response:
                return bool(response.status == 200)
        except OSError:
            return False

    def kill(self) -> None:
        """As if its machine had failed."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(timeout=10)
            self.process = None


@contextmanager
def second_web(studio: Studio) -> Iterator[SecondWeb]:
    """A second web process for the time of a test."""
    second = SecondWeb(studio, services.free_port())
    try:
        second.start()
        yield second
    finally:
        second.kill()
