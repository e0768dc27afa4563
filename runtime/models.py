"""Runs, their tasks and attempts, numbered events, the outbox, and the ledger of what was delivered.

This database is the truth about every run; the broker only rings the bell (docs/adr/database-is-the-truth.md).
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from flows.models import App, Flow, StoredPlan, Version
from runtime.querysets import (
    AttemptQuerySet,
    InternalQuerySet,
    PinnedSampleQuerySet,
    PoolQuerySet,
    ResultQuerySet,
    RunQuerySet,
    TaskQuerySet,
    WorkerQuerySet,
)
from security.ids import new_id
from security.models import Organisation, User


class Pool(models.Model):
    """Places that works take while they go on (``runtime.pools``): a licence, a shared appliance, a budget."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=60, unique=True)
    note = models.CharField(max_length=300, blank=True, default="")
    places = models.PositiveIntegerField(default=1)
    """0: closed, nothing begins."""

    objects = PoolQuerySet.as_manager()

    class Meta:
        ordering = ("name",)


class RunRule(models.Model):
    """How runs of one flow behave beside each other and how long they may take; without one, nothing is limited."""

    class WhenFull(models.TextChoices):
        WAIT = "wait"
        SKIP = "skip"
        REPLACE = "replace"

    class Priority(models.IntegerChoices):
        HIGH = -1
        NORMAL = 0
        LOW = 1

    flow = models.OneToOneField(Flow, primary_key=True, on_delete=models.CASCADE, related_name="run_rule")
    most = models.PositiveIntegerField(default=0)
    """Runs at work at once, per value of ``key``; 0: any number."""
    key = models.CharField(max_length=60, blank=True, default="")
    """The parameter whose value tells queues apart; empty: all runs of the flow are one queue."""
    when_full = models.CharField(max_length=8, choices=WhenFull.choices, default=WhenFull.WAIT)
    priority = models.SmallIntegerField(choices=Priority.choices, default=Priority.NORMAL)
    run_minutes = models.PositiveIntegerField(default=0)
    """How long a run may take, pauses not counted; 0: RUN_HOURS alone."""
    stage_minutes = models.PositiveIntegerField(default=0)
    """How long one attempt of a stage may take; 0: no limit."""
    pool = models.ForeignKey(Pool, null=True, blank=True, on_delete=models.PROTECT, related_name="rules")
    pool_places = models.PositiveIntegerField(default=1, db_default=1)
    """Places that each stage at work takes of the pool."""
    pool_steps = models.JSONField(default=list, db_default=models.Value([], models.JSONField()))
    """Only stages that do one of these steps; empty: every stage."""

    objects = InternalQuerySet.as_manager()


