"""A pytest plugin of scripts/test.sh: what did not pass is run once more, and only that.

TESTS_LEDGER names a file. A run whose ledger is empty writes how every test ended; a run that finds a ledger picks what
failed, and the whole file of a test that never ended because the process that was to run it died: tests of one file may
build on each other.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

LEDGER = Path(os.environ["TESTS_LEDGER"])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    ended = dict(line.split(" ", 1)[::-1] for line in LEDGER.read_text().splitlines()) if LEDGER.exists() else {}
    if not ended or hasattr(config, "workerinput"):
        return
    lost = {item.path for item in items if item.nodeid not in ended}
    again = [item for item in items if item.path in lost or ended[item.nodeid] != "passed"]
    config.hook.pytest_deselected(items=[item for item in items if item not in again])
    items[:] = again


@pytest.hookimpl(trylast=True)
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """A test has passed when its call did or was skipped, and nothing around it failed: the last line counts."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        return
    if report.failed or report.when == "call" or report.skipped:
        with LEDGER.open("a") as ledger:
            ledger.write(f"{'failed' if report.failed else 'passed'} {report.nodeid}\n")
