"""Speaking to a PostgreSQL server: guarded addresses, both drivers, and words for what it says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from node_catalog.sdk.contract import ConnectContext
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
from node_catalog.sdk.outgoing import pinned
from node_catalog.sdk.text import Text, text

IDLE_SECONDS = 60
"""A transaction of ours that nobody drives any more (its worker was stopped) is ended by the server after this."""


def parameters(settings: Any, context: ConnectContext, *, read_only: bool) -> dict[str, str]:
    """Parameters for libpq. The guard resolves the address, once; nothing is taken from files of the environment."""
    statement = int(context.statement_timeout * 1000)
    options = [
        f"-c statement_timeout={statement}",
        "-c timezone=UTC",
        "-c datestyle=ISO",
        "-c intervalstyle=iso_8601",
        f"-c idle_in_transaction_session_timeout={IDLE_SECONDS * 1000}",
        f"-c default_transaction_read_only={'on' if read_only else 'off'}",
    ]
    return {
        "host": settings.host,
        "hostaddr": pinned(context, settings.host, settings.port),
        "port": str(settings.port),
        "dbname": settings.database,
        "user": settings.user,
        "password": settings.password,
        "sslmode": settings.sslmode,
        "connect_timeout": str(max(2, round(context.connect_timeout))),
        "application_name": "CityGo Studio",
        "passfile": "/dev/null",
        "gssencmode": "disable",
        "keepalives_idle": "15",
        "options": " ".join(options),
    }


@contextmanager
def control(settings: Any, context: ConnectContext, *, read_only: bool) -> Iterator[Any]:
    """A psycopg connection in autocommit, for checks, discovery, DDL and transactions. Errors come out in words."""
    with words(settings, is_target=not read_only):
        connection = connect(settings, context, read_only=read_only)
        try:
            yield connection
        finally:
            connection.close()


def connect(settings: Any, context: ConnectContext, *, read_only: bool) -> Any:
    """A psycopg connection in autocommit (the caller closes it and puts errors into words)."""
    import psycopg

    return psycopg.connect(**parameters(settings, context, read_only=read_only), autocommit=True)  # type: ignore[arg-type]


def connect_arrow(settings: Any, context: ConnectContext, *, read_only: bool) -> Any:
    """An ADBC connection: Arrow in and out by binary COPY inside the driver."""
    from adbc_driver_postgresql import dbapi

    return dbapi.connect(connection_string(parameters(settings, context, read_only=read_only)))


def connection_string(values: dict[str, str]) -> str:
    """The ``key='value'`` form of libpq, quoted."""
    escaped = ((key, value.replace("\\", "\\\\").replace("'", "\\'")) for key, value in values.items())
    return " ".join(f"{key}='{value}'" for key, value in escaped)


# ── words ─────────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def words(settings: Any, *, is_target: bool = False) -> Iterator[None]:
    """Turn what either driver raises into our errors."""
    import psycopg
    from adbc_driver_manager import Error as AdbcError

    try:
        yield
    except (psycopg.Error, AdbcError) as error:
        raise of_postgres(error, settings, is_target=is_target) from error
    except OSError as error:
        # A stream that breaks while it is read says so through Arrow, in words only.
        if "[libpq]" not in str(error) and "[adbc]" not in str(error).lower():
            raise
        raise of_postgres(error, settings, is_target=is_target) from error


def of_postgres(error: Exception, settings: Any, *, is_target: bool = False) -> NodeTypeError:
    """Our error for a driver's error. The message names server and database; only ``detail`` quotes the server."""
    state = getattr(error, "sqlstate", None) or ""
    said = str(error).strip()
    where = f"{settings.host}:{settings.port}/{settings.database}"
    found = _by_state(state, settings) or _by_words(said, settings)
    if found:
        kind, code, message = found
        if is_target and kind is SourceError:
            kind, code = TargetError, code.replace("source.", "target.")
        if is_target and kind is SourceBusyError:
            kind = TargetBusyError
        return kind(code, message, where, said[:400])
    if is_target:
        return _of_target(state, settings, where, said)
    low = said.lower()
    if state[:2] in ("53", "55", "57", "40") or state == "25P03" or "canceling statement" in low:
        message = text(
            f"The database “{settings.database}” is overloaded or did not answer in time. Try again later, or "
            "read fewer rows.",
            f"数据库“{settings.database}”负载过高或响应超时。请稍后重试，或减少读取的行数。",
        )
        return SourceBusyError("postgresql.busy", message, where, said[:400])
    if not state and any(part in low for part in _BROKEN_OFF):
        message = text(
            f"The connection to “{settings.host}” broke off. It is tried again.",
            f"与“{settings.host}”的连接中断，将会重试。",
        )
        return SourceBusyError("postgresql.broken_off", message, where, said[:400])
    if state[:2] in ("22", ""):
        message = text(
            "A value in the database cannot be read or converted as asked.", "数据库中有值无法按要求读取或转换。"
        )
        return DataError("postgresql.value", message, where, said[:400])
    message = text(
        f"The database “{settings.database}” refuses the query ({state}).",
        f"数据库“{settings.database}”拒绝执行查询（{state}）。",
    )
    return SourceError("postgresql.refused", message, where, said[:400])


_BROKEN_OFF = ("server closed", "terminating", "connection", "eof detected", "broken pipe", "reset by peer")
Found = tuple[type[NodeTypeError], str, Text]