class Run(models.Model):
    """One execution of one flow of a version. ``seq`` is the number of its newest event."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    number = models.BigIntegerField(unique=True)
    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="runs")
    flow = models.ForeignKey(Flow, on_delete=models.CASCADE, related_name="runs")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="runs")
    plan = models.ForeignKey(StoredPlan, on_delete=models.PROTECT, related_name="runs")
    state = models.CharField(max_length=12, db_index=True)
    parameters = models.JSONField(default=dict)
    started_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="runs")
    rerun_of = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="reruns")
    error = models.JSONField(null=True, blank=True)
    until = models.CharField(max_length=130, blank=True, default="")
    """A run to here: the ``step.port`` at which it ends, with its rows as a temporary result."""
    seq = models.PositiveBigIntegerField(default=0)
    steps = models.JSONField(default=dict)
    """Step id → {state, rows, exact_at}: the last known per-step picture, for snapshots."""
    rows_out = models.BigIntegerField(default=0)
    queue = models.CharField(max_length=60, blank=True, default="", db_default="", db_index=True)
    """Runs that must not all be at work at once share this word (``runtime.admission``)."""
    priority = models.SmallIntegerField(default=0, db_default=0)
    """Smaller goes first; its tasks have the same."""
    cancel_requested_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    paused_at = models.DateTimeField(null=True, blank=True)
    """Since when it is held; empty while it may go on."""
    paused_seconds = models.FloatField(default=0.0)
    """How long it was held before; no part of the time that a run may take."""

    objects = RunQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at",)


MAX_ATTEMPTS = 5
"""Tries of a task that count; one that was handed back does not."""


class Task(models.Model):
    """One unit of work for a worker: a stage of a run, or a preview, profile or discovery on its own."""

    class Kind(models.TextChoices):
        STAGE = "stage"
        PREVIEW = "preview"
        PROFILE = "profile"
        SCAN = "scan"
        DISCOVER = "discover"
        CHECK = "check"
        LOOP = "loop"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    run = models.ForeignKey(Run, null=True, blank=True, on_delete=models.CASCADE, related_name="tasks")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    stage = models.CharField(max_length=80, blank=True)
    after = models.JSONField(default=list)
    """Stage keys of the same run that must be done first."""
    state = models.CharField(max_length=12, db_index=True)
    attempt = models.PositiveIntegerField(default=0)
    max_attempts = models.PositiveIntegerField(default=MAX_ATTEMPTS)
    crashes = models.PositiveIntegerField(default=0)
    """Times the child died under it (killed, out of memory); two are enough."""
    priority = models.SmallIntegerField(default=0, db_default=0)
    share = models.CharField(max_length=80, blank=True, default="", db_default="")
    """``department/app``: who takes turns with others (``runtime.turns``)."""
    owner = models.CharField(max_length=80, blank=True)
    needs = models.CharField(max_length=200, blank=True, default="", db_default="")
    """What a worker must offer to do it (``runtime.offers``); most need nothing."""
    uses = models.TextField(blank=True, default="", db_default="")
    """Which nodes it reads, and over how many connections at once (``runtime.uses``)."""
    level = models.PositiveSmallIntegerField(default=1, db_default=1)
    """The newest thing in its plan (``flows.graph.plan.LEVEL``): a worker that does not know it leaves the task."""
    lot = models.CharField(max_length=32, blank=True, default="")
    """Iterations, or runs of one stage, that were claimed together bear the same word, new with each claim."""
    lease_until = models.DateTimeField(null=True, blank=True, db_index=True)
    not_before = models.DateTimeField(null=True, blank=True)
    payload = models.JSONField(default=dict)
    """Ids only: what to do (dataset, flow, step); never rows, never secrets."""
    progress = models.JSONField(default=dict)
    result = models.JSONField(null=True, blank=True)
    error = models.JSONField(null=True, blank=True)
    requested_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    seq = models.PositiveBigIntegerField(default=0)
    expires_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = TaskQuerySet.as_manager()

    class Meta:
        ordering = ("created_at",)
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["run", "stage"], name="one_task_per_stage", condition=models.Q(run__isnull=False)
            )
        ]
        indexes: ClassVar[list[Any]] = [models.Index(fields=["state", "not_before"])]


class CallReads(models.Model):
    """Nodes that a call reads just now. It is no task; its own longest time is its lease."""

    uses = models.TextField()
    """As with ``Task.uses``."""
    until = models.DateTimeField(db_index=True)

    objects = InternalQuerySet.as_manager()


class Attempt(models.Model):
    """One try of a task: where it ran and how it ended."""

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="attempts")
    number = models.PositiveIntegerField()
    worker = models.CharField(max_length=80)
    process = models.IntegerField(null=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=12, blank=True)
    error = models.JSONField(null=True, blank=True)

    objects = AttemptQuerySet.as_manager()

    class Meta:
        ordering = ("task", "number")
        constraints: ClassVar[list[Any]] = [models.UniqueConstraint(fields=["task", "number"], name="one_try_once")]


class Event(models.Model):
    """A numbered fact of a run (or of a lone task): counts, states, codes; never rows."""

    topic = models.CharField(max_length=60)
    """``run:<id>`` or ``task:<id>``."""
    seq = models.PositiveBigIntegerField()
    kind = models.CharField(max_length=40)
    data = models.JSONField(default=dict)
    at = models.DateTimeField()

    objects = InternalQuerySet.as_manager()

    class Meta:
        ordering = ("topic", "seq")
        constraints: ClassVar[list[Any]] = [models.UniqueConstraint(fields=["topic", "seq"], name="one_event_per_seq")]
        indexes: ClassVar[list[Any]] = [models.Index(fields=["at"], name="events_by_time")]


class Outbox(models.Model):
    """A bell still to be rung, written in the same transaction as the fact behind it."""

    kind = models.CharField(max_length=20)
    key = models.CharField(max_length=80)
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True, blank=True, db_index=True)

    objects = InternalQuerySet.as_manager()


class SinkCommit(models.Model):
    """The ledger of what was delivered: once per sink, run and task."""

    sink = models.CharField(max_length=120)
    run = models.CharField(max_length=40)
    task = models.CharField(max_length=40)
    attempt = models.PositiveIntegerField()
    rows = models.BigIntegerField()
    reference = models.CharField(max_length=400, blank=True)
    at = models.DateTimeField(auto_now_add=True)

    objects = InternalQuerySet.as_manager()

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["sink", "run", "task"], name="delivered_once")
        ]


class Result(models.Model):
    """The rows of a named output: Parquet under the data home, paged through the same guard."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="results")
    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="results")
    step = models.CharField(max_length=80)
    name = models.CharField(max_length=120)
    reference = models.CharField(max_length=400)
    rows = models.BigIntegerField()
    size_bytes = models.BigIntegerField(default=0)
    schema = models.JSONField()
    policy_digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)

    objects = ResultQuerySet.as_manager()

    class Meta:
        constraints: ClassVar[list[Any]] = [models.UniqueConstraint(fields=["run", "name"], name="one_result_per_name")]


