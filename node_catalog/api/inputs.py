"""Request bodies of the catalogue."""

from __future__ import annotations

from rest_framework import serializers

from node_catalog.models import Dataset
from security.api.inputs import Input, LocalText


class NodeInput(Input):
    """A new node; ``settings`` hold the connector's settings with its secrets."""

    type = serializers.CharField(max_length=40)
    name = LocalText(max_length=100, required_text=True)
    description = LocalText(max_length=2000, required=False)
    organisation = serializers.UUIDField(required=False)
    tags = serializers.ListField(child=serializers.CharField(max_length=60), required=False, max_length=30)
    settings = serializers.DictField(required=False, default=dict)
    limits = serializers.DictField(required=False)


class NodeChange(Input):
    """What may change; absent secrets stay as they are."""

    name = LocalText(max_length=100, required_text=True, required=False)
    description = LocalText(max_length=2000, required=False)
    organisation = serializers.UUIDField(required=False)
    tags = serializers.ListField(child=serializers.CharField(max_length=60), required=False, max_length=30)
    settings = serializers.DictField(required=False)
    limits = serializers.DictField(required=False)


class ColumnChange(Input):
    """Words and class of one column."""

    title = LocalText(max_length=100, required=False)
    description = LocalText(max_length=2000, required=False)
    unit = serializers.CharField(max_length=40, required=False, allow_blank=True)
    sensitivity = serializers.ChoiceField(["", "personal", "sensitive"], required=False)


class DatasetChange(Input):
    """What may change of a dataset; ``columns`` by name, ``settings`` only those that are corrected."""

    title = LocalText(max_length=100, required=False)
    summary = LocalText(max_length=2000, required=False)
    tags = serializers.ListField(child=serializers.CharField(max_length=60), required=False, max_length=30)
    share = serializers.ChoiceField(Dataset.Share.choices, required=False)
    columns = serializers.DictField(child=ColumnChange(), required=False)
    settings = serializers.DictField(required=False)


class RequestInput(Input):
    """A request to use a dataset."""

    dataset = serializers.UUIDField()
    columns = serializers.ListField(child=serializers.CharField(max_length=300), max_length=2000)
    purpose = serializers.CharField(max_length=2000)
    valid_until = serializers.DateField(required=False, allow_null=True, default=None)


class ApproveInput(Input):
    """An approval; what is given makes the grant narrower than what was asked."""

    columns = serializers.ListField(child=serializers.CharField(max_length=300), required=False, allow_empty=False)
    masks = serializers.DictField(child=serializers.CharField(max_length=40), required=False)
    valid_until = serializers.DateField(required=False, allow_null=True)
    reason = serializers.CharField(max_length=2000, required=False, allow_blank=True)


class ReasonInput(Input):
    """Why."""

    reason = serializers.CharField(max_length=2000, allow_blank=True, default="")
