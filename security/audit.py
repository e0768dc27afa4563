"""The audit trail: append-only, each record's hash covers the one before (SHA-256 over canonical JSON)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from django.db import transaction

from security import clock
from security.access import Principal
from security.models import AuditHead, AuditRecord

GENESIS = "0" * 64
FIELDS = ("seq", "actor", "action", "object_type", "object_id", "outcome", "detail", "ip", "request_id")


@dataclass(frozen=True)
class Verification:
    """The outcome of a check: the number of good records, and the first bad one with what is wrong."""

    is_ok: bool
    records: int
    head: str
    first_bad: int | None = None
    reason: str = ""


def _canonical(record: AuditRecord) -> bytes:
    body = {name: getattr(record, name) for name in FIELDS}
    body["at"] = record.at.astimezone(UTC).isoformat(timespec="microseconds")
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _hash(previous: str, record: AuditRecord) -> str:
    return hashlib.sha256(previous.encode() + b"\n" + _canonical(record)).hexdigest()


def _plain(detail: Mapping[str, Any]) -> dict[str, Any]:
    """The detail as it will come back from any database: plain JSON, floats as text, no NUL."""

    def clean(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {str(key).replace("\0", ""): clean(item) for key, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [clean(item) for item in (sorted(value, key=str) if isinstance(value, set | frozenset) else value)]
        if value is None or isinstance(value, bool | int):
            return value
        return str(value).replace("\0", "")

    return clean(detail)  # type: ignore[no-any-return]


def record(
    action: str,
    obj_type: str,
    obj_id: Any = "",
    principal: Any = None,
    outcome: str = "done",
    detail: Mapping[str, Any] | None = None,
    request: Any = None,
) -> AuditRecord:
    """Append one record in the caller's transaction (or one of its own when there is none).

    ``principal`` is a Principal, a User, a name, or None for the system. ``detail`` must hold no secret and no row.
    """
    with transaction.atomic():
        head = _locked_head()
        entry = AuditRecord(
            seq=head.seq + 1,
            at=clock.now(),
            actor=_actor(principal)[:100],
            action=action[:80],
            object_type=obj_type[:40],
            object_id=str(obj_id)[:80],
            outcome=outcome[:20],
            detail=_plain(detail or {}),
            ip=address_of(request)[:64],
            request_id=str(getattr(request, "id", "") or "")[:64],
            prev_hash=head.hash or GENESIS,
        )
        entry.hash = _hash(entry.prev_hash, entry)
        entry.save(force_insert=True)
        AuditHead.objects.filter(pk=1).update(seq=entry.seq, hash=entry.hash)
    return entry


def _locked_head() -> AuditHead:
    """The end of the chain, held until the caller's transaction ends; made before the first record."""
    heads = AuditHead.objects.select_for_update()
    head = heads.filter(pk=1).first()
    if head is None:
        AuditHead.objects.get_or_create(pk=1, defaults={"hash": GENESIS})
        head = heads.get(pk=1)
    return head


def verify(expected: tuple[int, str] | None = None) -> Verification:
    """Walk the whole chain and name the first record that was altered, removed or put in.

    ``expected`` is a (seq, hash) noted earlier outside the database: it catches a chain that was rewritten whole.
    """
    previous, count = GENESIS, 0
    for entry in AuditRecord.objects.order_by("seq").iterator(chunk_size=2000):
        reason = _fault(entry, count + 1, previous, expected)
        if reason:
            return Verification(False, count, previous, entry.seq, reason)
        previous, count = entry.hash, count + 1
    head = AuditHead.objects.filter(pk=1).first()
    if (head.seq if head else 0) != count or (head is not None and count and head.hash != previous):
        return Verification(False, count, previous, count + 1, "records are missing at the end")
    if expected and expected[0] > count:
        return Verification(False, count, previous, count + 1, "records are missing at the end")
    return Verification(True, count, previous)


def _fault(entry: AuditRecord, seq: int, previous: str, expected: tuple[int, str] | None) -> str:
    if entry.seq != seq:
        return f"record {seq} is missing" if entry.seq > seq else f"record {entry.seq} was put in"
    if entry.prev_hash != previous:
        return "it does not follow from the record before"
    if entry.hash != _hash(previous, entry):
        return "its content was altered"
    if expected and expected[0] == seq and expected[1] != entry.hash:
        return "the chain was rewritten"
    return ""


def _actor(principal: Any) -> str:
    if principal is None:
        return "system"
    if isinstance(principal, str):
        return principal
    user = principal.user if isinstance(principal, Principal) else principal
    return str(user.username)


def address_of(request: Any) -> str:
    """Where a request came from; empty for none."""
    meta = getattr(request, "META", None) or {}
    return str(meta.get("REMOTE_ADDR") or "")
