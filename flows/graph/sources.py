"""What the core must know of the catalogue: datasets and nodes as plain data, handed in by the caller."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from node_catalog.sdk.grant import GrantSpec
from node_catalog.sdk.ports import Schema

GIVEN = "given:"
"""Numbers that begin so stand for rows that the platform holds already; the catalogue knows nothing of them."""


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
    distinct: dict[str, float] = {}
    """Column → about how many different values it has, where a profile has counted them."""
    owner: str = ""
    """Whose node it is: the department."""
    takes_rows: Literal["never", "own", "open"] = "own"
    """Which rows of other nodes may be sent into this one with a question: none, those of its own department, also
    those that are open to everybody."""
    seconds: dict[str, float] = {}
    """Column of moments → how long it is from the earliest to the latest, by the profile."""
    keys: tuple[str, ...] = ()
    """Columns that are, each by itself, a key of the table."""


class NodeInfo(msgspec.Struct, frozen=True):
    """One node that a step may write to."""

    number: str
    node_type: str
    can_write: bool
    title: Any = ""


def given_rows(name: str, schema: Schema, title: Any = "", rows: int | None = None) -> tuple[DatasetInfo, GrantSpec]:
    """Rows that the platform holds, as a dataset that may be read whole: who hands them in has checked the right."""
    info = DatasetInfo(f"{GIVEN}{name}", "", "given", (name,), schema, title=title, rows=rows)
    return info, GrantSpec(info.number, schema.names)


def is_given(info: DatasetInfo) -> bool:
    """Whether its rows are held by the platform: pinned, kept, or handed over."""
    return info.number.startswith(GIVEN)


def title_of(title: Any, fallback: str, language: str) -> str:
    """A title in a language, whether it is stored as one text or as texts by language."""
    if isinstance(title, dict):
        return str(title.get(language) or title.get("zh-CN") or title.get("en") or fallback)
    return str(title or fallback)
