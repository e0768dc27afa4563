"""Request → approve or refuse: paths, four eyes, narrowing, notices, audit, revocation."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from node_catalog.grants import grant_for
from node_catalog.models import Grant, SubscriptionRequest
from security.models import AuditRecord, Notice, User
from tests.app.catalogue.conftest import Sources
from tests.app.city import is_problem, send

DAY = timedelta(days=1)


def until(days: int) -> str:
    return (timezone.localdate() + days * DAY).isoformat()


def ask(sources: Sources, who: str = "rosa", name: str = "hourly", **more: Any) -> Any:
    values = {"dataset": str(sources[name].pk), "columns": ["station", "pm25", "phone"], "purpose": "Traffic plan"}
    return send(sources.city.client(who), "post", "/api/requests", {**values, **more})


def decide(sources: Sources, request: Any, verb: str, who: str = "adam", **values: Any) -> Any:
    return send(sources.city.client(who), "post", f"/api/requests/{request['id']}/{verb}", values)


def spec_of(sources: Sources, who: str = "rosa", name: str = "hourly") -> Any:
    return grant_for(sources[name], User.objects.get(username=who))


def test_ask_approve_use(sources: Sources) -> None:
    request = ask(sources, valid_until=until(30)).json()
    assert request["state"] == "submitted"
    assert request["can_decide"] is False
    assert request["can_withdraw"] is True
    assert Notice.objects.filter(user=sources.city["adam"], kind="request.submitted").count() == 1
    adam = sources.city.client("adam")
    inbox = adam.get("/api/requests?box=inbox&state=submitted").json()["results"]
    assert [item["number"] for item in inbox] == [request["number"]]
    assert inbox[0]["can_decide"] is True
    approved = decide(sources, request, "approve").json()
    assert approved["state"] == "approved"
    assert approved["decided_by"] == "Adam"
    assert spec_of(sources).columns == ("station", "pm25", "phone")
    assert spec_of(sources, "remo") is not None
    assert Notice.objects.filter(user=sources.city["rosa"], kind="request.approved").count() == 1
    received = sources.city.client("rosa").get("/api/grants").json()["results"]
    given = adam.get("/api/grants?box=given").json()["results"]
    assert received[0]["id"] == given[0]["id"]
    assert (received[0]["can_revoke"], given[0]["can_revoke"]) == (False, True)
    actions = set(AuditRecord.objects.values_list("action", flat=True))
    assert {"request.submit", "request.approve"} <= actions


def test_an_approval_may_be_narrower_but_never_wider(sources: Sources) -> None:
    request = ask(sources, columns=["station", "phone"], valid_until=until(30)).json()
    wider = decide(sources, request, "approve", columns=["station", "pm25"], valid_until=until(40))
    pointers = {problem["pointer"] for problem in is_problem(wider, 400)["problems"]}
    assert pointers == {"/columns", "/valid_until"}
    bad_mask = decide(sources, request, "approve", masks={"phone": "rot13", "pm25": "null"})
    assert len(is_problem(bad_mask, 400)["problems"]) == 2
    narrowed = decide(sources, request, "approve", columns=["phone"], masks={"phone": "keep_last:4"}, reason="Enough")
    assert narrowed.status_code == 200, narrowed.content
    spec = spec_of(sources)
    assert spec.columns == ("phone",)
    assert spec.masks == {"phone": "keep_last:4"}
    assert "缩减" in Notice.objects.get(kind="request.approved").title["zh-CN"]


def test_refused_with_a_reason(sources: Sources) -> None:
    request = ask(sources).json()
    is_problem(decide(sources, request, "reject"), 400)
    refused = decide(sources, request, "reject", reason="Not for planning").json()
    assert (refused["state"], refused["reason"]) == ("rejected", "Not for planning")
    assert spec_of(sources) is None
    assert Notice.objects.get(kind="request.rejected").body["en"] == "Not for planning"
    is_problem(decide(sources, request, "approve"), 409, "request.decided")


def test_nobody_decides_a_request_of_their_own(sources: Sources) -> None:
    chief = sources.city["adam"]
    chief.organisation = sources.city.departments["office"]
    chief.save()
    request = ask(sources, "adam").json()
    chief.organisation = sources.city.departments["air"]
    chief.save()
    body = is_problem(decide(sources, request, "approve"), 403)
    assert "own" in body["message"]["en"]
    assert spec_of(sources, "olga") is None


@pytest.mark.parametrize(("who", "status"), [("anna", 404), ("remo", 404), ("paul", 404), ("otto", 404), ("rosa", 403)])
def test_who_cannot_decide(sources: Sources, who: str, status: int) -> None:
    request = ask(sources).json()
    for verb in ("approve", "reject"):
        is_problem(decide(sources, request, verb, who, **({"reason": "x"} if verb == "reject" else {})), status)
    assert Grant.objects.count() == 0


def test_withdrawn_by_its_applicant_alone(sources: Sources) -> None:
    request = ask(sources).json()
    is_problem(decide(sources, request, "withdraw", "adam"), 403)
    assert decide(sources, request, "withdraw", "rosa").json()["state"] == "withdrawn"
    is_problem(decide(sources, request, "approve"), 409)
    assert ask(sources).status_code == 201


def test_needless_or_doubled_requests_are_refused(sources: Sources) -> None:
    assert ask(sources).status_code == 201
    is_problem(ask(sources), 409, "request.open")
    is_problem(ask(sources, name="open", columns=["id"]), 409, "request.needless")
    is_problem(ask(sources, "anna"), 409, "request.needless")
    is_problem(ask(sources, "olga", name="traffic", columns=["id"], purpose="x"), 400)
    is_problem(ask(sources, "otto"), 403)


def test_all_problems_of_a_request_at_once(sources: Sources) -> None:
    answer = ask(sources, columns=["nope"], purpose="a", valid_until="2001-01-01")
    pointers = {problem["pointer"] for problem in is_problem(answer, 400)["problems"]}
    assert pointers == {"/columns", "/purpose", "/valid_until"}
    is_problem(ask(sources, columns=[]), 400)
    is_problem(ask(sources, dataset="x"), 400)
    assert SubscriptionRequest.objects.count() == 0


def test_personal_columns_of_a_free_dataset_come_on_top(sources: Sources) -> None:
    request = ask(sources, name="open", columns=["phone"]).json()
    assert decide(sources, request, "approve").status_code == 200
    assert spec_of(sources, name="open").columns == ("id", "station", "pm25", "phone")


def test_revoked_at_once_with_a_new_epoch(sources: Sources) -> None:
    request = ask(sources).json()
    decide(sources, request, "approve")
    before = spec_of(sources)
    grant = Grant.objects.get()
    path = f"/api/grants/{grant.pk}/revoke"
    is_problem(send(sources.city.client("rosa"), "post", path, {"reason": "x"}), 403)
    is_problem(send(sources.city.client("olga"), "post", path, {"reason": "x"}), 404)
    is_problem(send(sources.city.client("adam"), "post", path, {}), 400)
    revoked = send(sources.city.client("adam"), "post", path, {"reason": "Project over"}).json()
    assert (revoked["state"], revoked["can_revoke"]) == ("revoked", False)
    assert spec_of(sources) is None
    grant.refresh_from_db()
    assert grant.epoch == before.epoch + 1
    is_problem(send(sources.city.client("adam"), "post", path, {"reason": "again"}), 409)
    assert Notice.objects.filter(user=sources.city["rosa"], kind="grant.revoked").count() == 1


def test_a_term_ends_after_its_last_day(sources: Sources) -> None:
    request = ask(sources, valid_until=until(0)).json()
    decide(sources, request, "approve")
    assert spec_of(sources) is not None
    Grant.objects.update(valid_until=timezone.now())
    assert spec_of(sources) is None
    assert sources.city.client("rosa").get("/api/grants").json()["results"][0]["state"] == "ended"


def test_deleting_the_node_ends_its_grants(sources: Sources) -> None:
    decide(sources, ask(sources).json(), "approve")
    assert send(sources.city.client("adam"), "delete", f"/api/nodes/{sources.air.pk}").status_code == 204
    assert Grant.objects.get().state == "revoked"
    rosa = sources.city.client("rosa")
    assert rosa.get("/api/grants").json()["results"][0]["state"] == "revoked"
    assert rosa.get("/api/requests").status_code == 200
