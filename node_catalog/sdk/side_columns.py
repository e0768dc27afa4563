"""The columns that a spatial step adds from its second input: which, under which names, and in which order they tie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from node_catalog.sdk.contract import BuildContext
from node_catalog.sdk.relation import check_names, find_column, hidden_name


@dataclass(frozen=True)
class SideColumns:
    """``shown``: column of the second input → its name in the result. While the sides are joined every column of the
    second has a hidden name, which nothing of the first can have.
    """

    shown: Mapping[str, str]
    apart: Mapping[str, str]
    place: str
    first: str

    def hidden(self, table: Any, geometry: Any, first: str = "") -> Any:
        """The second input under hidden names: its geometry as ``place``, with ``first`` the column to order by."""
        more = [table[first].name(self.first)] if first else []
        columns = [table[name].name(new) for name, new in self.apart.items()]
        return table.select(*columns, *more, geometry.name(self.place))

    def shown_of(self, joined: Any) -> list[Any]:
        """The columns under their final names."""
        return [joined[hidden].name(name) for hidden, name in self.names()]

    def names(self) -> list[tuple[str, str]]:
        """Hidden and final name of each column, in the order chosen."""
        return [(self.apart[name], new) for name, new in self.shown.items()]

    def order_of(self, table: Any) -> list[str]:
        """Hidden names by which equal rows are put into an order that is always the same (geometries have none)."""
        return [new for name, new in self.apart.items() if not table[name].type().is_geospatial()]


def side_columns(
    context: BuildContext, first: Any, second: Any, chosen: Sequence[str], suffix: str, more: Sequence[str] = ()
) -> SideColumns:
    """The ``chosen`` columns of ``second`` (none: all but geometries) beside all of ``first``, and the names ``more``.

    Raises the step's problem for a column that is not there and for names that clash.
    """
    for index, name in enumerate(chosen):
        find_column(context, second, name, f"/columns/{index}")
    check_names(context, list(chosen), [f"/columns/{index}" for index in range(len(chosen))])
    names = list(chosen) or [name for name in second.columns if not second[name].type().is_geospatial()]
    shown = {name: name + suffix if name in first.columns else name for name in names}
    result = [*first.columns, *shown.values(), *more]
    check_names(context, result, ["/suffix"] * len(result))
    stem = hidden_name([*first.columns, *second.columns, *result], "__side")
    while any(name.casefold().startswith(stem.casefold()) for name in [*first.columns, *result]):
        stem += "_"
    apart = {name: f"{stem}_{index}" for index, name in enumerate(second.columns) if name in shown}
    return SideColumns(shown, apart, f"{stem}_place", f"{stem}_first")
