"""Page after page of one dataset, until there is none: every way of paging, every loop noticed, every cap kept."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Generator
from dataclasses import dataclass
from urllib.parse import urlencode

import msgspec

from node_catalog.sdk.errors import DataError, SourceError
from node_catalog.sdk.http_client import HttpAnswer, HttpRequest
from node_catalog.sdk.http_url import Url, join
from node_catalog.sdk.json_rows import as_utf8, count_rows, rows_at, scalar_at
from node_catalog.sdk.text import text
from node_catalog.types.connectors.http_json.asking import Conversation, MissingError, with_body
from node_catalog.types.connectors.http_json.settings import HttpDataset, HttpJsonSettings, dataset_url

_LINK = re.compile(r'<([^>]*)>((?:\s*;\s*[\w*-]+(?:\s*=\s*(?:"[^"]*"|[^\s",;]*))?)*)')
_NEXT = re.compile(r";\s*rel\s*=\s*(?:\"([^\"]*)\"|([^\s;,\"]+))", re.IGNORECASE)


@dataclass(frozen=True)
class Page:
    """One answer: the raw list of its rows, how many they are, and its number from 1."""

    rows: msgspec.Raw
    count: int
    number: int
    where: str


@dataclass(frozen=True)
class _Spot:
    """What the next request asks for: a page parameter's value, or an address of its own."""

    value: str = ""
    url: Url | None = None


def pages(conversation: Conversation, settings: HttpJsonSettings, dataset: HttpDataset) -> Generator[Page]:
    """All pages in order. Raises SourceError for a service that turns in circles or has more pages than allowed,
    DataError when all pages together are too large.
    """
    spot: _Spot | None = _first(dataset)
    seen: set[str] = set()
    number = offset = size = 0
    before = b""
    while spot is not None:
        number += 1
        if number > settings.max_pages:
            raise _too_many(dataset, settings.max_pages)
        if number > 1 and settings.pause_seconds:
            time.sleep(settings.pause_seconds)
        where = f"{dataset.name}, {number}"
        try:
            answer = conversation.ask(_request(settings, dataset, spot))
        except MissingError:
            if number > 1 and dataset.paging == "page":
                return  # behind the last page some services know nothing
            raise
        body = as_utf8(answer.body, answer.headers.get("content-type", ""), where)
        size += len(body)
        if size > settings.total_megabytes << 20:
            raise _too_large(dataset, settings.total_megabytes)
        rows = rows_at(body, dataset.rows_at, where)
        count = count_rows(rows, where)
        digest = hashlib.blake2b(bytes(rows), digest_size=16).digest() if count else b""
        if digest and digest == before and dataset.paging in ("page", "offset"):
            raise _loop(dataset, number)
        before = digest
        yield Page(rows, count, number, where)
        offset += count
        spot = _next(dataset, answer, body, number, count, offset)
        if spot is not None:
            mark = str(spot.url) if spot.url else spot.value
            if mark in seen:
                raise _loop(dataset, number)
            seen.add(mark)


def _first(dataset: HttpDataset) -> _Spot:
    match dataset.paging:
        case "page":
            return _Spot(str(dataset.start))
        case "offset":
            return _Spot("0")
        case _:
            return _Spot()


def _next(dataset: HttpDataset, answer: HttpAnswer, body: bytes, number: int, count: int, offset: int) -> _Spot | None:
    """Where the next page is, or None behind the last one.

    Numbered pages end with an empty page: a short one may come from a service that drops rows after cutting pages.
    """
    match dataset.paging:
        case "page":
            return _Spot(str(dataset.start + number)) if count else None
        case "offset":
            return _Spot(str(offset)) if count else None
        case "cursor":
            token = scalar_at(body, dataset.next_at, dataset.name)
            return _Spot(token) if token else None
        case "link":
            words = scalar_at(body, dataset.next_at, dataset.name) if dataset.next_at else link_next(answer)
            return _Spot(url=_same_host(dataset, answer, words)) if words else None
        case _:
            return None


def link_next(answer: HttpAnswer) -> str:
    """The target of ``rel="next"`` in the Link header (RFC 8288), or nothing."""
    for target, parameters in _LINK.findall(answer.headers.get("link", "")):
        found = _NEXT.search(parameters)
        if found and "next" in (found[1] or found[2] or "").lower().split():
            return str(target)
    return ""


def _same_host(dataset: HttpDataset, answer: HttpAnswer, words: str) -> Url:
    url = join(answer.url, words)
    if url.origin != answer.url.origin:
        message = text(
            f"“{dataset.name}” names a next page on another host (“{url.host}”). It is not followed.",
            f"“{dataset.name}”的下一页指向其他主机（“{url.host}”），不予跟随。",
        )
        raise SourceError("http.next_elsewhere", message, dataset.name)
    return url


def _request(settings: HttpJsonSettings, dataset: HttpDataset, spot: _Spot) -> HttpRequest:
    parameters: dict[str, str] = {}
    if dataset.paging != "none" and dataset.size_parameter:
        parameters[dataset.size_parameter] = str(dataset.page_size)
    if spot.value:
        parameters[dataset.page_name] = spot.value
    headers = {"Accept": "application/json", **dataset.headers}
    body = dataset.body.encode()
    if dataset.paging_in == "body" and dataset.method == "POST":
        numbers = {name: int(value) if value.isdecimal() else value for name, value in parameters.items()}
        body = json.dumps({**json.loads(dataset.body or "{}"), **numbers}, ensure_ascii=False).encode()
        parameters = {}
    # The address of a next page has its parameters in it already.
    url = spot.url or dataset_url(settings, dataset).with_query(urlencode({**dataset.query, **parameters}))
    request = HttpRequest(url, dataset.method, headers)
    return with_body(request, body or b"{}") if dataset.method == "POST" else request


# ── words ─────────────────────────────────────────────────────────────────────────────────────────────────


def _loop(dataset: HttpDataset, number: int) -> SourceError:
    message = text(
        f"“{dataset.name}” turns in circles: what follows page {number} has been there before. Correct how its pages "
        "are asked for.",
        f"“{dataset.name}”的分页出现循环：第 {number} 页之后重复出现已读过的页。请检查分页设置。",
    )
    return SourceError("http.loop", message, dataset.name)


def _too_many(dataset: HttpDataset, most: int) -> SourceError:
    message = text(
        f"“{dataset.name}” has more than {most} pages. Ask for larger pages, narrow the query, or raise “Most pages”.",
        f"“{dataset.name}”超过 {most} 页。请增大每页条数、缩小查询范围，或提高“最大页数”。",
    )
    return SourceError("http.too_many_pages", message, dataset.name)


def _too_large(dataset: HttpDataset, most: int) -> DataError:
    message = text(
        f"“{dataset.name}” is larger than {most} MiB. Narrow the query, or raise “Largest dataset”.",
        f"“{dataset.name}”超过 {most} MiB。请缩小查询范围，或提高“数据集读取上限”。",
    )
    return DataError("http.too_large", message, dataset.name)
