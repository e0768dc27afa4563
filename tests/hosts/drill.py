"""The upgrade drill: a worker of an older version beside one of this, on one control database. ``make drill``.

    python -m tests.hosts.drill [--before COMMIT] [--broker redis]

UPGRADE_RUNS (200) runs of two stages; 0 may be lost or doubled, and both versions must have worked. The older version
is a checkout of its own with a virtual environment of its own. Without a commit it is the newest release, found by
its commit message ("Version 1.2.3").
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests import services
from tests.hosts.host import ROOT
from tests.hosts.stage import rehearse

RUNS = int(os.environ.get("UPGRADE_RUNS") or 200)


def main() -> int:
    """Play it; says what was found."""
    options = argparse.ArgumentParser(prog="python -m tests.hosts.drill")
    options.add_argument("--before", default="", help="commit, tag or branch of the older version")
    options.add_argument("--broker", choices=("redis", "rabbitmq"), default="redis")
    given = options.parse_args()
    commit = given.before or newest_release()
    print(f"· a worker of {commit} beside one of this version, {RUNS} runs")
    try:
        with checkout(commit) as older:
            found = rehearse(given.broker, None, RUNS, 15.0, 3600.0, before=older)
    finally:
        services.stop_all()
    print(f"  {found}")
    if {*found["attempts"]} != {"older", "newer"}:
        print("  one of the two versions has done nothing")
        return 1
    print(f"  {RUNS} runs done, none lost, each row once")
    return 0


def newest_release() -> str:
    """The commit of the newest release before this one."""
    found = _git("log", "--format=%H", "--extended-regexp", "--grep=^Version [0-9]+[.][0-9]+[.][0-9]+$", "HEAD^")
    if not found:
        raise SystemExit("No release is in the history (a shallow clone?): name a commit with --before.")
    return found.split()[0]


@contextlib.contextmanager
def checkout(commit: str) -> Iterator[Path]:
    """A folder with that version and its virtual environment."""
    with tempfile.TemporaryDirectory(prefix="cg-older-") as name:
        folder = Path(name) / "studio"
        _git("worktree", "add", "--detach", str(folder), commit)
        try:
            _make_environment(folder)
            yield folder
        finally:
            _git("worktree", "remove", "--force", str(folder))


def _make_environment(folder: Path) -> None:
    environment = folder / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    uv = Path(sys.executable).with_name("uv")
    subprocess.run(
        [str(uv), "pip", "install", "--quiet", "--require-hashes", "-r", str(folder / "requirements.txt")],
        check=True, env={**os.environ, "VIRTUAL_ENV": str(environment)},
    )  # fmt: skip


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True)
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
