"""The people page: add, import, change, disable, reset, hand over. For platform administrators."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from security.access import Principal, principal_of, require_right
from security.api.described import PAGING, described, list_of, query
from security.api.inputs import Input, read_input
from security.api.organisations import find_organisation
from security.api.outputs import (
    HandOverOutput,
    ImportOutput,
    NewPersonOutput,
    PasswordOutput,
    PersonOutput,
    person_json,
)
from security.change_password import reset_password
from security.change_person import change_person
from security.create_person import PersonInput, create_person
from security.errors import InvalidError, NotFoundError, Problem
from security.hand_over import hand_over
from security.import_people import import_people
from security.models import User
from security.paging import page_of
from security.policy import ROLES
from security.text import text

MAX_CSV = 1_000_000


class PersonCreate(Input):
    """A new person; ``organisation`` is a department's id."""

    username = serializers.CharField(max_length=60)
    name = serializers.CharField(max_length=80)
    email = serializers.CharField(max_length=254, required=False, allow_blank=True, default="")
    organisation = serializers.UUIDField()
    roles = serializers.ListField(child=serializers.CharField(max_length=20), max_length=10)
    language = serializers.ChoiceField(["zh-CN", "en"], default="zh-CN")


class PersonChange(Input):
    """What administrators change; what is absent stays."""

    name = serializers.CharField(max_length=80, required=False)
    email = serializers.CharField(max_length=254, required=False, allow_blank=True)
    organisation = serializers.UUIDField(required=False)
    roles = serializers.ListField(child=serializers.CharField(max_length=20), max_length=10, required=False)
    is_active = serializers.BooleanField(required=False)


class ImportInput(Input):
    """CSV text with a heading: username, name, email, organisation (code), roles (parted by ;)."""

    csv = serializers.CharField(max_length=MAX_CSV, trim_whitespace=False)
    dry_run = serializers.BooleanField(default=False)


class HandOverInput(Input):
    """The successor's id."""

    to = serializers.UUIDField()


def _administrator(request: Request) -> Principal:
    principal = principal_of(request)
    require_right(principal, "people.manage")
    return principal


def _people(principal: Principal) -> Any:
    found = User.objects.visible_to(principal).select_related("organisation")
    return found.prefetch_related("role_assignments")


class PeopleView(APIView):
    """All people."""

    @described(
        "people_list",
        list_of(PersonOutput, total=serializers.IntegerField()),
        problems=(401, 403),
        parameters=(
            *PAGING,
            query("q", "Part of a name, sign-in name or e-mail."),
            query("organisation", "A department's id; those below it count too."),
            query("role", enum=ROLES),
            query("active", "1 or 0.", enum=["1", "0"]),
        ),
        tag="people",
    )
    def get(self, request: Request) -> Response:
        """Search people, by sign-in name."""
        principal = _administrator(request)
        found = _narrowed(principal, _people(principal), request)
        page = page_of(found, request, ("username", "id"))
        total = found.count()
        return Response({"results": [person_json(user) for user in page.objects], "next": page.next, "total": total})

    @described("people_create", NewPersonOutput, request=PersonCreate, status=201, problems=(401, 403), tag="people")
    def post(self, request: Request) -> Response:
        """Add a person; the first password is in this answer and never again."""
        principal = _administrator(request)
        values = read_input(PersonCreate, request.data)
        values["organisation"] = find_organisation(principal, values["organisation"], "/organisation")
        user, password = create_person(principal, PersonInput(**{**values, "roles": tuple(values["roles"])}), request)
        return Response(person_json(user, password=password), status=201)


def _narrowed(principal: Principal, people: Any, request: Request) -> Any:
    asked = request.GET
    if words := asked.get("q", "").replace("\0", "").strip()[:100]:
        people = people.filter(Q(username__icontains=words) | Q(name__icontains=words) | Q(email__icontains=words))
    if organisation := asked.get("organisation"):
        found = find_organisation(principal, organisation, "/organisation")
        people = people.filter(organisation__path__startswith=found.path)  # type: ignore[union-attr]
    if role := asked.get("role"):
        people = people.filter(role_assignments__role=role)
    if asked.get("active") in {"0", "1"}:
        people = people.filter(is_active=asked["active"] == "1")
    return people


class PersonView(APIView):
    """One person."""

    @described("people_read", PersonOutput, tag="people")
    def get(self, request: Request, person_id: str) -> Response:
        """Name, department, roles and state."""
        return Response(person_json(_people(_administrator(request)).get_visible(principal_of(request), pk=person_id)))

    @described("people_change", PersonOutput, request=PersonChange, problems=(401, 403, 404, 409), tag="people")
    def patch(self, request: Request, person_id: str) -> Response:
        """Change data, department or roles; disable (which ends all sessions and tokens) or bring back."""
        principal = _administrator(request)
        user = _people(principal).get_visible(principal, pk=person_id)
        values = read_input(PersonChange, request.data)
        if "organisation" in values:
            values["organisation"] = find_organisation(principal, values["organisation"], "/organisation")
        return Response(person_json(change_person(principal, user, values, request)))


class ResetPasswordView(APIView):
    """A new first password."""

    @described("people_reset_password", PasswordOutput, tag="people")
    def post(self, request: Request, person_id: str) -> Response:
        """The password is in this answer and never again; all sessions and tokens of the person end."""
        principal = _administrator(request)
        user = _people(principal).get_visible(principal, pk=person_id)
        return Response({"password": reset_password(principal, user, request)})


class HandOverView(APIView):
    """A leaver's things."""

    @described("people_hand_over", HandOverOutput, request=HandOverInput, tag="people")
    def post(self, request: Request, person_id: str) -> Response:
        """Give the person's apps and files to a colleague."""
        principal = _administrator(request)
        leaver = _people(principal).get_visible(principal, pk=person_id)
        values = read_input(HandOverInput, request.data)
        try:
            successor = _people(principal).get_visible(principal, pk=values["to"])
        except NotFoundError as error:
            message = text("This person does not exist.", "该人员不存在。")
            raise InvalidError(problems=[Problem("/to", "person.unknown", message)]) from error
        return Response({"moved": hand_over(principal, leaver, successor, request)})


class ImportPeopleView(APIView):
    """Many people at once."""

    @described("people_import", ImportOutput, request=ImportInput, problems=(401, 403), tag="people")
    def post(self, request: Request) -> Response:
        """Check every line; with no problem and no dry run, create all. Passwords are shown this once."""
        values = read_input(ImportInput, request.data)
        outcome = import_people(_administrator(request), values["csv"], values["dry_run"], request)
        is_done = not outcome.is_dry_run and not outcome.problems
        body = {
            "created": len(outcome.people) if is_done else 0,
            "dry_run": outcome.is_dry_run,
            "people": outcome.people,
            "problems": outcome.problems,
        }
        return Response(ImportOutput(body).data)
