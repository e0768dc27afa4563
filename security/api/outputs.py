"""What the API sends about people, departments and their things. Never a password, digest or secret."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from security.api.inputs import LocalText
from security.models import AuditRecord, Notice, Organisation, Token, User
from security.notices import unread_count
from security.passwords import is_locked


class OrganisationShort(serializers.Serializer):  # type: ignore[type-arg]
    """A department as it stands beside other things."""

    id = serializers.UUIDField()
    code = serializers.CharField()
    name = LocalText()


class OrganisationOutput(OrganisationShort):
    """A department of the flat tree list, parents before children."""

    parent = serializers.UUIDField(source="parent_id", allow_null=True)
    depth = serializers.SerializerMethodField()
    is_active = serializers.BooleanField()
    people = serializers.SerializerMethodField()

    def get_people(self, organisation: Organisation) -> int:
        """How many active people work there."""
        return int(getattr(organisation, "people_total", 0))

    def get_depth(self, organisation: Organisation) -> int:
        """0 for a root."""
        return organisation.path.count("/") - 2


class MeOutput(serializers.Serializer):  # type: ignore[type-arg]
    """The signed-in person."""

    id = serializers.UUIDField()
    username = serializers.CharField()
    name = serializers.CharField()
    email = serializers.CharField()
    organisation = OrganisationShort()
    roles = serializers.ListField(child=serializers.CharField())
    language = serializers.CharField()
    theme = serializers.CharField()
    must_change_password = serializers.BooleanField()
    unread = serializers.IntegerField()


class PersonOutput(serializers.Serializer):  # type: ignore[type-arg]
    """A person on the people page."""

    id = serializers.UUIDField()
    username = serializers.CharField()
    name = serializers.CharField()
    email = serializers.CharField()
    organisation = OrganisationShort()
    roles = serializers.ListField(child=serializers.CharField())
    is_active = serializers.BooleanField()
    is_locked = serializers.BooleanField()
    must_change_password = serializers.BooleanField()
    created_at = serializers.DateTimeField()


class NewPersonOutput(PersonOutput):
    """A person just made, with the first password: shown this once."""

    password = serializers.CharField()


class TokenOutput(serializers.ModelSerializer):  # type: ignore[type-arg]
    """A token without its secret."""

    class Meta:
        model = Token
        fields = ("id", "name", "prefix", "created_at", "expires_at", "last_used_at")


class NewTokenOutput(TokenOutput):
    """A token just made, with its secret: shown this once."""

    token = serializers.CharField()

    class Meta:
        model = Token
        fields = (*TokenOutput.Meta.fields, "token")


class NoticeOutput(serializers.ModelSerializer):  # type: ignore[type-arg]
    """One message of the inbox."""

    title = LocalText()
    body = LocalText()

    class Meta:
        model = Notice
        fields = ("id", "kind", "title", "body", "link", "created_at", "read_at")


class AuditOutput(serializers.ModelSerializer):  # type: ignore[type-arg]
    """One record of the audit trail."""

    class Meta:
        model = AuditRecord
        fields = (
            "seq",
            "at",
            "actor",
            "action",
            "object_type",
            "object_id",
            "outcome",
            "detail",
            "ip",
            "request_id",
            "hash",
        )


class PasswordOutput(serializers.Serializer):  # type: ignore[type-arg]
    """A first password: shown this once."""

    password = serializers.CharField()


class ImportProblem(serializers.Serializer):  # type: ignore[type-arg]
    """One problem of one line; line 1 is the heading."""

    line = serializers.IntegerField()
    field = serializers.CharField()
    code = serializers.CharField()
    message = LocalText()


class ImportedPerson(serializers.Serializer):  # type: ignore[type-arg]
    """One line of the import; ``password`` only when the person was created now."""

    line = serializers.IntegerField()
    username = serializers.CharField()
    name = serializers.CharField()
    password = serializers.CharField(required=False)


class ImportOutput(serializers.Serializer):  # type: ignore[type-arg]
    """What an import did, or would do."""

    created = serializers.IntegerField()
    dry_run = serializers.BooleanField()
    people = ImportedPerson(many=True)
    problems = ImportProblem(many=True)


class HandOverOutput(serializers.Serializer):  # type: ignore[type-arg]
    """How many things of each kind were handed over."""

    moved = serializers.DictField(child=serializers.IntegerField())


class RoleOutput(serializers.Serializer):  # type: ignore[type-arg]
    """A role in words."""

    key = serializers.CharField()
    title = LocalText()
    summary = LocalText()


class LimitsOutput(serializers.Serializer):  # type: ignore[type-arg]
    """Limits that screens show before they are hit."""

    upload_mb = serializers.IntegerField()
    preview_rows = serializers.IntegerField()
    result_days = serializers.IntegerField()


class DemoAccount(serializers.Serializer):  # type: ignore[type-arg]
    """A sign-in of the demo city."""

    username = serializers.CharField()
    password = serializers.CharField()
    name = LocalText()
    role = serializers.CharField()
    roles = serializers.SerializerMethodField()

    def get_roles(self, account: dict[str, Any]) -> list[str]:
        """All roles of the account; at least the one that stands for it."""
        return list(account.get("roles") or [account["role"]])


class ContextOutput(serializers.Serializer):  # type: ignore[type-arg]
    """What the sign-in page and the shell need to know."""

    version = serializers.CharField()
    languages = serializers.ListField(child=serializers.CharField())
    roles = RoleOutput(many=True)
    limits = LimitsOutput()
    demo = serializers.BooleanField()
    demo_accounts = DemoAccount(many=True)


def _roles(user: User) -> list[str]:
    return sorted(assignment.role for assignment in user.role_assignments.all())


def me_json(user: User) -> Any:
    """The signed-in person as the API sends it."""
    values = {field: getattr(user, field) for field in MeOutput().fields if hasattr(user, field)}
    return MeOutput({**values, "roles": _roles(user), "unread": unread_count(user)}).data


def person_json(user: User, **more: Any) -> Any:
    """A person as the people page sees them; ``password`` makes it a NewPersonOutput."""
    shape = NewPersonOutput if "password" in more else PersonOutput
    values = {field: getattr(user, field) for field in PersonOutput().fields if hasattr(user, field)}
    return shape({**values, "roles": _roles(user), "is_locked": is_locked(user), **more}).data
