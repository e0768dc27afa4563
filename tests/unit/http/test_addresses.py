"""Every way to write an address that must not be reached, through the whole client: nothing is ever connected to."""

from __future__ import annotations

import socket
from collections.abc import Sequence

import pytest

from node_catalog.sdk.contract import ConnectContext
from node_catalog.sdk.errors import ConnectError, NodeTypeError
from node_catalog.sdk.http_client import HttpClient, HttpRequest
from node_catalog.sdk.http_url import UrlError, join, parse_url
from security.outgoing import OutgoingGuard
from tests.unit.sdk.test_outgoing import REFUSED

PUBLIC = "93.184.215.14"

TRICKS = [
    # names and passwords before the host, and what parsers disagree about
    f"http://{PUBLIC}@127.0.0.1/", "http://user:pw@127.0.0.1/", f"http://127.0.0.1\\@{PUBLIC}/", f"http://{PUBLIC}\\.x/",
    "http://127.0.0.1 /", "http://127.0.0.1\t/", "http://127.0.0.1\r\nHost: x/", "http://\x00127.0.0.1/",
    "http://%31%32%37.0.0.1/", "http://127.0.0.1%2f/", "http://127.0.0.1%00.example/", "http://[::1%25eth0]/",
    "http://[::1/", "http://::1/", "http://127.0.0.1:0/", "http://127.0.0.1:99999/", "http://127.0.0.1:x/",
    # other schemes, and none
    "file:///etc/passwd", "gopher://127.0.0.1/", "ftp://127.0.0.1/", "//127.0.0.1/", "http:127.0.0.1", "http:///x", "",
    "127.0.0.1", "javascript:alert(1)", "unix:///var/run/docker.sock", "http+unix://x/",
    # international digits, dots and letters that become an address or localhost
    "http://１２７.０.０.１/", "http://①②⑦.⓪.⓪.①/", "http://127。0。0。1/", "http://127．0．0．1/", "http://127｡0｡0｡1/",
    "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/", "http://localhoſt/", "http://ｌｏｃａｌｈｏｓｔ/", "http://１６９.254.169.254/", "http://0x7f.①/",
    "http://loc\u00adalhost/", "http://127.0.0.1\u3002/",
]  # fmt: skip


def literal_resolver(host: str, port: int) -> Sequence[str]:
    """The system's resolver without any network."""
    if host == "localhost":
        return ["127.0.0.1", "::1"]
    try:
        return [socket.inet_ntoa(socket.inet_aton(host))]
    except OSError:
        raise OSError("no such name") from None


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> HttpClient:
    def connect(*args: object, **named: object) -> object:
        raise AssertionError(f"connected to {args}")

    monkeypatch.setattr(socket, "create_connection", connect)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    return HttpClient(ConnectContext(guard=OutgoingGuard((), literal_resolver)), timeout=1, max_bytes=1000)


def _in_url(host: str) -> str:
    return f"http://[{host}]/" if ":" in host and not host.startswith("[") else f"http://{host}/"


@pytest.mark.parametrize("url", [*map(_in_url, REFUSED), *TRICKS])
def test_nothing_is_connected_to(client: HttpClient, url: str) -> None:
    with pytest.raises(NodeTypeError) as caught:
        client.send(HttpRequest(parse_url(url)))
    assert caught.value.message["en"] and caught.value.message["zh-CN"]


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/", "http://１２７.０.０.１/", "http://0x7f000001/", "http://2130706433/"]
)
def test_metadata_and_links_stay_closed_whatever_is_opened(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """The same spellings reach this host once it is opened, and only with the port that was opened."""
    guard = OutgoingGuard(("127.0.0.1/32:80",), literal_resolver)
    connected: list[object] = []

    def connect(address: object, *args: object, **named: object) -> object:
        connected.append(address)
        raise ConnectionRefusedError("closed")

    monkeypatch.setattr(socket, "create_connection", connect)
    client = HttpClient(ConnectContext(guard=guard), timeout=1, max_bytes=1000)
    with pytest.raises(ConnectError):
        client.send(HttpRequest(parse_url(url)))
    assert connected == [("127.0.0.1", 80)]
    for other in (
        "http://127.0.0.1:81/",
        "http://169.254.169.254/",
        "http://[64:ff9b::a9fe:a9fe]/",
        "http://[::127.0.0.1]/",
    ):
        with pytest.raises(NodeTypeError):
            client.send(HttpRequest(parse_url(other)))
    assert len(connected) == 1


def test_without_a_guard_nothing_goes_out(client: HttpClient) -> None:
    bare = HttpClient(ConnectContext(), timeout=1, max_bytes=1000)
    with pytest.raises(NodeTypeError):
        bare.send(HttpRequest(parse_url(f"http://{PUBLIC}/")))


def test_the_parts_of_an_address() -> None:
    url = parse_url("HTTPS://Bücher.Example:8443/统计/a%20b?q=中&x=%2F#part")
    assert (url.scheme, url.host, url.port) == ("https", "xn--bcher-kva.example", 8443)
    assert url.target == "/%E7%BB%9F%E8%AE%A1/a%20b?q=%E4%B8%AD&x=%2F"
    assert url.authority == "xn--bcher-kva.example:8443"
    assert parse_url("https://[2001:DB8::1]/").authority == "[2001:db8::1]"
    assert parse_url("http://example.org.:80").authority == "example.org"


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("/b", "https://h.example/b"),
        ("c?d=1", "https://h.example/v1/c?d=1"),
        ("//other.example/x", "https://other.example/x"),
        ("https://h.example:8/", "https://h.example:8/"),
    ],
)
def test_relative_addresses(words: str, wanted: str) -> None:
    assert str(join(parse_url("https://h.example/v1/a"), words)) == wanted


@pytest.mark.parametrize("words", ["http://u@h.example/", "file:///etc/passwd", "https://h.example:0/", "javascript:1"])
def test_relative_addresses_are_read_as_strictly(words: str) -> None:
    with pytest.raises(UrlError):
        join(parse_url("https://h.example/"), words)
