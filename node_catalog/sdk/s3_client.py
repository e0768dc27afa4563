"""Speaking S3: signed requests (Signature Version 4) over our own guarded HTTP client. docs/adr/s3-client.md says why.

No credentials are looked for anywhere, no redirect is followed, every answer is bounded.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

from node_catalog.sdk.contract import ConnectContext
from node_catalog.sdk.errors import DataError, NodeTypeError, RefusedError, SourceBusyError, SourceError
from node_catalog.sdk.http_client import Credentials, HttpAnswer, HttpClient, HttpRequest
from node_catalog.sdk.http_url import Url, parse_url
from node_catalog.sdk.text import text

MAX_ANSWER = 160 << 20
MAX_LISTED = 8 << 20
MAX_PAGES = 200
REQUEST_SECONDS = 120.0
LEAST_RANGE, MOST_RANGE = 256 << 10, 8 << 20
_EMPTY = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True)
class Listed:
    """An object in a listing."""

    key: str
    size: int
    etag: str
    modified: float = 0.0
    """When it was written (seconds since 1970), as far as a listing tells."""


class Conflict(Exception):
    """A conditional request for the key that it holds, whose condition did not hold."""


class S3Client:
    """One bucket. Close it, or use it as a context manager."""

    def __init__(self, settings: Any, context: ConnectContext) -> None:
        endpoint = parse_url(settings.endpoint)
        host = endpoint.host if settings.path_style else f"{settings.bucket}.{endpoint.host}"
        self._root = Url(endpoint.scheme, host, endpoint.port, "/")
        self._folder = f"/{settings.bucket}/" if settings.path_style else "/"
        self._settings = settings
        timeout = min(REQUEST_SECONDS, context.statement_timeout)
        self._http = HttpClient(context, timeout=timeout, max_bytes=MAX_ANSWER, are_redirects_followed=False)

    def __enter__(self) -> S3Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def close(self) -> None:
        """End the connections."""
        self._http.close()

    def head(self, key: str) -> Listed | None:
        """Size and tag of an object, None when there is none."""
        answer = self._ask("HEAD", key)
        if answer.status == 404:
            return None
        self._check(answer, key)
        return Listed(key, int(answer.headers.get("content-length", "0")), answer.headers.get("etag", ""))

    def get(self, key: str) -> tuple[bytes, str] | None:
        """A small object and its tag, None when there is none."""
        answer = self._ask("GET", key)
        if answer.status == 404 and _code(answer) in ("NoSuchKey", ""):
            return None
        self._check(answer, key)
        return answer.body, answer.headers.get("etag", "")

    def get_range(self, key: str, start: int, length: int, etag: str = "") -> bytes:
        """Some bytes; raises SourceError when the object is gone or not the one with ``etag`` any more."""
        headers = {"Range": f"bytes={start}-{start + length - 1}", **({"If-Match": etag} if etag else {})}
        answer = self._ask("GET", key, headers=headers)
        if answer.status == 412:
            raise _changed(key)
        self._check(answer, key)
        if answer.status == 200 and len(answer.body) != length:
            return answer.body[start : start + length]  # a store that knows no ranges
        return answer.body

    def put(self, key: str, body: bytes, *, replaces: str | None = None, is_new: bool = False) -> str:
        """Write an object and return its tag.

        With ``is_new`` only when there is none, with ``replaces`` only when the present one has that tag: raises
        Conflict otherwise.
        """
        headers = {"If-None-Match": "*"} if is_new else {"If-Match": replaces} if replaces else {}
        answer = self._ask("PUT", key, headers=headers, body=body)
        if (headers and answer.status in (409, 412)) or (replaces and answer.status == 404):
            raise Conflict(key)
        self._check(answer, key)
        return answer.headers.get("etag", "")

    def copy(self, key: str, target: str) -> None:
        """The same bytes under another key of the bucket, without sending them; raises SourceError when it is gone."""
        source = quote(f"/{self._settings.bucket}/{key}", safe="/-_.~")
        self._check(self._ask("PUT", target, signed_too={"x-amz-copy-source": source}), key)

    def delete(self, key: str) -> None:
        """Remove an object, when it is there."""
        answer = self._ask("DELETE", key)
        if answer.status != 404:
            self._check(answer, key)

    def list(self, prefix: str, limit: int) -> Iterator[Listed]:
        """Objects whose key begins with ``prefix``, in the order of their keys, at most ``limit``.

        Raises SourceError for a listing that does not come to its end.
        """
        token, seen, count = "", set(), 0
        for _ in range(MAX_PAGES):
            query = {"list-type": "2", "prefix": prefix, "max-keys": "1000"}
            answer = self._ask("GET", "", query={**query, **({"continuation-token": token} if token else {})})
            self._check(answer, "")
            page = _xml(answer)
            for one in page.iter():
                if _name(one) == "Contents":
                    parts = {_name(part): part.text or "" for part in one}
                    size, at = int(parts.get("Size") or 0), _seconds(parts.get("LastModified", ""))
                    yield Listed(parts.get("Key", ""), size, parts.get("ETag", ""), at)
                    count += 1
                    if count >= limit:
                        return
            token = next((one.text or "" for one in page if _name(one) == "NextContinuationToken"), "")
            if not token:
                return
            if token in seen:
                break
            seen.add(token)
        raise SourceError(
            "s3.listing",
            text(
                f"The listing of “{self._settings.bucket}” does not come to an end. Set a narrower prefix.",
                f"“{self._settings.bucket}”的对象列表没有尽头，请设置更具体的前缀。",
            ),
            self._settings.bucket,
        )

    def _ask(
        self,
        method: str,
        key: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        signed_too: Mapping[str, str] | None = None,
    ) -> HttpAnswer:
        path = quote(self._folder + key, safe="/-_.~")
        words = "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in sorted((query or {}).items()))
        url = Url(self._root.scheme, self._root.host, self._root.port, f"{path}?{words}" if words else path)
        plain = {"Accept-Encoding": "identity", **(headers or {})}
        if method == "PUT":
            plain["Content-Type"] = "application/octet-stream"
            plain["Content-Length"] = str(len(body))
        signed = signature(
            method, url, path, words, body, self._settings.region, self._settings.access_key, self._settings.secret_key,
            dt.datetime.now(dt.UTC), signed_too,
        )  # fmt: skip
        return self._http.send(HttpRequest(url, method, plain, body), Credentials(signed))

    def _check(self, answer: HttpAnswer, key: str) -> None:
        if answer.status in (200, 204, 206):
            return
        raise _of_store(answer, key, self._settings)


def signature(
    method: str,
    url: Url,
    path: str,
    query: str,
    body: bytes,
    region: str,
    access_key: str,
    secret_key: str,
    now: dt.datetime,
    more: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The headers that sign a request (AWS Signature Version 4); ``path`` and ``query`` are encoded and sorted.

    ``more`` are further headers whose names begin with ``x-amz-``: they must be signed too.
    """
    digest = hashlib.sha256(body).hexdigest() if body else _EMPTY
    at, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    plain = {"host": url.authority, "x-amz-content-sha256": digest, "x-amz-date": at, **(more or {})}
    headers = {name: plain[name] for name in sorted(plain)}
    names = ";".join(headers)
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    canonical = f"{method}\n{path}\n{query}\n{lines}\n{names}\n{digest}"
    scope = f"{day}/{region}/s3/aws4_request"
    words = f"AWS4-HMAC-SHA256\n{at}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{secret_key}".encode()
    for part in (day, region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    proof = hmac.digest(key, words.encode(), "sha256").hex()
    return {
        **(more or {}),
        "x-amz-content-sha256": digest,
        "x-amz-date": at,
        "Authorization": f"AWS4-HMAC-SHA256 Credential={access_key}/{scope}, SignedHeaders={names}, Signature={proof}",
    }


@dataclass(frozen=True)
class S3Object:
    """An object as a file of our formats."""

    settings: Any
    context: ConnectContext
    key: str
    size: int
    etag: str = ""

    @property
    def name(self) -> str:
        return self.key.rpartition("/")[2]

    def open(self) -> Any:
        """A stream of its own connection that fetches ranges as they are asked for."""
        return io.BufferedReader(_Ranges(self), 1 << 16)


class _Ranges(io.RawIOBase):
    """An object as a seekable file; ranges grow while it is read from front to back."""

    def __init__(self, file: S3Object) -> None:
        self._file = file
        self._client = S3Client(file.settings, file.context)
        self._position, self._length = 0, LEAST_RANGE
        self._start, self._held = 0, b""

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move without fetching."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._file.size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def tell(self) -> int:
        """Where the next byte comes from."""
        return self._position

    def readinto(self, buffer: Any) -> int:
        """At most ``len(buffer)`` bytes, fewer at the end of a fetched range."""
        if self._position >= self._file.size:
            return 0
        at = self._position - self._start
        if not 0 <= at < len(self._held):
            is_onward = self._held and at == len(self._held)
            self._length = min(self._length * 2, MOST_RANGE) if is_onward else LEAST_RANGE
            length = min(max(self._length, len(buffer)), self._file.size - self._position, MOST_RANGE)
            self._held = self._client.get_range(self._file.key, self._position, length, self._file.etag)
            self._start, at = self._position, 0
            if not self._held:
                return 0
        part = self._held[at : at + len(buffer)]
        buffer[: len(part)] = part
        self._position += len(part)
        return len(part)

    def close(self) -> None:
        """End the connection."""
        self._client.close()
        self._held = b""
        super().close()


# ── answers ───────────────────────────────────────────────────────────────────────────────────────────────


def _quoted(value: str) -> str:
    return quote(value, safe="-_.~")


def _seconds(stamp: str) -> float:
    try:
        return dt.datetime.fromisoformat(stamp).timestamp()
    except ValueError:
        return 0.0


def _name(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


def _xml(answer: HttpAnswer) -> Any:
    if len(answer.body) > MAX_LISTED or b"<!DOCTYPE" in answer.body or b"<!ENTITY" in answer.body:
        raise _no_s3(answer)
    try:
        return ElementTree.fromstring(answer.body)
    except ElementTree.ParseError as error:
        raise _no_s3(answer) from error


def _code(answer: HttpAnswer) -> str:
    """The store's own word for an error; nothing when it says none."""
    if not answer.body.strip():
        return ""
    try:
        return next((one.text or "" for one in _xml(answer).iter() if _name(one) == "Code"), "")
    except NodeTypeError:
        return ""


def _no_s3(answer: HttpAnswer) -> DataError:
    host = answer.url.host
    message = text(
        f"“{host}” does not answer like an S3 store. Check the endpoint.",
        f"“{host}”的应答不符合 S3 协议，请检查服务地址。",
    )
    return DataError("s3.protocol", message, host)


def _changed(key: str) -> SourceError:
    name = key.rpartition("/")[2]
    message = text(
        f"“{name}” was replaced while it was read. Run again to read the new one.",
        f"“{name}”在读取过程中被替换，请重新运行以读取新内容。",
    )
    return SourceError("s3.changed", message, key)


def _of_store(answer: HttpAnswer, key: str, settings: Any) -> NodeTypeError:
    code, where = _code(answer), f"{settings.bucket}/{key}"
    if code in ("InvalidAccessKeyId", "SignatureDoesNotMatch", "AuthorizationHeaderMalformed") or answer.status == 401:
        message = text(
            "The store does not accept access key, secret or region. Check them in the node's settings.",
            "存储服务不接受访问密钥、密钥口令或区域，请检查节点设置。",
        )
        return RefusedError("s3.credentials", message, where, code)
    if code == "RequestTimeTooSkewed":
        message = text(
            "The clocks of the studio and the store differ too much. Set the studio's clock.",
            "平台与存储服务的时钟相差过大，请校准平台时钟。",
        )
        return RefusedError("s3.clock", message, where, code)
    if answer.status == 403:
        message = text(
            f"The access key has no right to “{where}”. Ask the keeper of the store for it.",
            f"访问密钥没有“{where}”的权限，请联系存储管理员授权。",
        )
        return RefusedError("s3.forbidden", message, where, code)
    if code == "NoSuchBucket":
        message = text(f"There is no bucket “{settings.bucket}”.", f"存储桶“{settings.bucket}”不存在。")
        return SourceError("s3.no_bucket", message, where, code)
    if answer.status == 404:
        name = key.rpartition("/")[2]
        message = text(f"The object “{name}” is not there any more.", f"对象“{name}”已不存在。")
        return SourceError("file.missing", message, where, code)
    if answer.status in (301, 302, 307, 308):
        message = text(
            f"The bucket “{settings.bucket}” lies at another endpoint or in another region. Correct the settings; "
            "redirects are not followed.",
            f"存储桶“{settings.bucket}”位于其他服务地址或区域，请修正设置；平台不跟随重定向。",
        )
        return SourceError("s3.region", message, where, code)
    if answer.status in (408, 429) or answer.status >= 500:
        message = text(
            "The store is overloaded or failed on its side. It is tried again.", "存储服务过载或内部出错，将会重试。"
        )
        return SourceBusyError("s3.busy", message, where, f"{answer.status} {code}")
    message = text(
        f"The store answers {answer.status} to a request for “{where}”.",
        f"存储服务对“{where}”的请求返回 {answer.status}。",
    )
    return SourceError("s3.answer", message, where, code)
