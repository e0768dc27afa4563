"""The log of accepted edits of a flow, as the canvas of everybody who has it open follows it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flows.models import Draft, DraftOperation, Flow

MOST_BATCHES = 500
"""A reader further behind than that reads the draft anew."""


def batch_as_json(row: DraftOperation) -> dict[str, Any]:
    """One accepted batch; ``client`` is the key under which its author sent it."""
    return {"revision": row.revision, "client": row.client, "operations": row.operations}


def batches_after(flow_id: Any, revision: int, limit: int = MOST_BATCHES) -> list[DraftOperation]:
    """Accepted batches after ``revision``, in order. The caller has checked the rights."""
    return list(DraftOperation.objects.filter(flow_id=flow_id, revision__gt=revision).order_by("revision")[:limit])


def newest_revisions(flow_ids: Iterable[Any]) -> dict[str, int]:
    """The newest revision of each flow that still has a draft (one query)."""
    rows = Draft.objects.filter(flow_id__in=list(flow_ids)).values_list("flow_id", "revision")
    return {str(flow_id): revision for flow_id, revision in rows}


def missed(flow: Flow, revision: int) -> dict[str, Any]:
    """What a reader at ``revision`` has missed; without ``batches`` the draft must be read anew."""
    newest = newest_revisions([flow.pk]).get(str(flow.pk), 0)
    rows = batches_after(flow.pk, revision, MOST_BATCHES + 1)
    is_whole = revision <= newest and len(rows) <= MOST_BATCHES and len(rows) >= newest - revision
    return {"revision": newest, "batches": [batch_as_json(row) for row in rows] if is_whole else None}
