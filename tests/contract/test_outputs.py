"""Every output, found by walking the packages, against a real system: each row once, whatever fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from node_catalog.sdk.testing_nodes import NodeCase
from node_catalog.sdk.testing_outputs import OUTPUT_CHECKS, check_no_rows, check_replace, check_round_trip
from tests.contract.environments import connectors, make_case


@pytest.mark.parametrize("check", OUTPUT_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("key", connectors(writing=True))
def test_output(key: str, check: Callable[[NodeCase], None], tmp_path: Path, request: pytest.FixtureRequest) -> None:
    check(make_case(key, tmp_path, request))


@pytest.mark.parametrize("check", OUTPUT_CHECKS, ids=lambda check: check.__name__)
def test_output_as_csv(check: Callable[[NodeCase], None], tmp_path: Path, request: pytest.FixtureRequest) -> None:
    check(replace(make_case("files", tmp_path, request), target=("made.csv",)))


@pytest.mark.parametrize("check", [check_round_trip, check_no_rows, check_replace], ids=lambda check: check.__name__)
def test_objects_as_csv(check: Callable[[NodeCase], None], tmp_path: Path, request: pytest.FixtureRequest) -> None:
    check(replace(make_case("s3", tmp_path, request), target=("made.csv",)))
