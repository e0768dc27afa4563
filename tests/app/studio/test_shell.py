"""The shell page, published schemas, health, and what every answer carries."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from django.test.utils import override_settings

from studio.frontend import assets

pytestmark = pytest.mark.django_db


@pytest.fixture
def built(tmp_path: Path, settings: Any) -> Path:
    """A build as Vite leaves it: an entry with a style sheet, and a shared chunk with another."""
    manifest = {
        "src/main.tsx": {
            "file": "assets/main-1.js",
            "isEntry": True,
            "css": ["assets/main-1.css"],
            "imports": ["_r.js"],
        },
        "_r.js": {"file": "assets/r-2.js", "css": ["assets/r-2.css"]},
    }
    (tmp_path / ".vite").mkdir()
    (tmp_path / ".vite" / "manifest.json").write_text(json.dumps(manifest))
    settings.FRONTEND_DIST = tmp_path
    return tmp_path


def test_every_page_is_the_shell_with_the_built_files(client: Client, built: Path) -> None:
    for path in ("/", "/apps/1", "/n/33A017/DB00003F7K-E"):
        response = client.get(path)
        html = response.content.decode()
        assert response.status_code == 200
        assert "/static/app/assets/main-1.js" in html
        assert html.index("/static/app/assets/r-2.css") < html.index("/static/app/assets/main-1.css")
        assert "csrftoken" in response.cookies
        assert response.headers["Cache-Control"] == "no-store"
    assert assets().preloads == ("/static/app/assets/r-2.js",)


def test_scripts_need_the_nonce_of_this_answer(client: Client, built: Path) -> None:
    first, second = client.get("/"), client.get("/")
    policy = first.headers["Content-Security-Policy"]
    scripts = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert "unsafe" not in scripts
    assert "frame-ancestors 'none'" in policy
    nonce = scripts.split("'nonce-")[1].split("'")[0]
    assert first.content.decode().count(f'nonce="{nonce}"') >= 3
    assert policy != second.headers["Content-Security-Policy"]


def test_a_missing_build_says_what_to_do(client: Client, tmp_path: Path, settings: Any) -> None:
    settings.FRONTEND_DIST = tmp_path
    response = client.get("/", headers={"accept-language": "en"})
    assert response.status_code == 503
    assert "make run" in response.content.decode()


def test_the_language_of_a_stranger_is_the_browsers(client: Client, built: Path) -> None:
    assert '<html lang="en"' in client.get("/", headers={"accept-language": "en-GB"}).content.decode()
    assert '<html lang="zh-CN"' in client.get("/", headers={"accept-language": "zh-CN,zh"}).content.decode()


def test_published_schemas(client: Client) -> None:
    names = client.get("/schema/").json()["schemas"]
    assert "/schema/flow.json" in names
    for name in names:
        response = client.get(name)
        assert response.status_code == 200
        assert response.headers["Content-Type"] == "application/schema+json"
    assert client.get("/schema/none.json").status_code == 404


def test_health_answers(client: Client) -> None:
    assert client.get("/healthz").json()["status"] == "ok"
    body = client.get("/readyz").json()
    assert body["ready"] is True
    assert body["checks"]["database"] == "ok"


def test_not_ready_without_the_database(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OperationalError("gone")

    monkeypatch.setattr("studio.health.connection.cursor", fail)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"]["database"] == "down"


def test_the_request_id_is_kept_or_made(client: Client) -> None:
    assert client.get("/healthz", headers={"x-request-id": "proxy-id-0001"}).headers["X-Request-ID"] == "proxy-id-0001"
    made = client.get("/healthz", headers={"x-request-id": "<script>"}).headers["X-Request-ID"]
    assert len(made) == 32


def test_the_api_description_is_open_to_those_who_are_signed_in(client: Client) -> None:
    assert client.get("/api/schema/").status_code == 401
    response = client.get("/api/docs/")
    assert response.status_code == 302
    assert response.headers["Location"].startswith("/sign-in")


@override_settings(ALLOWED_HOSTS=["only.example"])
def test_an_unknown_host_is_refused_in_words(client: Client) -> None:
    response = client.get("/api/session", headers={"host": "evil.example"})
    assert response.status_code == 400
