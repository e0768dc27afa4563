"""HTTP requests under ASGI: each one is answered from end to end on one thread of a pool.

Django's own handler takes a plain view through several event loops and a thread of its own, with a new connection to
the database each time. Our views and most middleware are plain functions: here the chain is built for threads that
stay, and with them their connections (CONN_MAX_AGE).
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any

from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix

from studio import call_route

THREADS = 40
"""Requests of one process that are answered at the same time; what comes then waits its turn."""


class ThreadedHandler(ASGIHandler):
    """Django for HTTP connections; only streamed bodies (downloads) are sent piece by piece from the event loop."""

    def __init__(self, threads: int = THREADS) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="http")
        super().__init__()

    def load_middleware(self, is_async: bool = False) -> None:
        """A chain of plain calls, whatever the server is."""
        super().load_middleware(is_async=False)

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Read the request, answer it on a thread, send the answer."""
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        loop = asyncio.get_running_loop()
        try:
            key = call_route.key_of(scope, body)
            if key is not None and (known := await call_route.answer(key, scope, self._threads)) is not None:
                await send({"type": "http.response.start", "status": 200, "headers": known.headers})
                await send({"type": "http.response.body", "body": known.body})
                return
            response = await loop.run_in_executor(self._threads, self._answer, key, scope, body)
            if not response.streaming:
                await self.send_response(response, send)
                return
            try:
                await self._stream(response, receive, send)
            finally:
                await loop.run_in_executor(self._threads, response.close)
        finally:
            body.close()

    async def read_body(self, receive: Any) -> Any:
        """The whole body. One that comes in one piece needs no file."""
        first = await receive()
        if first["type"] == "http.request" and not first.get("more_body", False):
            return BytesIO(first.get("body", b""))
        rest = iter((first,))

        async def from_first() -> Any:
            return next(rest, None) or await receive()

        return await super().read_body(from_first)

    def _answer(self, key: call_route.Key | None, scope: Any, body: Any) -> HttpResponseBase:
        response = self._through_chain(scope, body)
        if key is not None:
            call_route.learn(key, scope, response)
        return response

    def _through_chain(self, scope: Any, body: Any) -> HttpResponseBase:
        set_script_prefix(get_script_prefix(scope))
        signals.request_started.send(sender=self.__class__, scope=scope)
        request, refusal = self.create_request(scope, body)
        response: HttpResponseBase = refusal if request is None else self.get_response(request)
        response._handler_class = self.__class__  # type: ignore[attr-defined]
        if not response.streaming:
            # On this thread, whose connections are tidied up with it; the content stays.
            response.close()
        return response

    async def _stream(self, response: HttpResponseBase, receive: Any, send: Any) -> None:
        """Send until the end, or until nobody listens any more."""
        sending = asyncio.ensure_future(self.send_response(response, send))
        leaving = asyncio.ensure_future(self.listen_for_disconnect(receive))
        await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
        for task in (sending, leaving):
            task.cancel()
        ends = await asyncio.gather(sending, leaving, return_exceptions=True)
        if isinstance(ends[0], Exception):
            raise ends[0]
