"""Applies what discovery and profiling found. Titles, tags and classes that people gave survive every discovery."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from node_catalog.models import Column, Dataset, DatasetVersion, Node
from node_catalog.numbers import dataset_number
from node_catalog.sdk.contract import DiscoveredColumn, DiscoveredDataset
from node_catalog.search_text import dataset_text
from security import audit

BATCH = 200
MAX_DATASETS = 9999
MAX_NAMES = 200
MAX_TITLE = 60
FACTS = ("native_type", "type", "nullable", "key")


def path_key(path: Iterable[str]) -> str:
    """One text for a path, unique within the node; a very long one is shortened by its hash."""
    parts = list(path)
    key = parts[0] if len(parts) == 1 else json.dumps(parts, ensure_ascii=False)
    return key if len(key) <= 380 else key[:300] + "…" + hashlib.sha256(key.encode()).hexdigest()


def known_settings(node: Node) -> dict[tuple[str, ...], dict[str, Any]]:
    """What people corrected, by path: discovery must keep to it."""
    datasets = node.datasets.exclude(corrections={}).values_list("path", "corrections")
    return {tuple(path): corrections for path, corrections in datasets}


@dataclass
class _Difference:
    """What a discovery changed, in names and counts."""

    seen: int = 0
    skipped: int = 0
    added: list[str] = field(default_factory=list)
    changed: list[dict[str, Any]] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    returned: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Counts are exact; lists are cut at 200 names."""
        lists: dict[str, list[Any]] = {
            "added": self.added,
            "changed": self.changed,
            "gone": self.gone,
            "returned": self.returned,
        }
        counts = {name: len(found) for name, found in lists.items()}
        short = {name: found[:MAX_NAMES] for name, found in lists.items()}
        return {"seen": self.seen, "skipped": self.skipped, "counts": counts, **short}


def apply_discovery(node: Node, found: Iterable[DiscoveredDataset]) -> dict[str, Any]:
    """Bring the catalogue to what ``found`` says and return the difference (also kept on the node).

    ``found`` is read in batches, each applied in one transaction. Datasets that were not seen become ``gone``, but
    only when the iterator came to its end: an error in the middle leaves the others as they were.
    """
    difference = _Difference()
    seen: set[str] = set()
    iterator = iter(found)
    while batch := list(itertools.islice(iterator, BATCH)):
        fresh = []
        for item in batch:
            key = path_key(item.path)
            if key in seen:
                difference.skipped += 1
            else:
                seen.add(key)
                fresh.append((key, item))
        _apply_batch(node, fresh, difference)
    return _finish(node, seen, difference)


@transaction.atomic
def _finish(node: Node, seen: set[str], difference: _Difference) -> dict[str, Any]:
    missing = [
        dataset
        for dataset in node.datasets.filter(state=Dataset.State.PUBLISHED).only("pk", "path_key", "name")
        if dataset.path_key not in seen
    ]
    Dataset.objects.filter(pk__in=[dataset.pk for dataset in missing]).update(
        state=Dataset.State.GONE, updated_at=timezone.now()
    )
    difference.gone.extend(dataset.name for dataset in missing)
    node.last_difference = difference.as_json()
    node.discovered_at = timezone.now()
    Node.objects.filter(pk=node.pk).update(last_difference=node.last_difference, discovered_at=node.discovered_at)
    audit.record("node.discover", "node", node.pk, detail=node.last_difference["counts"])
    return node.last_difference


@transaction.atomic
def _apply_batch(node: Node, batch: list[tuple[str, DiscoveredDataset]], difference: _Difference) -> None:
    known = {
        dataset.path_key: dataset
        for dataset in node.datasets.filter(path_key__in=[key for key, _ in batch]).prefetch_related("columns", "tags")
    }
    ordinals = _next_ordinals(node)
    for key, item in batch:
        dataset = known.get(key)
        if dataset is None:
            ordinal = next(ordinals, None)
            if ordinal is None:
                difference.skipped += 1
                continue
            dataset = Dataset(
                node=node,
                ordinal=ordinal,
                number=dataset_number(node.number, ordinal),
                path=list(item.path),
                path_key=key,
                name=item.path[-1][:300],
                **_described(item.description),
            )
        _apply_one(node, dataset, item, difference)


def _next_ordinals(node: Node) -> Iterator[int]:
    """Free ordinals, never one that was used before; ends at 9,999."""
    last = node.datasets.aggregate(last=Max("ordinal"))["last"] or 0
    return iter(range(last + 1, MAX_DATASETS + 1))


