"""Do one piece of work, whatever its kind."""

from __future__ import annotations

import time
from collections.abc import Callable

from node_catalog.sdk.contract import Check, DiscoveredDataset
from node_catalog.sdk.registry import Registry
from node_catalog.sdk.schema import parse
from node_catalog.sdk.text import text
from runtime.engine.calls import CALLS
from runtime.engine.cancel import Cancel
from runtime.engine.events import Reporter
from runtime.engine.profile import profile_source
from runtime.engine.scan import scan_sources
from runtime.engine.sources import connect_context, connector_of
from runtime.engine.stage import run_stage
from runtime.engine.work import (
    CheckOutcome,
    CheckWork,
    DiscoverOutcome,
    DiscoverWork,
    FoundDatasets,
    Outcome,
    PackedWork,
    ProfileWork,
    Report,
    ScanWork,
    StageWork,
    Work,
)

REPLICA = text("The replica: ", "只读副本：")
PORTION = 100
"""Datasets that a discovery tells at a time."""


def perform(work: Work, report: Callable[[Report], None], registry: Registry, cancel: Cancel) -> Outcome:
    """Dispatch by kind. Raises EngineError or NodeTypeError."""
    if isinstance(work, StageWork):
        return run_stage(work, report, registry, cancel)
    if isinstance(work, PackedWork):
        return CALLS.perform(work, registry, cancel)
    if isinstance(work, ProfileWork):
        return profile_source(work, report, registry, cancel)
    if isinstance(work, ScanWork):
        return scan_sources(work, report, registry, cancel)
    if isinstance(work, DiscoverWork):
        return discover(work, report, registry, cancel)
    return check(work, registry)


def discover(
    work: DiscoverWork, report: Callable[[Report], None], registry: Registry, cancel: Cancel
) -> DiscoverOutcome:
    """Walk what a node offers; what is found is told in portions, so that breaking off loses little."""
    started = time.monotonic()
    connector = connector_of(registry, work.connector)
    settings = parse(connector.Settings, work.settings)
    context = connect_context(work.limits, work.connector, described=work.described, load=work.load)
    portion: list[DiscoveredDataset] = []
    count = 0
    with Reporter(report) as reporter:
        reporter.phase("reading")
        for dataset in connector.discover(settings, context, dict(work.known)):
            cancel.check()
            if dataset.path in context.described:
                continue
            portion.append(dataset)
            count += 1
            if len(portion) == PORTION:
                reporter.part(FoundDatasets(datasets=tuple(portion)))
                portion.clear()
        if portion:
            reporter.part(FoundDatasets(datasets=tuple(portion)))
        reporter.phase("done")
    return DiscoverOutcome(datasets=count, seconds=time.monotonic() - started)


def check(work: CheckWork, registry: Registry) -> CheckOutcome:
    """Try to connect; wrong settings are an error, an unreachable system is an answer."""
    started = time.monotonic()
    connector = connector_of(registry, work.connector)
    settings = parse(connector.Settings, work.settings)
    context = connect_context(work.limits, work.connector, load=work.load)
    found = connector.check(settings, context)
    if found.ok and work.replica is not None:
        found = _with_replica(found, connector.check(parse(connector.Settings, work.replica), context))
    return CheckOutcome(check=found, seconds=time.monotonic() - started)


def _with_replica(primary: Check, replica: Check) -> Check:
    """Both must answer: writes go to the one, reads to the other."""
    if not replica.ok:
        words = {language: f"{REPLICA[language]}{replica.message[language]}" for language in REPLICA}
        return Check(False, replica.code, text(words["en"], words["zh-CN"]), primary.facts)
    return Check(True, primary.code, primary.message, {**primary.facts, "replica": True})
