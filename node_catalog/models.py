"""The catalogue: nodes, datasets, their columns, and who may read what."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from node_catalog import querysets
from security.ids import new_id
from security.models import Organisation, User


class Tag(models.Model):
    """A word that staff hang on nodes and datasets."""

    name = models.CharField(max_length=60, unique=True)

    objects = querysets.TagQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name


class Node(models.Model):
    """A catalogued end point: a database, a folder, later a queue or device. Its number is permanent."""

    class Health(models.TextChoices):
        UNKNOWN = "unknown"
        OK = "ok"
        FAILING = "failing"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    number = models.CharField(max_length=20, unique=True)
    type = models.CharField(max_length=40)
    name = models.JSONField()
    description = models.JSONField(default=dict)
    search_text = models.TextField(blank=True)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="nodes")
    tags = models.ManyToManyField(Tag, blank=True, related_name="nodes")
    settings = models.JSONField(default=dict)
    limits = models.JSONField(null=True, blank=True)
    """Its load limits, as far as they are not the defaults (``node_catalog.sdk.load_limits``)."""
    secrets = models.JSONField(default=dict)
    """Secret field → id of the sealed Secret."""
    health = models.CharField(max_length=10, choices=Health.choices, default=Health.UNKNOWN)
    health_detail = models.JSONField(default=dict)
    checked_at = models.DateTimeField(null=True, blank=True)
    discovered_at = models.DateTimeField(null=True, blank=True)
    last_difference = models.JSONField(default=dict)
    owner = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="personal_nodes")
    """Set only on the node that holds one person's uploaded files."""
    is_active = models.BooleanField(default=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = querysets.NodeQuerySet.as_manager()

    class Meta:
        ordering = ("number",)


class Dataset(models.Model):
    """One readable table or file of a node; its number is the node's plus a four-digit ordinal."""

    class Share(models.TextChoices):
        UNCONDITIONAL = "unconditional"
        CONDITIONAL = "conditional"
        NONE = "none"

    class State(models.TextChoices):
        PUBLISHED = "published"
        GONE = "gone"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    number = models.CharField(max_length=26, unique=True)
    node = models.ForeignKey(Node, on_delete=models.CASCADE, related_name="datasets")
    ordinal = models.PositiveIntegerField()
    path = models.JSONField()
    path_key = models.CharField(max_length=400)
    kind = models.CharField(max_length=10)
    name = models.CharField(max_length=300)
    title = models.JSONField(default=dict)
    summary = models.JSONField(default=dict)
    search_text = models.TextField(blank=True)
    tags = models.ManyToManyField(Tag, blank=True, related_name="datasets")
    share = models.CharField(max_length=15, choices=Share.choices, default=Share.CONDITIONAL)
    settings = models.JSONField(default=dict)
    corrections = models.JSONField(default=dict)
    """The part of ``settings`` that people corrected; discovery keeps to it."""
    rows = models.BigIntegerField(null=True, blank=True)
    rows_exact = models.BooleanField(default=False)
    size_bytes = models.BigIntegerField(null=True, blank=True)
    warnings = models.JSONField(default=list)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PUBLISHED)
    version = models.PositiveIntegerField(default=0)
    schema_hash = models.CharField(max_length=64, blank=True)
    profiled_at = models.DateTimeField(null=True, blank=True)
    refreshed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = querysets.DatasetQuerySet.as_manager()

    class Meta:
        ordering = ("number",)
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["node", "path_key"], name="one_dataset_per_path"),
            models.UniqueConstraint(fields=["node", "ordinal"], name="one_dataset_per_ordinal"),
        ]


class DatasetVersion(models.Model):
    """A schema that the dataset has had, and what changed against the one before."""

    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="versions")
    ordinal = models.PositiveIntegerField()
    schema_hash = models.CharField(max_length=64)
    columns = models.JSONField()
    difference = models.JSONField(default=dict)
    seen_at = models.DateTimeField(auto_now_add=True)

    objects = querysets.OfDatasetQuerySet.as_manager()

    class Meta:
        ordering = ("-ordinal",)
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["dataset", "ordinal"], name="one_version_per_ordinal")
        ]


class Column(models.Model):
    """A column as it is today, with its profile."""

    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="columns")
    ordinal = models.PositiveIntegerField()
    name = models.CharField(max_length=300)
    title = models.JSONField(default=dict)
    native_type = models.CharField(max_length=120)
    type = models.CharField(max_length=20)
    nullable = models.BooleanField(default=True)
    key = models.CharField(max_length=10, blank=True)
    unit = models.CharField(max_length=40, blank=True)
    description = models.JSONField(default=dict)
    sensitivity = models.CharField(max_length=12, blank=True)
    """"", "personal" or "sensitive"."""
    profile = models.JSONField(default=dict)
    """See runtime.profiling: nulls, distinct, min, max, top, histogram."""

    objects = querysets.OfDatasetQuerySet.as_manager()

    class Meta:
        ordering = ("dataset", "ordinal")
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["dataset", "name"], name="one_column_per_name")
        ]


class SubscriptionRequest(models.Model):
    """Someone asks to use one dataset: which columns, for what, until when."""

    class State(models.TextChoices):
        SUBMITTED = "submitted"
        APPROVED = "approved"
        REJECTED = "rejected"
        WITHDRAWN = "withdrawn"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    number = models.CharField(max_length=24, unique=True)
    applicant = models.ForeignKey(User, on_delete=models.PROTECT, related_name="requests")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="requests")
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="requests")
    columns = models.JSONField()
    purpose = models.TextField()
    valid_until = models.DateField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.SUBMITTED)
    decided_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    reason = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = querysets.RequestQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at",)


class Grant(models.Model):
    """The right that an approval gave to a department (or one person): columns, masks, rows, term."""

    class State(models.TextChoices):
        ACTIVE = "active"
        REVOKED = "revoked"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    number = models.CharField(max_length=24, unique=True)
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="grants")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="grants")
    user = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="grants")
    request = models.OneToOneField(SubscriptionRequest, null=True, on_delete=models.PROTECT, related_name="grant")
    columns = models.JSONField()
    masks = models.JSONField(default=dict)
    row_filter = models.JSONField(null=True, blank=True)
    purpose = models.TextField(blank=True)
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField(null=True, blank=True)
    epoch = models.PositiveIntegerField(default=1)
    state = models.CharField(max_length=10, choices=State.choices, default=State.ACTIVE)
    revoked_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    revoked_reason = models.TextField(blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = querysets.GrantQuerySet.as_manager()


class OutgoingOpening(models.Model):
    """A network that platform administrators opened for nodes: one row of the guard's visible table."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    network = models.CharField(max_length=50)
    """CIDR; a single address is /32 or /128."""
    port = models.PositiveIntegerField(default=0)
    """0: every port."""
    connector = models.CharField(max_length=40, blank=True)
    """Key of the one node type that may use it; empty: every type."""
    reason = models.TextField()
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = querysets.OpeningQuerySet.as_manager()

    class Meta:
        ordering = ("network", "port", "connector")
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["network", "port", "connector"], name="one_opening_per_network")
        ]