def _apply_one(node: Node, dataset: Dataset, item: DiscoveredDataset, difference: _Difference) -> None:
    is_new = dataset._state.adding
    difference.seen += 1
    if is_new:
        difference.added.append(dataset.name)
    elif dataset.state == Dataset.State.GONE:
        difference.returned.append(dataset.name)
    dataset.kind = item.kind
    dataset.state = Dataset.State.PUBLISHED
    dataset.rows, dataset.rows_exact, dataset.size_bytes = item.rows, item.rows_exact, item.size_bytes
    dataset.settings = {**dict(item.settings), **dataset.corrections}
    dataset.warnings = [dict(warning) for warning in item.warnings]
    dataset.refreshed_at = timezone.now()
    columns = {} if is_new else {column.name: column for column in dataset.columns.all()}
    digest = schema_hash(item.columns)
    is_changed = digest != dataset.schema_hash
    if is_changed:
        changes = _column_changes(columns, item.columns)
        dataset.version += 1
        dataset.schema_hash = digest
        if not is_new and dataset.version > 1:
            difference.changed.append({"dataset": dataset.name, **changes})
    tags = [] if is_new else [tag.name for tag in dataset.tags.all()]
    kept = _kept_columns(dataset, columns, item.columns)
    dataset.search_text = dataset_text(dataset, node, tags, kept)
    dataset.save()
    if is_changed:
        _store_version(dataset, item.columns, changes)
        _store_columns(dataset, columns, kept)


def schema_hash(columns: Iterable[DiscoveredColumn]) -> str:
    """A hash of names, types and keys in their order."""
    body = [[column.name, *(getattr(column, fact) for fact in FACTS)] for column in columns]
    return hashlib.sha256(json.dumps(body, ensure_ascii=False).encode()).hexdigest()


def _column_changes(known: Mapping[str, Column], found: Iterable[DiscoveredColumn]) -> dict[str, Any]:
    """Names added and removed, and facts that changed: {name: {fact: [before, after]}}."""
    today = {column.name: column for column in found}
    changed = {}
    for name, column in today.items():
        before = known.get(name)
        if before is not None:
            facts = {
                fact: [getattr(before, fact), getattr(column, fact)]
                for fact in FACTS
                if getattr(before, fact) != getattr(column, fact)
            }
            if facts:
                changed[name] = facts
    return {
        "added": [name for name in today if name not in known],
        "removed": [name for name in known if name not in today],
        "changed": changed,
    }


def _kept_columns(dataset: Dataset, known: Mapping[str, Column], found: Iterable[DiscoveredColumn]) -> list[Column]:
    """The columns of today: known ones keep what people wrote; a profile goes when the type has changed."""
    kept = []
    for ordinal, item in enumerate(found):
        column = known.get(item.name)
        if column is None:
            column = Column(dataset=dataset, name=item.name, **_described(item.description, "description"))
        elif column.type != item.type:
            column.profile = {}
        column.ordinal = ordinal
        column.native_type, column.type = item.native_type[:120], item.type
        column.nullable, column.key = item.nullable, item.key
        kept.append(column)
    return kept


def _store_columns(dataset: Dataset, known: Mapping[str, Column], kept: list[Column]) -> None:
    names = {column.name for column in kept}
    Column.objects.filter(pk__in=[column.pk for name, column in known.items() if name not in names]).delete()
    Column.objects.bulk_update(
        [column for column in kept if column.pk],
        ["ordinal", "native_type", "type", "nullable", "key", "profile"],
        batch_size=200,
    )
    Column.objects.bulk_create([column for column in kept if not column.pk], batch_size=200)


def _store_version(dataset: Dataset, columns: Iterable[DiscoveredColumn], changes: dict[str, Any]) -> None:
    DatasetVersion.objects.create(
        dataset=dataset,
        ordinal=dataset.version,
        schema_hash=dataset.schema_hash,
        columns=[{"name": column.name, **{fact: getattr(column, fact) for fact in FACTS}} for column in columns],
        difference=changes if dataset.version > 1 else {},
    )


def _described(description: str, rest: str = "summary") -> dict[str, Any]:
    """A source's comment as first words: short ones become the title, long ones the summary or description."""
    words = description.replace("\0", "").strip()
    if not words:
        return {}
    language = "zh-CN" if any("\u4e00" <= character <= "\u9fff" for character in words) else "en"
    return {"title" if len(words) <= MAX_TITLE else rest: {language: words[:2000]}}


@transaction.atomic
def apply_profile(dataset: Dataset, profile: Mapping[str, Any]) -> None:
    """Store ``{"rows": n, "columns": {name: {nulls, distinct, min, max, top, histogram, …}}}``; unknown names pass."""
    found = profile.get("columns") or {}
    now = timezone.now()
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
