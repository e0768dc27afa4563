"""A small city with real data for runtime tests: SQLite and PostgreSQL nodes, discovered by real workers."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.test import Client

from flows.create_app import create_app
from flows.graph.load import read_document
from flows.graph.subflows import flow_settings
from flows.models import Flow, Version
from flows.versions import save_version
from node_catalog.models import Dataset, Node
from node_catalog.nodes import create_node
from node_catalog.palette import registry
from runtime import requests, states
from runtime.models import Run, Task
from runtime.service import run_scheduler_forever
from runtime.worker import Worker
from security.access import principal_for
from security.models import User
from tests.app.runtime.factory import make_organisation, make_user

CANARY = "CANARY-77-NOBODY-MAY-SEE"


def wait_for(check: Callable[[], Any], seconds: float, what: str) -> Any:
    """Poll until ``check`` gives something true; fail with ``what`` after ``seconds``."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = check()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"Not within {seconds:g} s: {what}")


def make_readings(path: Path, rows: int) -> None:
    """A table with an id, a station, a value and a secret column."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "create table readings (id integer primary key, station text not null, pm25 real, secret text)"
        )
        connection.executemany(
            "insert into readings values (?, ?, ?, ?)",
            ((n, f"s{n % 7}", (n * 7919 % 1000) / 10, CANARY) for n in range(rows)),
        )
        connection.commit()


def make_target(path: Path) -> None:
    """An empty database to write into."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("create table empty_one (n integer)")
        connection.commit()


def make_staff() -> User:
    return make_user("staff", make_organisation("env"), "business", "data_admin")


def signed_in(user: User) -> Client:
    """A client of the API that has signed in as ``user``."""
    client = Client()
    body = {"username": user.username, "password": "Long-enough-2026"}
    assert client.post("/api/session", body, content_type="application/json").status_code == 200
    return client


def add_node(user: User, kind: str, name: str, values: dict[str, Any]) -> Node:
    words = {"en": name, "zh-CN": name}
    node: Node = create_node(principal_for(user), {"type": kind, "name": words, "settings": values})
    return node


def discover(node: Node, user: User) -> list[Dataset]:
    """Let a worker walk the node."""
    task = requests.request_discovery(node, user)
    finished = await_task(task)
    assert finished.state == states.DONE, finished.error
    return list(Dataset.objects.filter(node=node, state="published").order_by("number"))


def await_task(task: Task, seconds: float = 60) -> Task:
    def ended() -> Task | None:
        fresh = Task.objects.get(pk=task.pk)
        return fresh if fresh.state in states.FINISHED else None

    found: Task = wait_for(ended, seconds, f"task {task.kind} ends")
    return found


def await_run(run: Run, seconds: float = 60) -> Run:
    def ended() -> Run | None:
        fresh = Run.objects.get(pk=run.pk)
        return fresh if fresh.state in states.RUN_FINISHED else None

    found: Run = wait_for(ended, seconds, f"run {run.number} ends")
    return found


def make_flow(
    user: User, steps: dict[str, Any], wires: list[tuple[str, str]], inputs: dict[str, Any] | None = None
) -> Flow:
    """An app whose draft has these steps."""
    app = create_app(user, {"en": "Test", "zh-CN": "测试"})
    flow: Flow = app.flows.get()
    draft = flow.draft
    draft.document = {
        "kind": "flow",
        "spec": "1",
        "title": {"en": "Test", "zh-CN": "测试"},
        "steps": {key: {"version": 1, **step} for key, step in steps.items()},
        "wires": [{"from": source, "to": target} for source, target in wires],
        **({"inputs": inputs} if inputs else {}),
    }
    draft.save()
    return Flow.objects.select_related("app__owner", "app__organisation", "draft").get(pk=flow.pk)


def read_step(dataset: Dataset) -> dict[str, Any]:
    return {"type": "read", "settings": {"dataset": dataset.number}}


def make_sub_flow(user: User, dataset: Dataset, where: str, inputs: dict[str, Any] | None = None) -> Version:
    """A saved version of a flow that others may call: the rows of ``data`` (else of ``dataset``) that fit ``where``."""
    flow = make_flow(
        user,
        {
            "read": {"type": "read", "settings": {"dataset": "data"}},
            "one": {"type": "filter", "settings": {"where": where}},
            "out": {"type": "output", "settings": {"name": "rows"}},
        },
        [("read.out", "one.in"), ("one.out", "out.in")],
    )
    flow.draft.document |= {"inputs": inputs or {}, "datasets": {"data": dataset.number}}
    flow.draft.save()
    return save_version(flow.app, user)


def flow_setting(version: Version) -> dict[str, Any]:
    """The ``flow`` setting of a call or for-each that uses ``version``."""
    document = read_document(version.document["flows"]["main"]["document"], registry()).document
    assert document is not None
    return flow_settings(str(version.app_id), version.number, "main", version.digest, document, registry().transforms)


def home(name: str) -> Path:
    """A file in the one folder of DATA_HOME that nodes may read."""
    return Path(settings.DATA_HOME) / "demo" / "nodes" / name


@contextmanager
def worker_and_scheduler(slots: int = 2) -> Iterator[Worker]:
    """A real worker and a scheduler in this process."""
    worker, ended = Worker(slots), threading.Event()
    scheduler = threading.Thread(target=run_scheduler_forever, args=(ended,))
    worker.start()
    scheduler.start()
    try:
        yield worker
    finally:
        ended.set()
        worker.stop()
        scheduler.join()
