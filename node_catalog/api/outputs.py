"""The catalogue's shapes in the API. Settings are sent without secrets; profiles only where the grant allows."""

from __future__ import annotations

from rest_framework import serializers

from security.api.inputs import LocalText
from security.api.outputs import OrganisationShort


class NodeShort(serializers.Serializer):  # type: ignore[type-arg]
    """A node on a card."""

    id = serializers.UUIDField()
    number = serializers.CharField()
    name = LocalText()
    type = serializers.CharField()


class DepartmentShort(serializers.Serializer):  # type: ignore[type-arg]
    """A department on a card."""

    id = serializers.UUIDField()
    name = LocalText()


class ColumnShort(serializers.Serializer):  # type: ignore[type-arg]
    """A column on a card."""

    name = serializers.CharField()
    title = LocalText()
    type = serializers.CharField()


class CardBase(serializers.Serializer):  # type: ignore[type-arg]
    """What card and detail share."""

    kind = serializers.CharField()
    id = serializers.UUIDField()
    number = serializers.CharField()
    name = serializers.CharField()
    title = LocalText()
    summary = LocalText()
    node = NodeShort()
    organisation = DepartmentShort()
    rows = serializers.IntegerField(allow_null=True)
    rows_exact = serializers.BooleanField()
    size_bytes = serializers.IntegerField(allow_null=True)
    refreshed_at = serializers.DateTimeField(allow_null=True)
    state = serializers.CharField(help_text="published or gone")
    right = serializers.CharField(help_text="usable, pending, request or none")
    share = serializers.CharField(help_text="unconditional, conditional or none")
    columns_total = serializers.IntegerField()
    tags = serializers.ListField(child=serializers.CharField())
    is_personal = serializers.BooleanField()


class DatasetCard(CardBase):
    """A dataset as search shows it, with its first three columns."""

    columns = ColumnShort(many=True)


class ColumnDetail(ColumnShort):
    """A column; ``profile`` is null unless the person may read its values unmasked."""

    native_type = serializers.CharField()
    nullable = serializers.BooleanField()
    key = serializers.CharField()
    unit = serializers.CharField()
    description = LocalText()
    sensitivity = serializers.CharField()
    readable = serializers.BooleanField()
    mask = serializers.CharField(allow_null=True)
    profile = serializers.DictField(allow_null=True)


class VersionShort(serializers.Serializer):  # type: ignore[type-arg]
    """A schema that the dataset had."""

    ordinal = serializers.IntegerField()
    seen_at = serializers.DateTimeField()
    difference = serializers.DictField()


class GrantShort(serializers.Serializer):  # type: ignore[type-arg]
    """The right that the person holds, and where it comes from: own, personal, unconditional, grant."""

    columns = serializers.ListField(child=serializers.CharField())
    masks = serializers.DictField(child=serializers.CharField())
    is_filtered = serializers.BooleanField()
    valid_until = serializers.DateTimeField(allow_null=True)
    source = serializers.CharField()
    number = serializers.CharField(allow_blank=True)


class DatasetDetail(CardBase):
    """A whole dataset."""

    columns = ColumnDetail(many=True)
    settings = serializers.DictField()
    settings_schema = serializers.DictField()
    warnings = serializers.ListField(child=LocalText())
    versions = VersionShort(many=True)
    profiled_at = serializers.DateTimeField(allow_null=True)
    grant = GrantShort(allow_null=True)
    can_edit = serializers.BooleanField()
    used_by = serializers.IntegerField()


class NodeOutput(serializers.Serializer):  # type: ignore[type-arg]
    """A node. ``secrets`` says which secret settings are set, never what they are."""

    id = serializers.UUIDField()
    number = serializers.CharField()
    type = serializers.CharField()
    name = LocalText()
    description = LocalText()
    organisation = OrganisationShort()
    tags = serializers.ListField(child=serializers.CharField())
    settings = serializers.DictField()
    limits = serializers.DictField(help_text="Load limits that are not the defaults; for those who keep the node.")
    secrets = serializers.DictField(child=serializers.BooleanField())
    health = serializers.CharField(help_text="unknown, ok or failing")
    health_detail = serializers.DictField()
    checked_at = serializers.DateTimeField(allow_null=True)
    discovered_at = serializers.DateTimeField(allow_null=True)
    last_difference = serializers.DictField()
    datasets_total = serializers.IntegerField()
    can_edit = serializers.BooleanField()
    is_personal = serializers.BooleanField()


class FacetValue(serializers.Serializer):  # type: ignore[type-arg]
    """One value of a facet and how many datasets it would leave."""

    value = serializers.CharField()
    label = LocalText()
    count = serializers.IntegerField()


class Facets(serializers.Serializer):  # type: ignore[type-arg]
    """All facets."""

    organisation = FacetValue(many=True)
    type = FacetValue(many=True)
    tag = FacetValue(many=True)
    right = FacetValue(many=True)


class Applicant(serializers.Serializer):  # type: ignore[type-arg]
    """Who asks."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    organisation = LocalText()


class RequestOutput(serializers.Serializer):  # type: ignore[type-arg]
    """A request to use a dataset."""

    id = serializers.UUIDField()
    number = serializers.CharField()
    dataset = DatasetCard()
    applicant = Applicant()
    columns = serializers.ListField(child=serializers.CharField())
    purpose = serializers.CharField()
    valid_until = serializers.DateField(allow_null=True)
    state = serializers.CharField(help_text="submitted, approved, rejected or withdrawn")
    decided_by = serializers.CharField(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()
    can_decide = serializers.BooleanField()
    can_withdraw = serializers.BooleanField()


class PersonShort(serializers.Serializer):  # type: ignore[type-arg]
    """A person by name."""

    id = serializers.UUIDField()
    name = serializers.CharField()


class GrantOutput(serializers.Serializer):  # type: ignore[type-arg]
    """A grant that was given."""

    id = serializers.UUIDField()
    number = serializers.CharField()
    dataset = DatasetCard()
    organisation = DepartmentShort()
    user = PersonShort(allow_null=True)
    columns = serializers.ListField(child=serializers.CharField())
    masks = serializers.DictField(child=serializers.CharField())
    is_filtered = serializers.BooleanField()
    purpose = serializers.CharField(allow_blank=True)
    valid_from = serializers.DateTimeField()
    valid_until = serializers.DateTimeField(allow_null=True)
    state = serializers.CharField(help_text="active, ended or revoked")
    revoked_reason = serializers.CharField(allow_blank=True)
    revoked_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    can_revoke = serializers.BooleanField()


class Found(serializers.Serializer):  # type: ignore[type-arg]
    """What a number stands for."""

    kind = serializers.ChoiceField(["node", "dataset"])
    id = serializers.UUIDField()


class PaletteOutput(serializers.Serializer):  # type: ignore[type-arg]
    """All step types and connectors, with words in both languages, ports and settings schemas."""

    steps = serializers.ListField(child=serializers.DictField())
    connectors = serializers.ListField(child=serializers.DictField())
