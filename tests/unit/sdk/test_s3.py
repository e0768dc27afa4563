"""The S3 client: its signature, listings that never end, redirects, stores that ignore conditions, changed objects."""

from __future__ import annotations

import datetime as dt
import http.server
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from node_catalog.sdk.contract import ConnectContext, Delivery, Target
from node_catalog.sdk.errors import DataError, NodeTypeError, SourceError, TargetError
from node_catalog.sdk.http_url import Url
from node_catalog.sdk.ports import Schema
from node_catalog.sdk.s3_client import S3Client, S3Object, signature
from node_catalog.types.connectors.s3 import S3, S3Settings
from node_catalog.types.connectors.s3.writing import S3Output
from security.outgoing import OutgoingGuard
from tests.object_store import ObjectStore

CONTEXT = ConnectContext(guard=OutgoingGuard(("127.0.0.1/32",)), connect_timeout=2)
Answer = tuple[int, dict[str, str], bytes]


def test_the_signature_is_the_one_of_the_published_example() -> None:
    """GET bucket lifecycle, from the description of Signature Version 4 for S3."""
    url = Url("https", "examplebucket.s3.amazonaws.com", 443, "/?lifecycle=")
    found = signature(
        "GET", url, "/", "lifecycle=", b"", "us-east-1", "AKIAIOSFODNN7EXAMPLE",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", dt.datetime(2013, 5, 24, tzinfo=dt.UTC),
    )["Authorization"]  # fmt: skip
    assert found.endswith("Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543")


@contextmanager
def store(answer: Callable[[str, str], Answer]) -> Iterator[S3Settings]:
    """A server that answers ``answer(method, target)``."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def reply(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, headers, body = answer(self.command, self.path)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_PUT = do_HEAD = do_DELETE = reply

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield S3Settings(endpoint=f"http://127.0.0.1:{server.server_port}", bucket="city", access_key="a")
        finally:
            server.shutdown()
            thread.join()


def page(token: str) -> bytes:
    more = f"<NextContinuationToken>{token}</NextContinuationToken>" if token else ""
    return f"<ListBucketResult>{more}<Contents><Key>a.csv</Key><Size>1</Size></Contents></ListBucketResult>".encode()


@pytest.mark.parametrize("is_same", [True, False], ids=["the same token", "new tokens for ever"])
def test_a_listing_that_never_ends_is_left(is_same: bool) -> None:
    asked: list[str] = []

    def answer(method: str, target: str) -> Answer:
        asked.append(target)
        return 200, {}, page("t" if is_same else f"t{len(asked)}")

    with store(answer) as settings, S3Client(settings, CONTEXT) as client, pytest.raises(SourceError) as caught:
        list(client.list("", 10_000))
    assert caught.value.code == "s3.listing"
    assert len(asked) <= 200


def test_redirects_are_not_followed() -> None:
    asked: list[str] = []

    def answer(method: str, target: str) -> Answer:
        asked.append(target)
        return 307, {"Location": "http://169.254.169.254/latest/meta-data/"}, b""

    with store(answer) as settings:
        checked = S3.check(settings, CONTEXT)
    assert (checked.ok, checked.code) == (False, "s3.region")
    assert len(asked) == 1


@pytest.mark.parametrize("body", [b"<html>hello</html", b'<!DOCTYPE x [<!ENTITY a "a">]><x/>', b""])
def test_what_does_not_speak_s3_is_said(body: bytes) -> None:
    with (
        store(lambda method, target: (200, {}, body)) as settings,
        S3Client(settings, CONTEXT) as client,
        pytest.raises(DataError) as caught,
    ):
        list(client.list("", 10))
    assert caught.value.code == "s3.protocol"


@pytest.mark.parametrize(
    "status, code, wanted",
    [
        (403, "SignatureDoesNotMatch", "s3.credentials"), (403, "AccessDenied", "s3.forbidden"),
        (403, "RequestTimeTooSkewed", "s3.clock"), (404, "NoSuchBucket", "s3.no_bucket"), (503, "SlowDown", "s3.busy"),
        (400, "Odd", "s3.answer"),
    ],
)  # fmt: skip
def test_errors_of_the_store_in_words(status: int, code: str, wanted: str) -> None:
    body = f"<Error><Code>{code}</Code></Error>".encode()
    with (
        store(lambda method, target: (status, {}, body)) as settings,
        S3Client(settings, CONTEXT) as client,
        pytest.raises(NodeTypeError) as caught,
    ):
        client.get("a/b.csv")
    assert caught.value.code == wanted
    assert all(caught.value.message.values())


def test_a_store_that_ignores_conditions_is_refused() -> None:
    def answer(method: str, target: str) -> Answer:
        is_probe = target.endswith("/conditions")
        return (200, {"ETag": '"x"'}, b"") if method == "PUT" or is_probe else (404, {}, b"")

    target = Target(("made",), Schema.of([("a", "integer")]), "append", create=True)
    with store(answer) as settings, pytest.raises(TargetError) as caught:
        S3Output.open(settings, target, Delivery("s", "r", "t", 1), CONTEXT)
    assert caught.value.code == "s3.no_conditions"


def test_an_object_that_changes_while_it_is_read_is_noticed(object_store: ObjectStore) -> None:
    bucket = object_store.bucket()
    object_store.put(bucket, "a.bin", b"1" * 600_000)
    settings = S3Settings(**object_store.settings(bucket))  # type: ignore[arg-type]
    with S3Client(settings, CONTEXT) as client:
        found = client.head("a.bin")
    assert found is not None
    with S3Object(settings, CONTEXT, found.key, found.size, found.etag).open() as stream:
        assert stream.read(1000) == b"1" * 1000
        object_store.put(bucket, "a.bin", b"2" * 600_000)
        with pytest.raises(SourceError) as caught:
            stream.read()
    assert caught.value.code == "s3.changed"


def test_an_endpoint_with_a_path_is_no_endpoint() -> None:
    wrong = S3Settings(endpoint="https://s3.example.cn/bucket", bucket="city", access_key="a")
    assert [problem.pointer for problem in wrong.problems()] == ["/endpoint"]
