"""A worker process for kill tests: imports everything, then obeys its standard input, one word a line.

``go [failpoints]`` starts a worker, ``pause`` stops it (its task is handed back), end of input ends the process. With
``--unfenced`` the children use outputs that ignore ledger and fence, to show what those are for.
"""

from __future__ import annotations

import sys

import django


def main() -> None:
    django.setup()
    from django.conf import settings

    from node_catalog.sdk import failpoint
    from runtime.worker import Worker

    packages = ("node_catalog.types",)
    if "--unfenced" in sys.argv:
        packages = ("tests.integration.runtime.unfenced_types",)
    worker: Worker | None = None
    print("ready", flush=True)
    for line in sys.stdin:
        word, _, spec = line.strip().partition(" ")
        if word == "go":
            settings.OPTIONS["FAILPOINTS"] = spec
            failpoint.arm(spec)
            worker = Worker(packages=packages)
            worker.start()
            print("started", flush=True)
        elif word == "pause" and worker is not None:
            worker.stop()
            worker = None
            print("paused", flush=True)
    if worker is not None:
        worker.stop()


if __name__ == "__main__":
    main()
