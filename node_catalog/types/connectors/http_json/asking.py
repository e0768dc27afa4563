"""One conversation with a web service: signing in, trying again with patience, and words for what it refuses."""

from __future__ import annotations

import base64
import random
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote_plus, urlencode

import msgspec

from node_catalog.sdk.contract import ConnectContext
from node_catalog.sdk.errors import (
    ConnectError,
    DataError,
    NodeTypeError,
    RefusedError,
    SourceBusyError,
    SourceError,
)
from node_catalog.sdk.http_client import Credentials, HttpAnswer, HttpClient, HttpRequest
from node_catalog.sdk.http_url import parse_url
from node_catalog.sdk.text import text
from node_catalog.types.connectors.http_json.settings import HttpJsonSettings

LONGEST_WAIT = 60.0
"""A service that asks for more patience than this (seconds) is given up for now."""
BUSY = (408, 425, 429, 500, 502, 503, 504)
EARLY = 30.0
"""So many seconds before it ends a token is replaced."""
Pause = Callable[[float], None]


class Conversation:
    """Asks one service; made for one check, discovery or read, by one thread."""

    def __init__(self, settings: HttpJsonSettings, context: ConnectContext, pause: Pause = time.sleep) -> None:
        self._settings, self._pause = settings, pause
        self._client = HttpClient(
            context,
            timeout=settings.timeout_seconds,
            max_bytes=settings.page_megabytes << 20,
            certificates=settings.certificates,
        )
        self._token, self._token_ends = "", 0.0

    def __enter__(self) -> Conversation:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def ask(self, request: HttpRequest) -> HttpAnswer:
        """A good answer. 408, 425, 429 and 5xx are tried again, as Retry-After says or with growing pauses; a token
        that has ended is fetched anew once. Raises NodeTypeError in words for everything else.
        """
        answer = self._patiently(request, self._credentials())
        if answer.status == 401 and self._settings.sign_in == "oauth2":
            self._token = ""
            answer = self._patiently(request, self._credentials())
        if 200 <= answer.status < 300:
            return answer
        raise _refusal(answer)

    def _patiently(self, request: HttpRequest, credentials: Credentials | None) -> HttpAnswer:
        for attempt in range(self._settings.retries + 1):
            is_last = attempt == self._settings.retries
            try:
                answer = self._client.send(request, credentials)
            except RefusedError:
                raise
            except (ConnectError, SourceBusyError):
                if is_last:
                    raise
                self._pause(_growing(attempt))
                continue
            if answer.status not in BUSY or is_last:
                return answer
            asked = retry_after(answer.headers.get("retry-after", ""))
            if asked is not None and asked > LONGEST_WAIT:
                raise _come_back(answer, asked)
            self._pause(_growing(attempt) if asked is None else asked)
        raise AssertionError("unreachable")

    # ── signing in ────────────────────────────────────────────────────────────────────────────────────────

    def _credentials(self) -> Credentials | None:
        settings = self._settings
        match settings.sign_in:
            case "basic":
                return Credentials({"Authorization": _basic(settings.user, settings.secret)})
            case "bearer":
                return Credentials({"Authorization": f"Bearer {settings.secret}"})
            case "key_header":
                return Credentials({settings.key_name: settings.secret})
            case "key_query":
                return Credentials(query=urlencode({settings.key_name: settings.secret}))
            case "oauth2":
                return Credentials({"Authorization": f"Bearer {self._bearer()}"})
            case _:
                return None

    def _bearer(self) -> str:
        if not self._token or time.monotonic() > self._token_ends:
            self._token, self._token_ends = self._fetch_token()
        return self._token

    def _fetch_token(self) -> tuple[str, float]:
        settings = self._settings
        form = {"grant_type": "client_credentials"}
        if settings.scope:
            form["scope"] = settings.scope
        credentials = None
        if settings.client_in == "header":
            # RFC 6749, 2.3.1: both are form-encoded before they are joined
            pair = quote_plus(settings.user), quote_plus(settings.secret)
            credentials = Credentials({"Authorization": _basic(*pair)})
        else:
            form |= {"client_id": settings.user, "client_secret": settings.secret}
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        request = HttpRequest(parse_url(settings.token_url), "POST", headers, urlencode(form).encode())
        answer = self._patiently(request, credentials)
        if answer.status in BUSY:
            raise _refusal(answer)
        if answer.status != 200:
            raise _no_token(answer)
        try:
            body: dict[str, Any] = msgspec.json.decode(answer.body, type=dict[str, Any])
            token, lasts = str(body["access_token"]), float(body.get("expires_in") or 300)
        except (msgspec.DecodeError, KeyError, TypeError, ValueError) as error:
            raise _no_token(answer) from error
        if not token.isascii() or not token.isprintable():
            raise _no_token(answer)
        return token, time.monotonic() + max(lasts - EARLY, 1.0)


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def retry_after(value: str, now: datetime | None = None) -> float | None:
    """Seconds that a Retry-After header asks for (a number or a date); None when it says nothing readable."""
    words = value.strip()
    if words.isdecimal() and len(words) < 10:
        return float(words)
    try:
        moment = parsedate_to_datetime(words)
    except (ValueError, TypeError, IndexError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - (now or datetime.now(UTC))).total_seconds())