class PinnedSample(models.Model):
    """Rows of one port of a draft that previews use instead of the real ones: few, masked, expiring, guarded."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    flow = models.ForeignKey(Flow, on_delete=models.CASCADE, related_name="pinned_samples")
    step = models.CharField(max_length=60)
    port = models.CharField(max_length=60, default="out")
    columns = models.JSONField()
    rows = models.JSONField()
    policy = models.JSONField(default=dict)
    """Dataset → digest of the grant with which the rows were read."""
    upstream = models.CharField(max_length=71, blank=True, default="")
    """Digest of what decided the rows (``flows.graph.held.upstream_digest``): tells when they are old."""
    is_edited = models.BooleanField(default=False)
    updated_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    updated_at = models.DateTimeField(auto_now=True)
    expires_at = models.DateTimeField(db_index=True)

    objects = PinnedSampleQuerySet.as_manager()

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["flow", "step", "port"], name="one_pin_per_port")
        ]

    @property
    def end(self) -> str:
        """The port as wires name it."""
        return f"{self.step}.{self.port}"


class Worker(models.Model):
    """A worker process as it last reported itself."""

    id = models.CharField(max_length=80, primary_key=True)
    host = models.CharField(max_length=120)
    process = models.IntegerField()
    place = models.CharField(max_length=120, blank=True, default="")
    """What tells this process from any other on its machine (``runtime.neighbours``); empty when unknown."""
    slots = models.PositiveIntegerField(default=1)
    busy = models.PositiveIntegerField(default=0)
    memory_bytes = models.BigIntegerField(default=0)
    version = models.CharField(max_length=20, blank=True)
    offers = models.CharField(max_length=200, blank=True, default="", db_default="")
    """Words that tasks may need (``runtime.offers``)."""
    level = models.PositiveSmallIntegerField(default=1, db_default=1)
    """The newest plans that it understands."""
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField(db_index=True)

    objects = WorkerQuerySet.as_manager()
