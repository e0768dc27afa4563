"""Keeps pandas out of our processes where it is installed, as Spark's client brings it.

pyarrow looks for pandas when it makes its first array, DuckDB whenever a statement has values, and both import it then:
half a second and 50 MiB in each process that never uses it. pyarrow looks once, so it is told now that there is none.
A child does not find it until a stage goes to Spark (``keep_out``, ``let_in``).
"""

from __future__ import annotations

import sys
from importlib.abc import MetaPathFinder
from typing import Any

import pyarrow as pa


class _NoPandas(MetaPathFinder):
    def find_spec(self, name: str, *_: Any) -> None:
        """There is no pandas; of anything else others may know."""
        if name == "pandas":
            raise ModuleNotFoundError(name)


_FINDER = _NoPandas()


def keep_out() -> None:
    """From now on pandas is not found in this process."""
    if _FINDER not in sys.meta_path:
        sys.meta_path.insert(0, _FINDER)


def let_in() -> None:
    """Who imports pandas gets it."""
    if _FINDER in sys.meta_path:
        sys.meta_path.remove(_FINDER)


if "pandas" not in sys.modules:
    keep_out()
    try:
        pa.array([0])
    finally:
        let_in()
