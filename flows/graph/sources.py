"""What the core must know of the catalogue: datasets and nodes as plain data, handed in by the caller."""

from __future__ import annotations

from typing import Any

import msgspec

from node_catalog.sdk.ports import Schema


class DatasetInfo(msgspec.Struct, frozen=True):
    """One dataset: where it lies, what columns it promises, about how many rows it has."""

    number: str
    node: str
    node_type: str
    path: tuple[str, ...]
    schema: Schema
    settings: dict[str, Any] = {}
    rows: int | None = None
    title: Any = ""
    state: str = "published"
    bounded: bool = True
    can_write: bool = False


class NodeInfo(msgspec.Struct, frozen=True):
    """One node that a step may write to."""

    number: str
    node_type: str
    can_write: bool
    title: Any = ""


def title_of(title: Any, fallback: str, language: str) -> str:
    """A title in a language, whether it is stored as one text or as texts by language."""
    if isinstance(title, dict):
        return str(title.get(language) or title.get("zh-CN") or title.get("en") or fallback)
    return str(title or fallback)
