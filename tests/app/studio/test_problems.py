"""One body for every error, whatever raised it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core import exceptions as django_errors
from django.db import IntegrityError, OperationalError
from django.http import Http404
from django.test import Client, RequestFactory
from rest_framework import exceptions as rest_errors

from flows.errors import DraftStaleError
from flows.graph.errors import DocumentError, ExpressionError
from node_catalog.sdk.errors import ConnectError, DataError, Problem, SettingsError
from runtime.errors import ResultGoneError
from security.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError, NotSignedInError
from security.text import text
from studio.messages.http import MESSAGES, TITLES
from studio.problems import body_of, describe, handle, server_error

SAID = text("said", "说")

CASES: list[tuple[BaseException, int, str]] = [
    (NotSignedInError(), 401, "auth.required"),
    (ForbiddenError(), 403, "auth.forbidden"),
    (NotFoundError(), 404, "not_found"),
    (ConflictError("app.changed", SAID), 409, "app.changed"),
    (InvalidError(), 400, "invalid"),
    (DraftStaleError(SAID, 4, []), 409, "draft.stale"),
    (DocumentError("document.too_large", SAID), 400, "document.too_large"),
    (ExpressionError("expression.syntax", SAID, position=3), 422, "expression.syntax"),
    (SettingsError("settings.invalid", SAID, (Problem("/path", "settings.required", SAID),)), 400, "settings.invalid"),
    (ConnectError("connect.timeout", SAID), 502, "connect.timeout"),
    (DataError("data.number", SAID, detail="13712345678"), 422, "data.number"),
    (ResultGoneError("result.gone", SAID), 410, "result.gone"),
    (rest_errors.NotAuthenticated(), 401, "auth.required"),
    (rest_errors.PermissionDenied(), 403, "auth.forbidden"),
    (rest_errors.MethodNotAllowed("PUT"), 405, "request.method"),
    (rest_errors.UnsupportedMediaType("x/y"), 415, "request.media_type"),
    (rest_errors.ParseError(), 400, "request.json"),
    (rest_errors.Throttled(wait=3), 429, "request.throttled"),
    (Http404(), 404, "not_found"),
    (django_errors.PermissionDenied(), 403, "auth.forbidden"),
    (django_errors.RequestDataTooBig(), 413, "request.too_large"),
    (django_errors.SuspiciousOperation(), 400, "request.invalid"),
    (IntegrityError(), 409, "conflict"),
    (OperationalError("server closed the connection"), 503, "database.down"),
    (RuntimeError("secret detail"), 500, "internal"),
]


@pytest.fixture
def request_(rf: RequestFactory) -> Any:
    request = rf.get("/api/x")
    request.id = "request-0001"
    return request


@pytest.mark.parametrize(("error", "status", "code"), CASES, ids=lambda value: getattr(value, "code", None))
def test_every_error_has_its_answer(error: BaseException, status: int, code: str, request_: Any) -> None:
    answer = describe(error)
    body = body_of(answer, request_)
    assert (answer.status, answer.code) == (status, code)
    assert body["message"]["en"] and body["message"]["zh-CN"]
    assert body["detail"] == body["message"]["zh-CN"]
    assert body["title"] and body["instance"] == "request-0001"
    assert "13712345678" not in str(body) and "secret detail" not in str(body)


def test_problems_keep_their_pointers(request_: Any) -> None:
    body = body_of(describe(CASES[8][0]), request_)
    assert body["problems"] == [{"pointer": "/path", "code": "settings.required", "message": SAID}]
    nested = rest_errors.ValidationError({"columns": {"name": ["wrong"]}, "items": [{}, {"at": ["bad"]}]})
    pointers = [problem["pointer"] for problem in body_of(describe(nested), request_)["problems"]]
    assert pointers == ["/columns/name", "/items/1/at"]


def test_extra_members_stand_beside_the_standard_ones(request_: Any) -> None:
    body = body_of(describe(DraftStaleError(SAID, 7, [{"op": "move"}])), request_)
    assert body["revision"] == 7
    assert body["operations_since"] == [{"op": "move"}]
    assert body_of(describe(CASES[7][0]), request_)["position"] == 3


def test_waiting_and_signing_in_are_told_in_headers(request_: Any) -> None:
    assert handle(OperationalError(), {"request": request_}).headers["Retry-After"] == "3"
    assert "Bearer" in handle(rest_errors.NotAuthenticated(), {"request": request_}).headers["WWW-Authenticate"]


def test_an_unexpected_error_is_logged_with_its_request(request_: Any, caplog: pytest.LogCaptureFixture) -> None:
    response = handle(ZeroDivisionError("x"), {"request": request_})
    assert response.status_code == 500
    assert "request-0001" in caplog.text
    assert response.headers["Content-Type"] == "application/problem+json"


def test_a_lost_database_outside_rest_views_is_503(request_: Any) -> None:
    try:
        raise OperationalError("gone")
    except OperationalError:
        assert server_error(request_).status_code == 503


def test_people_get_a_page_programs_get_json(rf: RequestFactory) -> None:
    page = rf.get("/somewhere", headers={"accept": "text/html"})
    page.id, page.csp_nonce = "request-0002", "n"
    response = server_error(page)
    assert response.status_code == 500
    assert "request-0002" in response.content.decode()
    assert "<html" in response.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("send", [Client.get, Client.post, Client.delete])
def test_an_unknown_api_address_is_a_problem(client: Client, send: Callable[..., Any]) -> None:
    response = send(client, "/api/nothing-here")
    assert response.status_code == 404
    assert response.json()["code"] == "not_found"


def test_sentences_exist_in_both_languages() -> None:
    for words in (*MESSAGES.values(), *TITLES.values()):
        assert words["en"].strip() and words["zh-CN"].strip()
        assert any("一" <= character <= "鿿" for character in words["zh-CN"])
