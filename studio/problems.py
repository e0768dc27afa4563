"""One table from errors to HTTP answers, one body for all of them (RFC 9457, application/problem+json).

``ROWS`` maps an error class to the function that describes it; the first row that fits wins. What quotes data
(``NodeTypeError.detail``) never gets into a body. Stack traces go to the log, with the request id.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core import exceptions as django_errors
from django.db import DatabaseError, IntegrityError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import render
from django.utils import translation
from django.utils.cache import patch_vary_headers
from rest_framework import exceptions as rest_errors
from rest_framework.views import set_rollback

from flows.errors import FlowError
from flows.graph.errors import DocumentError, GraphError
from node_catalog.sdk.errors import ConnectError, FencedError, NodeTypeError, SettingsError
from runtime.errors import RunError
from security.errors import SecurityError
from security.text import Text, pick, text
from studio.messages.http import MESSAGES, TITLES

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answer:
    """What is told about an error: status, code, sentence, single problems, further members, headers."""

    status: int
    code: str
    message: Text
    problems: tuple[Mapping[str, Any], ...] = ()
    where: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


def generic(status: int, code: str, **more: Any) -> Answer:
    """An answer with the studio's own sentence for ``code``."""
    return Answer(status, code, MESSAGES[code], **more)


# ── What each kind of error says ──────────────────────────────────────────────────────────────────────────


def _plain_problems(problems: Iterable[Any]) -> tuple[Mapping[str, Any], ...]:
    found: list[Mapping[str, Any]] = []
    for problem in problems:
        if isinstance(problem, Mapping):
            found.append(problem)
        else:
            extra = getattr(problem, "extra", {}) or {}
            found.append({"pointer": problem.pointer, "code": problem.code, "message": problem.message, **extra})
    return tuple(found)


def _own(status: int) -> Callable[[Any], Answer]:
    """For our packages' errors: code, message, where, and what else they carry; their own status wins."""

    def describe(error: Any) -> Answer:
        extra = dict(getattr(error, "extra", None) or {})
        for name in ("fix", "position"):
            if getattr(error, name, None) is not None:
                extra[name] = getattr(error, name)
        final = getattr(error, "status", status)
        headers = {"WWW-Authenticate": 'Bearer realm="citygo"'} if final == 401 else {}
        if final in (429, 503):
            headers["Retry-After"] = "5"
        return Answer(
            final,
            error.code,
            error.message,
            _plain_problems(getattr(error, "problems", None) or getattr(error, "findings", None) or ()),
            getattr(error, "where", ""),
            extra,
            headers,
        )

    return describe


def _rest_validation(error: rest_errors.ValidationError) -> Answer:
    problems: list[dict[str, Any]] = []

    def walk(detail: Any, pointer: str) -> None:
        if isinstance(detail, Mapping):
            for key, value in detail.items():
                walk(value, pointer if key == "non_field_errors" else f"{pointer}/{key}")
        elif isinstance(detail, list | tuple):
            for index, value in enumerate(detail):
                walk(value, f"{pointer}/{index}" if isinstance(value, Mapping) else pointer)
        else:
            code = f"input.{getattr(detail, 'code', 'invalid')}"
            problems.append({"pointer": pointer, "code": code, "message": _translated(detail)})

    walk(error.detail, "")
    message = text(
        "Some fields need correction; each problem is named at its field.", "部分内容需要更正，问题已标在对应的字段上。"
    )
    return Answer(400, "invalid", message, tuple(problems))


def _translated(sentence: Any) -> Text:
    both = {}
    for language, name in (("en", "en"), ("zh-CN", "zh-hans")):
        with translation.override(name):
            both[language] = str(sentence)
    return both


def _django_validation(error: django_errors.ValidationError) -> Answer:
    detail = error.message_dict if hasattr(error, "error_dict") else list(error.messages)
    return _rest_validation(rest_errors.ValidationError(detail))


def _rest_other(error: rest_errors.APIException) -> Answer:
    codes = {
        401: "auth.required",
        403: "auth.forbidden",
        404: "not_found",
        405: "request.method",
        406: "request.accept",
        415: "request.media_type",
        429: "request.throttled",
    }
    status = error.status_code
    if isinstance(error, rest_errors.NotAuthenticated | rest_errors.AuthenticationFailed):
        return generic(401, "auth.required", headers={"WWW-Authenticate": 'Bearer realm="citygo"'})
    if isinstance(error, rest_errors.ParseError):
        return generic(400, "request.json")
    wait = getattr(error, "wait", None)
    headers = {"Retry-After": str(int(wait))} if wait else {}
    return generic(status, codes.get(status, "internal" if status >= 500 else "request.invalid"), headers=headers)


def _fixed(status: int, code: str, headers: Mapping[str, str] | None = None) -> Callable[[Any], Answer]:
    return lambda error: generic(status, code, headers=headers or {})


