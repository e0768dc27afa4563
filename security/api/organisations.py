"""The tree of departments."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Q
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from security.access import Principal, principal_of, require_right
from security.api.described import described, list_of
from security.api.inputs import Input, LocalText, both, read_input
from security.api.outputs import OrganisationOutput
from security.errors import InvalidError, NotFoundError, Problem
from security.manage_organisations import change_organisation, create_organisation
from security.models import Organisation
from security.text import text


class OrganisationInput(Input):
    """A department; all but code and name may be left out."""

    code = serializers.RegexField(
        r"^[A-Za-z0-9_.-]{1,40}$",
        error_messages={
            "invalid": both("Use 1 to 40 letters, digits or . _ -.", "编码为 1 至 40 个字母、数字或 . _ -。")
        },
    )
    name = LocalText(max_length=100, required_text=True)
    parent = serializers.UUIDField(required=False, allow_null=True)


class OrganisationChange(OrganisationInput):
    """The same, and closing or opening it; what is absent stays."""

    is_active = serializers.BooleanField(required=False)


def _organisations(principal: Principal) -> list[Organisation]:
    """The tree as a list: parents before children, siblings by code."""
    people = Count("people", filter=Q(people__is_active=True))
    found = list(Organisation.objects.visible_to(principal).annotate(people_total=people))
    codes = {organisation.pk.hex: organisation.code for organisation in found}

    def place(organisation: Organisation) -> list[str]:
        return [codes.get(step, step) for step in organisation.path.split("/")]

    return sorted(found, key=place)


def find_organisation(principal: Principal, organisation_id: Any, pointer: str) -> Organisation | None:
    """The department of an input field; an unknown id is a problem at ``pointer``."""
    if organisation_id is None:
        return None
    try:
        return Organisation.objects.get_visible(principal, pk=organisation_id)  # type: ignore[no-any-return]
    except NotFoundError as error:
        message = text("This department does not exist.", "部门不存在。")
        raise InvalidError(problems=[Problem(pointer, "organisation.unknown", message)]) from error


class OrganisationsView(APIView):
    """All departments."""

    @described("organisations_list", list_of(OrganisationOutput), problems=(401,), tag="organisations")
    def get(self, request: Request) -> Response:
        """The whole tree as a flat list, parents before children."""
        found = OrganisationOutput(_organisations(principal_of(request)), many=True).data
        return Response({"results": found, "next": None})

    @described(
        "organisations_create",
        OrganisationOutput,
        request=OrganisationInput,
        status=201,
        problems=(401, 403),
        tag="organisations",
    )
    def post(self, request: Request) -> Response:
        """Add a department."""
        principal = principal_of(request)
        require_right(principal, "organisation.manage")
        values = read_input(OrganisationInput, request.data)
        parent = find_organisation(principal, values.get("parent"), "/parent")
        organisation = create_organisation(principal, values["code"], values["name"], parent, request)
        return Response(OrganisationOutput(organisation).data, status=201)


class OrganisationView(APIView):
    """One department."""

    @described(
        "organisations_change",
        OrganisationOutput,
        request=OrganisationChange,
        tag="organisations",
        problems=(401, 403, 404, 409),
    )
    def patch(self, request: Request, organisation_id: str) -> Response:
        """Rename, move, close or open it."""
        principal = principal_of(request)
        require_right(principal, "organisation.manage")
        organisation = Organisation.objects.get_visible(principal, pk=organisation_id)
        values = read_input(OrganisationChange, request.data, partial=True)
        if "parent" in values:
            values["parent"] = find_organisation(principal, values["parent"], "/parent")
        organisation = change_organisation(principal, organisation, values, request)
        return Response(OrganisationOutput(organisation).data)
