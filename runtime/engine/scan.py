"""A scan: profiles of many datasets of one node, one after the other over the same few connections.

It is gentle to the source by its shape: one table at a time, read-only and with the limits of any read, no connection
and no process per table; while a table is described here, the source rests.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from node_catalog.sdk.errors import ConnectError, RefusedError, SourceBusyError
from node_catalog.sdk.failpoint import failpoint
from node_catalog.sdk.kept import Kept
from node_catalog.sdk.registry import Registry
from runtime.engine.cancel import Cancel
from runtime.engine.errors import CancelledError, SourceFailedError, problem_of
from runtime.engine.events import Reporter
from runtime.engine.profile import profile_rows
from runtime.engine.work import ProfileWork, Report, ScanItem, ScannedItem, ScanOutcome, ScanWork

MOST_REFUSALS = 3
"""When the node itself seems to refuse so many tables in a row, the scan breaks off and none of them is blamed."""


def scan_sources(work: ScanWork, report: Callable[[Report], None], registry: Registry, cancel: Cancel) -> ScanOutcome:
    """Profile each item and tell it at once. A table that cannot be read is told with its problem and passed over.

    Raises what the node says when it does not answer any more.
    """
    started = time.monotonic()
    doubtful: list[tuple[ScanItem, Exception]] = []

    def blame() -> None:
        while doubtful:
            item, error = doubtful.pop(0)
            reporter.part(ScannedItem(key=item.key, problem=problem_of(error)))

    with Reporter(report) as reporter, Kept() as kept:
        reporter.phase("reading")
        for item in work.items:
            cancel.check()
            failpoint("engine.scan_item")
            one = ProfileWork(
                binding=item.binding, source=item.source, limits=work.limits, sample_rows=work.sample_rows
            )
            try:
                profile = profile_rows(one, registry, cancel, reporter, kept)
            except CancelledError:
                raise
            except Exception as error:
                cancel.check()
                doubtful.append((item, error))
                if not _is_of_node(error):
                    blame()
                elif len(doubtful) >= MOST_REFUSALS:
                    raise
                continue
            blame()
            reporter.part(ScannedItem(key=item.key, profile=profile))
        blame()
        reporter.phase("done")
    return ScanOutcome(seconds=time.monotonic() - started)


def _is_of_node(error: Exception) -> bool:
    """Whether an error may be about the node rather than about one of its tables."""
    if isinstance(error, RefusedError):
        return not error.code.endswith(".no_right")
    return isinstance(error, ConnectError | SourceBusyError | SourceFailedError)
