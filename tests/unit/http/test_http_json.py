"""The HTTP JSON connector against a real service: paging, signing in, patience, and what it refuses."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import pyarrow as pa
import pytest

from node_catalog.palette import registry
from node_catalog.sdk.access import DatasetRef
from node_catalog.sdk.contract import ConnectContext
from node_catalog.sdk.errors import DataError, NodeTypeError, RefusedError, SettingsError, SourceBusyError, SourceError
from node_catalog.sdk.http_client import HttpRequest
from node_catalog.sdk.http_url import parse_url
from node_catalog.sdk.ports import Schema
from node_catalog.sdk.schema import parse
from node_catalog.types.connectors.http_json.asking import Conversation, retry_after
from security.outgoing import OutgoingGuard
from tests.web_service import Asked, Reply, Route, WebService, rows

CONNECTOR = registry().connectors["http_json"]
CONTEXT = ConnectContext(guard=OutgoingGuard(("127.0.0.1/32",)), connect_timeout=2)
SCHEMA = Schema.of([("id", "integer"), ("name", "text"), ("value", "number")])


@pytest.fixture
def service() -> Iterator[WebService]:
    with WebService({}).running() as running:
        yield running


def settings_of(service: WebService, dataset: dict[str, Any] | None = None, **more: Any) -> Any:
    values = {"url": service.url, "retries": 0, "timeout_seconds": 5, **more}
    return parse(CONNECTOR.Settings, {**values, "datasets": [{"name": "d", "path": "d", **(dataset or {})}]})


def read(settings: Any, schema: Schema = SCHEMA, **kept: Any) -> pa.Table:
    dataset = DatasetRef(("d",), schema, kept)
    return pa.Table.from_batches(list(CONNECTOR.read(settings, dataset, schema.names, CONTEXT)))


def ids(settings: Any) -> list[int]:
    return read(settings).column("id").to_pylist()


def cut(total: int, first: int, size: int) -> list[dict[str, Any]]:
    return rows(first, min(total, first + size - 1))


# ── paging ────────────────────────────────────────────────────────────────────────────────────────────────


def test_page_numbers_end_with_an_empty_page(service: WebService) -> None:
    service.routes["/d"] = lambda asked: Reply(cut(25, int(asked.query["p"]) * 10 + 1, int(asked.query["size"])))
    paging = {"paging": "page", "page_parameter": "p", "start": 0, "size_parameter": "size", "page_size": 10}
    assert ids(settings_of(service, paging)) == list(range(1, 26))
    assert [asked.query["p"] for asked in service.asked] == ["0", "1", "2", "3"]


def test_a_short_page_in_the_middle_loses_nothing(service: WebService) -> None:
    parts = {"1": rows(1, 3), "2": rows(4, 4), "3": rows(5, 7)}
    service.routes["/d"] = lambda asked: Reply(parts.get(asked.query["page"], []))
    assert ids(settings_of(service, {"paging": "page"})) == list(range(1, 8))


def test_nothing_behind_the_last_page_is_its_end(service: WebService) -> None:
    service.routes["/d"] = lambda asked: Reply(rows(1, 3)) if asked.query["page"] == "1" else Reply({}, 404)
    assert ids(settings_of(service, {"paging": "page"})) == [1, 2, 3]
    service.routes["/d"] = lambda asked: Reply({}, 404)
    with pytest.raises(SourceError, match="missing"):
        ids(settings_of(service, {"paging": "page"}))


def test_offsets_follow_what_really_came(service: WebService) -> None:
    service.routes["/d"] = lambda asked: Reply(cut(10, int(asked.query["offset"]) + 1, 4))
    assert ids(settings_of(service, {"paging": "offset", "size_parameter": "limit"})) == list(range(1, 11))
    assert [asked.query["offset"] for asked in service.asked] == ["0", "4", "8", "10"]


def test_tokens(service: WebService) -> None:
    def route(asked: Asked) -> Reply:
        at = int(asked.query.get("cursor", "0"))
        return Reply({"list": rows(at + 1, at + 2), "meta": {"next": str(at + 2) if at < 4 else None}})

    service.routes["/d"] = route
    assert ids(settings_of(service, {"paging": "cursor", "rows_at": "/list", "next_at": "/meta/next"})) == [
        *range(1, 7)
    ]


def test_addresses_of_next_pages_in_header_and_body(service: WebService) -> None:
    def by_header(asked: Asked) -> Reply:
        page = int(asked.query.get("page", "1"))
        link = f'</d?page=0>; rel="first prev", </d?page={page + 1}>; title="a, b"; rel="next"' if page < 3 else ""
        return Reply(rows(page, page), headers={"Link": link})

    service.routes["/d"] = by_header
    assert ids(settings_of(service, {"paging": "link"})) == [1, 2, 3]
    following = {"": f"{service.url}/d?page=2", "2": "?page=3", "3": None}
    service.routes["/d"] = lambda asked: Reply(
        {"results": rows(len(asked.query), len(asked.query)), "next": following[asked.query.get("page", "")]}
    )
    assert len(ids(settings_of(service, {"paging": "link", "rows_at": "/results", "next_at": "/next"}))) == 3


def test_a_next_page_elsewhere_is_not_followed(service: WebService) -> None:
    for target in ("http://169.254.169.254/", "https://127.0.0.1/d", "http://user@127.0.0.1/", "file:///etc/passwd"):
        service.routes["/d"] = lambda asked, to=target: Reply({"r": rows(1, 1), "next": to})
        with pytest.raises(SourceError):
            ids(settings_of(service, {"paging": "link", "rows_at": "/r", "next_at": "/next"}))


@pytest.mark.parametrize(
    ("dataset", "route"),
    [
        ({"paging": "cursor", "rows_at": "/r", "next_at": "/n"}, lambda asked: Reply({"r": rows(1, 2), "n": "same"})),
        (
            {"paging": "cursor", "rows_at": "/r", "next_at": "/n"},
            lambda asked: Reply({"r": [], "n": "b" if asked.query.get("cursor") == "a" else "a"}),
        ),
        ({"paging": "link"}, lambda asked: Reply(rows(1, 1), headers={"Link": "</d?x=1>; rel=next"})),
        ({"paging": "page"}, lambda asked: Reply(rows(1, 2))),
        ({"paging": "offset"}, lambda asked: Reply(rows(1, 2))),
    ],
    ids=["same token", "two tokens in turn", "same link", "page ignored", "offset ignored"],
)
def test_loops_are_noticed(service: WebService, dataset: dict[str, Any], route: Route) -> None:
    service.routes["/d"] = route
    with pytest.raises(SourceError, match="loop"):
        ids(settings_of(service, dataset))
    assert len(service.asked) <= 4


def test_caps_are_errors_not_silent_ends(service: WebService) -> None:
    service.routes["/d"] = lambda asked: Reply(rows(int(asked.query["page"]), int(asked.query["page"])))
    with pytest.raises(SourceError, match="too_many_pages"):
        ids(settings_of(service, {"paging": "page"}, max_pages=5))
    assert len(service.asked) == 5
    service.routes["/d"] = lambda asked: Reply([{"id": int(asked.query["page"]), "name": "x" * 600_000, "value": 1}])
    with pytest.raises(DataError, match="too_large"):
        ids(settings_of(service, {"paging": "page"}, total_megabytes=1))
    with pytest.raises(DataError, match="too_large"):
        service.routes["/d"] = lambda asked: Reply([{"id": 1, "name": "x" * 1_200_000, "value": 1}])
        ids(settings_of(service, page_megabytes=1))


def test_posted_queries_page_in_their_body(service: WebService) -> None:
    def route(asked: Asked) -> Reply:
        wanted = json.loads(asked.body)
        assert wanted["filter"] == {"kind": "气"} and asked.method == "POST"
        return Reply(cut(5, wanted["pageNo"] * 2 - 1, wanted["pageSize"]))

    service.routes["/d"] = route
    dataset = {
        "method": "POST", "body": '{"filter": {"kind": "气"}}', "paging": "page", "page_parameter": "pageNo",
        "size_parameter": "pageSize", "page_size": 2, "paging_in": "body",
    }  # fmt: skip
    assert ids(settings_of(service, dataset)) == [1, 2, 3, 4, 5]
    assert service.asked[0].headers["content-type"] == "application/json"


# ── signing in ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("way", "found"),
    [
        ({"sign_in": "basic", "user": "王", "secret": "s:1"}, ("authorization", "Basic 546LOnM6MQ==")),
        ({"sign_in": "bearer", "secret": "t"}, ("authorization", "Bearer t")),
        ({"sign_in": "key_header", "secret": "k", "key_name": "X-Key"}, ("x-key", "k")),
        ({"sign_in": "key_query", "secret": "k&=", "key_name": "key"}, ("key", "k&=")),
    ],
)  # fmt: skip
def test_ways_to_sign_in(service: WebService, way: dict[str, Any], found: tuple[str, str]) -> None:
    service.routes["/d"] = lambda asked: Reply(rows(1, 1))
    ids(settings_of(service, {"query": {"a": "b"}, "headers": {"X-City": "hz"}}, **way))
    asked = service.asked[0]
    assert {**asked.headers, **asked.query}[found[0]] == found[1]
    assert asked.query["a"] == "b" and asked.headers["x-city"] == "hz"


@pytest.mark.parametrize("place", ["header", "body"])
def test_oauth_tokens_are_fetched_once_and_renewed_when_refused(service: WebService, place: str) -> None:
    ended: set[str] = set()

    def token(asked: Asked) -> Reply:
        form = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
        assert form["grant_type"] == "client_credentials" and form["scope"] == "read"
        pair = (form.get("client_id"), form.get("client_secret"))
        if place == "header":
            pair = tuple(base64.b64decode(asked.headers["authorization"][6:]).decode().split(":"))
        assert pair == ("me", "s3")
        return Reply({"access_token": f"t{len(service.asked)}", "expires_in": 3600})

    def route(asked: Asked) -> Reply:
        mine = asked.headers["authorization"].removeprefix("Bearer ")
        if mine in ended:
            return Reply({}, 401)
        if asked.query["page"] == "2":
            ended.add(mine)
        return Reply(cut(3, int(asked.query["page"]), 1))

    service.routes |= {"/token": token, "/d": route}
    way = {"sign_in": "oauth2", "user": "me", "secret": "s3", "scope": "read", "client_in": place}
    settings = settings_of(service, {"paging": "page"}, token_url=f"{service.url}/token", **way)
    assert ids(settings) == [1, 2, 3]
    assert [asked.path for asked in service.asked].count("/token") == 2
    service.routes["/token"] = lambda asked: Reply({"error": "invalid_client"}, 401)
    with pytest.raises(RefusedError, match="no_token"):
        ids(settings)
    service.routes["/token"] = lambda asked: Reply(b"<html>", 200)
    with pytest.raises(DataError, match="no_token"):
        ids(settings)


def test_no_word_of_an_answer_or_secret_is_in_a_message(service: WebService) -> None:
    for status in (400, 401, 403, 404, 410, 418, 429, 500, 503):
        service.routes["/d"] = lambda asked, code=status: Reply({"said": "canary-row"}, code)
        with pytest.raises(NodeTypeError) as caught:
            ids(settings_of(service, sign_in="bearer", secret="canary-key"))
        assert "canary" not in f"{caught.value} {caught.value.message} {caught.value.where}"
        assert "canary-key" not in caught.value.detail


# ── patience ──────────────────────────────────────────────────────────────────────────────────────────────


def test_busy_services_are_asked_again_as_they_say(service: WebService) -> None:
    replies = [
        Reply({}, 429, {"Retry-After": "7"}), Reply({}, 503), Reply({}, 500),
        Reply({}, 429, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}), Reply([]),
    ]  # fmt: skip
    service.routes["/d"] = lambda asked: replies[len(service.asked) - 1]
    paused: list[float] = []
    with Conversation(settings_of(service, retries=4), CONTEXT, paused.append) as conversation:
        assert conversation.ask(HttpRequest(parse_url(service.url + "/d"))).status == 200
    assert paused[0] == 7 and paused[3] == 0
    assert 0.75 <= paused[1] <= 1.25 and 1.5 <= paused[2] <= 2.5


def test_patience_ends(service: WebService) -> None:
    paused: list[float] = []
    service.routes["/d"] = lambda asked: Reply({}, 503)
    request = HttpRequest(parse_url(service.url + "/d"))
    with (
        Conversation(settings_of(service, retries=2), CONTEXT, paused.append) as conversation,
        pytest.raises(SourceBusyError),
    ):
        conversation.ask(request)
    assert len(service.asked) == 3
    service.routes["/d"] = lambda asked: Reply({}, 429, {"Retry-After": "3600"})
    with (
        Conversation(settings_of(service, retries=2), CONTEXT, paused.append) as conversation,
        pytest.raises(SourceBusyError, match="busy") as caught,
    ):
        conversation.ask(request)
    assert "3600" in caught.value.message["en"] and len(paused) == 2


def test_retry_after_is_read_as_number_or_date() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert retry_after("120") == 120
    assert retry_after("Thu, 01 Jan 2026 00:00:30 GMT", now) == 30
    assert [retry_after(words) for words in ("", "soon", "-5", "9" * 30)] == [None] * 4


# ── rows ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_discovery_finds_types_and_keeps_corrections(service: WebService) -> None:
    page = [
        {"id": "001", "n": 1, "x": 1, "at": "2024-01-01 08:00:00", "ts": 1704067200, "deep": {"a": [1, {"b": 2}]}},
        {"id": "002", "n": None, "x": 2.5, "at": "2024-01-01T00:00:00Z", "ts": 1704067201, "late": True},
    ]
    service.routes["/d"] = lambda asked: Reply(page)
    settings = settings_of(service)
    corrections = {"types": {"ts": "timestamp", "n": "text"}, "formats": {"ts": "unix"}}
    (found,) = CONNECTOR.discover(settings, CONTEXT, {("d",): corrections})
    types = {column.name: column.type for column in found.columns}
    assert types == {
        "id": "text", "n": "text", "x": "number", "at": "timestamp", "ts": "timestamp", "deep": "text",
        "late": "boolean",
    }  # fmt: skip
    assert set(found.settings["optional"]) == {"deep", "late"}
    table = read(settings, Schema.of(types.items()), **found.settings)
    assert table.column("deep").to_pylist() == ['{"a": [1, {"b": 2}]}', None]
    assert [str(at) for at in table.column("ts").to_pylist()] == ["2024-01-01 00:00:00", "2024-01-01 00:00:01"]
    assert [str(at) for at in table.column("at").to_pylist()] == ["2024-01-01 08:00:00", "2024-01-01 00:00:00"]


def test_chinese_encodings_are_read(service: WebService) -> None:
    words = "中文，台灣"
    for charset in ("utf-8", "GB18030", "gbk", "gb2312", "big5"):
        said = words[:2] if charset != "big5" else "台灣"
        body = json.dumps([{"id": 1, "name": said, "value": 1}], ensure_ascii=False).encode(charset)
        service.routes["/d"] = lambda asked, b=body, c=charset: Reply(
            b, headers={"Content-Type": f"text/json; charset={c}"}
        )
        assert read(settings_of(service)).column("name").to_pylist() == [said]
    service.routes["/d"] = lambda asked: Reply(b"\xff\xff", headers={"Content-Type": "text/json; charset=gbk"})
    with pytest.raises(DataError, match="encoding"):
        ids(settings_of(service))


def test_a_field_that_a_page_lacks_is_gone_unless_it_may_be_missing(service: WebService) -> None:
    service.routes["/d"] = lambda asked: Reply([{"id": 1, "name": None}])
    with pytest.raises(SourceError, match="columns_moved"):
        read(settings_of(service))
    assert read(settings_of(service), optional=["value"]).to_pylist() == [{"id": 1, "name": None, "value": None}]


@pytest.mark.parametrize("body", [b"<html>", b"", b"{", b"[" * 5000, b'{"id": 1', b"[1, 2", b"\xff"])
def test_answers_that_are_no_json(service: WebService, body: bytes) -> None:
    service.routes["/d"] = lambda asked: Reply(body)
    with pytest.raises(DataError, match="json"):
        ids(settings_of(service))


def test_a_value_that_does_not_fit_names_its_row_and_column(service: WebService) -> None:
    service.routes["/d"] = lambda asked: Reply([*rows(1, 2), {"id": "canary", "name": "", "value": 1}])
    with pytest.raises(DataError) as caught:
        ids(settings_of(service))
    assert "Row 3" in caught.value.message["en"] and "id" in caught.value.message["en"]
    assert "canary" not in str(caught.value.message) and "canary" in caught.value.detail


# ── settings ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"url": "http://user:pw@h.example/"}, "/url"),
        ({"url": "ftp://h.example/"}, "/url"),
        ({"sign_in": "basic"}, "/user"),
        ({"sign_in": "bearer"}, "/secret"),
        ({"sign_in": "bearer", "secret": "a\r\nHost: x"}, "/secret"),
        ({"sign_in": "key_header", "secret": "x", "key_name": "Host"}, "/key_name"),
        ({"sign_in": "oauth2", "user": "x", "secret": "y", "token_url": "file:///x"}, "/token_url"),
        ({"certificates": "nothing"}, "/certificates"),
        ({"datasets": []}, "/datasets"),
        ({"datasets": [{"name": "a"}, {"name": "a"}]}, "/datasets/1/name"),
        ({"datasets": [{"name": "a", "path": "//other.example/x"}]}, "/datasets/0/path"),
        ({"datasets": [{"name": "a", "path": "http://169.254.169.254/"}]}, "/datasets/0/path"),
        ({"datasets": [{"name": "a", "rows_at": "data"}]}, "/datasets/0/rows_at"),
        ({"datasets": [{"name": "a", "paging": "cursor"}]}, "/datasets/0/next_at"),
        ({"datasets": [{"name": "a", "body": "{}"}]}, "/datasets/0/body"),
        ({"datasets": [{"name": "a", "method": "POST", "body": "{"}]}, "/datasets/0/body"),
        ({"datasets": [{"name": "a", "headers": {"Host": "x"}}]}, "/datasets/0/headers/Host"),
        ({"datasets": [{"name": "a", "headers": {"A b": "x"}}]}, "/datasets/0/headers/A b"),
        ({"datasets": [{"name": "a", "headers": {"A": "x\ny"}}]}, "/datasets/0/headers/A"),
        ({"unknown": 1}, "/unknown"),
    ],
)
def test_settings_that_cannot_work(change: dict[str, Any], pointer: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse(CONNECTOR.Settings, {"url": "https://h.example/", "datasets": [{"name": "a"}], **change})
    assert pointer in [problem.pointer for problem in caught.value.problems]
