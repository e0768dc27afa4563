"""What database servers refuse, in words that do not depend on the product. Every text says what to do next."""

from __future__ import annotations

from typing import Any

from node_catalog.sdk.errors import ConnectError, NodeTypeError, RefusedError, SourceBusyError, SourceError
from node_catalog.sdk.text import Text, text

Found = tuple[type[NodeTypeError], str, Text]
"""The kind of error, its code, its words. ``settings`` below have at least host, port, database and user."""


def wrong_password(product: str, settings: Any) -> Found:
    """The server knows no such user, or another password."""
    message = text(
        f"“{settings.host}” refuses user “{settings.user}”: wrong name or password. Enter the password again.",
        f"“{settings.host}”拒绝用户“{settings.user}”登录：用户名或密码错误，请重新输入密码。",
    )
    return RefusedError, f"{product}.password", message


def no_database(product: str, settings: Any) -> Found:
    """The server has no such database, or does not say so to this user."""
    message = text(
        f"There is no database “{settings.database}” on “{settings.host}”. Check its name.",
        f"“{settings.host}”上没有数据库“{settings.database}”，请检查名称。",
    )
    return RefusedError, f"{product}.no_database", message


def no_right(product: str, settings: Any) -> Found:
    """The user may not do this."""
    message = text(
        f"User “{settings.user}” may not do this in database “{settings.database}”. Ask its administrator for the "
        "right.",
        f"用户“{settings.user}”在数据库“{settings.database}”中没有此权限，请联系其管理员授权。",
    )
    return RefusedError, f"{product}.no_right", message


def no_table() -> Found:
    """A table has gone since it was discovered."""
    message = text(
        "The table is not in the database any more. Discover the node again, or choose another dataset.",
        "数据库中已没有该表。请重新发现该节点，或选择其他数据集。",
    )
    return SourceError, "source.table_missing", message


def no_column() -> Found:
    """A column has gone since it was discovered."""
    message = text(
        "A column is not in the table any more: it has changed. Discover the node again, then adjust the flow.",
        "表中已没有某一列，表结构发生了变化。请重新发现该节点，再调整流程。",
    )
    return SourceError, "source.columns_moved", message


def no_encryption(product: str, settings: Any) -> Found:
    """Server and studio do not agree on TLS."""
    message = text(
        f"“{settings.host}” and this studio do not agree on encryption. Change the setting “Encryption”, or ask the "
        "server's administrator.",
        f"与“{settings.host}”的加密方式不一致。请修改“加密方式”设置，或联系服务器管理员。",
    )
    return RefusedError, f"{product}.encryption", message


def no_free_connection(product: str, settings: Any) -> Found:
    """All connections of the server are taken."""
    message = text(
        f"“{settings.host}” has no free connection. Try again later.",
        f"“{settings.host}”的连接数已满，请稍后重试。",
    )
    return SourceBusyError, f"{product}.full", message


def unreachable(product: str, settings: Any) -> Found:
    """Nothing listens there, or it does not answer in time."""
    message = text(
        f"Nothing answers at {settings.host}, port {settings.port}. Check address and port, and whether a firewall "
        "lies between.",
        f"{settings.host} 的 {settings.port} 端口没有响应。请检查地址和端口，以及中间是否有防火墙。",
    )
    return ConnectError, f"{product}.unreachable", message


def overloaded(product: str, settings: Any) -> Found:
    """The server gave up for want of time or room."""
    message = text(
        f"The database “{settings.database}” is overloaded or did not answer in time. Try again later, or read fewer "
        "rows.",
        f"数据库“{settings.database}”负载过高或响应超时。请稍后重试，或减少读取的行数。",
    )
    return SourceBusyError, f"{product}.busy", message


def broken_off(product: str, settings: Any) -> Found:
    """The connection was cut."""
    message = text(
        f"The connection to “{settings.host}” broke off. It is tried again.",
        f"与“{settings.host}”的连接中断，将会重试。",
    )
    return SourceBusyError, f"{product}.broken_off", message


def query_refused(product: str, settings: Any, state: object) -> Found:
    """Anything else that the server says about a query; ``state`` is its own number for it."""
    message = text(
        f"The database “{settings.database}” refuses the query ({state}).",
        f"数据库“{settings.database}”拒绝执行查询（{state}）。",
    )
    return SourceError, f"{product}.refused", message
