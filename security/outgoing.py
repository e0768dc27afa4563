"""The guard of every outgoing connection: which addresses the studio may speak to (SSRF).

A host name is resolved once, every answer is checked, and the caller connects to the pinned address. Public
addresses are allowed; everything else is refused unless a platform administrator opened the network (the table of
outgoing openings, and the option ALLOWED_NETWORKS). Metadata services of clouds are never allowed, whatever was
opened. Pure: no database.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from security.errors import AddressRefusedError
from security.text import text

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

METADATA = frozenset(
    ipaddress.ip_address(address)
    for address in (
        "169.254.169.254", "169.254.170.2", "169.254.170.23", "100.100.100.200", "192.0.0.192", "168.63.129.16",
        "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "fe80::a9fe:a9fe",
    )
)  # fmt: skip
"""Metadata services of the large clouds: an answer from one of them hands out credentials."""

NEVER = (ipaddress.ip_network("169.254.0.0/16"),)
"""Link-local IPv4: cloud metadata lives in it at several addresses, and no node of a city ever does."""

DENIED = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4", "255.255.255.255/32",
        "::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32",
        "2002::/16", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
    )
)  # fmt: skip
"""What Python's ``is_global`` judges too kindly stands here too (NAT64, 6to4, multicast, IPv4-compatible)."""

NAT64 = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))
COMPATIBLE = ipaddress.ip_network("::/96")
TRANSLATED = ipaddress.ip_network("::ffff:0:0:0/96")
ISATAP = (0x00005EFE, 0x02005EFE)
GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
"""The only part of IPv6 that is public at all; ``is_global`` also says yes to unassigned space outside it."""

Resolver = Callable[[str, int], Sequence[str]]


@dataclass(frozen=True)
class Opening:
    """A network that a platform administrator opened, for one port or for all (``port`` 0)."""

    network: Network
    port: int = 0

    def covers(self, address: Address, port: int) -> bool:
        """Whether this opening allows ``address``:``port``."""
        return address.version == self.network.version and address in self.network and self.port in (0, port)


def parse_opening(value: str) -> Opening:
    """``cidr`` or ``cidr:port`` (IPv6 with a port: ``[cidr]:port``); raises ValueError with the text."""
    words, port = value.strip(), "0"
    if words.startswith("["):
        words, _, rest = words[1:].partition("]")
        port = rest.lstrip(":") or "0"
    elif words.count(":") == 1:
        words, _, port = words.partition(":")
    if not port.isdecimal() or int(port) > 65535:
        raise ValueError(f"{value!r} is no network: the port must be a number up to 65535")
    return Opening(ipaddress.ip_network(words, strict=False), int(port))


def system_resolver(host: str, port: int) -> Sequence[str]:
    """All addresses that the system's resolver knows for ``host``."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class OutgoingGuard:
    """Decides about addresses; ``resolve`` answers the one address to connect to."""

    def __init__(self, allowed_networks: Iterable[str] = (), resolver: Resolver = system_resolver) -> None:
        self._openings = tuple(parse_opening(network) for network in allowed_networks)
        self._resolver = resolver

    def resolve(self, host: str, port: int) -> str:
        """The pinned address for ``host``; raises AddressRefusedError when any of its addresses is not allowed.

        All answers are checked, not just the one used: a name that answers with one good and one forbidden address
        is an attack, not a cluster.
        """
        if not 0 < port < 65536:
            raise _refused(host, port)
        addresses = self._addresses(host, port)
        for address in addresses:
            if not self.allows(address, port):
                raise _refused(host, port)
        return str(addresses[0])

    def allows(self, address: Address, port: int) -> bool:
        """Whether a connection to ``address``:``port`` may be made."""
        forms = all_forms(address)
        if any(form in METADATA or any(_within(form, network) for network in NEVER) for form in forms):
            return False
        if any(opening.covers(_destination(address), port) for opening in self._openings):
            return True
        return all(_is_public(form) for form in forms)

    def _addresses(self, host: str, port: int) -> list[Address]:
        name = host.strip().rstrip(".")
        if name.startswith("[") and name.endswith("]"):
            name = name[1:-1]
        if not name or len(name) > 253 or any(ord(sign) < 33 or sign in "/\\@?#" for sign in name):
            raise _refused(host, port)
        try:
            return [ipaddress.ip_address(name.partition("%")[0])]
        except ValueError:
            pass
        try:
            found = self._resolver(name, port)
        except (OSError, UnicodeError) as error:
            raise AddressRefusedError(
                "address.unknown",
                text(
                    f"The host name “{host[:100]}” is not known. Check its spelling, or ask your network's keeper.",
                    f"无法解析主机名“{host[:100]}”。请检查写法，或联系网络管理员。",
                ),
            ) from error
        addresses = [ipaddress.ip_address(answer.partition("%")[0]) for answer in found]
        if not addresses:
            raise _refused(host, port)
        return addresses


def all_forms(address: Address) -> list[Address]:
    """The address and every IPv4 address in it: mapped, translated, compatible, NAT64, 6to4, Teredo, ISATAP."""
    forms: list[Address] = [address]
    if isinstance(address, ipaddress.IPv6Address):
        low = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if address.ipv4_mapped is not None:
            forms.append(address.ipv4_mapped)
        elif address.sixtofour is not None:
            forms.append(address.sixtofour)
        elif address.teredo is not None:
            forms.extend(address.teredo)
        elif (
            any(address in network for network in (*NAT64, TRANSLATED))
            or (address in COMPATIBLE and int(address) > 1)
            or (int(address) >> 32) & 0xFFFFFFFF in ISATAP
        ):
            forms.append(low)
    return forms


def _destination(address: Address) -> Address:
    """Where packets to ``address`` really go: an IPv4-mapped address is that IPv4 host, every other one is itself."""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _within(address: Address, network: Network) -> bool:
    return address.version == network.version and address in network


def _is_public(address: Address) -> bool:
    if any(_within(address, network) for network in DENIED):
        # An IPv4 address in IPv6 clothes is never needed to reach a public host.
        return False
    if address.version == 6 and address not in GLOBAL_UNICAST:
        return False
    return address.is_global and not address.is_multicast


def _refused(host: str, port: int) -> AddressRefusedError:
    return AddressRefusedError(
        "address.refused",
        text(
            f"The studio may not connect to {host[:100]}:{port}. If this is a node of the city, a platform "
            "administrator opens its network under Administration → Outgoing openings.",
            f"不允许连接 {host[:100]}:{port}。如果它是本市的节点，请平台管理员在“管理 → 出站放行”中开放该网段。",
        ),
        where="/host",
    )
