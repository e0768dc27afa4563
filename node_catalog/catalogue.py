"""Applies what discovery and profiling found. Titles, tags and classes that people gave survive every discovery."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max

from node_catalog.discovered import column_changes, first_words, kept_columns, path_key, schema_hash, version_of
from node_catalog.models import Column, Dataset, DatasetVersion, Node
from node_catalog.numbers import dataset_number
from node_catalog.sdk.contract import DiscoveredDataset
from node_catalog.search_text import dataset_text
from security import audit, clock

BATCH = 200
MAX_DATASETS = 9999
MAX_NAMES = 200
KINDS = ("added", "changed", "gone", "returned")
FOUND = ("kind", "state", "rows", "rows_exact", "size_bytes", "settings", "warnings", "version", "schema_hash",
         "search_text")  # fmt: skip
"""What a discovery may change of a dataset."""


def known_settings(node: Node) -> dict[tuple[str, ...], dict[str, Any]]:
    """What people corrected, by path: discovery must keep to it."""
    datasets = node.datasets.exclude(corrections={}).values_list("path", "corrections")
    return {tuple(path): corrections for path, corrections in datasets}


class Difference:
    """What a discovery changed, in names and counts; the counts are exact, lists are cut at 200."""

    def __init__(self, earlier: Mapping[str, Any] | None = None) -> None:
        """``earlier``: what an attempt that broke off had changed, as ``as_json`` gave it."""
        before = earlier or {}
        self.seen = int(before.get("seen", 0))
        self.skipped = int(before.get("skipped", 0))
        self._counts = {kind: int(before.get("counts", {}).get(kind, 0)) for kind in KINDS}
        self._lists: dict[str, list[Any]] = {kind: list(before.get(kind, ())) for kind in KINDS}

    def note(self, kind: str, what: Any) -> None:
        """One more dataset that was ``added``, ``changed``, is ``gone`` or has ``returned``."""
        self._counts[kind] += 1
        if len(self._lists[kind]) < MAX_NAMES:
            self._lists[kind].append(what)

    def as_json(self) -> dict[str, Any]:
        """For the node and its page."""
        return {"seen": self.seen, "skipped": self.skipped, "counts": dict(self._counts), **self._lists}


def apply_discovery(node: Node, found: Iterable[DiscoveredDataset]) -> dict[str, Any]:
    """Bring the catalogue to what ``found`` says and return the difference (also kept on the node).

    ``found`` is read in batches, each applied in one transaction. Datasets that were not seen become ``gone``, but
    only when the iterator came to its end: an error in the middle leaves the others as they were.
    """
    walk = Walk(node, clock.now())
    iterator = iter(found)
    while batch := list(itertools.islice(iterator, BATCH)):
        walk.apply(batch)
    return walk.finish()


class Walk:
    """One discovery of a node, which may be spread over several attempts: what a batch said stays.

    A dataset whose ``refreshed_at`` is not before ``began`` has been described by this walk.
    """

    def __init__(self, node: Node, began: datetime, difference: Difference | None = None) -> None:
        self.node, self.began = node, began
        self.difference = difference or Difference()

    def described(self) -> list[tuple[str, ...]]:
        """Paths that need not be described again."""
        return [tuple(path) for path in self._fresh().values_list("path", flat=True)]

    def _fresh(self) -> Any:
        return self.node.datasets.filter(state=Dataset.State.PUBLISHED, refreshed_at__gte=self.began)

    @transaction.atomic
    def apply(self, found: Sequence[DiscoveredDataset]) -> None:
        """Take over a batch, in a number of statements that does not depend on its size."""
        keys = [path_key(item.path) for item in found]
        datasets = self.node.datasets.filter(path_key__in=keys).prefetch_related("columns", "tags")
        known = {dataset.path_key: dataset for dataset in datasets}
        batch = _Batch(self.node, max(clock.now(), self.began))
        seen = {key for key, dataset in known.items() if self._is_described(dataset)}
        ordinals = _next_ordinals(self.node)
        for key, item in zip(keys, found, strict=True):
            dataset = known.get(key)
            ordinal = next(ordinals, None) if dataset is None and key not in seen else 0
            if key in seen or ordinal is None:
                self.difference.skipped += 1
                continue
            seen.add(key)
            batch.take(dataset or _new_dataset(self.node, ordinal, key, item), item, self.difference)
        batch.store()

    def _is_described(self, dataset: Dataset) -> bool:
        is_fresh = dataset.refreshed_at is not None and dataset.refreshed_at >= self.began
        return is_fresh and dataset.state == Dataset.State.PUBLISHED

    @transaction.atomic
    def finish(self) -> dict[str, Any]:
        """The walk came to its end: what it has not seen is gone."""
        published = self.node.datasets.filter(state=Dataset.State.PUBLISHED)
        missing = list(published.exclude(pk__in=self._fresh().values("pk")).values_list("pk", "name"))
        now = clock.now()
        gone = [key for key, _ in missing]
        Dataset.objects.filter(pk__in=gone).update(state=Dataset.State.GONE, updated_at=now)
        for _, name in missing:
            self.difference.note("gone", name)
        node, said = self.node, self.difference.as_json()
        node.last_difference, node.discovered_at = said, now
        Node.objects.filter(pk=node.pk).update(last_difference=said, discovered_at=now)
        audit.record("node.discover", "node", node.pk, detail=said["counts"])
        return said


def _next_ordinals(node: Node) -> Iterator[int]:
    """Free ordinals, never one that was used before; ends at 9,999."""
    last = node.datasets.aggregate(last=Max("ordinal"))["last"] or 0
    return iter(range(last + 1, MAX_DATASETS + 1))


def _new_dataset(node: Node, ordinal: int, key: str, item: DiscoveredDataset) -> Dataset:
    return Dataset(
        node=node,
        ordinal=ordinal,
        number=dataset_number(node.number, ordinal),
        path=list(item.path),
        path_key=key,
        name=item.path[-1][:300],
        **first_words(item.description),
    )


class _Batch:
    """Rows to be written together."""

    def __init__(self, node: Node, now: datetime) -> None:
        self._node, self._now = node, now
        self._new: list[Dataset] = []
        self._changed: list[Dataset] = []
        self._same: list[Dataset] = []
        self._versions: list[DatasetVersion] = []
        self._new_columns: list[Column] = []
        self._changed_columns: list[Column] = []
        self._gone_columns: list[int] = []

    def take(self, dataset: Dataset, item: DiscoveredDataset, difference: Difference) -> None:
        """Bring one dataset to what was found."""
        is_new = dataset._state.adding
        difference.seen += 1
        if is_new:
            difference.note("added", dataset.name)
        elif dataset.state == Dataset.State.GONE:
            difference.note("returned", dataset.name)
        before = [getattr(dataset, name) for name in FOUND]
        dataset.kind = item.kind
        dataset.state = Dataset.State.PUBLISHED
        dataset.rows, dataset.rows_exact, dataset.size_bytes = item.rows, item.rows_exact, item.size_bytes
        dataset.settings = {**dict(item.settings), **dataset.corrections}
        dataset.warnings = [dict(warning) for warning in item.warnings]
        dataset.refreshed_at = dataset.updated_at = self._now
        columns = {} if is_new else {column.name: column for column in dataset.columns.all()}
        digest = schema_hash(item.columns)
        is_moved = digest != dataset.schema_hash
        changes = column_changes(columns, item.columns) if is_moved else {}  # before the columns become today's
        kept = kept_columns(dataset, columns, item.columns)
        if is_moved:
            dataset.version += 1
            dataset.schema_hash = digest
            if not is_new and dataset.version > 1:
                difference.note("changed", {"dataset": dataset.name, **changes})
            self._versions.append(version_of(dataset, item.columns, changes))
            self._take_columns(columns, kept)
        tags = [] if is_new else [tag.name for tag in dataset.tags.all()]
        dataset.search_text = dataset_text(dataset, self._node, tags, kept)
        is_same = before == [getattr(dataset, name) for name in FOUND]
        (self._new if is_new else self._same if is_same else self._changed).append(dataset)

    def _take_columns(self, known: Mapping[str, Column], kept: list[Column]) -> None:
        names = {column.name for column in kept}
        self._gone_columns += [column.pk for name, column in known.items() if name not in names]
        for column in kept:
            (self._changed_columns if column.pk else self._new_columns).append(column)

    def store(self) -> None:
        """A few statements each, whatever the number of datasets."""
        Dataset.objects.bulk_create(self._new, batch_size=100)
        Dataset.objects.bulk_update(self._changed, [*FOUND, "refreshed_at", "updated_at"], batch_size=50)
        Dataset.objects.filter(pk__in=[dataset.pk for dataset in self._same]).update(
            refreshed_at=self._now, updated_at=self._now
        )
        DatasetVersion.objects.bulk_create(self._versions, batch_size=100)
        Column.objects.filter(pk__in=self._gone_columns).delete()
        facts = ["ordinal", "native_type", "type", "nullable", "key", "profile"]
        Column.objects.bulk_update(self._changed_columns, facts, batch_size=200)
        Column.objects.bulk_create(self._new_columns, batch_size=500)


@transaction.atomic
def apply_profile(dataset: Dataset, profile: Mapping[str, Any]) -> None:
    """Store ``{"rows": n, "columns": {name: {nulls, distinct, min, max, top, histogram, …}}}``; unknown names pass."""
    found = profile.get("columns") or {}
    now = clock.now()
    columns = list(Column.objects.filter(dataset=dataset, name__in=list(found)))
    for column in columns:
        column.profile = dict(found[column.name])
    Column.objects.bulk_update(columns, ["profile"], batch_size=200)
    values: dict[str, Any] = {"profiled_at": now}
    if profile.get("rows") is not None:
        values |= {"rows": int(profile["rows"]), "rows_exact": True}
    Dataset.objects.filter(pk=dataset.pk).update(**values)
    for name, value in values.items():
        setattr(dataset, name, value)
