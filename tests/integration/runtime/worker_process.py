"""A worker process for kill tests: imports everything, then obeys its standard input, one word a line.

``go [failpoints]`` starts a worker, ``pause`` stops it (its task is handed back), ``start failpoints flow version user
tag`` starts a run, end of input ends the process. With ``--unfenced`` the children use outputs that ignore ledger and
fence, to show what those are for; with ``--scheduler`` the process does a scheduler's duties as well; with
``--recorded`` it writes down which failpoints it passes.
"""

from __future__ import annotations

import faulthandler
import sys
import threading
from typing import Any

import django


def main() -> None:
    faulthandler.enable()
    django.setup()
    from django.conf import settings

    from node_catalog.sdk import failpoint
    from runtime.service import run_scheduler_forever
    from runtime.worker import Worker

    packages: tuple[str, ...] = ("node_catalog.types",)
    if "--unfenced" in sys.argv:
        packages = ("tests.integration.runtime.unfenced_types",)
    if "--recorded" in sys.argv:
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
            if "--scheduler" in sys.argv:
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


if __name__ == "__main__":
    main()
