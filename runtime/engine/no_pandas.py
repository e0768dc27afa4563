"""Keeps pandas out of our processes where it is installed, as Spark's client brings it.

pyarrow looks for pandas when it makes its first array, and imports it then: half a second and 50 MiB in each process
that never uses it. It looks once, so it is told now that there is none. Who imports pandas gets it all the same.
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


def _look_now() -> None:
    finder = _NoPandas()
    sys.meta_path.insert(0, finder)
    try:
        pa.array([0])
    finally:
        sys.meta_path.remove(finder)


if "pandas" not in sys.modules:
    _look_now()
