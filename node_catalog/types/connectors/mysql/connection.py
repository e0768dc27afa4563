"""Speaking to a MySQL or MariaDB server: guarded addresses, sessions, and words for what it says."""

from __future__ import annotations

import hashlib
import ssl
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from node_catalog.sdk import server_words
from node_catalog.sdk.contract import ConnectContext
from node_catalog.sdk.errors import (
    NodeTypeError,
    RefusedError,
    SourceBusyError,
    SourceError,
    TargetBusyError,
    TargetError,
)
from node_catalog.sdk.kept import shared
from node_catalog.sdk.outgoing import pinned
from node_catalog.sdk.sql_node import literal
from node_catalog.sdk.text import text

LOCK_SECONDS = 30
"""How long a writer waits for locks of others."""
IDLE_SECONDS = 60
"""A transaction of ours that nobody drives any more (its worker was stopped) is ended by the server after this."""
PATIENCE_SECONDS = 8 * 3600
"""How long a connection may be quiet otherwise, while another one brings the rows."""
_READ_MODE = ""
_WRITE_MODE = "STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO"
_COMPRESSION = "disabled"
"""Of the rows on their way. The engine's driver asks for it unless told otherwise; in a trial of a million rows of
seven columns it took four fifths of the server's CPU and more than half of ours."""
_SSL_MODES = {"disable": "disabled", "prefer": "preferred", "require": "required", "verify": "verify_ca"}


class Session:
    """A connection in autocommit, for checks, discovery, DDL and transactions: never for the rows of a dataset."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self.version: str = raw.get_server_info()

    @property
    def is_mariadb(self) -> bool:
        """MariaDB, rather than MySQL."""
        return "mariadb" in self.version.lower()

    @property
    def is_encrypted(self) -> bool:
        """Whether TLS is in use."""
        return bool(getattr(self._raw, "_secure", False))

    def is_certified_for(self, address: str) -> bool:
        """Whether the certificate that was checked when this session was opened names the address itself, too."""
        certificate = self._raw._sock.getpeercert() if self.is_encrypted else None
        names = (certificate or {}).get("subjectAltName", ())
        return any(kind == "IP Address" and name == address for kind, name in names)

    def rows(self, sql: str, *values: Any) -> Sequence[tuple[Any, ...]]:
        """Run a statement of our own and fetch what it gives. ``%`` in it is doubled when there are ``values``."""
        with self._raw.cursor() as cursor:
            cursor.execute(sql, values or None)
            found: Sequence[tuple[Any, ...]] = cursor.fetchall()
        return found

    def value(self, sql: str, *values: Any) -> Any:
        """The first value of the first row, or None."""
        rows = self.rows(sql, *values)
        return rows[0][0] if rows else None

    def run(self, sql: str, *values: Any) -> int:
        """Run a statement; the number of rows it changed."""
        with self._raw.cursor() as cursor:
            return int(cursor.execute(sql, values or None))

    def send(self, statement: bytes) -> None:
        """Run a finished statement as it is."""
        self._raw._execute_command(3, statement)  # COM_QUERY: ``query`` would have it as text first
        self._raw._read_query_result()

    def load(self, statement: str, block: memoryview, rows: int) -> None:
        """Run LOAD DATA with ``block`` as its file. Whatever the server changed or left out of it is an error."""
        import pymysql

        self._raw.block = block
        stored = self._raw.query(statement)
        if stored != rows or self._raw._result.warning_count:
            _, number, said = self.rows("show warnings limit 1")[0]
            raise pymysql.DataError(number, said)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing of what the server can take back (DDL it cannot); it waits for no worker that was stopped."""
        self.run(f"set session wait_timeout = {IDLE_SECONDS}")
        self._raw.begin()
        try:
            yield
        except BaseException:
            if self._raw.open:
                self._raw.rollback()
            raise
        self._raw.commit()
        self.run(f"set session wait_timeout = {PATIENCE_SECONDS}")

    @property
    def is_open(self) -> bool:
        """Whether statements can still be run."""
        return bool(self._raw.open)

    def close(self) -> None:
        """Close; safe to call again."""
        if self._raw.open:
            self._raw.close()


@contextmanager
def control(settings: Any, context: ConnectContext, *, read_only: bool) -> Iterator[Session]:
    """A session that is closed at the end. Errors come out in words."""

    def make() -> Any:
        return closing(connect(settings, context, read_only=read_only))

    kept = context.kept if read_only else None
    key = ("mysql", settings, context.statement_timeout)
    with words(settings, is_target=not read_only), shared(kept, key, make) as session:
        yield session


