"""Processes that live and die with the supervisor."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PR_SET_PDEATHSIG = 1
LOG_KEPT_BYTES = 8 * 1024 * 1024
RESTARTS_PER_MINUTE = 6

_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class StartError(Exception):
    """The studio cannot start; ``lines`` say what is wrong and what to do, in both languages."""

    def __init__(self, *lines: str) -> None:
        super().__init__(lines[0])
        self.lines = lines


def _die_with(parent: int) -> Callable[[], None]:
    """For the new process: end when the supervisor ends, however it ends (Linux)."""

    def prepare() -> None:
        if _libc is not None:
            _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != parent:
                os._exit(1)

    return prepare


@dataclass
class Child:
    """One process: how it is started, where its log goes, when it was started."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    pass_fds: tuple[int, ...] = ()
    process: subprocess.Popen[bytes] | None = None
    started: list[float] = field(default_factory=list)

    def start(self) -> None:
        """Start it; its output goes to the log, which is cut when it has grown too long."""
        if self.log.exists() and self.log.stat().st_size > LOG_KEPT_BYTES:
            self.log.replace(self.log.with_suffix(".old.log"))
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                list(self.command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=dict(self.environment),
                preexec_fn=_die_with(os.getpid()),  # noqa: PLW1509  this process has one thread
                start_new_session=True,
                pass_fds=self.pass_fds,
            )
        self.started.append(time.monotonic())

    @property
    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def exit_code(self) -> int | None:
        return None if self.process is None else self.process.poll()

    def may_restart(self) -> bool:
        """Whether it has not been restarted too often lately."""
        now = time.monotonic()
        self.started = [moment for moment in self.started if now - moment < 60]
        return len(self.started) < RESTARTS_PER_MINUTE

    def send(self, number: int) -> None:
        """Send a signal to it alone; a process that is gone is no error."""
        if self.process is not None and self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(number)

    def kill(self) -> None:
        """Kill it and whatever it has started in its session."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=2)

    def wait(self, deadline: float) -> bool:
        """Whether it has ended before ``deadline`` (time.monotonic)."""
        if self.process is None:
            return True
        try:
            self.process.wait(timeout=max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            return False
        return True

    def tail(self, lines: int = 12) -> list[str]:
        """The last lines of its log."""
        try:
            text = self.log.read_text(errors="replace")
        except FileNotFoundError:
            return []
        return text.splitlines()[-lines:]


def stop_all(children: Sequence[Child], seconds: float) -> None:
    """Ask every process to end, wait together, kill what is left; whole process groups, so nothing stays behind."""
    for child in children:
        child.send(signal.SIGTERM)
    deadline = time.monotonic() + seconds
    for child in children:
        child.wait(deadline)
    for child in children:
        child.kill()
