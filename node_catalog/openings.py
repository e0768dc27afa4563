"""Outgoing openings: which networks beside the public internet nodes may connect to, per node type.

The option ALLOWED_NETWORKS opens networks for every type before anybody has signed in; this table is what
administrators see and change. Metadata services of clouds stay closed, whatever stands here (``security.outgoing``).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction

from node_catalog.errors import invalid
from node_catalog.models import OutgoingOpening
from node_catalog.palette import registry
from security import audit
from security.access import Principal, require_right
from security.outgoing import METADATA, NEVER, Network

WIDEST = {4: 8, 6: 16}
"""Shortest prefixes that can be opened: more would open everything at once."""


def create_opening(principal: Principal, values: Mapping[str, Any], request: Any = None) -> OutgoingOpening:
    """Open a network for ``values``: network, port (0: all), connector (empty: every type), reason.

    Raises InvalidError naming what cannot be opened.
    """
    require_right(principal, "opening.manage")
    network = read_network(values["network"])
    if values.get("connector") and values["connector"] not in registry().connectors:
        raise invalid("/connector", "type.unknown", "There is no such node type.", "没有这种节点类型。")
    opening = OutgoingOpening(
        network=str(network),
        port=values.get("port") or 0,
        connector=values.get("connector") or "",
        reason=values["reason"],
        created_by=principal.user,
    )
    try:
        with transaction.atomic():
            opening.save(force_insert=True)
            _record("opening.create", opening, principal, request)
    except IntegrityError as error:
        raise invalid("/network", "opening.taken", "This is open already.", "该网段和端口已放行。") from error
    return opening


def delete_opening(principal: Principal, opening: OutgoingOpening, request: Any = None) -> None:
    """Close it again: connections that begin from now on are refused."""
    require_right(principal, "opening.manage")
    with transaction.atomic():
        _record("opening.delete", opening, principal, request)
        opening.delete()


def openings_for_work() -> tuple[tuple[str, str], ...]:
    """(node type or "", ``cidr:port`` as the guard reads it) of every opening, for the processes that connect."""
    rows = OutgoingOpening.objects.values_list("connector", "network", "port")
    return tuple((connector, as_words(network, port)) for connector, network, port in rows)


def as_words(network: str, port: int) -> str:
    """How ``security.outgoing.parse_opening`` wants it."""
    if not port:
        return network
    return f"[{network}]:{port}" if ":" in network else f"{network}:{port}"


def read_network(words: str) -> Network:
    """The network that somebody typed. Raises InvalidError when it is none, too wide, or must stay closed."""
    try:
        network = ipaddress.ip_network(words.strip(), strict=False)
    except ValueError as error:
        raise invalid(
            "/network",
            "opening.network",
            "This is no network. Write it like 10.20.0.0/16 or 10.20.3.4.",
            "不是合法的网段，请写成 10.20.0.0/16 或 10.20.3.4 的形式。",
        ) from error
    if network.prefixlen < WIDEST[network.version]:
        raise invalid(
            "/network",
            "opening.too_wide",
            f"This is too wide: at most /{WIDEST[network.version]}. Open only what nodes need.",
            f"范围过大，最大为 /{WIDEST[network.version]}。请只放行节点所需的网段。",
        )
    if (network.num_addresses == 1 and network.network_address in METADATA) or any(
        network.version == never.version and network.subnet_of(never)  # type: ignore[arg-type]
        for never in NEVER
    ):
        raise invalid(
            "/network",
            "opening.never",
            "Metadata services of clouds and link-local addresses are never opened.",
            "云平台元数据服务和链路本地地址不允许放行。",
        )
    return network


def _record(action: str, opening: OutgoingOpening, principal: Principal, request: Any) -> None:
    detail = {
        "opening": as_words(opening.network, opening.port),
        "connector": opening.connector,
        "reason": opening.reason[:200],
    }
    audit.record(action, "opening", opening.pk, principal, detail=detail, request=request)
