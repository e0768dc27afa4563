"""The server's entry: HTTP to Django, /ws/live to the push hub, over one session cookie."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import django
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.sessions import SessionMiddlewareStack
from django.conf import settings
from django.urls import path, re_path

from studio import env

env.name_settings()
django.setup()

from runtime.consumers import LiveConsumer  # noqa: E402  models are needed, so only after setup
from studio.http import ThreadedHandler  # noqa: E402

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
NO_SUCH_SOCKET, WRONG_ORIGIN = 4404, 4403


def _refusal(code: int) -> Callable[[Any, Receive, Send], Awaitable[None]]:
    async def refuse(scope: Any, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.close", "code": code})

    return refuse


class SameOrigin:
    """Sockets are opened by our own pages only: the Origin must name our host, or one of TRUSTED_ORIGINS.

    A client without an Origin is no browser, and so not somebody else's page with our user's cookie.
    """

    def __init__(self, application: Any) -> None:
        self.application = application
        self.refuse = _refusal(WRONG_ORIGIN)

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> Any:
        headers = {name: value.decode("latin-1") for name, value in scope.get("headers", ())}
        origin, host = headers.get(b"origin", ""), headers.get(b"host", "")
        if origin and urlsplit(origin).netloc != host and origin not in settings.CSRF_TRUSTED_ORIGINS:
            return await self.refuse(scope, receive, send)
        return await self.application(scope, receive, send)


sockets = URLRouter([path("ws/live", LiveConsumer.as_asgi()), re_path(r"", _refusal(NO_SUCH_SOCKET))])
application = ProtocolTypeRouter({"http": ThreadedHandler(), "websocket": SameOrigin(SessionMiddlewareStack(sockets))})
