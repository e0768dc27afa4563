"""Every output, found by walking the packages, against a real system: each row once, whatever fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from node_catalog.sdk.testing_nodes import OUTPUT_CHECKS, NodeCase
from tests.contract.environments import connectors, make_case


@pytest.mark.parametrize("check", OUTPUT_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("key", connectors(writing=True))
def test_output(key: str, check: Callable[[NodeCase], None], tmp_path: Path, request: pytest.FixtureRequest) -> None:
    check(make_case(key, tmp_path, request))


@pytest.mark.parametrize("check", OUTPUT_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("key", ["files", "s3"])
def test_output_as_csv(
    key: str, check: Callable[[NodeCase], None], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    check(replace(make_case(key, tmp_path, request), target=("made.csv",)))
