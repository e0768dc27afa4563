"""A scan tells each table at once, passes over those that cannot be read, and knows when the node is at fault."""

from __future__ import annotations

from typing import Any

import pytest

from flows.graph.plan import Binding
from node_catalog.sdk.errors import ConnectError, NodeTypeError, RefusedError, SourceBusyError, SourceError
from node_catalog.sdk.ports import Schema
from node_catalog.sdk.registry import Registry
from node_catalog.sdk.text import text
from runtime.engine import scan
from runtime.engine.cancel import Cancel
from runtime.engine.work import ProfileOutcome, ProfileWork, Report, ScanItem, ScannedItem, ScanWork, SourceSpec

WORDS = text("It went wrong.", "出错了。")
GONE, BUSY = SourceError("source.table_missing", WORDS), SourceBusyError("mysql.busy", WORDS)
DOWN, NO_RIGHT = ConnectError("mysql.unreachable", WORDS), RefusedError("mysql.no_right", WORDS)
LOCKED = RefusedError("mysql.password", WORDS)


def scanned(monkeypatch: pytest.MonkeyPatch, *ends: NodeTypeError | None) -> tuple[str, NodeTypeError | None]:
    """What is told of tables that end so: ``p`` a profile, ``x`` a problem; and what the scan itself raised."""
    told: list[Report] = []

    def profile_rows(work: ProfileWork, *_: Any) -> ProfileOutcome:
        end = ends[int(work.source.alias)]
        if end is not None:
            raise end
        return ProfileOutcome(rows=1, columns={}, sample_rows=1)

    monkeypatch.setattr(scan, "profile_rows", profile_rows)
    items = tuple(
        ScanItem(key=str(place), binding=Binding(str(place), "dataset", Schema()), source=SourceSpec(alias=str(place)))
        for place in range(len(ends))
    )
    raised = None
    try:
        scan.scan_sources(ScanWork(items=items), told.append, Registry({}, {}), Cancel())
    except NodeTypeError as error:
        raised = error
    parts = [report.part for report in told if isinstance(report.part, ScannedItem)]
    assert [part.key for part in parts] == [str(place) for place in range(len(parts))], "told in order"
    return "".join("p" if part.profile else "x" for part in parts), raised


def test_a_table_that_cannot_be_read_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    assert scanned(monkeypatch, None, GONE, None, NO_RIGHT, NO_RIGHT, NO_RIGHT, NO_RIGHT, None) == ("pxpxxxxp", None)


def test_one_refusal_is_the_tables_own_when_the_next_one_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    assert scanned(monkeypatch, None, BUSY, DOWN, None, BUSY) == ("pxxpx", None)


@pytest.mark.parametrize("end", [BUSY, DOWN, LOCKED], ids=lambda end: end.code)
def test_a_node_that_does_not_answer_ends_the_scan_and_blames_no_table(
    monkeypatch: pytest.MonkeyPatch, end: NodeTypeError
) -> None:
    assert scanned(monkeypatch, None, None, end, end, end, None) == ("pp", end)
