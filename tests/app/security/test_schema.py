"""The API description is complete and warning-free for security and the catalogue."""

from __future__ import annotations

from typing import Any

import pytest
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from node_catalog.api.urls import urlpatterns as catalogue_routes
from security.api.urls import urlpatterns as security_routes
from tests.app.city import City


@pytest.fixture(scope="module")
def schema() -> Any:
    GENERATOR_STATS.reset()
    return SchemaGenerator(patterns=[*security_routes, *catalogue_routes]).get_schema(request=None, public=True)


def test_no_warning_and_valid(schema: Any) -> None:
    validate_schema(schema)
    assert not GENERATOR_STATS, (dict(GENERATOR_STATS._warn_cache), dict(GENERATOR_STATS._error_cache))


def test_every_operation_says_what_it_answers(schema: Any) -> None:
    for path, operations in schema["paths"].items():
        for verb, operation in operations.items():
            assert operation["operationId"], path
            assert operation.get("description"), (path, verb)
            codes = set(operation["responses"])
            assert codes & {"200", "201", "204"}, (path, verb)
            if path != "/context":
                assert "401" in codes, (path, verb)


def test_problems_have_one_shape(schema: Any) -> None:
    for operations in schema["paths"].values():
        for operation in operations.values():
            for code, answer in operation["responses"].items():
                if code.startswith("4"):
                    assert answer["content"]["application/problem+json"]["schema"]["$ref"].endswith("/ProblemBody")


def test_the_whole_description_is_served(city: City) -> None:
    answer = city.client("anna").get("/api/schema/")
    assert answer.status_code == 200
    assert "/api/people" in answer.json()["paths"]
