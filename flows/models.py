"""Apps, their flows, drafts while they are edited, and frozen versions."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from flows.access import AppQuerySet, CommentQuerySet, FlowQuerySet, PublishedQuerySet, VersionQuerySet
from node_catalog.models import Dataset
from security.ids import new_id
from security.models import Organisation, User


class App(models.Model):
    """What a user owns and opens: one or more flows. Its department's rights are what its runs may read."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    title = models.JSONField()
    summary = models.JSONField(default=dict)
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="apps")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="apps")
    template = models.CharField(max_length=60, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    objects = AppQuerySet.as_manager()

    class Meta:
        ordering = ("-updated_at",)


class Flow(models.Model):
    """One graph of an app."""

    class Compute(models.TextChoices):
        AUTO = "auto"
        HERE = "here"
        CLUSTER = "cluster"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="flows")
    key = models.CharField(max_length=60)
    title = models.JSONField()
    ordinal = models.PositiveIntegerField(default=0)
    compute = models.CharField(max_length=8, choices=Compute.choices, default=Compute.AUTO, db_default=Compute.AUTO)
    """Where its stages are worked out, when a cluster is set up."""

    objects = FlowQuerySet.as_manager()

    class Meta:
        ordering = ("app", "ordinal")
        constraints: ClassVar[list[Any]] = [models.UniqueConstraint(fields=["app", "key"], name="one_flow_per_key")]


class Draft(models.Model):
    """The flow as it is being edited; ``revision`` counts accepted batches of operations."""

    flow = models.OneToOneField(Flow, on_delete=models.CASCADE, related_name="draft")
    document = models.JSONField()
    layout = models.JSONField(default=dict)
    revision = models.PositiveIntegerField(default=0)
    updated_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    updated_at = models.DateTimeField(auto_now=True)


class DraftOperation(models.Model):
    """One accepted batch of operations: the log behind autosave, audit and co-editing."""

    flow = models.ForeignKey(Flow, on_delete=models.CASCADE, related_name="operations")
    revision = models.PositiveIntegerField()
    client = models.CharField(max_length=64)
    """Idempotency key of the batch: sending it again answers with the same revision."""
    operations = models.JSONField()
    actor = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("flow", "revision")
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["flow", "revision"], name="one_batch_per_revision"),
            models.UniqueConstraint(fields=["flow", "client"], name="one_batch_per_client_key"),
        ]


class Presence(models.Model):
    """Somebody who has a flow open, by browser tab; without a sign of life it counts no more (``flows.presence``)."""

    flow = models.ForeignKey(Flow, on_delete=models.CASCADE, related_name="presences")
    client = models.CharField(max_length=64)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    step = models.CharField(max_length=80, blank=True)
    """The step that is selected there."""
    colour = models.PositiveSmallIntegerField(default=0)
    seen_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["flow", "client"], name="one_presence_per_tab")
        ]


class Version(models.Model):
    """A frozen whole app document: ``{"flows": {key: {"document": …, "layout": …}}}``; the digest ignores layouts."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    document = models.JSONField()
    digest = models.CharField(max_length=64)
    note = models.CharField(max_length=300, blank=True)
    is_automatic = models.BooleanField(default=False)
    """Made by pressing Run on a draft, not by "save version"."""
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = VersionQuerySet.as_manager()

    class Meta:
        ordering = ("-number",)
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["app", "number"], name="one_version_per_number")
        ]


class PublishedFlow(models.Model):
    """A flow of a frozen version that programs may call and wait for (``POST /api/call/<app>/<flow>``)."""

    class Audience(models.TextChoices):
        """Who may call it; everybody reads with their own rights."""

        OWNER = "owner"
        DEPARTMENT = "department"
        EVERYONE = "everyone"

    flow = models.OneToOneField(Flow, on_delete=models.CASCADE, related_name="published")
    version = models.ForeignKey(Version, on_delete=models.CASCADE, related_name="+")
    audience = models.CharField(max_length=12, choices=Audience.choices, default=Audience.OWNER)
    columns = models.JSONField(default=list)
    """What an answer holds: ``[{name, type}]``, as it was when the flow was published."""
    published_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    published_at = models.DateTimeField(auto_now=True)

    objects = PublishedQuerySet.as_manager()


class CallCount(models.Model):
    """How often a published flow was called in an hour, and how that went."""

    flow = models.ForeignKey(Flow, on_delete=models.CASCADE, related_name="call_counts")
    hour = models.DateTimeField()
    calls = models.PositiveBigIntegerField(default=0)
    errors = models.PositiveBigIntegerField(default=0)
    milliseconds = models.PositiveBigIntegerField(default=0)
    slowest = models.PositiveIntegerField(default=0)
    rows = models.PositiveBigIntegerField(default=0)
    last_error = models.JSONField(null=True, blank=True)
    """Code and words, never a value."""

    class Meta:
        constraints: ClassVar[list[Any]] = [models.UniqueConstraint(fields=["flow", "hour"], name="one_count_per_hour")]


class StoredPlan(models.Model):
    """A compiled plan, kept under the hash of everything it was made from."""

    digest = models.CharField(max_length=64, primary_key=True)
    body = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)


class DatasetUse(models.Model):
    """Which version uses which dataset and columns: the base of impact and lineage."""

    version = models.ForeignKey(Version, on_delete=models.CASCADE, related_name="dataset_uses")
    flow_key = models.CharField(max_length=60)
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="uses")
    columns = models.JSONField(default=list)
    is_write = models.BooleanField(default=False)


class ColumnUse(models.Model):
    """What one column of a dataset becomes in a saved version: the lineage behind "who uses this column"."""

    version = models.ForeignKey(Version, on_delete=models.CASCADE, related_name="column_uses")
    flow_key = models.CharField(max_length=60)
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="column_uses")
    column = models.CharField(max_length=200)
    outputs = models.JSONField(default=dict)
    """Name of an output → ``{"step", "columns": [computed from it], "rows": whether it decides which rows}``."""
    steps = models.JSONField(default=list)
    """Steps on the way to those outputs that work out their values or choose their rows."""

    class Meta:
        indexes: ClassVar[list[Any]] = [models.Index(fields=["dataset", "column"], name="uses_of_a_column")]


class Comment(models.Model):
    """A remark on a step or on the flow as a whole; answers hang on the first one of their thread."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    flow = models.ForeignKey(Flow, on_delete=models.CASCADE, related_name="comments")
    step = models.CharField(max_length=80, blank=True)
    thread = models.ForeignKey("self", null=True, blank=True, on_delete=models.CASCADE, related_name="answers")
    author = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    body = models.TextField(max_length=4000)
    mentions = models.ManyToManyField(User, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    objects = CommentQuerySet.as_manager()

    class Meta:
        ordering = ("created_at",)
