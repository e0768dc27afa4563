"""Turns what a discovery says about a dataset and its columns into the catalogue's rows; stores nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from node_catalog.models import Column, Dataset, DatasetVersion
from node_catalog.sdk.contract import DiscoveredColumn

MAX_TITLE = 60
FACTS = ("native_type", "type", "nullable", "key")


def path_key(path: Iterable[str]) -> str:
    """One text for a path, unique within the node; a very long one is shortened by its hash."""
    parts = list(path)
    key = parts[0] if len(parts) == 1 else json.dumps(parts, ensure_ascii=False)
    return key if len(key) <= 380 else key[:300] + "…" + hashlib.sha256(key.encode()).hexdigest()


def schema_hash(columns: Iterable[DiscoveredColumn]) -> str:
    """A hash of names, types and keys in their order."""
    body = [[column.name, *(getattr(column, fact) for fact in FACTS)] for column in columns]
    return hashlib.sha256(json.dumps(body, ensure_ascii=False).encode()).hexdigest()


def column_changes(known: Mapping[str, Column], found: Iterable[DiscoveredColumn]) -> dict[str, Any]:
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


def kept_columns(dataset: Dataset, known: Mapping[str, Column], found: Iterable[DiscoveredColumn]) -> list[Column]:
    """The columns of today: known ones keep what people wrote; a profile goes when the type has changed."""
    kept = []
    for ordinal, item in enumerate(found):
        column = known.get(item.name)
        if column is None:
            column = Column(dataset=dataset, name=item.name, **first_words(item.description, "description"))
        elif column.type != item.type:
            column.profile = {}
        column.ordinal = ordinal
        column.native_type, column.type = item.native_type[:120], item.type
        column.nullable, column.key = item.nullable, item.key
        kept.append(column)
    return kept


def version_of(dataset: Dataset, columns: Iterable[DiscoveredColumn], changes: dict[str, Any]) -> DatasetVersion:
    """The version that the dataset's schema of today makes."""
    return DatasetVersion(
        dataset=dataset,
        ordinal=dataset.version,
        schema_hash=dataset.schema_hash,
        columns=[{"name": column.name, **{fact: getattr(column, fact) for fact in FACTS}} for column in columns],
        difference=changes if dataset.version > 1 else {},
    )


def first_words(description: str, rest: str = "summary") -> dict[str, Any]:
    """A source's comment as first words: short ones become the title, long ones the summary or description."""
    words = description.replace("\0", "").strip()
    if not words:
        return {}
    language = "zh-CN" if any("\u4e00" <= character <= "\u9fff" for character in words) else "en"
    return {"title" if len(words) <= MAX_TITLE else rest: {language: words[:2000]}}
