"""Our own small HTTP client: the guard decides about every address, and everything has an end.

A name is resolved once through the guard, the connection goes to the pinned address with the original host and SNI,
and the same happens again for every redirect (at most three). Nothing is taken from the environment: no proxy, no
netrc, no cookies. Time, bytes and what compressed bytes become are bounded.
"""

from __future__ import annotations

import functools
import http.client
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from node_catalog.sdk.contract import ConnectContext
from node_catalog.sdk.errors import NodeTypeError, RefusedError, SourceError
from node_catalog.sdk.http_body import read_body
from node_catalog.sdk.http_url import Url, join
from node_catalog.sdk.http_words import broken_off, of_network, too_slow
from node_catalog.sdk.outgoing import pinned
from node_catalog.sdk.text import text

MAX_REDIRECTS = 3
REDIRECTS = (301, 302, 303, 307, 308)
AGENT = "CityGo-Studio"


@dataclass(frozen=True)
class HttpRequest:
    """What is asked. ``headers`` may go anywhere; what must not is in ``Credentials``."""

    url: Url
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Credentials:
    """What proves who asks: sent to the origin of the request alone, never after a redirect to another one."""

    headers: Mapping[str, str] = field(default_factory=dict)
    query: str = ""


@dataclass(frozen=True)
class HttpAnswer:
    """A whole answer. Names of ``headers`` are in lower case; ``body`` is decompressed."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: Url


class HttpClient:
    """One conversation with at most a few hosts; connections are kept between requests. Used by one thread."""

    def __init__(
        self,
        context: ConnectContext,
        *,
        timeout: float,
        max_bytes: int,
        certificates: str = "",
        are_redirects_followed: bool = True,
    ) -> None:
        """``timeout`` is for one whole request (seconds), ``max_bytes`` for one answer after decompression;
        ``certificates`` are further trusted authorities as PEM text.
        """
        self._are_redirects_followed = are_redirects_followed
        self._context, self._timeout, self._max_bytes = context, timeout, max_bytes
        self._tls = tls_context(certificates)
        self._kept: dict[tuple[str, str, int], _Connection] = {}

    def __enter__(self) -> HttpClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End all connections."""
        for connection in self._kept.values():
            connection.close()
        self._kept.clear()

    def send(self, request: HttpRequest, credentials: Credentials | None = None) -> HttpAnswer:
        """The answer, after at most three redirects; any status is an answer.

        Raises RefusedError for an address or redirect that is not allowed, ConnectError when nothing answers,
        SourceBusyError when time is up, DataError when the answer is too large or broken.
        """
        home = request.url.origin
        for _ in range(MAX_REDIRECTS + 1):
            is_home = request.url.origin == home
            answer = self._once(request, credentials if is_home else None)
            target = answer.headers.get("location", "")
            if answer.status not in REDIRECTS or not target or not self._are_redirects_followed:
                return answer
            request = _redirected(request, answer, target)
        host = request.url.host
        message = text(
            f"“{host}” sends on more than {MAX_REDIRECTS} times. Enter the address that it leads to in the end.",
            f"“{host}”的重定向超过 {MAX_REDIRECTS} 次，请直接填写最终地址。",
        )
        raise SourceError("http.redirects", message, host)

    def _once(self, request: HttpRequest, credentials: Credentials | None) -> HttpAnswer:
        if self._context.before_request is not None:
            self._context.before_request()
        url = request.url.with_query(credentials.query) if credentials else request.url
        headers = {
            "Host": url.authority,
            "User-Agent": AGENT,
            "Accept-Encoding": "gzip, deflate",
            "Connection": "keep-alive",
            **request.headers,
            **(credentials.headers if credentials else {}),
        }
        kept = self._kept.pop(url.origin, None)
        if kept is not None:
            try:
                return self._exchange(kept, request, url, headers)
            except _StaleError:
                pass  # the server closed the idle connection meanwhile
        try:
            return self._exchange(_Connection(url, self._context, self._tls, self._timeout), request, url, headers)
        except _StaleError as error:
            raise broken_off(url) from error

    def _exchange(
        self, connection: _Connection, request: HttpRequest, url: Url, headers: Mapping[str, str]
    ) -> HttpAnswer:
        with _words(connection, url), connection.deadline(self._timeout):
            try:
                connection.request(request.method, url.target, request.body or None, dict(headers))
                response = connection.getresponse()
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError) as error:
                if connection.is_expired:
                    raise
                raise _StaleError() from error
            answered = {name.lower(): value for name, value in response.getheaders()}
            body = read_body(response, answered, self._max_bytes, url)
            response.close()  # it does not notice its own end when it is read in parts
            if response.will_close:
                connection.close()
            else:
                self._kept[url.origin] = connection
            return HttpAnswer(response.status, answered, body, request.url)