def _growing(attempt: int) -> float:
    """0.5, 1, 2, 4 … seconds, at most 30, spread a little so that workers do not come back together."""
    return min(30.0, 0.5 * 2.0**attempt) * random.uniform(0.75, 1.25)


def with_body(request: HttpRequest, body: bytes) -> HttpRequest:
    """The request with a JSON body."""
    return replace(request, body=body, headers={"Content-Type": "application/json", **request.headers})


# ── words ─────────────────────────────────────────────────────────────────────────────────────────────────


def _refusal(answer: HttpAnswer) -> NodeTypeError:
    """Our error for an answer that is no good; only ``detail`` quotes it."""
    host, status = answer.url.host, answer.status
    where, said = f"{host} {status}", answer.body[:400].decode("utf-8", "replace")
    if status in (401, 407):
        message = text(
            f"“{host}” refuses to let us in (401): user, password, token or key is wrong or has ended. Enter it again.",
            f"“{host}”拒绝访问（401）：用户名、密码、令牌或密钥错误或已失效，请重新填写。",
        )
        return RefusedError("http.sign_in", message, where, said)
    if status == 403:
        message = text(
            f"“{host}” forbids this (403). Ask its keeper for the right.",
            f"“{host}”禁止访问（403），请联系接口管理方授权。",
        )
        return RefusedError("http.forbidden", message, where, said)
    if status in (404, 410):
        message = text(
            f"“{host}” knows nothing at this address ({status}). Correct base address and path.",
            f"“{host}”上没有该地址（{status}）。请检查基础地址和路径。",
        )
        return MissingError("http.missing", message, where, said)
    if status in BUSY:
        message = text(
            f"“{host}” is overloaded or out of order ({status}). Try again later.",
            f"“{host}”繁忙或出现故障（{status}），请稍后重试。",
        )
        return SourceBusyError("http.busy", message, where, said)
    message = text(
        f"“{host}” does not accept the request ({status}). Check method, parameters and body.",
        f"“{host}”不接受该请求（{status}）。请检查请求方法、参数和请求体。",
    )
    return SourceError("http.refused", message, where, said)


class MissingError(SourceError):
    """404 or 410: behind the last page some services answer so."""


def _come_back(answer: HttpAnswer, seconds: float) -> SourceBusyError:
    host = answer.url.host
    message = text(
        f"“{host}” asks to come back in {seconds:.0f} seconds. Run again later, or pause between pages.",
        f"“{host}”要求 {seconds:.0f} 秒后再访问。请稍后重新运行，或设置页间停顿。",
    )
    return SourceBusyError("http.busy", message, f"{host} {answer.status}")


def _no_token(answer: HttpAnswer) -> NodeTypeError:
    host = answer.url.host
    message = text(
        f"The token service “{host}” gives no token ({answer.status}). Check client id, secret, scope and its address.",
        f"令牌服务“{host}”未返回令牌（{answer.status}）。请检查客户端 ID、密钥、授权范围和服务地址。",
    )
    kind = RefusedError if answer.status in (400, 401, 403) else DataError
    return kind("http.no_token", message, host)
