"""The API description, as a page and as JSON."""

from __future__ import annotations

import pytest

from tests.app.city import City, make_city

pytestmark = pytest.mark.django_db


@pytest.fixture
def city() -> City:
    return make_city()


def test_the_api_page_and_its_script(city: City) -> None:
    client = city.client(next(iter(city.people)))
    page = client.get("/api/docs/", headers={"accept": "text/html"})
    assert page.status_code == 200
    assert "<script nonce" not in page.content.decode() and "https://" not in page.content.decode()
    script = client.get("/api/docs/?script=", headers={"accept": "*/*"})
    assert script.status_code == 200
    assert script.headers["Content-Type"].startswith("application/javascript")


def test_the_description_names_every_package(city: City) -> None:
    schema = city.client(next(iter(city.people))).get("/api/schema/").json()
    assert schema["openapi"].startswith("3.")
    for path in ("/api/session", "/api/catalogue/search", "/api/flows/{id}/draft", "/api/runs/{id}"):
        assert any(path.split("{")[0] in known for known in schema["paths"]), path
