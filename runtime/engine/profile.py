"""The profile of a dataset: one scan of what a grant lets through, described column by column."""

from __future__ import annotations

import time
from collections.abc import Callable

from node_catalog.sdk.registry import Registry, load_registry
from runtime.engine.cancel import Cancel
from runtime.engine.events import Reporter
from runtime.engine.sources import open_binding
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
    started = time.monotonic()
    stop = cancel or Cancel()
    with Reporter(report) as reporter:
        reporter.phase("reading")
        with open_binding(work.binding, work.source, work.limits, registry or load_registry(), stop, reporter) as (
            reader,
            flow,
        ):
            try:
                found = describe(reader, work.binding.schema, work.limits, stop, sample_rows=work.sample_rows)
            except Exception:
                if flow.failure is not None:
                    raise flow.failure from None
                raise
        reporter.phase("done")
    return ProfileOutcome(
        rows=found.rows, columns=found.columns, sample_rows=found.sample_rows, seconds=time.monotonic() - started
    )
