"""Signing in and out of the browser, and what everybody may know before."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.middleware.csrf import get_token
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from security.access import principal_of
from security.api.described import described
from security.api.inputs import Input, read_input
from security.api.outputs import ContextOutput, MeOutput, me_json
from security.authentication import check_csrf
from security.sign_in import sign_in, sign_out
from security.words import ROLE_WORDS


class SignInInput(Input):
    """Name and password."""

    username = serializers.CharField(max_length=60)
    password = serializers.CharField(max_length=1000, trim_whitespace=False)


class SessionView(APIView):
    """The session of this browser."""

    is_open_before_password_change = True

    def get_authenticators(self) -> list[Any]:
        """Signing in asks for no session or token: an old one must not stand in the way."""
        return [] if self.request is not None and self.request.method == "POST" else super().get_authenticators()

    def get_permissions(self) -> list[Any]:
        return [AllowAny()] if self.request.method == "POST" else super().get_permissions()

    @described("session_read", MeOutput, problems=(401,), tag="session")
    def get(self, request: Request) -> Response:
        """The signed-in person."""
        return Response(me_json(principal_of(request).user))

    @described(
        "session_start",
        MeOutput,
        request=SignInInput,
        problems=(401, 403, 429),
        tag="session",
        anonymous=True,
    )
    def post(self, request: Request) -> Response:
        """Sign in with name and password; needs the CSRF token that `GET /api/context` sets."""
        check_csrf(request)
        values = read_input(SignInInput, request.data)
        user = sign_in(request._request, values["username"], values["password"])
        return Response(me_json(user))

    @described("session_end", problems=(401,), tag="session")
    def delete(self, request: Request) -> Response:
        """Sign out."""
        sign_out(request._request, principal_of(request).user)
        return Response(status=204)


class ContextView(APIView):
    """Version, languages, roles, limits: open to everybody."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @described("context_read", ContextOutput, problems=(), tag="session", anonymous=True)
    def get(self, request: Request) -> Response:
        """Also sets the cookie `csrftoken`, which changes send back as the header `X-CSRFToken`."""
        get_token(request._request)
        options = settings.OPTIONS
        is_demo = bool(options["DEMO"])
        body = {
            "version": settings.VERSION,
            "languages": ["zh-CN", "en"],
            "roles": [{"key": key, **words} for key, words in ROLE_WORDS.items()],
            "limits": {
                "upload_mb": options["UPLOAD_MB"],
                "preview_rows": options["PREVIEW_ROWS"],
                "result_days": options["RESULT_DAYS"],
            },
            "demo": is_demo,
            "demo_accounts": list(getattr(settings, "DEMO_ACCOUNTS", ())) if is_demo else [],
        }
        return Response(ContextOutput(body).data)
