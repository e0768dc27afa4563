"""Starts everything in order, watches it, starts again what falls, and stops it all within five seconds."""

from __future__ import annotations

import fcntl
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from studio import env
from studio.supervisor import broker
from studio.supervisor.children import Child, StartError, stop_all

STOP_SECONDS = 3.5
DRAIN_SECONDS = 1.0
"""Whoever stops the whole studio does not want to wait; what a worker has not ended by then is handed back."""
READY_SECONDS = 60.0
Say = Callable[[str], None]


@dataclass
class Supervisor:
    """The whole studio on one machine. ``options`` are the values of the option table, ``say`` prints progress."""

    options: dict[str, Any]
    home: Path
    say: Say
    children: list[Child] = field(default_factory=list)
    redis_url: str = ""
    is_stopping: bool = False
    _lock: IO[str] | None = None
    _socket: socket.socket | None = None

    # ── Start ─────────────────────────────────────────────────────────────────────────────────────────────

    def claim(self) -> None:
        """Take the port and the data folder, or say who has them. Nothing has been started before this."""
        (self.home / "run").mkdir(mode=0o700, exist_ok=True)
        (self.home / "logs").mkdir(mode=0o700, exist_ok=True)
        self._lock = (self.home / "run" / "up.lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StartError(
                f"A studio is already running with the data folder {self.home}. Stop it first, or set DATA_HOME.",
                f"数据目录 {self.home} 已有正在运行的平台。请先停止它，或设置 DATA_HOME 使用另一个目录。",
            ) from None
        self._socket = self._bind()

    def _bind(self) -> socket.socket:
        host, port = self.options["HOST"], self.options["PORT"]
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            listener.close()
            reason, other = error.strerror, f"PORT={port + 1} make run"
            raise StartError(
                f"Port {port} on {host} cannot be used ({reason}). Choose another one: {other}",
                f"{host} 的端口 {port} 无法使用（{reason}）。请换一个端口：{other}",
            ) from error
        listener.listen(512)
        listener.set_inheritable(True)
        return listener

    def start_broker(self) -> str:
        """Start the doorbell when none was given; says in words what is used."""
        self.redis_url = self.options["REDIS_URL"]
        if self.redis_url:
            return "REDIS_URL"
        if self.options["BROKER_URL"]:
            return "BROKER_URL; pages follow the database"
        program = broker.find_server()
        if program:
            child, url = broker.make_child(program, self.home, self._log("valkey"), env.child_environment())
            if broker.start(child, url, self.home):
                self.children.append(child)
                self.redis_url = url
                return Path(program).name
            for line in child.tail():
                self.say(f"    {line}")
        return "none: workers and pages look into the database by themselves (slower)"

    def _log(self, name: str) -> Path:
        return self.home / "logs" / f"{name}.log"

    def environment(self, **more: object) -> dict[str, str]:
        """What our children get: the same folder, and the doorbell that was started."""
        return env.child_environment(DATA_HOME=self.home, REDIS_URL=self.redis_url or None, **more)

    def start_processes(self) -> None:
        """Web servers on the one socket, workers, and the scheduler."""
        assert self._socket is not None
        manage = [sys.executable, str(env.ROOT / "manage.py")]
        number = self._socket.fileno()
        for index in range(1, self.options["WEB_PROCESSES"] + 1):
            name = f"web-{index}"
            self._start(
                Child(name, [*manage, "serve", "--fd", str(number)], self.environment(), self._log(name), (number,))
            )
        for index in range(1, self.options["WORKER_PROCESSES"] + 1):
            name = f"worker-{index}"
            worker_id = f"{self.options['WORKER_ID'] or socket.gethostname()}-{index}"
            drain = min(DRAIN_SECONDS, self.options["DRAIN_SECONDS"])
            environment = self.environment(WORKER_ID=worker_id, DRAIN_SECONDS=drain)
            self._start(Child(name, [*manage, "worker"], environment, self._log(name)))
        self._start(Child("scheduler", [*manage, "scheduler"], self.environment(), self._log("scheduler")))

    def _start(self, child: Child) -> None:
        child.start()
        self.children.append(child)

    @property
    def address(self) -> str:
        """What to type into the browser."""
        host = self.options["HOST"]
        shown = "127.0.0.1" if host in {"0.0.0.0", "::", ""} else host
        return f"http://{f'[{shown}]' if ':' in shown else shown}:{self.options['PORT']}"

    def await_ready(self) -> None:
        """Wait until the web server answers; a process that ends meanwhile is named with its last words."""
        deadline = time.monotonic() + READY_SECONDS
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        while time.monotonic() < deadline and not self.is_stopping:
            for child in self.children:
                if not child.is_alive:
                    raise self._failure(child)
            try:
                with opener.open(f"{self.address}/healthz", timeout=2):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        if not self.is_stopping:
            raise StartError(
                f"The web server did not answer within {READY_SECONDS:g} seconds; see {self._log('web-1')}.",
                f"网页服务 {READY_SECONDS:g} 秒内没有响应，请查看 {self._log('web-1')}。",
            )

    def _failure(self, child: Child) -> StartError:
        return StartError(
            f"{child.name} ended at its start (code {child.exit_code}). Its last lines, from {child.log}:",
            *[f"    {line}" for line in child.tail()],
            f"{child.name} 启动失败，以上是日志的最后几行。",
        )

    # ── Watch and stop ────────────────────────────────────────────────────────────────────────────────────

    def watch(self) -> None:
        """Until told to stop: a process that falls is started again, with its last words shown."""
        while not self.is_stopping:
            for child in self.children:
                if child.is_alive or self.is_stopping:
                    continue
                self.say(f"{child.name} ended (code {child.exit_code}); starting it again. Log: {child.log}")
                if not child.may_restart():
                    raise self._failure(child)
                if child.name == "valkey":
                    broker.socket_path(self.home).unlink(missing_ok=True)
                child.start()
            time.sleep(0.2)

    def request_stop(self, number: int = 0, frame: object = None) -> None:
        """Signal handler of INT and TERM."""
        self.is_stopping = True

    def handle_signals(self) -> None:
        """From now on INT and TERM end everything in order."""
        signal.signal(signal.SIGINT, self.request_stop)
        signal.signal(signal.SIGTERM, self.request_stop)
        if hasattr(signal, "SIGHUP"):
            signal.signal(signal.SIGHUP, self.request_stop)

    def stop(self) -> None:
        """Everything ends: first who works, then the doorbell."""
        self.is_stopping = True
        workers = [child for child in self.children if child.name != "valkey"]
        stop_all(workers, STOP_SECONDS)
        stop_all([child for child in self.children if child.name == "valkey"], 1.0)
        self.children.clear()
        if self._socket is not None:
            self._socket.close()
        if self._lock is not None:
            self._lock.close()
