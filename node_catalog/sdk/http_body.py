"""Bodies of answers: read and decompressed piece by piece, never more of them in memory than allowed."""

from __future__ import annotations

import http.client
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from node_catalog.sdk.errors import DataError
from node_catalog.sdk.http_url import Url
from node_catalog.sdk.http_words import broken_packing, too_large
from node_catalog.sdk.text import text

CHUNK = 64 << 10


def read_body(response: http.client.HTTPResponse, headers: Mapping[str, str], max_bytes: int, url: Url) -> bytes:
    """The decompressed body, never more than ``max_bytes`` of it in memory."""
    length = response.length
    if length is not None and length > max_bytes:
        raise too_large(url, max_bytes)
    unpack = _unpacker(headers.get("content-encoding", ""), url)
    parts: list[bytes] = []
    raw = size = 0
    while chunk := response.read1(CHUNK):
        raw += len(chunk)
        for part in unpack.feed(chunk, max_bytes - size + 1):
            size += len(part)
            parts.append(part)
            if size > max_bytes:
                raise too_large(url, max_bytes)
        if raw > max_bytes:
            raise too_large(url, max_bytes)
    if length:
        # read1 does not say when the server stopped short of the length it had promised
        left = response.length
        if left:
            raise http.client.IncompleteRead(b"", left)
    unpack.finish(raw)
    return b"".join(parts)


class Unpacker:
    """Bytes as they are."""

    def feed(self, chunk: bytes, most: int) -> Iterator[bytes]:
        """What ``chunk`` becomes, in parts; stops soon after ``most`` bytes."""
        yield chunk

    def finish(self, raw: int) -> None:
        """Raise when compressed bytes broke off."""


class _Inflater(Unpacker):
    """gzip and deflate, piece by piece: a bomb is noticed while it unfolds."""

    def __init__(self, url: Url, wbits: int) -> None:
        self._url, self._wbits = url, wbits
        self._state: Any = zlib.decompressobj(wbits)

    def feed(self, chunk: bytes, most: int) -> Iterator[bytes]:
        try:
            while chunk:
                part = self._state.decompress(chunk, max(most, 1))
                most -= len(part)
                yield part
                if most <= 0:
                    return
                chunk = self._state.unconsumed_tail
                if self._state.eof:
                    chunk = self._state.unused_data
                    if chunk:
                        self._state = zlib.decompressobj(self._wbits)
        except zlib.error as error:
            raise broken_packing(self._url) from error

    def finish(self, raw: int) -> None:
        if raw and not self._state.eof:
            raise broken_packing(self._url)


def _unpacker(encoding: str, url: Url) -> Unpacker:
    match encoding.strip().lower():
        case "" | "identity":
            return Unpacker()
        case "gzip" | "x-gzip":
            return _Inflater(url, 16 + zlib.MAX_WBITS)
        case "deflate":
            return _Inflater(url, zlib.MAX_WBITS)
    message = text(
        f"“{url.host}” answers compressed as “{encoding[:40]}”, which was not asked for.",
        f"“{url.host}”返回了未请求的压缩方式“{encoding[:40]}”。",
    )
    raise DataError("http.encoding", message, url.host)
