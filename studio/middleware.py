"""What every answer gets: a request id, and a content security policy with a nonce of its own."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from uuid import uuid4

from django.http import HttpRequest, HttpResponse

Handler = Callable[[HttpRequest], HttpResponse]
REQUEST_ID = re.compile(r"^[A-Za-z0-9._-]{8,64}$")


class RequestContextMiddleware:
    """Gives the request an ``id`` (the proxy's X-Request-ID when it is well formed) and answers with it."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.id = request_id(request.headers.get("X-Request-ID", ""))  # type: ignore[attr-defined]
        response = self.get_response(request)
        response.headers["X-Request-ID"] = request.id  # type: ignore[attr-defined]
        if request.path.startswith("/api/"):
            response.headers.setdefault("Cache-Control", "no-store")
        return response


class ContentSecurityPolicyMiddleware:
    """Scripts and style elements need the request's nonce (antd is given it); nothing may frame us.

    Style *attributes* are allowed, because the chart library writes its tooltips with them; they run nothing.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        nonce = secrets.token_urlsafe(16)
        request.csp_nonce = nonce  # type: ignore[attr-defined]
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", policy(nonce))
        return response


def request_id(given: str) -> str:
    """The id of a request to which the proxy has given one, or none."""
    return given if REQUEST_ID.match(given) else uuid4().hex


def policy(nonce: str) -> str:
    """The policy of one answer."""
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' 'nonce-{nonce}'",
            f"style-src 'self' 'nonce-{nonce}'",
            "style-src-attr 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )
