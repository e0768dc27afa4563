"""The guard of outgoing connections: every way to write an address that must not be reached."""

from __future__ import annotations

import socket
from collections.abc import Sequence

import pytest

from security.errors import AddressRefusedError
from security.outgoing import OutgoingGuard, parse_opening

PUBLIC4, PUBLIC6 = "93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"

REFUSED = [
    # this host and this network
    "127.0.0.1", "127.0.0.2", "127.255.255.254", "0.0.0.0", "0.1.2.3", "::1", "::", "[::1]", "127.0.0.1.",
    # other ways to write 127.0.0.1 that resolvers accept
    "127.1", "127.0.1", "0177.0.0.1", "0x7f.0.0.1", "0x7f000001", "2130706433", "017700000001", "localhost",
    # private and shared networks
    "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.255.255", "100.64.0.1",
    "100.127.255.255", "fc00::1", "fd12:3456:789a::1", "fec0::1",
    # link-local and metadata
    "169.254.169.254", "169.254.0.1", "169.254.0.23", "169.254.170.2", "100.100.100.200", "192.0.0.192",
    "168.63.129.16",
    "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fe80::a9fe:a9fe", "0xa9fea9fe", "2852039166", "0251.0376.0251.0376",
    # documentation, benchmarks, reserved, broadcast, multicast
    "192.0.2.1", "198.51.100.7", "203.0.113.9", "198.18.0.1", "198.19.255.255", "192.88.99.1", "240.0.0.1",
    "255.255.255.255", "224.0.0.1", "239.255.255.250", "ff02::1", "ff0e::1", "2001:db8::1", "100::1", "3fff::1",
    "5f00::1",
    # IPv4 inside IPv6
    "::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:169.254.169.254", "::ffff:10.0.0.1", "::ffff:0:127.0.0.1",
    "::ffff:0:169.254.169.254", "::127.0.0.1", "::169.254.169.254", "64:ff9b::169.254.169.254", "64:ff9b::7f00:1",
    "64:ff9b:1::a9fe:a9fe", "2002:a9fe:a9fe::", "2002:7f00:1::", "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:470:1f0b::5efe:169.254.169.254", "2001:470:1f0b::200:5efe:7f00:1",
    # outside the public part of IPv6
    "4000::1", "1::1", "e000::1",
    # no host names at all
    "", " ", "a b", "host/path", "user@host", "host?x", "host#x", "a\\b", "\0", "x" * 300,
]  # fmt: skip


def _literal_resolver(host: str, port: int) -> Sequence[str]:
    """The system's resolver without any network: numbers in every spelling, and this host's own names."""
    if host == "localhost":
        return ["127.0.0.1", "::1"]
    return [socket.inet_ntoa(socket.inet_aton(host))]


def test_the_table_is_long_enough() -> None:
    assert len(REFUSED) >= 60
    assert len(set(REFUSED)) == len(REFUSED)


@pytest.mark.parametrize("host", REFUSED)
def test_refused(host: str) -> None:
    with pytest.raises(AddressRefusedError) as caught:
        OutgoingGuard((), _literal_resolver).resolve(host, 443)
    assert caught.value.message["en"]
    assert caught.value.message["zh-CN"]


@pytest.mark.parametrize("host", [PUBLIC4, PUBLIC6, f"[{PUBLIC6}]", "8.8.8.8", "2400:3200::1"])
def test_public_addresses_are_allowed(host: str) -> None:
    assert OutgoingGuard((), _literal_resolver).resolve(host, 443) == host.strip("[]")


def test_a_name_is_resolved_once_and_pinned() -> None:
    answers = [[PUBLIC4], ["127.0.0.1"]]
    guard = OutgoingGuard((), lambda host, port: answers.pop(0))
    assert guard.resolve("rebinding.example", 443) == PUBLIC4
    assert len(answers) == 1


@pytest.mark.parametrize(
    "answers", [[PUBLIC4, "127.0.0.1"], ["10.0.0.1", PUBLIC4], [PUBLIC6, "::ffff:169.254.169.254"], [], ["fe80::1%lo"]]
)
def test_every_answer_is_checked(answers: list[str]) -> None:
    with pytest.raises(AddressRefusedError):
        OutgoingGuard((), lambda host, port: answers).resolve("mixed.example", 443)


def test_an_unknown_name_says_so() -> None:
    def unknown(host: str, port: int) -> Sequence[str]:
        raise OSError("no such name")

    with pytest.raises(AddressRefusedError) as caught:
        OutgoingGuard((), unknown).resolve("nowhere.example", 443)
    assert caught.value.code == "address.unknown"


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_ports_must_be_ports(port: int) -> None:
    with pytest.raises(AddressRefusedError):
        OutgoingGuard(("10.0.0.0/8",), _literal_resolver).resolve("10.0.0.1", port)


@pytest.mark.parametrize(
    ("opening", "host", "port", "is_allowed"),
    [
        ("10.1.0.0/16", "10.1.2.3", 5432, True),
        ("10.1.0.0/16", "10.2.2.3", 5432, False),
        ("10.1.0.0/16:5432", "10.1.2.3", 5432, True),
        ("10.1.0.0/16:5432", "10.1.2.3", 6379, False),
        ("10.1.2.3/32", "::ffff:10.1.2.3", 5432, True),
        ("10.1.2.3/32", "64:ff9b::10.1.2.3", 5432, False),
        ("10.1.2.3/32", "2002:a01:203::1", 5432, False),
        ("[fd12::/16]:5432", "fd12::1", 5432, True),
        ("fd12::/16", "fd12::1", 1, True),
        ("127.0.0.1/32", "127.0.0.1", 5432, True),
        ("127.0.0.1/32", "127.0.0.2", 5432, False),
        ("0.0.0.0/0", "169.254.169.254", 80, False),
        ("0.0.0.0/0", "100.100.100.200", 80, False),
        ("169.254.0.0/16", "169.254.1.1", 80, False),
        ("::/0", "fd00:ec2::254", 80, False),
        ("::/0", "::ffff:169.254.169.254", 80, False),
        ("::/0", "2002:a9fe:a9fe::", 80, False),
        ("::/0", "64:ff9b::a9fe:a9fe", 80, False),
    ],
)
def test_an_administrator_opens_networks_but_never_metadata(
    opening: str, host: str, port: int, is_allowed: bool
) -> None:
    guard = OutgoingGuard((opening,), _literal_resolver)
    if is_allowed:
        assert guard.resolve(host, port)
    else:
        with pytest.raises(AddressRefusedError):
            guard.resolve(host, port)


@pytest.mark.parametrize("value", ["10.0.0.0/33", "10.0.0.0/8:x", "10.0.0.0/8:70000", "example.org", ""])
def test_openings_that_cannot_be_read(value: str) -> None:
    with pytest.raises(ValueError):
        parse_opening(value)
