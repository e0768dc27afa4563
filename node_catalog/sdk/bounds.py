"""Bounds: what a text demands of single columns of a dataset, for the connector to demand of the columns as they are.

A source's values are brought to our types before a text sees them (NaN is NULL, say), and no index and no statistics
of a file know of a value that was made of a column. So a connector may leave out early what the text would drop
anyway: the text makes its own conditions all the same, and a connector that knows nothing of bounds is right, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Sign = Literal["=", "<", "<=", ">", ">=", "in", "is not null"]


@dataclass(frozen=True)
class Bound:
    """A row matters only when its ``column``, in our type, holds this; NULL never does.

    ``values`` are written so that they are exact when they are read as the column's own type.
    """

    column: str
    sign: Sign
    values: tuple[str, ...] = ()

    @property
    def is_from_above(self) -> bool:
        """Whether there is something that no value may be greater than."""
        return self.sign in ("=", "<", "<=", "in")

    @property
    def is_from_below(self) -> bool:
        """Whether there is something that no value may be less than."""
        return self.sign in ("=", ">", ">=", "in")


def by_column(bounds: Iterable[Bound]) -> Mapping[str, Sequence[Bound]]:
    """The bounds of each column that has any."""
    found: dict[str, list[Bound]] = {}
    for bound in bounds:
        found.setdefault(bound.column, []).append(bound)
    return found
