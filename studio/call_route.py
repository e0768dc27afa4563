"""The route of calls in front of Django's chain: a request that came before is recognised by its bytes."""

from __future__ import annotations

import secrets
from concurrent.futures import Executor
from typing import Any, NamedTuple

from django.http.response import HttpResponseBase

from runtime.calling.again import AGAIN, ASKED, Key
from studio.middleware import policy, request_id

PREFIX = "/api/call/"
LONGEST = 64 * 1024
"""Bytes of a body up to which it is remembered."""
ASKING = frozenset({
    b"host", b"authorization", b"accept", b"accept-language", b"accept-charset", b"content-type", b"content-encoding",
    b"content-length",
    b"origin", b"referer", b"x-forwarded-proto", b"x-forwarded-host", b"x-csrftoken", b"x-http-method-override",
})  # fmt: skip
"""Headers that an answer may depend on."""
EACH_ITS_OWN = frozenset({b"x-request-id", b"content-security-policy", b"content-length"})
Headers = tuple[tuple[bytes, bytes], ...]


class Known(NamedTuple):
    """An answer that is ready to be sent."""

    headers: Headers
    body: bytes


def key_of(scope: Any, body: Any) -> Key | None:
    """What stands for a call with a token; None for everything else, and for what also brings a cookie."""
    if scope["method"] != "POST" or not scope["path"].startswith(PREFIX):
        return None
    headers = scope["headers"]
    asking = tuple(pair for pair in headers if pair[0] in ASKING)
    if not any(name == b"authorization" for name, _ in asking) or any(name == b"cookie" for name, _ in headers):
        return None
    given = body.read(LONGEST + 1)
    body.seek(0)
    if len(given) > LONGEST:
        return None
    is_json = (b"content-type", b"application/json") in asking
    if is_json:
        asking = tuple(pair for pair in asking if pair[0] != b"content-length")
    frame = (scope["path"], scope["query_string"], scope.get("root_path", ""), scope["scheme"], asking)
    return Key(frame, given, is_json)


async def answer(key: Key, scope: Any, threads: Executor) -> Known | None:
    """The answer to a call that came before, when nothing that it depends on has changed."""
    found = await AGAIN.answer(key, scope, threads)
    if found is None:
        return None
    standing, body = found
    number = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"").decode("latin-1")
    own = (
        (b"X-Request-ID", request_id(number).encode()),
        (b"Content-Security-Policy", policy(secrets.token_urlsafe(16)).encode()),
        (b"Content-Length", str(len(body)).encode()),
    )
    return Known((*standing.headers, *own), body)


def learn(key: Key, scope: Any, response: HttpResponseBase) -> None:
    """Remember how the chain has answered."""
    if response.status_code == 200 and ASKED in scope and not response.cookies:
        pairs = ((name.encode("ascii"), value.encode("latin-1")) for name, value in response.items())
        headers = tuple(pair for pair in pairs if pair[0].lower() not in EACH_ITS_OWN)
        AGAIN.learn(key, scope[ASKED], headers)
