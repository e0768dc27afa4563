"""Grants at work: the one function that every read of data passes through.

Run, preview, profile, sample, result and delivery all call ``narrow``; nothing else in the product decides which
columns and rows a reader may see.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

Expr = Mapping[str, Any]
"""A row filter as data: ``{"op": "and", "args": [{"op": ">=", "column": "ts", "value": "2024-01-01"}]}``."""


class GrantSpec(msgspec.Struct, frozen=True):
    """The right to read one dataset, compiled from whatever gave it (own node, unconditional share, approval).

    ``columns`` is the exact list of readable columns. ``masks`` maps a column to a mask: ``null``, ``constant``,
    ``keep_last:4``, ``keep_first:3``, ``year``. ``epoch`` changes whenever the right changes.
    """

    dataset: str
    columns: tuple[str, ...]
    source: str = "grant"
    grant: str = ""
    epoch: int = 0
    row_filter: dict[str, Any] | None = None
    masks: dict[str, str] = {}

    @property
    def digest(self) -> str:
        """Stable hash of what may be seen: part of every plan, result and cache key."""
        body = msgspec.json.encode(
            [self.dataset, sorted(self.columns), self.row_filter, sorted(self.masks.items()), self.grant, self.epoch],
            order="deterministic",
        )
        return hashlib.sha256(body).hexdigest()
