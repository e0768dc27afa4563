"""Reading the audit trail. For platform administrators."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from security.access import principal_of, require_right
from security.api.described import PAGING, described, list_of, query
from security.api.outputs import AuditOutput
from security.models import AuditRecord
from security.paging import page_of


class AuditView(APIView):
    """The audit trail."""

    @described(
        "audit_list",
        list_of(AuditOutput),
        problems=(401, 403),
        parameters=(
            *PAGING,
            query("object", "An object's id, or its kind."),
            query("actor", "A sign-in name."),
            query("action", "An action, or its start, e.g. `node.`"),
        ),
        tag="audit",
    )
    def get(self, request: Request) -> Response:
        """Records, newest first."""
        principal = principal_of(request)
        require_right(principal, "audit.read")
        records = AuditRecord.objects.visible_to(principal)
        asked = {key: request.GET.get(key, "").replace("\0", "")[:100] for key in ("object", "actor", "action")}
        if asked["object"]:
            records = records.filter(object_id=asked["object"]) | records.filter(object_type=asked["object"])
        if asked["actor"]:
            records = records.filter(actor__iexact=asked["actor"])
        if asked["action"]:
            records = records.filter(action__startswith=asked["action"])
        page = page_of(records, request, ("-seq",))
        return Response({"results": AuditOutput(page.objects, many=True).data, "next": page.next})
