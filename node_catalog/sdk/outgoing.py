"""Asking the guard before a connection goes out."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from node_catalog.sdk.contract import ConnectContext
from node_catalog.sdk.errors import ConnectError, NodeTypeError, RefusedError
from node_catalog.sdk.text import text


def pinned(context: ConnectContext, host: str, port: int) -> str:
    """The one address to connect to. Raises RefusedError for a refused address, ConnectError for an unknown name.

    A context without a guard connects nowhere: forgetting it must not open the way.
    """
    if context.guard is None:
        message = text("Outgoing connections are not set up here.", "此处未启用对外连接。")
        raise RefusedError("outgoing.no_guard", message, host)
    try:
        return context.guard.resolve(host, port)
    except NodeTypeError:
        raise
    except Exception as error:
        # The guard lives below this package and has errors of its own, with the same facts.
        said: Any = getattr(error, "message", None)
        code = getattr(error, "code", "outgoing.refused")
        unknown = text(f"The address of “{host}” cannot be found.", f"找不到“{host}”的地址。")
        kind = ConnectError if code == "address.unknown" else RefusedError
        raise kind(str(code), said if isinstance(said, dict) else unknown, host) from error


# ── drivers that open their own sockets ───────────────────────────────────────────────────────────────────

_opening: ContextVar[_Opening | None] = ContextVar("outgoing", default=None)
_connect = socket.create_connection
PATIENCE = 3
"""Signing in may take so many times as long as connecting."""


@contextmanager
def guarded(context: ConnectContext) -> Iterator[None]:
    """Inside, every connection that a pure-Python driver opens in this thread goes to the address that the guard
    pinned, also where a server's own redirect sends it. For drivers without a way to hand them a socket; signing in
    belongs inside, reading does not: a server that says nothing is left after a few times the connect timeout.
    """
    socket.create_connection = _guarded_connection
    opening = _Opening(context)
    timer = threading.Timer(context.connect_timeout * PATIENCE, opening.break_off)
    timer.daemon = True
    timer.start()
    token = _opening.set(opening)
    try:
        yield
    except BaseException:
        for one in opening.sockets:
            one.close()
        raise
    finally:
        _opening.reset(token)
        timer.cancel()


@dataclass
class _Opening:
    """What one ``guarded`` block has opened."""

    context: ConnectContext
    sockets: list[socket.socket] = field(default_factory=list)

    def break_off(self) -> None:
        """End the connections: whoever waits on them gets an error."""
        for one in self.sockets:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def _guarded_connection(address: Any, *args: Any, **named: Any) -> socket.socket:
    """``socket.create_connection``, through the guard of the block that this thread is in (or as ever, in none)."""
    opening = _opening.get()
    if opening is None:
        return _connect(address, *args, **named)
    host, port = address[0], int(address[1])
    made = _connect((pinned(opening.context, str(host), port), port), *args, **named)
    opening.sockets.append(made)
    return made
