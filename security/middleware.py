"""Puts the signed-in person into ``request.user``; read from the session only when somebody asks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from security.sessions import Nobody, user_of_session


class SessionAuthenticationMiddleware:
    """``request.user`` is a User, or Nobody. Tokens are not looked at here: they count for the API alone."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        def person() -> Any:
            return user_of_session(request.session) or Nobody()

        request.user = SimpleLazyObject(person)
        return self.get_response(request)
