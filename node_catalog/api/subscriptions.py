"""Routes of requests and grants."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from node_catalog.api.inputs import ApproveInput, ReasonInput, RequestInput
from node_catalog.api.outputs import GrantOutput, RequestOutput
from node_catalog.cards import cards_by_id, request_json
from node_catalog.errors import invalid
from node_catalog.models import Dataset, Grant, SubscriptionRequest
from node_catalog.policy import node_target
from node_catalog.subscriptions import (
    approve_request,
    reject_request,
    revoke_grant,
    submit_request,
    withdraw_request,
)
from security import clock
from security.access import Principal, principal_of
from security.api.described import PAGING, described, list_of, query
from security.api.inputs import read_input
from security.errors import NotFoundError
from security.paging import page_of

TAG = "subscriptions"
RELATED = ("applicant", "organisation", "decided_by", "dataset__node__organisation")


def _requests(asked: list[Any], principal: Principal) -> Any:
    known = cards_by_id([item.dataset_id for item in asked], principal)
    return RequestOutput([request_json(item, known[item.dataset_id], principal) for item in asked], many=True).data


def find_request(principal: Principal, request_id: Any) -> SubscriptionRequest:
    """The visible request, or NotFoundError."""
    found = SubscriptionRequest.objects.select_related(*RELATED)
    return found.get_visible(principal, pk=request_id)  # type: ignore[no-any-return]


def _answer(principal: Principal, request_id: Any, status: int = 200) -> Response:
    return Response(_requests([find_request(principal, request_id)], principal)[0], status=status)


class RequestsView(APIView):
    """Requests to use datasets."""

    @described(
        "requests_list",
        list_of(RequestOutput),
        problems=(401,),
        parameters=(
            *PAGING,
            query("box", "mine (default) or inbox: those that I decide.", enum=["mine", "inbox"]),
            query("state", enum=SubscriptionRequest.State.values),
        ),
        tag=TAG,
    )
    def get(self, request: Request) -> Response:
        """Newest first."""
        principal = principal_of(request)
        found = SubscriptionRequest.objects.visible_to(principal).select_related(*RELATED)
        if request.GET.get("box") == "inbox":
            found = found.to_decide(principal)
        else:
            found = found.filter(applicant_id=principal.id)
        if state := request.GET.get("state"):
            found = found.filter(state=state)
        page = page_of(found, request, ("-id",))
        return Response({"results": _requests(page.objects, principal), "next": page.next})

    @described("requests_submit", RequestOutput, request=RequestInput, status=201, problems=(401, 403, 409), tag=TAG)
    def post(self, request: Request) -> Response:
        """Ask to use columns of a dataset, for a purpose, until a day."""
        principal = principal_of(request)
        values = read_input(RequestInput, request.data)
        try:
            dataset = Dataset.objects.select_related("node__organisation").get_visible(principal, pk=values["dataset"])
        except NotFoundError as error:
            raise invalid(
                "/dataset",
                "dataset.unknown",
                "This dataset does not exist, or you cannot see it.",
                "数据集不存在，或您无权查看。",
            ) from error
        asked = submit_request(principal, dataset, values["columns"], values["purpose"], values["valid_until"], request)
        return _answer(principal, asked.pk, 201)


class RequestView(APIView):
    """One request."""

    @described("requests_read", RequestOutput, problems=(401, 404), tag=TAG)
    def get(self, request: Request, request_id: str) -> Response:
        """For its applicant and for those who decide."""
        return _answer(principal_of(request), request_id)


class ApproveView(APIView):
    """Yes."""

    @described("requests_approve", RequestOutput, request=ApproveInput, problems=(401, 403, 404, 409), tag=TAG)
    def post(self, request: Request, request_id: str) -> Response:
        """Give the grant, possibly narrower: fewer columns, masks, an earlier end."""
        principal = principal_of(request)
        asked = find_request(principal, request_id)
        approve_request(principal, asked, read_input(ApproveInput, request.data), request)
        return _answer(principal, request_id)


class RejectView(APIView):
    """No."""

    @described("requests_reject", RequestOutput, request=ReasonInput, problems=(401, 403, 404, 409), tag=TAG)
    def post(self, request: Request, request_id: str) -> Response:
        """Refuse with a reason."""
        principal = principal_of(request)
        asked = find_request(principal, request_id)
        reject_request(principal, asked, read_input(ReasonInput, request.data)["reason"], request)
        return _answer(principal, request_id)


class WithdrawView(APIView):
    """Never mind."""

    @described("requests_withdraw", RequestOutput, problems=(401, 403, 404, 409), tag=TAG)
    def post(self, request: Request, request_id: str) -> Response:
        """Take my waiting request back."""
        principal = principal_of(request)
        withdraw_request(principal, find_request(principal, request_id), request)
        return _answer(principal, request_id)


def grant_json(grant: Grant, dataset_card: Any, principal: Principal) -> dict[str, Any]:
    """A grant with its dataset's card; ``ended`` when its term is over."""
    is_over = grant.valid_until is not None and grant.valid_until <= clock.now()
    state = "ended" if is_over and grant.state == Grant.State.ACTIVE else grant.state
    return {
        "id": grant.pk,
        "number": grant.number,
        "dataset": dataset_card,
        "organisation": {"id": grant.organisation_id, "name": grant.organisation.name},
        "user": {"id": grant.user_id, "name": grant.user.name} if grant.user else None,
        "columns": grant.columns,
        "masks": grant.masks,
        "is_filtered": grant.row_filter is not None,
        "purpose": grant.purpose,
        "valid_from": grant.valid_from,
        "valid_until": grant.valid_until,
        "state": state,
        "revoked_reason": grant.revoked_reason,
        "revoked_at": grant.revoked_at,
        "created_at": grant.created_at,
        "can_revoke": state == "active" and principal.may("grant.revoke", node_target(grant.dataset.node)),
    }


def _grants(grants: list[Any], principal: Principal) -> Any:
    known = cards_by_id([grant.dataset_id for grant in grants], principal)
    return GrantOutput([grant_json(grant, known[grant.dataset_id], principal) for grant in grants], many=True).data


GRANT_RELATED = ("organisation", "user", "dataset__node__organisation")


class GrantsView(APIView):
    """Grants."""

    @described(
        "grants_list",
        list_of(GrantOutput),
        problems=(401,),
        parameters=(*PAGING, query("box", "received (default) or given.", enum=["received", "given"])),
        tag=TAG,
    )
    def get(self, request: Request) -> Response:
        """Those of my department, or those that my department gave; newest first."""
        principal = principal_of(request)
        found = Grant.objects.visible_to(principal).select_related(*GRANT_RELATED)
        found = found.given_by(principal) if request.GET.get("box") == "given" else found.received_by(principal)
        page = page_of(found, request, ("-id",))
        return Response({"results": _grants(page.objects, principal), "next": page.next})


class RevokeView(APIView):
    """Taking a grant back."""

    @described("grants_revoke", GrantOutput, request=ReasonInput, problems=(401, 403, 404, 409), tag=TAG)
    def post(self, request: Request, grant_id: str) -> Response:
        """End it at once, with a reason."""
        principal = principal_of(request)
        grants = Grant.objects.select_related(*GRANT_RELATED)
        grant = grants.get_visible(principal, pk=grant_id)
        revoke_grant(principal, grant, read_input(ReasonInput, request.data)["reason"], request)
        return Response(_grants([grants.get_visible(principal, pk=grant_id)], principal)[0])
