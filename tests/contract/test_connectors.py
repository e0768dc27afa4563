"""Every connector, found by walking the packages, against a real system."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from node_catalog.sdk.testing_nodes import CONNECTOR_CHECKS, NodeCase
from tests.contract.environments import connectors, make_case


@pytest.mark.parametrize("check", CONNECTOR_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("key", connectors())
def test_connector(key: str, check: Callable[[NodeCase], None], tmp_path: Path, request: pytest.FixtureRequest) -> None:
    check(make_case(key, tmp_path, request))