ROWS: list[tuple[type[BaseException] | tuple[type[BaseException], ...], Callable[[Any], Answer]]] = [
    (SecurityError, _own(500)),
    (FlowError, _own(400)),
    (RunError, _own(400)),
    (DocumentError, _own(400)),
    (GraphError, _own(422)),
    (SettingsError, _own(400)),
    (ConnectError, _own(502)),
    (FencedError, _own(409)),
    (NodeTypeError, _own(422)),
    (rest_errors.ValidationError, _rest_validation),
    (rest_errors.APIException, _rest_other),
    (django_errors.ValidationError, _django_validation),
    ((Http404, django_errors.ObjectDoesNotExist), _fixed(404, "not_found")),
    (django_errors.PermissionDenied, _fixed(403, "auth.forbidden")),
    (django_errors.RequestDataTooBig, _fixed(413, "request.too_large")),
    (django_errors.DisallowedHost, _fixed(400, "request.host")),
    ((django_errors.SuspiciousOperation, django_errors.BadRequest), _fixed(400, "request.invalid")),
    (MultiPartParserError, _fixed(400, "request.invalid")),
    (IntegrityError, _fixed(409, "conflict")),
    ((OperationalError, InterfaceError), _fixed(503, "database.down", {"Retry-After": "3"})),
    (DatabaseError, _fixed(500, "internal")),
]


def describe(error: BaseException) -> Answer:
    """The answer for any error; what the table does not know is our mistake (500)."""
    for kinds, row in ROWS:
        if isinstance(error, kinds):
            return row(error)
    return generic(500, "internal")


# ── The body ──────────────────────────────────────────────────────────────────────────────────────────────


def language_of(request: Any) -> str:
    """``zh-CN`` or ``en``: what the signed-in person chose, else what the browser asks for."""
    user = getattr(request, "user", None)
    try:
        chosen = getattr(user, "language", "") if user is not None else ""
    except DatabaseError:
        chosen = ""
    if chosen:
        return str(chosen)
    return "en" if (translation.get_language() or "").startswith("en") else "zh-CN"


def body_of(answer: Answer, request: Any) -> dict[str, Any]:
    """The JSON of an answer, in the language of the request and with both wordings."""
    language = language_of(request)
    title = TITLES.get(answer.status) or (TITLES[500] if answer.status >= 500 else TITLES[400])
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": pick(title, language),
        "status": answer.status,
        "code": answer.code,
        "detail": pick(answer.message, language),
        "message": answer.message,
        "instance": getattr(request, "id", ""),
        "problems": list(answer.problems),
    }
    if answer.where:
        body["where"] = answer.where
    return {**answer.extra, **body}


def response_of(answer: Answer, request: Any) -> HttpResponse:
    """The HTTP answer: problem+json."""
    response = JsonResponse(
        body_of(answer, request),
        status=answer.status,
        content_type="application/problem+json",
        headers=dict(answer.headers),
        json_dumps_params={"ensure_ascii": False},
    )
    patch_vary_headers(response, ("Accept-Language", "Cookie"))
    return response


def handle(error: Exception, context: Mapping[str, Any]) -> HttpResponse:
    """REST framework's exception handler for every view under /api/."""
    request = context.get("request")
    request = getattr(request, "_request", request)
    answer = describe(error)
    set_rollback()
    _log(error, answer, request)
    return response_of(answer, request)


def _log(error: BaseException, answer: Answer, request: Any) -> None:
    if answer.status < 500:
        return
    where = f"{getattr(request, 'method', '')} {getattr(request, 'path', '')}"
    number = getattr(request, "id", "")
    if answer.status == 503:
        logger.warning("%s: database not available (request %s): %s", where, number, error)
    else:
        logger.error("%s failed (request %s)", where, number, exc_info=error)


# ── Django's own handlers (urls.py, settings.py) ──────────────────────────────────────────────────────────


def _page_or_problem(request: HttpRequest, answer: Answer) -> HttpResponse:
    if request.path.startswith(("/api/", "/schema/", "/ws/")) or "text/html" not in request.headers.get("Accept", ""):
        return response_of(answer, request)
    words = body_of(answer, request)
    context = {"problem": words, "language": language_of(request)}
    return render(request, "error.html", context, status=answer.status)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404 outside REST views."""
    return _page_or_problem(request, generic(404, "not_found"))


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403 outside REST views."""
    return _page_or_problem(request, generic(403, "auth.forbidden"))


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400 outside REST views: unknown host, broken body."""
    return _page_or_problem(request, describe(exception or django_errors.BadRequest()))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without the CSRF token of its cookie."""
    return _page_or_problem(request, generic(403, "auth.csrf"))


def server_error(request: HttpRequest) -> HttpResponse:
    """Whatever no view caught: the table decides, so a lost database is 503, not 500."""
    error = sys.exc_info()[1]
    answer = describe(error) if error is not None else generic(500, "internal")
    if error is not None:
        _log(error, answer, request)
    return _page_or_problem(request, answer)
