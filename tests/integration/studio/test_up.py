"""`manage.py up`: starts everything, stops it all, dies with its parent, heals what falls, and says what is wrong."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services import free_port, patience, wait_until
from tests.studio_process import ROOT, Studio, clean_environment, running_studio, start_studio


def words_of(file: Path) -> str:
    """What a file of /proc says; nothing, when its thread or process has just ended."""
    try:
        return file.read_text()
    except OSError:
        return ""


def descendants(pid: int) -> dict[int, str]:
    """Process id → command line of everything below ``pid``."""
    found: dict[int, str] = {}
    waiting = [pid]
    while waiting:
        parent = waiting.pop()
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            for child in map(int, words_of(children).split()):
                found[child] = words_of(Path(f"/proc/{child}/cmdline")).replace("\0", " ")
                waiting.append(child)
    return found


def is_running(pid: int) -> bool:
    """Whether the process is there and not merely waiting to be reaped."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except OSError:
        return False


@pytest.fixture(scope="module")
def studio() -> Iterator[Studio]:
    with running_studio(DEMO="0", WEB_PROCESSES=2) as started:
        yield started


def test_it_serves_and_has_a_worker(studio: Studio) -> None:
    assert studio.get("/healthz")["status"] == "ok"
    wait_until(lambda: studio.get("/readyz")["checks"]["workers"] >= 1, 20, "a worker has signed on")
    assert studio.get("/readyz")["checks"]["push"] == "ok"


def test_a_fallen_process_is_started_again(studio: Studio) -> None:
    for what in ("manage.py serve", "manage.py scheduler", "valkey-server"):
        pid = next(pid for pid, command in descendants(studio.process.pid).items() if what in command)
        os.kill(pid, signal.SIGKILL)

        def is_back(what: str = what, pid: int = pid) -> bool:
            return any(what in command and other != pid for other, command in descendants(studio.process.pid).items())

        wait_until(is_back, 10, f"{what} is back")
    wait_until(lambda: studio.get("/readyz")["checks"]["push"] == "ok", 10, "push is back")
    assert studio.process.poll() is None


def test_two_web_processes_share_the_port(studio: Studio) -> None:
    servers = [command for command in descendants(studio.process.pid).values() if "manage.py serve" in command]
    assert len(servers) == 2


def test_the_same_folder_is_not_used_twice(studio: Studio) -> None:
    done = _up(DATA_HOME=studio.home, PORT=free_port())
    assert done.returncode == 1
    assert "already running" in done.stderr and "已有正在运行" in done.stderr


def test_it_stops_in_order_and_starts_again(tmp_path: Path) -> None:
    home = tmp_path / "home"
    first = start_studio(home, DEMO="0")
    below = descendants(first.process.pid)
    assert len(below) >= 4
    assert first.stop(30) < 5.5 * patience()
    assert first.process.returncode == 0
    wait_until(lambda: not any(is_running(pid) for pid in below), 3, "no process is left")
    began = time.monotonic()
    second = start_studio(home, DEMO="0")
    try:
        assert time.monotonic() - began < 10 * patience()
    finally:
        second.process.send_signal(signal.SIGINT)
        assert second.process.wait(timeout=6 * patience()) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is Linux's")
def test_children_die_with_a_killed_supervisor(tmp_path: Path) -> None:
    studio = start_studio(tmp_path / "home", DEMO="0")
    below = descendants(studio.process.pid)
    studio.process.kill()
    studio.process.wait()
    wait_until(lambda: not any(is_running(pid) for pid in below), 15, "no process is left")
    again = start_studio(tmp_path / "home", DEMO="0")
    assert again.stop(30) < 5.5 * patience()


def test_a_taken_port_is_said_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = _up(DATA_HOME=tmp_path / "home", PORT=taken.getsockname()[1])
    assert done.returncode == 1
    assert "cannot be used" in done.stderr and "请换一个端口" in done.stderr
    assert "Traceback" not in done.stderr + done.stdout


def test_an_unreachable_database_is_said_in_words(tmp_path: Path) -> None:
    url = f"postgresql://nobody:x@127.0.0.1:{free_port()}/none"
    done = _up(DATA_HOME=tmp_path / "home", PORT=free_port(), DATABASE_URL=url)
    assert done.returncode == 1
    assert "DATABASE_URL" in done.stderr and "数据库" in done.stderr
    assert "Traceback" not in done.stderr + done.stdout


def test_a_wrong_option_is_named(tmp_path: Path) -> None:
    done = _up(DATA_HOME=tmp_path / "home", PORT="eighty")
    assert done.returncode == 1
    assert "PORT='eighty'" in done.stderr


def _up(**options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "up"],
        env=clean_environment(**options), cwd=ROOT, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
