"""Worker processes to kill, freeze and replace, and targets whose rows are counted."""

from __future__ import annotations

import os
import select
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Protocol

import psycopg
import pyarrow.parquet as pq
from psycopg import sql

from node_catalog.sdk.manifest import read_manifest
from runtime.models import Worker
from tests.integration.runtime import city, forking

LEASE = 2.0
ANSWER_SECONDS = 120
"""A worker process that says nothing for so long has hung: the test says where."""
MODULE = "tests.integration.runtime.worker_process"
ROOT = Path(__file__).resolve().parents[3]
ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "tests.settings",
    "CITYGO_TEST_CHILD": "1",
    "LEASE_SECONDS": str(LEASE),
    "HEARTBEAT_SECONDS": "0.5",
    "POLL_SECONDS": "0.1",
    "WORKER_SLOTS": "1",
    "CHECKPOINT_ROWS": "4000",
    "ALLOWED_NETWORKS": "127.0.0.0/8",
}


class WorkerProcess:
    """One process that is ready to become a worker."""

    started: ClassVar[list[WorkerProcess]] = []

    def __init__(self, *arguments: str, **environment: str) -> None:
        self.started.append(self)
        self._words = tempfile.TemporaryFile("w+")  # noqa: SIM115 (closed by kill)
        # What is loaded into a process before Python cannot be forked.
        self._is_forked = "LD_PRELOAD" not in environment
        whole = {**os.environ, **ENVIRONMENT, **environment}
        self.process = (self._fork if self._is_forked else self._start)(arguments, whole)
        self._is_ready = False

    def _start(self, arguments: Sequence[str], environment: dict[str, str]) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", MODULE, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._words,
            text=True,
            env=environment,
            cwd=ROOT,
        )

    def _fork(self, arguments: Sequence[str], environment: dict[str, str]) -> forking.Forked:
        request = {"arguments": arguments, "environment": environment}
        return template().fork(request, self._words.fileno(), is_text=True)

    def tell(self, line: str, answer: str) -> None:
        if not self._is_ready:
            self._expect("ready")
            self._is_ready = True
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        self._expect(answer)

    def _expect(self, word: str) -> None:
        assert self.process.stdout is not None
        heard = ""
        if select.select([self.process.stdout], [], [], ANSWER_SECONDS)[0]:
            heard = self.process.stdout.readline().strip()
        assert heard == word, f"the worker process said {heard!r} instead of {word!r}:\n{self.last_words()}"

    def last_words(self) -> str:
        """What it has told its log; and where all its threads are, when it is silent (it ends by that)."""
        self.send(signal.SIGABRT)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=20)
        self._words.seek(0)
        return self._words.read()[-20_000:]

    def hint(self, line: str) -> None:
        """Say something without waiting for the answer."""
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()

    def go(self, failpoints: str = "") -> None:
        self.tell(f"go {failpoints}", "started")

    def pause(self) -> None:
        self.tell("pause", "paused")

    @property
    def has_ended(self) -> bool:
        return self.process.poll() is not None

    @property
    def is_stopped(self) -> bool:
        """Whether a failpoint has stopped the process itself."""
        with suppress(OSError, IndexError):
            return _stat(self.process.pid)[0] == "T"
        return False

    def send(self, number: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.process.pid, number)

    def kill(self) -> None:
        """SIGKILL, and wait until it and its pipes are gone."""
        self.send(signal.SIGKILL)
        self.process.wait(timeout=20)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()
        self._words.close()

    def children(self) -> list[int]:
        """The child processes that do the work."""
        found = children_of(self.process.pid)
        return [child for between in found for child in children_of(between)] if self._is_forked else found

    def stopped_child(self) -> int | None:
        """A child that a failpoint has stopped."""
        return first_stopped(self.children())


def children_of(process: int) -> list[int]:
    """The processes that this one has started."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError, IndexError):
                if _stat(int(entry.name))[1] == str(process):
                    found.append(int(entry.name))
    return found


def first_stopped(processes: Iterable[int]) -> int | None:
    """One of these processes that a failpoint has stopped."""
    for process in processes:
        with suppress(OSError, IndexError):
            if _stat(process)[0] == "T":
                return process
    return None


@cache
def template() -> forking.Template:
    """The process from which this one's worker processes are forked."""
    ours, theirs = forking.new_link()
    process = subprocess.Popen(
        [sys.executable, "-m", MODULE, "--serve", str(theirs.fileno())],
        stdin=subprocess.DEVNULL,
        pass_fds=[theirs.fileno()],
        env={**os.environ, **ENVIRONMENT},
        cwd=ROOT,
    )
    theirs.close()
    return forking.Template(ours, process)