class _StaleError(Exception):
    """The connection had ended before anything was answered."""


class _Connection(http.client.HTTPConnection):
    """Connects to the pinned address; for https the certificate is checked against the name."""

    def __init__(self, url: Url, context: ConnectContext, tls: ssl.SSLContext, timeout: float) -> None:
        super().__init__(url.host, url.port, timeout=min(context.connect_timeout, timeout))
        self._url, self._context, self._tls, self._limit = url, context, tls, timeout
        self.is_expired = False

    def connect(self) -> None:
        """Ask the guard, connect to its answer, then speak TLS with the original name."""
        address = pinned(self._context, self._url.host, self._url.port)
        plain = socket.create_connection((address, self._url.port), self.timeout)
        self.sock = plain
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        plain.settimeout(self._limit)
        if self._url.scheme == "https":
            self.sock = self._tls.wrap_socket(plain, server_hostname=self._url.host)

    @contextmanager
    def deadline(self, seconds: float) -> Iterator[None]:
        """Break the connection off after ``seconds``, however slowly the server drips."""
        timer = threading.Timer(seconds, self._break_off)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _break_off(self) -> None:
        self.is_expired = True
        if self.sock is not None:
            try:
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)
            except OSError:
                pass


@functools.lru_cache(maxsize=16)
def tls_context(certificates: str = "") -> ssl.SSLContext:
    """TLS with checked certificates, from the system's authorities and ``certificates`` (PEM). Kept: it takes 40 ms.

    Raises ValueError when the text holds no certificate.
    """
    found = ssl.create_default_context()
    found.minimum_version = ssl.TLSVersion.TLSv1_2
    if certificates.strip():
        try:
            found.load_verify_locations(cadata=certificates)
        except ssl.SSLError as error:
            raise ValueError("no certificate") from error
    return found


def _redirected(request: HttpRequest, answer: HttpAnswer, target: str) -> HttpRequest:
    """The request that a redirect asks for; 303 and, for POST, 301 and 302 become a GET, as browsers do."""
    url = join(answer.url, target)
    before = request.url
    if before.scheme == "https" and url.scheme == "http":
        message = text(
            f"“{before.host}” sends on from https to http, where anybody could read along. This is not followed.",
            f"“{before.host}”从 https 重定向到 http，内容可能被窃听，因此不予跟随。",
        )
        raise RefusedError("http.redirect_plain", message, before.host)
    if answer.status == 303 or (answer.status in (301, 302) and request.method == "POST"):
        headers = {name: value for name, value in request.headers.items() if name.lower() != "content-type"}
        return HttpRequest(url, "GET", headers)
    if request.body and url.origin != before.origin:
        message = text(
            f"“{before.host}” sends the request on to “{url.host}”. What is posted is not passed on to another host.",
            f"“{before.host}”要求把请求转发到“{url.host}”。提交的内容不会转交给其他主机。",
        )
        raise RefusedError("http.redirect_other", message, before.host)
    return HttpRequest(url, request.method, request.headers, request.body)


@contextmanager
def _words(connection: _Connection, url: Url) -> Iterator[None]:
    """Turn what the network does into our errors; a connection that failed is closed."""
    try:
        yield
    except (NodeTypeError, _StaleError):
        connection.close()
        raise
    except (OSError, http.client.HTTPException, ValueError) as error:
        connection.close()
        if connection.is_expired or isinstance(error, TimeoutError):
            raise too_slow(url) from error
        raise of_network(error, url) from error
