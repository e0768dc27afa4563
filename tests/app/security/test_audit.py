"""The audit chain: what is written stays, and edits, deletions and insertions are found."""

from __future__ import annotations

import threading
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from security import audit
from security.models import AuditHead, AuditRecord
from tests.app.city import City


@pytest.fixture
def chain(db: None) -> list[AuditRecord]:
    return [audit.record("test.do", "thing", n, "me", detail={"n": n, "words": "字", "part": 1.5}) for n in range(6)]


def test_a_whole_chain_is_whole(chain: list[AuditRecord]) -> None:
    outcome = audit.verify()
    assert outcome.is_ok
    assert outcome.records == 6
    out = StringIO()
    call_command("audit_verify", stdout=out)
    assert "6 records, unbroken" in out.getvalue()


@pytest.mark.parametrize("field", ["actor", "action", "object_id", "outcome", "ip", "request_id", "object_type"])
def test_an_edited_field_is_found(chain: list[AuditRecord], field: str) -> None:
    AuditRecord.objects.filter(seq=3).update(**{field: "other"})
    outcome = audit.verify()
    assert (outcome.is_ok, outcome.first_bad) == (False, 3)
    with pytest.raises(CommandError, match="record 3"):
        call_command("audit_verify", stdout=StringIO())


def test_an_edited_detail_or_time_is_found(chain: list[AuditRecord]) -> None:
    record = AuditRecord.objects.get(seq=4)
    AuditRecord.objects.filter(seq=4).update(detail={**record.detail, "n": 99})
    assert audit.verify().first_bad == 4
    AuditRecord.objects.filter(seq=4).update(detail=record.detail, at=chain[0].at)
    assert audit.verify().first_bad == 4


def test_a_deleted_record_is_found_in_the_middle_and_at_the_end(chain: list[AuditRecord]) -> None:
    AuditRecord.objects.filter(seq=6).delete()
    assert audit.verify().first_bad == 6
    AuditRecord.objects.filter(seq=2).delete()
    assert audit.verify().first_bad == 3


def test_an_inserted_record_is_found(chain: list[AuditRecord]) -> None:
    last = AuditRecord.objects.get(seq=6)
    AuditRecord.objects.create(
        seq=7, at=last.at, actor="x", action="x", object_type="x", object_id="x", outcome="done",
        prev_hash=last.hash, hash="f" * 64,
    )  # fmt: skip
    assert audit.verify().first_bad == 7


def test_a_chain_rewritten_whole_is_found_by_a_head_noted_elsewhere(chain: list[AuditRecord]) -> None:
    noted = f"4:{AuditRecord.objects.get(seq=4).hash}"
    call_command("audit_verify", expect=noted, stdout=StringIO())
    AuditRecord.objects.all().delete()
    AuditHead.objects.all().delete()
    for n in range(6):
        audit.record("test.do", "thing", n, "somebody else")
    assert audit.verify().is_ok
    with pytest.raises(CommandError, match="rewritten"):
        call_command("audit_verify", expect=noted, stdout=StringIO())
    with pytest.raises(CommandError, match="takes a record"):
        call_command("audit_verify", expect="nonsense", stdout=StringIO())


def test_a_record_goes_when_its_action_is_undone(chain: list[AuditRecord]) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        audit.record("test.undone", "thing", 1)
        raise RuntimeError
    assert AuditRecord.objects.count() == 6
    audit.record("test.after", "thing", 1)
    assert audit.verify().is_ok


def test_strange_details_survive(db: None) -> None:
    strange: dict[str, Any] = {
        "a\0b": {1, 2},
        "when": chain,
        "deep": [{"x": (1, 2)}],
        "big": 2**70,
        "f": 0.1,
        "none": None,
    }
    audit.record("test.do", "thing", "x" * 200, "y" * 200, detail=strange)
    assert audit.verify().is_ok


@pytest.mark.django_db(transaction=True)
def test_many_writers_make_one_chain() -> None:
    def write() -> None:
        try:
            for n in range(10):
                audit.record("test.many", "thing", n)
        finally:
            connection.close()

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    outcome = audit.verify()
    assert (outcome.is_ok, outcome.records) == (True, 40)


def test_reading_the_trail(city: City) -> None:
    paul = city.client("paul")
    body = paul.get("/api/audit", {"action": "session.", "actor": "PAUL"}).json()
    assert body["results"][0]["action"] == "session.start"
    assert body["results"][0]["request_id"]
    assert paul.get("/api/audit", {"object": str(city["paul"].pk)}).json()["results"]
    assert paul.get("/api/audit", {"object": "nothing"}).json()["results"] == []