@contextmanager
def managed_worker(**options: str) -> Iterator[subprocess.Popen[bytes]]:
    """``manage.py worker`` as the studio starts it, with these options; it has announced itself."""
    environment = {
        **os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "CITYGO_TEST_CHILD": "1", "WORKER_SLOTS": "1",
        **options,
    }  # fmt: skip
    process = subprocess.Popen([sys.executable, "manage.py", "worker"], cwd=ROOT, env=environment)
    try:
        city.wait_for(lambda: Worker.objects.filter(process=process.pid).exists(), 90, "the worker announces itself")
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=60)
        finally:
            process.kill()


def _stat(process: int) -> list[str]:
    """State, parent and so on of a process."""
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()


def kill_all() -> None:
    """End every worker process of this test."""
    while WorkerProcess.started:
        WorkerProcess.started.pop().kill()


class TargetNode(Protocol):
    """Where the runs write."""

    name: str
    node: Any

    def count(self, table: str) -> tuple[int, int]:
        """Rows, and different ids."""


@dataclass
class SqliteTarget:
    """A SQLite file."""

    staff: Any
    name: str = "SQLite"
    node: Any = field(init=False)

    def __post_init__(self) -> None:
        self.path = city.home("killed.sqlite3")
        city.make_target(self.path)
        self.node = city.add_node(self.staff, "sqlite", "Killed", {"path": str(self.path)})

    def count(self, table: str) -> tuple[int, int]:
        with closing(sqlite3.connect(self.path)) as connection:
            if not connection.execute("select 1 from sqlite_master where name = ?", (table,)).fetchone():
                return 0, 0
            row = connection.execute(f'select count(*), count(distinct id) from "{table}"').fetchone()
            return row[0], row[1]


@dataclass
class PostgresTarget:
    """A PostgreSQL database that is not the control database."""

    staff: Any
    server: Any
    name: str = "PostgreSQL"
    node: Any = field(init=False)

    def __post_init__(self) -> None:
        self.url = self.server.create_database("killed")
        self.node = city.add_node(self.staff, "postgresql", "Killed too", self.server.settings("killed"))

    def count(self, table: str) -> tuple[int, int]:
        with psycopg.connect(self.url) as connection:
            if connection.execute("select to_regclass(%s)", (f'public."{table}"',)).fetchone() == (None,):
                return 0, 0
            query = sql.SQL("select count(*), count(distinct id) from {}").format(sql.Identifier(table))
            row = connection.execute(query).fetchone()
            assert row is not None
            return row[0], row[1]


@dataclass
class FilesTarget:
    """A folder of Parquet files."""

    staff: Any
    name: str = "files"
    node: Any = field(init=False)

    def __post_init__(self) -> None:
        self.folder = city.home("killed_files")
        self.folder.mkdir()
        self.node = city.add_node(self.staff, "files", "Killed files", {"folder": str(self.folder)})

    def count(self, table: str) -> tuple[int, int]:
        manifest = read_manifest(self.folder / table)
        if manifest is None:
            return 0, 0
        ids = [n for part in manifest.parts for n in pq.read_table(self.folder / table / part.name)["id"].to_pylist()]
        return len(ids), len(set(ids))


@dataclass
class MariadbTarget:
    """A MariaDB database: a new table appears by RENAME, which is no part of a transaction."""

    staff: Any
    server: Any
    name: str = "MariaDB"
    node: Any = field(init=False)

    def __post_init__(self) -> None:
        self.database = self.server.create_database("killed")
        self.node = city.add_node(self.staff, "mysql", "Killed as well", self.server.settings("killed"))

    def count(self, table: str) -> tuple[int, int]:
        with self.server.connect(self.database) as connection, connection.cursor() as cursor:
            if not cursor.execute("show tables like %s", (table,)):
                return 0, 0
            cursor.execute(f"select count(*), count(distinct id) from `{table}`")
            return cursor.fetchone()
