"""A folder with the same rows as CSV, Parquet and SQLite, and the node types, once per run."""

from __future__ import annotations

from pathlib import Path

import pytest

from node_catalog.sdk.registry import Registry, load_registry
from tests.integration.engine.support import write_air

ROWS = 60_000


@pytest.fixture(scope="session")
def air(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``ROWS`` rows of air quality and 30 stations."""
    folder = tmp_path_factory.mktemp("air")
    write_air(folder, ROWS)
    return folder


@pytest.fixture(scope="session")
def registry() -> Registry:
    """All node types of the product."""
    return load_registry()
