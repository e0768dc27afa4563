"""Worker processes for kill tests: forked from one that has loaded everything (``--serve``), or started by themselves.

A worker process obeys its standard input, one word a line: ``go [failpoints]`` starts a worker, ``pause`` stops it (its
task is handed back), ``start failpoints flow version user tag`` starts a run, end of input ends the process. With
``--unfenced`` the children use outputs that ignore ledger and fence, to show what those are for; with ``--scheduler``
the process does a scheduler's duties as well; with ``--recorded`` it writes down which failpoints it passes.

A forked worker has a process of its own from which its children are forked, so that they all end with it.
"""

from __future__ import annotations

import faulthandler
import os
import socket
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import django
import msgspec

from tests.integration.runtime import forking

TYPES = "node_catalog.types"


def obey(arguments: Sequence[str]) -> None:
    """Be a worker process."""
    from django.conf import settings

    from node_catalog.sdk import failpoint
    from runtime.service import run_scheduler_forever
    from runtime.worker import Worker

    packages: tuple[str, ...] = (TYPES,)
    if "--unfenced" in arguments:
        packages = ("tests.integration.runtime.unfenced_types",)
    if "--recorded" in arguments:
        import tests.chaos.recorded  # noqa: F401

        packages = (*packages, "tests.chaos.recorded")
    worker: Worker | None = None
    ended = threading.Event()
    print("ready", flush=True)
    for line in sys.stdin:
        word, _, spec = line.strip().partition(" ")
        if word == "go":
            settings.OPTIONS["FAILPOINTS"] = spec
            failpoint.arm(spec)
            worker = Worker(packages=packages)
            worker.start()
            if "--scheduler" in arguments:
                ended = threading.Event()
                threading.Thread(target=run_scheduler_forever, args=(ended,), daemon=True).start()
            print("started", flush=True)
        elif word == "pause" and worker is not None:
            ended.set()
            worker.stop()
            worker = None
            print("paused", flush=True)
        elif word == "start":
            failpoint.arm(spec.partition(" ")[0])
            _start_run(*spec.split()[1:])
            print("begun", flush=True)
    if worker is not None:
        worker.stop()


def _start_run(flow: str, version: str, user: str, tag: str) -> None:
    from flows.models import Flow, Version
    from runtime.scheduler import start_run
    from security.models import User

    found: Any = Flow.objects.select_related("app__owner", "app__organisation", "draft").get(pk=flow)
    start_run(found, Version.objects.get(pk=version), User.objects.get(pk=user), {"tag": int(tag)})


# ── Forked ────────────────────────────────────────────────────────────────────────────────────────────────


def be_template(link: socket.socket) -> None:
    """Load whatever workers and their children need, then fork workers."""
    import runtime.service
    import runtime.worker  # noqa: F401
    from node_catalog.sdk.registry import load_registry
    from runtime.engine import child, duck

    load_registry((TYPES,))
    duck.warm_up()
    child.warm_up = lambda: None
    forking.serve(link, _be_worker)


def _be_worker(request: dict[str, Any]) -> None:
    from django.conf import settings

    from runtime.engine import process
    from studio.env import read_options

    # That of today: tests change it.
    os.environ.clear()
    os.environ.update(request["environment"])
    settings.OPTIONS.update(read_options())
    faulthandler.enable()
    ours, theirs = forking.new_link()
    if os.fork() == 0:
        ours.close()
        os.environ["TESTED_WORKER"] = str(os.getppid())
        forking.be(lambda: forking.serve(theirs, _be_child), [os.open(os.devnull, os.O_RDWR) for _ in range(2)])
    theirs.close()
    template = forking.Template(ours)
    start_child: Any = lambda settings, environment: template.fork({"settings": settings.decode()})  # noqa: E731
    process.start_child = start_child
    obey(request["arguments"])


def _be_child(request: Mapping[str, str]) -> None:
    from runtime.engine import child
    from runtime.engine.pipe import ChildSettings

    settings = msgspec.json.decode(request["settings"], type=ChildSettings)
    child.main(msgspec.json.encode(msgspec.structs.replace(settings, parent=os.getppid())).decode())


def main() -> None:
    faulthandler.enable()
    django.setup()
    if sys.argv[1:2] == ["--serve"]:
        be_template(socket.socket(fileno=int(sys.argv[2])))
    else:
        obey(sys.argv[1:])


if __name__ == "__main__":
    main()