def _by_state(state: str, settings: Any) -> Found | None:
    match state:
        case "28P01" | "28000":
            return _wrong_password(settings)
        case "3D000":
            return _no_database(settings)
        case "42501":
            message = text(
                f"User “{settings.user}” may not do this in database “{settings.database}”. Ask its "
                "administrator for the right.",
                f"用户“{settings.user}”在数据库“{settings.database}”中没有此权限，请联系其管理员授权。",
            )
            return RefusedError, "postgresql.no_right", message
        case "42P01" | "3F000":
            message = text(
                "The table is not in the database any more. Discover the node again, or choose another dataset.",
                "数据库中已没有该表。请重新发现该节点，或选择其他数据集。",
            )
            return SourceError, "source.table_missing", message
        case "42703":
            message = text(
                "A column is not in the table any more: it has changed. Discover the node again, then adjust the flow.",
                "表中已没有某一列，表结构发生了变化。请重新发现该节点，再调整流程。",
            )
            return SourceError, "source.columns_moved", message
        case _:
            return None


def _by_words(said: str, settings: Any) -> Found | None:
    """Before a session exists libpq gives no state, only words."""
    low = said.lower()
    if (
        "password authentication failed" in low
        or "no password supplied" in low
        or ("role " in low and "not exist" in low)
    ):
        return _wrong_password(settings)
    if "database " in low and "does not exist" in low:
        return _no_database(settings)
    if "no pg_hba.conf entry" in low:
        message = text(
            f"“{settings.host}” does not admit this studio: its access list (pg_hba.conf) has no entry for user "
            f"“{settings.user}”. Ask its administrator to add one.",
            f"“{settings.host}”未允许本平台访问：其访问列表（pg_hba.conf）中没有用户“{settings.user}”的条目，请联系管理员添加。",
        )
        return RefusedError, "postgresql.not_admitted", message
    if "ssl" in low and ("not support" in low or "certificate" in low or "required" in low):
        message = text(
            f"“{settings.host}” and this studio do not agree on encryption. Change the setting “Encryption”, or "
            "ask the "
            "server's administrator.",
            f"与“{settings.host}”的加密方式不一致。请修改“加密方式”设置，或联系服务器管理员。",
        )
        return RefusedError, "postgresql.encryption", message
    if "too many clients" in low or "remaining connection slots" in low:
        message = text(
            f"“{settings.host}” has no free connection. Try again later.",
            f"“{settings.host}”的连接数已满，请稍后重试。",
        )
        return SourceBusyError, "postgresql.full", message
    if any(
        part in low
        for part in ("connection refused", "timeout expired", "no route", "unreachable", "connection timed out")
    ):
        message = text(
            f"Nothing answers at {settings.host}, port {settings.port}. Check address and port, and whether a "
            "firewall lies "
            "between.",
            f"{settings.host} 的 {settings.port} 端口没有响应。请检查地址和端口，以及中间是否有防火墙。",
        )
        return ConnectError, "postgresql.unreachable", message
    if "starting up" in low or "shutting down" in low or "recovery mode" in low:
        message = text(
            f"“{settings.host}” is just starting or stopping. Try again.", f"“{settings.host}”正在启动或停止，请重试。"
        )
        return ConnectError, "postgresql.starting", message
    return None


def _wrong_password(settings: Any) -> Found:
    message = text(
        f"“{settings.host}” refuses user “{settings.user}”: wrong name or password. Enter the password again.",
        f"“{settings.host}”拒绝用户“{settings.user}”登录：用户名或密码错误，请重新输入密码。",
    )
    return RefusedError, "postgresql.password", message


def _no_database(settings: Any) -> Found:
    message = text(
        f"There is no database “{settings.database}” on “{settings.host}”. Check its name.",
        f"“{settings.host}”上没有数据库“{settings.database}”，请检查名称。",
    )
    return RefusedError, "postgresql.no_database", message


def _of_target(state: str, settings: Any, where: str, said: str) -> TargetError:
    if state[:2] == "23":
        message = text(
            "The table refuses the rows: a required value is missing, a key occurs twice, or a rule of the "
            "table is broken. "
            "Nothing was changed.",
            "目标表拒绝写入：缺少必填值、键重复，或违反表的约束。目标未被改动。",
        )
        return TargetError("target.constraint", message, where, said[:400])
    if state[:2] == "22":
        message = text(
            "A value does not fit its column in the table (too long, out of range, or a forbidden character). "
            "Nothing was changed.",
            "有值与目标列不符（过长、超出范围或含有不允许的字符）。目标未被改动。",
        )
        return TargetError("target.value", message, where, said[:400])
    if state == "53100":
        message = text("The server's disk is full. Nothing was changed.", "服务器磁盘已满，目标未被改动。")
        return TargetBusyError("target.disk_full", message, where, said[:400])
    if not state or state[:2] in ("08", "53", "55", "57", "40") or state == "25P03":
        message = text(
            f"“{settings.host}” is busy, locked, or broke off the connection. It is tried again.",
            f"“{settings.host}”正忙、被锁定或连接中断，将会重试。",
        )
        return TargetBusyError("target.busy", message, where, said[:400])
    message = text(
        f"The database “{settings.database}” refuses the rows ({state}). Nothing was changed.",
        f"数据库“{settings.database}”拒绝写入（{state}），目标未被改动。",
    )
    return TargetError("target.refused", message, where, said[:400])
