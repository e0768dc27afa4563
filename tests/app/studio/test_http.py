"""The server's entry for HTTP: one thread answers a request from end to end, and stays for the next one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import override_settings
from django.urls import path

from studio.http import ThreadedHandler

left = threading.Event()


def name(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"{threading.current_thread().name} {request.body.decode()}")


def broken(request: HttpRequest) -> HttpResponse:
    raise ZeroDivisionError


async def _endless() -> AsyncIterator[bytes]:
    try:
        while True:
            yield b"x" * 1000
            await asyncio.sleep(0)
    finally:
        left.set()


def endless(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(_endless())


urlpatterns = [path("name", name), path("broken", broken), path("endless", endless)]


class Client:
    """One request over ASGI, its body in pieces at each |; hangs up after so many messages of the answer."""

    def __init__(self, path: str, body: bytes = b"", hang_up_after: int | None = None) -> None:
        self.scope = {
            "type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"",
            "headers": [(b"host", b"localhost")], "scheme": "http", "root_path": "",
        }  # fmt: skip
        self.pieces, self.sent, self.hang_up_after = body.split(b"|"), list[dict[str, Any]](), hang_up_after
        self.is_gone = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        if self.pieces:
            return {"type": "http.request", "body": self.pieces.pop(0), "more_body": bool(self.pieces)}
        await self.is_gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)
        if self.hang_up_after is not None and len(self.sent) >= self.hang_up_after:
            self.is_gone.set()


@pytest.fixture
def ask() -> Iterator[Callable[..., list[dict[str, Any]]]]:
    with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=[]):
        handler = ThreadedHandler(threads=1)

        def ask(path: str, body: bytes = b"", hang_up_after: int | None = None) -> list[dict[str, Any]]:
            async def call() -> list[dict[str, Any]]:
                client = Client(path, body, hang_up_after)
                await asyncio.wait_for(handler(client.scope, client.receive, client.send), 60)
                return client.sent

            return asyncio.run(call())

        yield ask
        handler.close()


def test_requests_share_threads_that_stay(ask: Callable[..., list[dict[str, Any]]]) -> None:
    first, second = ask("/name", b"one"), ask("/name", b"two")
    assert [message["body"] for message in (first[1], second[1])] == [b"http_0 one", b"http_0 two"]
    assert first[0]["status"] == 200


def test_a_body_may_come_in_pieces(ask: Callable[..., list[dict[str, Any]]]) -> None:
    assert [ask("/name", body)[1]["body"] for body in (b"", b"a|b|c", b"a|")] == [
        b"http_0 ",
        b"http_0 abc",
        b"http_0 a",
    ]


def test_a_view_that_fails_is_an_answer(ask: Callable[..., list[dict[str, Any]]]) -> None:
    assert ask("/broken")[0]["status"] == 500
    assert ask("/nowhere")[0]["status"] == 404


def test_a_stream_ends_when_nobody_listens(ask: Callable[..., list[dict[str, Any]]]) -> None:
    left.clear()
    assert len(ask("/endless", hang_up_after=5)) >= 5
    assert left.wait(60)
