"""Asking the guard before a connection goes out."""

from __future__ import annotations

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
