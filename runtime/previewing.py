"""Previews of one step, samples of one dataset: at most 100 rows, masked, capped in bytes, gone after 15 minutes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec

from flows.graph.plan import Plan
from flows.models import StoredPlan
from node_catalog.sdk.text import text
from runtime.bindings import stage_work
from runtime.claims import Claim
from runtime.endings import Ending
from runtime.engine.work import StageOutcome, StageWork
from runtime.errors import StalePlanError
from runtime.guarding import policy_digest
from runtime.handling import Handler
from runtime.held_rows import opened
from security import clock
from security.models import User

MOST_BYTES = 256 * 1024
KEPT_FOR = timedelta(minutes=15)
MOST_TEXT = 500
"""Characters of one cell in a preview."""


def prepare(claim: Claim) -> StageWork:
    """The preview's only stage, with today's rights of the person who asked."""
    stored = StoredPlan.objects.filter(digest=claim.task.payload["plan"]).first()
    if stored is None:
        raise StalePlanError(
            "preview.expired", text("This preview is too old. Ask for it again.", "该预览已过期，请重新预览。")
        )
    plan = msgspec.convert(stored.body, Plan)
    reader = User.objects.select_related("organisation").filter(pk=claim.task.requested_by_id).first()
    given = opened(claim.task, reader) if reader is not None else {}
    return stage_work(claim.task, plan, plan.stages[-1].key, reader, given=given)


def finish(claim: Claim, outcome: StageOutcome) -> Ending:
    """Keep the sample small; the policy's digest stays with it, so that a withdrawn grant hides it."""
    sample = capped(outcome.rows_sample or {"columns": [], "rows": [], "statistics": {}})
    payload = claim.task.payload
    result = {
        **sample,
        "rows_total_seen": sample.get("rows_total_seen", outcome.rows),
        "counts": outcome.counts,
        "sampled": bool(payload.get("sample_rows")),
        "sample_rows": payload.get("sample_rows"),
        "held": payload.get("held", []),
        "revision": payload.get("revision"),
        "step": payload.get("step"),
        "at": clock.now().isoformat(),
        "seconds": round(outcome.seconds, 3),
        "policy_digest": policy_digest(payload.get("policy", {})),
    }
    return Ending(result=result, expires_at=clock.now() + KEPT_FOR)


def capped(sample: Mapping[str, Any], most_bytes: int = MOST_BYTES) -> dict[str, Any]:
    """The sample within ``most_bytes`` of JSON: long cells are cut, then rows at the end, then value statistics."""
    rows = [[_cut(cell) for cell in row] for row in sample.get("rows", [])]
    kept: dict[str, Any] = {**sample, "rows": rows}
    statistics = {
        name: {key: _cut_deep(value) for key, value in facts.items()}
        for name, facts in (sample.get("statistics") or {}).items()
    }
    kept["statistics"] = statistics
    while len(msgspec.json.encode(kept)) > most_bytes and kept["rows"]:
        kept["rows"] = kept["rows"][: len(kept["rows"]) // 2]
        kept["truncated"] = True
    if len(msgspec.json.encode(kept)) > most_bytes:
        kept["statistics"] = {}
    return kept


def _cut(cell: Any) -> Any:
    if isinstance(cell, str) and len(cell) > MOST_TEXT:
        return cell[:MOST_TEXT] + "…"
    return cell


def _cut_deep(value: Any) -> Any:
    if isinstance(value, list):
        return [_cut_deep(item) for item in value]
    if isinstance(value, dict):
        return {key: _cut_deep(item) for key, item in value.items()}
    return _cut(value)


HANDLER = Handler(prepare=prepare, finish=finish, is_light=True)
