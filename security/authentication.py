"""How the API knows who asks: the browser's session with CSRF, or a bearer token. Never both in one request."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import Any

from django.utils.functional import SimpleLazyObject, empty
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, CSRFCheck
from rest_framework.request import Request

from security import clock
from security.errors import ForbiddenError, InvalidError, NotSignedInError
from security.models import Token, User
from security.text import text

SCHEME = "Bearer"
TOKEN_START = "cgs_"  # noqa: S105 – the visible start, not a token
SEEN_EVERY = timedelta(minutes=1)


def check_csrf(request: Any) -> None:
    """Raise ForbiddenError unless the request carries the CSRF token of its cookie."""
    django_request = getattr(request, "_request", request)
    check = CSRFCheck(lambda _: None)
    check.process_request(django_request)
    if check.process_view(django_request, None, (), {}):
        raise ForbiddenError(
            "auth.csrf",
            text(
                "The page is too old to send this safely. Reload it and try again.",
                "页面已过期，无法安全提交。请刷新页面后重试。",
            ),
        )


def token_digest(plain: str) -> str:
    """What is stored of a token: tokens are random, so one SHA-256 is enough."""
    return hashlib.sha256(plain.encode()).hexdigest()


def new_token() -> str:
    """A new random token with a recognisable start."""
    return TOKEN_START + secrets.token_urlsafe(32)


def _bearer(request: Any) -> str | None:
    scheme, _, value = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    return value.strip() if scheme.lower() == SCHEME.lower() else None


def _session_user(request: Any) -> Any:
    user = getattr(getattr(request, "_request", request), "user", None)
    return user if user is not None and user.is_authenticated else None


def _refuse_first_password(request: Request, user: User) -> None:
    """A first password opens only the routes that change it (``is_open_before_password_change``)."""
    view = (request.parser_context or {}).get("view")
    if user.must_change_password and not getattr(view, "is_open_before_password_change", False):
        raise ForbiddenError(
            "auth.password_due",
            text("Choose a password of your own first.", "请先设置您自己的密码。"),
        )


class SessionAuthentication(BaseAuthentication):
    """The browser: a session cookie, and for every change the CSRF token."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        user = _session_user(request)
        if user is None:
            return None
        if _bearer(request) is not None:
            raise InvalidError(
                "auth.both",
                text(
                    "The request carries a session and a token. Send one of them.",
                    "请求同时带有会话和令牌，请只使用其中一种。",
                ),
            )
        check_csrf(request)
        # The plain object, so that what is stored on it (its principal) stays on it.
        if isinstance(user, SimpleLazyObject) and user._wrapped is not empty:
            user = user._wrapped
        _refuse_first_password(request, user)
        return user, None

    def authenticate_header(self, request: Request) -> str:
        return SCHEME


class BearerAuthentication(BaseAuthentication):
    """Programs: ``Authorization: Bearer <token>``. A wrong, ended or revoked token is refused, not ignored."""

    def authenticate(self, request: Request) -> tuple[User, Token] | None:
        plain = _bearer(request)
        if plain is None:
            return None
        now = clock.now()
        token = (
            Token.objects.select_related("user__organisation")
            .prefetch_related("user__role_assignments")
            .filter(digest=token_digest(plain), revoked_at=None)
            .first()
        )
        if token is None or not token.user.is_active or (token.expires_at and token.expires_at <= now):
            raise NotSignedInError(
                "auth.token",
                text(
                    "The token is unknown or has ended. Make a new one under My account.",
                    "令牌无效或已过期，请在“我的账户”中重新生成。",
                ),
            )
        _refuse_first_password(request, token.user)
        if token.last_used_at is None or now - token.last_used_at > SEEN_EVERY:
            Token.objects.filter(pk=token.pk).update(last_used_at=now)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return SCHEME


class SessionScheme(OpenApiAuthenticationExtension):
    """How the API description names the session."""

    target_class = "security.authentication.SessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}


class BearerScheme(OpenApiAuthenticationExtension):
    """How the API description names the token."""

    target_class = "security.authentication.BearerAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer"}
