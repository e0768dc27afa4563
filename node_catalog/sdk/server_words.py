"""What database servers refuse, in words that do not depend on the product. Every text says what to do next."""

from __future__ import annotations

from typing import Any

from node_catalog.sdk.errors import (
    ConnectError,
    DataError,
    NodeTypeError,
    RefusedError,
    SourceBusyError,
    SourceError,
    TargetBusyError,
    TargetError,
)
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


def value_unreadable(product: str) -> Found:
    """A value that the server cannot bring into the type that was asked for."""
    message = text(
        "A value in the database cannot be read or converted as asked.", "数据库中有值无法按要求读取或转换。"
    )
    return DataError, f"{product}.value", message


# ── writing ───────────────────────────────────────────────────────────────────────────────────────────────


def rows_break_rules() -> Found:
    """A constraint of the target."""
    message = text(
        "The table refuses the rows: a required value is missing, a key occurs twice, or a rule of the table is "
        "broken. Nothing was changed.",
        "目标表拒绝写入：缺少必填值、键重复，或违反表的约束。目标未被改动。",
    )
    return TargetError, "target.constraint", message


def value_does_not_fit() -> Found:
    """Too long, out of range, or with characters that the target does not take."""
    message = text(
        "A value does not fit its column in the table (too long, out of range, or a forbidden character). Nothing was "
        "changed.",
        "有值与目标列不符（过长、超出范围或含有不允许的字符）。目标未被改动。",
    )
    return TargetError, "target.value", message


def disk_full() -> Found:
    """No room on the server."""
    message = text("The server's disk is full. Nothing was changed.", "服务器磁盘已满，目标未被改动。")
    return TargetBusyError, "target.disk_full", message


def target_busy(settings: Any) -> Found:
    """Locks of others, or a connection that was cut."""
    message = text(
        f"“{settings.host}” is busy, locked, or broke off the connection. It is tried again.",
        f"“{settings.host}”正忙、被锁定或连接中断，将会重试。",
    )
    return TargetBusyError, "target.busy", message


def rows_refused(settings: Any, state: object) -> Found:
    """Anything else that the server says about rows; ``state`` is its own number for it."""
    message = text(
        f"The database “{settings.database}” refuses the rows ({state}). Nothing was changed.",
        f"数据库“{settings.database}”拒绝写入（{state}），目标未被改动。",
    )
    return TargetError, "target.refused", message
