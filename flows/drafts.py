"""Drafts are edited by small operations with a base revision; nothing an editor sends is lost silently."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import transaction

from flows.errors import DraftStaleError, FlowError
from flows.graph.load import read_document
from flows.graph.operations import OperationError, apply_operations
from flows.models import Draft, DraftOperation, Flow
from flows.operation_log import batch_as_json, batches_after
from node_catalog.palette import registry
from node_catalog.sdk.text import text
from security.models import User

MAX_OPERATIONS = 5_000


@dataclass(frozen=True)
class Applied:
    """The draft after a batch: its revision, and the batches of others that the sender had not seen."""

    draft: Draft
    revision: int
    operations_since: list[dict[str, Any]]


@transaction.atomic
def edit_draft(flow: Flow, base: int, client: str, operations: list[dict[str, Any]], user: User) -> Applied:
    """Apply one batch on the newest revision.

    A batch that was made on an older revision is applied to the newest one when it still fits; sending the same
    ``client`` key again changes nothing and answers the same. Raises DraftStaleError when the batch no longer
    applies, FlowError when it would make a document that cannot be kept. In both cases nothing is stored.
    """
    if len(operations) > MAX_OPERATIONS:
        raise FlowError(
            "draft.too_many_operations",
            text(
                f"One save may hold {MAX_OPERATIONS} changes. Send them in smaller parts.",
                f"一次最多保存 {MAX_OPERATIONS} 个改动，请分几次发送。",
            ),
        )
    draft = Draft.objects.select_for_update().get(flow=flow)
    repeated = DraftOperation.objects.filter(flow=flow, client=client).first()
    if repeated is not None:
        return Applied(draft, repeated.revision, [])
    since = _operations_since(flow, base, draft.revision)
    document, layout = _apply(draft, operations, base, since)
    _refuse_unkeepable(document)
    draft.document, draft.layout = document, layout
    draft.revision += 1
    draft.updated_by = user
    draft.save()
    DraftOperation.objects.create(flow=flow, revision=draft.revision, client=client, operations=operations, actor=user)
    flow.app.save(update_fields=["updated_at"])
    return Applied(draft, draft.revision, since)


def _operations_since(flow: Flow, base: int, revision: int) -> list[dict[str, Any]]:
    if base == revision:
        return []
    if base > revision or base < 0:
        raise FlowError(
            "draft.unknown_revision",
            text(
                f"Revision {base} does not exist; the newest is {revision}. Reload the flow.",
                f"修订号 {base} 不存在，最新是 {revision}。请重新打开流程。",
            ),
        )
    return [batch_as_json(row) for row in batches_after(flow.pk, base, revision - base)]


def _apply(
    draft: Draft, operations: list[dict[str, Any]], base: int, since: list[dict[str, Any]]
) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        return apply_operations(draft.document, draft.layout, operations)
    except OperationError as error:
        if base == draft.revision:
            raise FlowError(error.code, error.message, where=f"/operations/{error.index}") from error
        raise DraftStaleError(
            text(
                "Someone else changed this flow in the meantime, and your last change no longer fits: "
                + error.message["en"],
                "其间有人改动了这个流程，您刚才的改动已无法套用：" + error.message["zh-CN"],
            ),
            draft.revision,
            since,
        ) from error


def _refuse_unkeepable(document: dict[str, Any]) -> None:
    loaded = read_document(document, registry())
    errors = [finding for finding in loaded.findings if finding.severity == "error" and finding.level == "L0"]
    if loaded.document is None or errors:
        first = errors[0]
        raise FlowError(first.code, first.message, where=first.pointer)
