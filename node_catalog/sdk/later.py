"""Ibis for modules that only some processes call: imported when something of it is first asked for.

A worker's child loads every node type and runs texts that were made before; Ibis would be 40 MiB and half of its start.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any


class _Later:
    """Stands for a module."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(import_module(self._name), attribute)


if TYPE_CHECKING:
    import ibis
    import ibis.expr.datatypes as dt
else:
    ibis, dt = _Later("ibis"), _Later("ibis.expr.datatypes")

__all__ = ["dt", "ibis"]
