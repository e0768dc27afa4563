"""The profile of a dataset: one scan of what a grant lets through, described column by column."""

from __future__ import annotations

import time
from collections.abc import Callable

from node_catalog.sdk.kept import Kept
from node_catalog.sdk.registry import Registry, load_registry
from runtime.engine.cancel import Cancel
from runtime.engine.events import Reporter
from runtime.engine.sources import open_binding, reach
from runtime.engine.statistics import describe
from runtime.engine.work import ProfileOutcome, ProfileWork, Report


def profile_source(
    work: ProfileWork,
    report: Callable[[Report], None],
    registry: Registry | None = None,
    cancel: Cancel | None = None,
) -> ProfileOutcome:
    """Scan a source once and describe its columns.

    Each column: ``nulls``, ``distinct``, ``min``, ``max``, ``top`` [{value, count}], and where they make sense
    ``mean``, ``histogram`` [{from, to, count}], ``length`` {min, max, mean} of texts and bytes. ``approximate``
    names what was estimated from a sample (the rest is exact). Values are JSON (see runtime.engine.plain).
    """
    with Reporter(report) as reporter:
        reporter.phase("reading")
        found = profile_rows(work, registry or load_registry(), cancel or Cancel(), reporter)
        reporter.phase("done")
    return found


def profile_rows(
    work: ProfileWork, registry: Registry, cancel: Cancel, reporter: Reporter, kept: Kept | None = None
) -> ProfileOutcome:
    """The scan itself; what it opens goes into ``kept``, if there is one."""
    started = time.monotonic()
    reached = reach(work.source, work.limits, registry, kept)
    with open_binding(work.binding, work.source, work.limits, registry, cancel, reporter, reached) as (reader, flow):
        try:
            found = describe(reader, work.binding.schema, work.limits, cancel, sample_rows=work.sample_rows, kept=kept)
        except Exception:
            if flow.failure is not None:
                raise flow.failure from None
            raise
    return ProfileOutcome(
        rows=found.rows, columns=found.columns, sample_rows=found.sample_rows, seconds=time.monotonic() - started
    )
