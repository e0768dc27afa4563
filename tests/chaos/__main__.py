"""``make chaos``: the chaos tests at full size, with a PostgreSQL server of their own as the control database.

    python -m tests.chaos [--kills 1000] [--freezes 500] [--disk 200] [--restarts 50] [--control postgresql] [--seed N]
    python -m tests.chaos --brief       (what continuous integration runs: each failpoint once, some of the rest)

The server is started again whenever it ends, so that a test may end it as often as it likes.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import threading

from tests import services

FULL = {"kills": 1000, "freezes": 500, "disk": 200, "restarts": 50, "messages": 60}
BRIEF = {"kills": 1, "freezes": 10, "restarts": 5}
"""However few kills are asked for, each failpoint is struck once."""
BRIEF_TESTS = "killed or frozen or restart or clock"
"""Disks and messages are played by the test suite itself."""


def main() -> int:
    """Run the tests; their exit code."""
    options = argparse.ArgumentParser(prog="python -m tests.chaos")
    options.add_argument("--brief", action="store_true", help="the sizes and tests of continuous integration")
    for name, size in FULL.items():
        options.add_argument(f"--{name}", type=int, help=f"{size}, in brief {BRIEF.get(name, 'not played')}")
    options.add_argument("--seed", type=int, default=20261122)
    options.add_argument("--control", choices=("postgresql", "sqlite"), default="postgresql")
    options.add_argument("--only", default="", help="words of the names of tests, as pytest's -k")
    given = options.parse_args()
    environment = {**os.environ, "CITYGO_NEED_SERVICES": "1"}
    for name, size in (BRIEF if given.brief else FULL).items():
        asked = getattr(given, name)
        environment[f"CHAOS_{name.upper()}"] = str(size if asked is None else asked)
    environment["CHAOS_SEED"] = str(given.seed)
    # Each test takes as long as it takes; what hangs in it is told by its own deadlines.
    command = [sys.executable, "-m", "pytest", "-q", "-s", "-o", "faulthandler_timeout=0", "tests/chaos"]
    only = given.only or (BRIEF_TESTS if given.brief else "")
    command += ["-k", only] if only else []
    with control_database(environment) if given.control == "postgresql" else contextlib.nullcontext():
        return subprocess.run(command, env=environment, check=False).returncode


@contextlib.contextmanager
def control_database(environment: dict[str, str]):  # type: ignore[no-untyped-def]
    """A server that is brought back whenever it ends; the environment says where it is."""
    server = services.postgres_server()
    ended = threading.Event()

    def keep_alive() -> None:
        while not ended.wait(0.05):
            if server.process is not None and server.process.poll() is not None:
                # It may be struck while it starts, or what is left of the one before may still be ending: again then.
                with contextlib.suppress(AssertionError):
                    server.start()

    keeper = threading.Thread(target=keep_alive)
    keeper.start()
    environment["TEST_DATABASE_URL"] = server.create_database("chaos")
    environment["CHAOS_CONTROL"] = str(server.folder / "data" / "postmaster.pid")
    try:
        yield
    finally:
        ended.set()
        keeper.join()
        services.stop_all()


if __name__ == "__main__":
    sys.exit(main())
