"""Speaking to a PostgreSQL server: guarded addresses, both drivers, and words for what it says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from node_catalog.sdk import server_words
from node_catalog.sdk.contract import ConnectContext
from node_catalog.sdk.errors import (
    ConnectError,
    NodeTypeError,
    RefusedError,
    SourceBusyError,
    SourceError,
    TargetBusyError,
    TargetError,
)
from node_catalog.sdk.kept import shared
from node_catalog.sdk.outgoing import pinned
from node_catalog.sdk.text import text
from node_catalog.types.connectors.postgresql.catalogues import CATALOGUES
from node_catalog.types.connectors.postgresql.own_work import CATALOGUE, OWN, counting_cursor

IDLE_SECONDS = 60
"""A transaction of ours that nobody drives any more (its worker was stopped) is ended by the server after this."""

LOCK_SECONDS = 30
"""How long a statement of a delivery waits for locks of others on the target."""


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
        *([] if read_only else [f"-c lock_timeout={LOCK_SECONDS * 1000}"]),
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

    def make() -> Any:
        return closing(connect(settings, context, read_only=read_only))

    key = ("postgresql", settings, read_only, context.statement_timeout)
    with words(settings, is_target=not read_only), shared(context.kept, key, make) as connection:
        yield connection


def connect(settings: Any, context: ConnectContext, *, read_only: bool) -> Any:
    """A psycopg connection in autocommit (the caller closes it and puts errors into words)."""
    import psycopg

    return psycopg.connect(
        **parameters(settings, context, read_only=read_only),  # type: ignore[arg-type]
        autocommit=True,
        cursor_factory=counting_cursor(),
    )


@contextmanager
def arrow(settings: Any, context: ConnectContext) -> Iterator[Any]:
    """A read-only ADBC connection: Arrow by binary COPY inside the driver. Errors come out in words."""

    def make() -> Any:
        opened, is_new = CATALOGUES.connect(connection_string(parameters(settings, context, read_only=True)))
        OWN.add(settings.host, settings.port, CATALOGUE + 1 if is_new else 1)
        return closing(opened)

    key = ("postgresql.arrow", settings, context.statement_timeout)
    with words(settings), shared(context.kept, key, make) as connection:
        yield connection


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
    except (OSError, ValueError) as error:
        # A stream that breaks while it is read says so through Arrow, in words only (ArrowInvalid is a ValueError).
        if "[libpq]" not in str(error) and "[adbc]" not in str(error).lower():
            raise
        raise of_postgres(error, settings, is_target=is_target) from error


def of_postgres(error: Exception, settings: Any, *, is_target: bool = False) -> NodeTypeError:
    """Our error for a driver's error. The message names server and database; only ``detail`` quotes the server."""
    state = getattr(error, "sqlstate", None) or ""
    said = str(error).strip()
    where = f"{settings.host}:{settings.port}/{settings.database}"
    kind, code, message = (
        _by_state(state, settings)
        or _by_words(said.lower(), settings)
        or (_of_target(state, settings) if is_target else _of_source(state, said.lower(), settings))
    )
    if is_target and kind is SourceError:
        kind, code = TargetError, code.replace("source.", "target.")
    if is_target and kind is SourceBusyError:
        kind = TargetBusyError
    return kind(code, message, where, said[:400])


_BROKEN_OFF = ("server closed", "terminating", "connection", "eof detected", "broken pipe", "reset by peer")
_UNREACHABLE = ("connection refused", "timeout expired", "no route", "unreachable", "connection timed out")


def _by_state(state: str, settings: Any) -> server_words.Found | None:
    match state:
        case "28P01" | "28000":
            return server_words.wrong_password("postgresql", settings)
        case "3D000":
            return server_words.no_database("postgresql", settings)
        case "42501":
            return server_words.no_right("postgresql", settings)
        case "42P01" | "3F000":
            return server_words.no_table()
        case "42703":
            return server_words.no_column()
        case _:
            return None


def _by_words(low: str, settings: Any) -> server_words.Found | None:
    """Before a session exists libpq gives no state, only words."""
    if (
        "password authentication failed" in low
        or "no password supplied" in low
        or ("role " in low and "not exist" in low)
    ):
        return server_words.wrong_password("postgresql", settings)
    if "database " in low and "does not exist" in low:
        return server_words.no_database("postgresql", settings)
    if "no pg_hba.conf entry" in low:
        message = text(
            f"“{settings.host}” does not admit this studio: its access list (pg_hba.conf) has no entry for user "
            f"“{settings.user}”. Ask its administrator to add one.",
            f"“{settings.host}”未允许本平台访问：其访问列表（pg_hba.conf）中没有用户“{settings.user}”的条目，请联系管理员添加。",
        )
        return RefusedError, "postgresql.not_admitted", message
    if "ssl" in low and ("not support" in low or "certificate" in low or "required" in low):
        return server_words.no_encryption("postgresql", settings)
    if "too many clients" in low or "remaining connection slots" in low:
        return server_words.no_free_connection("postgresql", settings)
    if any(part in low for part in _UNREACHABLE):
        return server_words.unreachable("postgresql", settings)
    if "starting up" in low or "shutting down" in low or "recovery mode" in low:
        message = text(
            f"“{settings.host}” is just starting or stopping. Try again.", f"“{settings.host}”正在启动或停止，请重试。"
        )
        return ConnectError, "postgresql.starting", message
    return None


def _of_source(state: str, low: str, settings: Any) -> server_words.Found:
    if state[:2] in ("53", "55", "57", "40") or state == "25P03" or "canceling statement" in low:
        return server_words.overloaded("postgresql", settings)
    if not state and any(part in low for part in _BROKEN_OFF):
        return server_words.broken_off("postgresql", settings)
    if state[:2] in ("22", ""):
        return server_words.value_unreadable("postgresql")
    return server_words.query_refused("postgresql", settings, state)


def _of_target(state: str, settings: Any) -> server_words.Found:
    if state[:2] == "23":
        return server_words.rows_break_rules()
    if state[:2] == "22":
        return server_words.value_does_not_fit()
    if state == "53100":
        return server_words.disk_full()
    if not state or state[:2] in ("08", "53", "55", "57", "40") or state == "25P03":
        return server_words.target_busy(settings)
    return server_words.rows_refused(settings, state)