def connect(
    settings: Any, context: ConnectContext, *, read_only: bool, make: Callable[..., Any] | None = None
) -> Session:
    """A session with the server (the caller closes it and puts errors into words).

    The guard resolves the address, once; the name is only held against the server's certificate. No file of the
    machine is ever sent, whatever the server asks for; ``make`` gives a connection that sends rows from memory.
    """
    import socket

    import pymysql

    address = pinned(context, settings.host, settings.port)
    raw = (make or pymysql.connect)(
        host=settings.host,
        port=settings.port,
        user=settings.user,
        password=settings.password.encode(),
        database=settings.database,
        charset="utf8mb4",
        autocommit=True,
        local_infile=False,
        read_timeout=context.statement_timeout + LOCK_SECONDS,
        write_timeout=context.statement_timeout + LOCK_SECONDS,
        program_name="CityGo Studio",
        defer_connect=True,
        ssl_disabled=True,
    )
    _tls(raw, settings)
    try:
        line = socket.create_connection((address, settings.port), context.connect_timeout)
    except OSError as error:
        raise pymysql.OperationalError(2003, str(error)) from error
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    raw.connect(line)
    session = Session(raw)
    for statement in _opening(session, context, read_only):
        session.run(statement)
    return session


def _opening(session: Session, context: ConnectContext, read_only: bool) -> Iterator[str]:
    mode = _READ_MODE if read_only else _WRITE_MODE
    yield f"set session sql_mode = '{mode}', time_zone = '+00:00', lock_wait_timeout = {LOCK_SECONDS}"
    if read_only:
        yield f"set session {time_limit(session, context)}"
        yield "set session transaction read only"
    else:
        yield f"set session innodb_lock_wait_timeout = {LOCK_SECONDS}, wait_timeout = {PATIENCE_SECONDS}"


def time_limit(session: Session, context: ConnectContext) -> str:
    """The assignment that ends a statement of ours after its time."""
    seconds = max(1, round(context.statement_timeout))
    return f"max_statement_time = {seconds}" if session.is_mariadb else f"max_execution_time = {seconds * 1000}"


def _tls(raw: Any, settings: Any) -> None:
    """Set whether the line is encrypted: never, where the server can, or always.

    Left to itself the driver reads the system's authorities for each connection anew, also where it does not look at
    the certificate: 25 ms of CPU.
    """
    if settings.tls != "disable":
        raw.ssl, raw._ssl_required = True, settings.tls != "prefer"
        raw.ctx = _checking(settings.ca or "") if settings.tls == "verify" else _unchecked()


@lru_cache(maxsize=16)
def _checking(authority: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=authority or None)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # certificates that the servers make for themselves
    return context


@lru_cache(maxsize=1)
def _unchecked() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def attach_statements(settings: Any, context: ConnectContext, session: Session) -> tuple[str, ...]:
    """Statements for the engine that make this database its ``node``: read-only, over the pinned address.

    Its driver knows the server by that address alone. ``session`` has just held the server's certificate against its
    name; the driver checks the authority again, and the address where the certificate names it.
    """
    address = pinned(context, settings.host, settings.port)
    mode = _SSL_MODES[settings.tls]
    if settings.tls == "verify" and session.is_certified_for(address):
        mode = "verify_identity"
    options = {
        "HOST": literal(address),
        "PORT": str(settings.port),
        "DATABASE": literal(settings.database),
        "USER": literal(settings.user),
        "PASSWORD": literal(settings.password),
        "SSL_MODE": literal(mode),
    }
    if settings.tls == "verify":
        options["SSL_CA"] = literal(_ca_file(settings.ca, context))
    listed = ", ".join(f"{name} {value}" for name, value in options.items())
    return (
        "SET mysql_session_time_zone = '+00:00'",
        "SET mysql_tinyint1_as_boolean = false",
        "SET mysql_bit1_as_boolean = false",
        "SET mysql_time_as_time = true",
        f"CREATE SECRET node_sign_in (TYPE mysql, {listed})",
        f"ATTACH 'compression={_COMPRESSION}' AS node (TYPE mysql, SECRET node_sign_in, READ_ONLY)",
    )


