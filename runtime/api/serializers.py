"""Shapes that the runtime routes take."""

from __future__ import annotations

from rest_framework import serializers


class StartSerializer(serializers.Serializer[object]):
    """Start a run: parameters of the flow, and a version (left out: the draft as it is now).

    ``until`` (``step.port``) runs only what is upstream of that step and keeps the port's rows for a day.
    """

    parameters = serializers.DictField(required=False, default=dict)
    version = serializers.UUIDField(required=False, allow_null=True, default=None)
    until = serializers.RegexField(
        r"^([a-z][a-z0-9_]{0,59}\.[a-z][a-z0-9_]{0,59})?$", required=False, allow_blank=True, default=""
    )


class RepeatSerializer(serializers.Serializer[object]):
    """Run again: from the start or from the failed stage, with the version of then or the newest draft."""

    newest = serializers.BooleanField(required=False, default=False)

    def get_fields(self) -> dict[str, serializers.Field]:  # type: ignore[type-arg]
        """``from`` is a word of the language, so the field is added by name."""
        choice = serializers.ChoiceField(choices=("start", "failed"), required=False, default="start")
        return {"from": choice, **super().get_fields()}


class RunRuleSerializer(serializers.Serializer[object]):
    """A flow's run settings: what the schema that ``GET`` answers describes."""

    settings = serializers.DictField()


class NodeLoadSerializer(serializers.Serializer[object]):
    """Reads of a node at work, how many there may be (0: any number) and how many of them for what nobody waits for;
    tasks that wait for their turn.
    """

    in_use = serializers.IntegerField()
    reads = serializers.IntegerField()
    background_reads = serializers.IntegerField()
    waiting = serializers.IntegerField()


class PreviewSerializer(serializers.Serializer[object]):
    """Which step of the draft to look at; ``revision`` is the draft that the browser has."""

    step = serializers.CharField(max_length=120)
    revision = serializers.IntegerField(required=False, allow_null=True, default=None, min_value=0)


class TrySerializer(serializers.Serializer[object]):
    """Settings of a node that is not saved yet."""

    type = serializers.CharField(max_length=40)
    settings = serializers.DictField()
    node = serializers.UUIDField(required=False, allow_null=True, default=None)


class CellRowsSerializer(serializers.Serializer[object]):
    """One cell of a result, and the read step whose rows are wanted."""

    row = serializers.IntegerField(min_value=0)
    column = serializers.CharField(max_length=200)
    sort = serializers.CharField(max_length=200, allow_blank=True, default="")
    step = serializers.CharField(max_length=80)


class PublishSerializer(serializers.Serializer[object]):
    """Who may call a flow."""

    audience = serializers.ChoiceField(choices=["owner", "department", "everyone"])
