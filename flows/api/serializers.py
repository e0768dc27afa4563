"""Shapes that the flow routes take."""

from __future__ import annotations

from rest_framework import serializers


class LocalTextField(serializers.DictField):
    """``{"en": …, "zh-CN": …}``; one wording is enough, the other is filled with it."""

    child = serializers.CharField(max_length=200, allow_blank=True)

    def to_internal_value(self, data: object) -> dict[str, str]:
        if isinstance(data, str):
            data = {"en": data, "zh-CN": data}
        value = super().to_internal_value(data)
        words = {language: value.get(language, "").strip() for language in ("en", "zh-CN")}
        spare = words["zh-CN"] or words["en"]
        if not spare:
            raise serializers.ValidationError("Give it a title. 请填写名称。", code="blank")
        return {language: wording or spare for language, wording in words.items()}


class NewAppSerializer(serializers.Serializer[object]):
    """A new app: blank, from a template, or from a dataset."""

    title = LocalTextField()
    template = serializers.CharField(required=False, allow_blank=True, max_length=60)
    dataset = serializers.UUIDField(required=False, allow_null=True)


class AppChangeSerializer(serializers.Serializer[object]):
    """New words for an app."""

    title = LocalTextField(required=False)
    summary = LocalTextField(required=False)


class OperationsSerializer(serializers.Serializer[object]):
    """One batch of edits on a base revision; ``client`` makes sending it twice harmless."""

    base = serializers.IntegerField(min_value=0)
    client = serializers.CharField(max_length=64)
    operations = serializers.ListField(child=serializers.DictField())


class PresenceSerializer(serializers.Serializer[object]):
    """One browser tab: its key, the selected step, and whether it is being closed."""

    client = serializers.CharField(max_length=64)
    step = serializers.CharField(max_length=80, allow_blank=True, default="")
    is_leaving = serializers.BooleanField(default=False)


class NewVersionSerializer(serializers.Serializer[object]):
    """A note for the version, in the saver's words."""

    note = serializers.CharField(required=False, allow_blank=True, max_length=300)


class RestoreSerializer(serializers.Serializer[object]):
    """Which flow to restore; all when left out."""

    flow = serializers.CharField(required=False, max_length=60)


class DocumentSerializer(serializers.Serializer[object]):
    """A flow document to check without saving."""

    document = serializers.DictField()


class BundleSerializer(serializers.Serializer[object]):
    """An exported bundle."""

    bundle = serializers.DictField()