def _ca_file(certificate: str, context: ConnectContext) -> str:
    """A file with the given certificate, which the engine's driver wants by name; the system's own when empty."""
    if not certificate:
        paths = ssl.get_default_verify_paths()
        return paths.cafile or paths.openssl_cafile
    folder = Path(context.work_folder or tempfile.gettempdir())
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"citygo-ca-{hashlib.sha256(certificate.encode()).hexdigest()[:20]}.pem"
    with tempfile.NamedTemporaryFile("w", dir=folder, delete=False) as file:
        file.write(certificate)
    Path(file.name).replace(path)
    return str(path)


# ── words ─────────────────────────────────────────────────────────────────────────────────────────────────

_NO_RIGHT = {1044, 1142, 1143, 1227, 1370, 1410, 3530}
_GONE_TABLE, _GONE_COLUMN = {1146, 1356, 1932}, {1054}
_BUSY = {1050, 1205, 1213, 1317, 1969, 3024, 1203, 1226, 1637, 1021, 1041, 1037}
_CUT = {2006, 2013, 2055, 1053, 1080, 1152, 1159, 1160, 1161, 1927, 4031}
_CONSTRAINT = {1022, 1048, 1062, 1169, 1216, 1217, 1364, 1451, 1452, 1557, 1586, 1761, 1762, 3819, 4025}
_VALUE = {1264, 1265, 1292, 1366, 1406, 1411, 1416, 1365, 1690, 3140, 4038}
_FULL = {1021, 1114, 1030, 3, 28}


@contextmanager
def words(settings: Any, *, is_target: bool = False) -> Iterator[None]:
    """Turn what the driver raises into our errors."""
    import pymysql

    try:
        yield
    except (pymysql.Error, ssl.SSLError, TimeoutError) as error:
        raise of_mysql(error, settings, is_target=is_target) from error


def of_mysql(error: Exception, settings: Any, *, is_target: bool = False) -> NodeTypeError:
    """Our error for the driver's. The message names server and database; only ``detail`` quotes the server."""
    number, said = _number(error), str(error)
    where = f"{settings.host}:{settings.port}/{settings.database}"
    kind, code, message = _found(number, said, settings) or (
        _of_target(number, settings) if is_target else _of_source(number, settings)
    )
    if is_target and kind is SourceError:
        kind, code = TargetError, code.replace("source.", "target.")
    if is_target and kind is SourceBusyError:
        kind = TargetBusyError
    return kind(code, message, where, said[:400])


def _number(error: Exception) -> int:
    """The server's (or the driver's) number of an error; 0 when it has none."""
    first = error.args[0] if error.args else 0
    return first if isinstance(first, int) else 0


def _found(number: int, said: str, settings: Any) -> server_words.Found | None:
    low = said.lower()
    if isinstance(number, int) and number in (1045, 1698, 1862, 3118):
        return server_words.wrong_password("mysql", settings)
    if number == 1049:
        return server_words.no_database("mysql", settings)
    if number in _NO_RIGHT:
        return server_words.no_right("mysql", settings)
    if number in _GONE_TABLE:
        return server_words.no_table()
    if number in _GONE_COLUMN:
        return server_words.no_column()
    if number in (1040, 1203):
        return server_words.no_free_connection("mysql", settings)
    if number in (1130, 1129):
        message = text(
            f"“{settings.host}” does not admit this studio: user “{settings.user}” may not come from this machine. "
            "Ask its administrator.",
            f"“{settings.host}”未允许本平台访问：用户“{settings.user}”不能从本机登录，请联系管理员。",
        )
        return RefusedError, "mysql.not_admitted", message
    if number in (2026, 3159) or "ssl" in low or "certificate" in low:
        return server_words.no_encryption("mysql", settings)
    if number in (2002, 2003, 2005):
        return server_words.unreachable("mysql", settings)
    return None


def _of_source(number: int, settings: Any) -> server_words.Found:
    if number in _BUSY:
        return server_words.overloaded("mysql", settings)
    if number in _CUT or number == 0:
        return server_words.broken_off("mysql", settings)
    if number in _VALUE:
        return server_words.value_unreadable("mysql")
    return server_words.query_refused("mysql", settings, number)


def _of_target(number: int, settings: Any) -> server_words.Found:
    if number in _CONSTRAINT:
        return server_words.rows_break_rules()
    if number in _VALUE:
        return server_words.value_does_not_fit()
    if number in _FULL:
        return server_words.disk_full()
    if number in _BUSY | _CUT or number == 0:
        return server_words.target_busy(settings)
    return server_words.rows_refused(settings, number)
