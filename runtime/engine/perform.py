"""Do one piece of work, whatever its kind."""

from __future__ import annotations

import time
from collections.abc import Callable

from node_catalog.sdk.contract import DiscoveredDataset
from node_catalog.sdk.registry import Registry
from node_catalog.sdk.schema import parse
from runtime.engine.cancel import Cancel
from runtime.engine.events import Reporter
from runtime.engine.profile import profile_source
from runtime.engine.sources import connect_context, connector_of
from runtime.engine.stage import run_stage
from runtime.engine.work import (
    CheckOutcome,
    CheckWork,
    DiscoverOutcome,
    DiscoverWork,
    Outcome,
    ProfileWork,
    Report,
    StageWork,
    Work,
)


def perform(work: Work, report: Callable[[Report], None], registry: Registry, cancel: Cancel) -> Outcome:
    """Dispatch by kind. Raises EngineError or NodeTypeError."""
    if isinstance(work, StageWork):
        return run_stage(work, report, registry, cancel)
    if isinstance(work, ProfileWork):
        return profile_source(work, report, registry, cancel)
    if isinstance(work, DiscoverWork):
        return discover(work, report, registry, cancel)
    return check(work, registry)


def discover(
    work: DiscoverWork, report: Callable[[Report], None], registry: Registry, cancel: Cancel
) -> DiscoverOutcome:
    """Walk what a node offers; reports the number of ``datasets`` found so far."""
    started = time.monotonic()
    connector = connector_of(registry, work.connector)
    settings = parse(connector.Settings, work.settings)
    found: list[DiscoveredDataset] = []
    with Reporter(report) as reporter:
        reporter.phase("reading")
        for dataset in connector.discover(settings, connect_context(work.limits, work.connector), dict(work.known)):
            cancel.check()
            found.append(dataset)
            reporter.count("datasets", 1)
        reporter.phase("done")
    return DiscoverOutcome(datasets=tuple(found), seconds=time.monotonic() - started)


def check(work: CheckWork, registry: Registry) -> CheckOutcome:
    """Try to connect; wrong settings are an error, an unreachable system is an answer."""
    started = time.monotonic()
    connector = connector_of(registry, work.connector)
    settings = parse(connector.Settings, work.settings)
    found = connector.check(settings, connect_context(work.limits, work.connector))
    return CheckOutcome(check=found, seconds=time.monotonic() - started)
