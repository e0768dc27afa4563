"""The client against real servers of this host: redirects, names, bytes, time."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from node_catalog.sdk.contract import ConnectContext
from node_catalog.sdk.errors import ConnectError, DataError, NodeTypeError, RefusedError, SourceBusyError, SourceError
from node_catalog.sdk.http_client import Credentials, HttpAnswer, HttpClient, HttpRequest
from node_catalog.sdk.http_url import parse_url
from security.outgoing import OutgoingGuard
from tests.certificates import authority_of, make_certificate
from tests.web_service import Reply, Route, WebService

SECRET = Credentials({"Authorization": "Bearer canary"}, "key=canary")


@pytest.fixture
def service() -> Iterator[WebService]:
    with WebService({}).running() as running:
        yield running


@pytest.fixture
def other() -> Iterator[WebService]:
    with WebService({"/": lambda asked: Reply([])}).running() as running:
        yield running


def make_client(
    *services: WebService, timeout: float = 5, max_bytes: int = 1 << 20, certificates: str = ""
) -> HttpClient:
    """A client that may speak to the ports of these services only."""
    guard = OutgoingGuard([f"127.0.0.1/32:{one.port}" for one in services], lambda host, port: ["127.0.0.1"])
    context = ConnectContext(guard=guard, connect_timeout=2)
    return HttpClient(context, timeout=timeout, max_bytes=max_bytes, certificates=certificates)


def get(client: HttpClient, url: str, credentials: Credentials | None = None, **more: object) -> HttpAnswer:
    with client:
        return client.send(HttpRequest(parse_url(url), **more), credentials)  # type: ignore[arg-type]


def to(url: str, status: int = 302) -> Route:
    return lambda asked: Reply(b"", status, {"Location": url})


def test_names_are_pinned_and_sent_as_written(service: WebService) -> None:
    service.routes["/a"] = lambda asked: Reply({"ok": 1})
    answer = get(make_client(service), f"http://city.example:{service.port}/a?b=1", SECRET)
    assert (answer.status, answer.body) == (200, b'{"ok": 1}')
    asked = service.asked[0]
    assert asked.headers["host"] == f"city.example:{service.port}"
    assert asked.query == {"b": "1", "key": "canary"}
    assert asked.headers["authorization"] == "Bearer canary"
    assert "cookie" not in asked.headers


def test_a_name_that_answers_otherwise_the_second_time_is_checked_again(service: WebService, other: WebService) -> None:
    """DNS rebinding: each new connection asks the guard, and what it answers is what is connected to."""
    answers = [["127.0.0.1"], ["169.254.169.254"]]
    guard = OutgoingGuard([f"127.0.0.1/32:{service.port}"], lambda host, port: answers.pop(0))
    service.routes["/"] = lambda asked: Reply({}, headers={"Connection": "close"})
    client = HttpClient(ConnectContext(guard=guard), timeout=5, max_bytes=1000)
    request = HttpRequest(parse_url(f"http://rebinding.example:{service.port}/"))
    assert client.send(request).status == 200
    with pytest.raises(RefusedError):
        client.send(request)


def test_redirects_into_closed_networks_are_refused(service: WebService, other: WebService) -> None:
    wrong = [
        other.url + "/", "http://169.254.169.254/latest/meta-data/", "http://[64:ff9b::a9fe:a9fe]/", "http://[::1]/",
        "file:///etc/passwd", f"http://user:pw@127.0.0.1:{service.port}/", "http://10.0.0.1/", "gopher://127.0.0.1/",
    ]  # fmt: skip
    guard_by_literal = OutgoingGuard([f"127.0.0.1/32:{service.port}"])
    for target in wrong:
        service.routes["/go"] = to(target)
        client = HttpClient(ConnectContext(guard=guard_by_literal), timeout=5, max_bytes=1000)
        with pytest.raises(NodeTypeError):
            get(client, service.url + "/go")
    assert not other.asked


def test_three_redirects_are_followed_and_a_fourth_is_not(service: WebService) -> None:
    for number in range(5):
        service.routes[f"/{number}"] = to(f"/{number + 1}")
    service.routes["/3"] = lambda asked: Reply({"end": 1})
    assert get(make_client(service), service.url + "/0").status == 200
    service.routes["/3"] = to("/4")
    with pytest.raises(SourceError, match="redirects"):
        get(make_client(service), service.url + "/0")


def test_another_origin_gets_no_credentials(service: WebService, other: WebService) -> None:
    service.routes["/go"] = to(other.url + "/")
    assert get(make_client(service, other), service.url + "/go", SECRET).status == 200
    assert "canary" not in str(other.asked)
    other.routes["/"] = lambda asked: Reply(b"", 302, {"Location": service.url + "/back"})
    service.routes["/back"] = lambda asked: Reply({})
    assert get(make_client(service, other), service.url + "/go", SECRET).status == 200
    assert service.asked[-1].headers["authorization"] == "Bearer canary"


def test_what_is_posted_stays_with_its_host(service: WebService, other: WebService) -> None:
    service.routes["/go"] = to(other.url + "/", 307)
    with pytest.raises(RefusedError):
        get(make_client(service, other), service.url + "/go", method="POST", body=b"canary")
    service.routes["/go"] = to(other.url + "/", 303)
    get(make_client(service, other), service.url + "/go", method="POST", body=b"canary")
    assert [(one.method, one.body) for one in other.asked] == [("GET", b"")]


def test_connections_are_kept_and_a_stale_one_is_replaced(service: WebService) -> None:
    silently_ended = Reply(headers={"Content-Length": "2"}, stream=lambda: iter([b"{}"]))
    service.routes["/"] = lambda asked: Reply({"peer": len(service.asked)})
    service.routes["/end"] = lambda asked: silently_ended
    with make_client(service) as client:
        for path in ("/", "/", "/end", "/", "/"):
            assert client.send(HttpRequest(parse_url(service.url + path))).status == 200
    assert [asked.path for asked in service.asked] == ["/", "/", "/end", "/", "/"]
    assert service.connections == 2


def gzip_bomb(size: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    parts = [packer.compress(b"\0" * (1 << 20)) for _ in range(size >> 20)]
    return b"".join([*parts, packer.flush()])


def test_packed_answers(service: WebService) -> None:
    body = b'[{"a": 1}]' * 1000
    members = gzip.compress(body[:5000]) + gzip.compress(body[5000:])
    for name, packed in (("gzip", gzip.compress(body)), ("deflate", zlib.compress(body)), ("x-gzip", members)):
        service.routes["/"] = lambda asked, n=name, p=packed: Reply(p, headers={"Content-Encoding": n})
        assert get(make_client(service), service.url + "/").body == body


def test_a_bomb_is_noticed_while_it_unfolds(service: WebService) -> None:
    bomb = gzip_bomb(256 << 20)
    assert len(bomb) < 300_000
    service.routes["/"] = lambda asked: Reply(bomb, headers={"Content-Encoding": "gzip"})
    began = time.monotonic()
    with pytest.raises(DataError, match="too_large"):
        get(make_client(service), service.url + "/")
    assert time.monotonic() - began < 2


def test_bytes_have_an_end(service: WebService) -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b"10000\r\n" + b"x" * 0x10000 + b"\r\n"

    service.routes["/declared"] = lambda asked: Reply(b"x" * (2 << 20))
    service.routes["/endless"] = lambda asked: Reply(
        headers={"Content-Length": "", "Transfer-Encoding": "chunked"}, stream=endless
    )
    for path in ("/declared", "/endless"):
        with pytest.raises(DataError, match="too_large"):
            get(make_client(service), service.url + path)


def test_damaged_and_unknown_packing(service: WebService) -> None:
    for name, body in (("gzip", b"no gzip"), ("gzip", gzip.compress(b"x" * 5000)[:20]), ("br", b"x")):
        service.routes["/"] = lambda asked, n=name, b=body: Reply(b, headers={"Content-Encoding": n})
        with pytest.raises(DataError):
            get(make_client(service), service.url + "/")


def test_servers_that_drip_are_left(service: WebService) -> None:
    def drip() -> Iterator[bytes]:
        for _ in range(200):
            yield b"1\r\nx\r\n"
            time.sleep(0.05)

    service.routes["/"] = lambda asked: Reply(
        headers={"Content-Length": "", "Transfer-Encoding": "chunked"}, stream=drip
    )
    began = time.monotonic()
    with pytest.raises(SourceBusyError, match="timeout"):
        get(make_client(service, timeout=0.4), service.url + "/")
    assert time.monotonic() - began < 3


def test_answers_that_break_off(service: WebService) -> None:
    service.routes["/"] = lambda asked: Reply(
        headers={"Content-Length": "1000", "Connection": "close"}, stream=lambda: iter([b"x"])
    )
    with pytest.raises(ConnectError, match="broken_off"):
        get(make_client(service), service.url + "/")


# ── TLS ───────────────────────────────────────────────────────────────────────────────────────────────────


def server_context(folder: Path, name: str) -> tuple[ssl.SSLContext, str]:
    file = make_certificate(folder, name)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context, authority_of(file)


def test_certificates_are_checked_against_the_name_not_the_address(tmp_path: Path) -> None:
    context, pem = server_context(tmp_path, "city.example")
    with WebService({"/": lambda asked: Reply({})}, context).running() as service:
        url = f"https://city.example:{service.port}/"
        assert get(make_client(service, certificates=pem), url).status == 200
        for wrong, certificates in ((url, ""), (f"https://other.example:{service.port}/", pem)):
            with pytest.raises(RefusedError, match="certificate"):
                get(make_client(service, certificates=certificates), wrong)


def test_https_is_never_left_for_http(tmp_path: Path, other: WebService) -> None:
    context, pem = server_context(tmp_path, "city.example")
    with WebService({"/": to(other.url + "/")}, context).running() as service:
        client = make_client(service, other, certificates=pem)
        with pytest.raises(RefusedError, match="redirect_plain"):
            get(client, f"https://city.example:{service.port}/")
    assert not other.asked


def test_text_that_is_no_certificate() -> None:
    with pytest.raises(ValueError):
        HttpClient(ConnectContext(), timeout=1, max_bytes=1, certificates="hello")


def test_another_protocol_is_no_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            peer, _ = server.accept()
            with peer:
                peer.sendall(b"SSH-2.0-OpenSSH_9\r\n")
                peer.recv(1000)

        thread = threading.Thread(target=greet, daemon=True)
        thread.start()
        port = server.getsockname()[1]
        client = HttpClient(ConnectContext(guard=OutgoingGuard(("127.0.0.1/32",))), timeout=5, max_bytes=1000)
        with pytest.raises(DataError, match="broken"):
            get(client, f"http://127.0.0.1:{port}/")
        thread.join(5)
