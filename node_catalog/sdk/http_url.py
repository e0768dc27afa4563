"""Addresses of web services, read strictly: what one parser takes for a host another one must not take for a path."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from node_catalog.sdk.errors import SourceError
from node_catalog.sdk.text import Text, text

DEFAULT_PORTS = {"http": 80, "https": 443}
LONGEST = 8000
_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?")
_SIX = re.compile(r"[0-9a-f:.]+")
_PATH_SIGNS = "/:@!$&'()*+,;=~-._%?[]|"


class UrlError(SourceError):
    """The text is no address of a web service that we would follow."""


@dataclass(frozen=True)
class Url:
    """An http or https address in parts. ``host`` is ASCII and lower case, without brackets; ``target`` is what is
    sent in the request line (path and query, percent-encoded).
    """

    scheme: str
    host: str
    port: int
    target: str

    @property
    def origin(self) -> tuple[str, str, int]:
        """Who is spoken to: credentials go to one origin only."""
        return self.scheme, self.host, self.port

    @property
    def authority(self) -> str:
        """The ``Host`` header: the name as written, never the pinned address."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    def with_query(self, query: str) -> Url:
        """The same address with more query parameters (already encoded)."""
        if not query:
            return self
        return replace(self, target=f"{self.target}{'&' if '?' in self.target else '?'}{query}")

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.target}"


def parse_url(words: str) -> Url:
    """An absolute address. Raises UrlError for another scheme, a user name or password in it, control characters,
    backslashes, percent signs or odd letters in the host. International names are brought to their ASCII form, which
    also turns full-width and circled digits into plain ones, so that the guard sees the address behind them.
    """
    if not words or len(words) > LONGEST or any(ord(sign) < 33 or ord(sign) == 127 or sign == "\\" for sign in words):
        raise _wrong(
            text("it is empty, too long, or holds spaces or forbidden characters", "为空、过长或含有空格等不允许的字符")
        )
    try:
        parts = urlsplit(words)
        port = parts.port
    except ValueError as error:
        raise _wrong(text("host or port cannot be read", "主机名或端口无法识别")) from error
    if parts.scheme not in DEFAULT_PORTS:
        raise _wrong(text("it must begin with https:// or http://", "必须以 https:// 或 http:// 开头"))
    if "@" in parts.netloc:
        raise _wrong(
            text(
                "it holds a user name or password; those belong into the fields for signing in",
                "地址中含有用户名或密码，请填写到身份验证字段中",
            )
        )
    if port == 0:
        raise _wrong(text("host or port cannot be read", "主机名或端口无法识别"))
    return Url(parts.scheme, _host(parts), port or DEFAULT_PORTS[parts.scheme], _target(parts))


def join(base: Url, words: str) -> Url:
    """The address that a relative or absolute ``words`` means, seen from ``base``. Raises UrlError."""
    return parse_url(urljoin(str(base), words.strip()))


def _host(parts: SplitResult) -> str:
    wrong = _wrong(text("its host is no proper name or address", "主机名不是合法的名称或地址"))
    host = (parts.hostname or "").rstrip(".")
    if parts.netloc.startswith("["):
        if not _SIX.fullmatch(host):
            raise wrong
        return host
    try:
        host = host.encode("idna").decode().lower().rstrip(".")
    except UnicodeError as error:
        raise wrong from error
    if len(host) > 253 or not _HOST.fullmatch(host):
        raise wrong
    return host


def _target(parts: SplitResult) -> str:
    path = quote(parts.path or "/", safe=_PATH_SIGNS.replace("?", ""))
    return f"{path}?{quote(parts.query, safe=_PATH_SIGNS)}" if parts.query else path


def _wrong(why: Text) -> UrlError:
    return UrlError(
        "http.url",
        text(f"This address cannot be used: {why['en']}.", f"该地址无法使用：{why['zh-CN']}。"),
    )
