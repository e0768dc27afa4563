"""Oracle: one schema of a database is the node; its tables and views are the datasets. Read only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from node_catalog.sdk.access import Access, DatasetRef, Stream
from node_catalog.sdk.contract import Check, ConnectContext, Connector, DiscoveredColumn, DiscoveredDataset, Settings
from node_catalog.sdk.errors import ConnectError, NodeTypeError, Problem, RefusedError, SourceBusyError, SourceError
from node_catalog.sdk.fields import setting
from node_catalog.sdk.outgoing import guarded, pinned
from node_catalog.sdk.ports import Schema, to_arrow
from node_catalog.sdk.server_fields import HOST, PASSWORD, PORT, USER, nul_problems
from node_catalog.sdk.sql_node import OUR_PREFIX, UNTESTED, discovered_table, place_of, promised_columns, quoted
from node_catalog.sdk.table_patterns import EXCLUDE, INCLUDE, TablePatterns, pattern_problems
from node_catalog.sdk.text import text

_TABLES = """
select t.table_name, 'table', t.num_rows, c.comments from all_tables t
left join all_tab_comments c on c.owner = t.owner and c.table_name = t.table_name
where t.owner = :owner and t.nested = 'NO' and t.secondary = 'N' and (t.iot_type is null or t.iot_type = 'IOT')
union all
select v.view_name, 'view', null, c.comments from all_views v
left join all_tab_comments c on c.owner = v.owner and c.table_name = v.view_name
where v.owner = :owner
order by 1
"""
_COLUMNS = """
select c.table_name, c.column_name, c.data_type, c.data_precision, c.data_scale, c.nullable, m.comments
from all_tab_cols c
left join all_col_comments m on m.owner = c.owner and m.table_name = c.table_name and m.column_name = c.column_name
where c.owner = :owner and c.hidden_column = 'NO' and (:name is null or c.table_name = :name)
order by c.table_name, c.column_id
"""
_KEYS = """
select cc.table_name, cc.column_name, k.constraint_type
from all_constraints k
join all_cons_columns cc on cc.owner = k.owner and cc.constraint_name = k.constraint_name
where k.owner = :owner and k.constraint_type in ('P', 'R')
"""
_CODES: dict[int, tuple[type[NodeTypeError], str]] = {
    1017: (RefusedError, "oracle.password"),
    28000: (RefusedError, "oracle.locked"),
    28001: (RefusedError, "oracle.password"),
    1045: (RefusedError, "oracle.no_right"),
    1031: (RefusedError, "oracle.no_right"),
    942: (SourceError, "source.table_missing"),
    904: (SourceError, "source.columns_moved"),
    12514: (RefusedError, "oracle.no_service"),
    12541: (ConnectError, "oracle.unreachable"),
    18: (SourceBusyError, "oracle.full"),
    12520: (SourceBusyError, "oracle.full"),
    1013: (SourceBusyError, "oracle.busy"),
}
"""Numbers of ORA-… messages that say what to do; everything else is told as it is."""


class OracleSettings(Settings):
    """Where the listener is and as whom to sign in."""

    host: Annotated[str, HOST]
    service: Annotated[str, setting(text("Service name", "服务名"), min_length=1, max_length=128)]
    user: Annotated[str, USER]
    password: Annotated[str, PASSWORD] = ""
    port: Annotated[int, PORT] = 1521
    schema: Annotated[
        str,
        setting(
            text("Schema", "模式"),
            text(
                "Whose tables are the datasets; empty: the user's own.",
                "该模式下的表即为数据集；留空表示用户自己的模式。",
            ),
            max_length=128,
        ),
    ] = ""
    tls: Annotated[
        Literal["disable", "verify"],
        setting(
            text("Encryption", "加密方式"),
            choices={
                "disable": text("none", "不加密"),
                "verify": text("always, and check the server's certificate", "始终加密并校验服务器证书"),
            },
        ),
    ] = "disable"
    include: Annotated[tuple[str, ...], INCLUDE] = ()
    exclude: Annotated[tuple[str, ...], EXCLUDE] = ()

    @property
    def owner(self) -> str:
        """The schema as the catalogue views write it: unquoted names are stored in capitals."""
        return self.schema or self.user.upper()

    def problems(self) -> Iterable[Problem]:
        """Characters that the driver takes for something else, and patterns that match nothing."""
        yield from nul_problems(self, "service", "user", "password", "schema")
        yield from pattern_problems(self.include, self.exclude)


@dataclass(frozen=True)
class Column:
    """A column as ALL_TAB_COLS describes it."""

    name: str
    data_type: str
    precision: int | None = None
    scale: int | None = None
    nullable: bool = True
    comment: str = ""

    @property
    def native(self) -> str:
        """The type in words for people."""
        if self.data_type == "NUMBER" and (self.precision or self.scale is not None):
            return f"NUMBER({self.precision or '*'},{self.scale or 0})"
        return self.data_type

    @property
    def type(self) -> str:
        """Our type; empty when there is no way to read the column."""
        return our_type(self.data_type, self.precision, self.scale)

    @property
    def expression(self) -> str:
        """SQL that gives the value in our type."""
        name, kind = quoted(self.name), self.data_type
        if "WITH" in kind and kind.startswith("TIMESTAMP"):
            return f"CAST(SYS_EXTRACT_UTC({name}) AS TIMESTAMP(6))"
        if kind.startswith("TIMESTAMP") or kind == "DATE":
            return f"CAST({name} AS TIMESTAMP(6))"
        if kind in ("BINARY_FLOAT", "BINARY_DOUBLE"):
            return f"CAST(NANVL({name}, NULL) AS BINARY_DOUBLE)"
        if self.type == "number":
            return f"CAST({name} AS BINARY_DOUBLE)"
        if kind.startswith("INTERVAL") or kind in ("ROWID", "UROWID"):
            return f"TO_CHAR({name})"
        if kind == "XMLTYPE":
            return f"XMLSERIALIZE(CONTENT {name} AS CLOB)"
        if kind == "JSON":
            return f"JSON_SERIALIZE({name} RETURNING CLOB)"
        return name


def our_type(data_type: str, precision: int | None, scale: int | None) -> str:
    """Our type for an Oracle one; NUMBER by its digits. Object types have none (empty)."""
    if data_type == "NUMBER":
        return _number(precision, scale)
    if data_type in ("FLOAT", "BINARY_FLOAT", "BINARY_DOUBLE"):
        return "number"
    if data_type in ("DATE",) or data_type.startswith("TIMESTAMP"):
        return "timestamp"
    if data_type in ("RAW", "BLOB", "LONG RAW"):
        return "binary"
    if data_type == "BOOLEAN":
        return "boolean"
    words = ("CHAR", "NCHAR", "VARCHAR2", "NVARCHAR2", "CLOB", "NCLOB", "LONG", "ROWID", "UROWID", "XMLTYPE", "JSON")
    return "text" if data_type in words or data_type.startswith("INTERVAL") else ""


def _number(precision: int | None, scale: int | None) -> str:
    if precision is None:
        return "number" if scale is None else "decimal(38,0)"
    digits, places = precision - min(scale or 0, 0), max(scale or 0, 0)
    if places:
        return f"decimal({max(digits, places)},{places})" if max(digits, places) <= 38 else "number"
    if digits <= 18:
        return "integer"
    return f"decimal({digits},0)" if digits <= 38 else "number"


def select_sql(owner: str, table: str, columns: Sequence[Column]) -> str:
    """The one statement that reads a table: the columns in our types, nothing else."""
    chosen = ", ".join(f"{column.expression} AS {quoted(column.name)}" for column in columns)
    return f"SELECT {chosen} FROM {quoted(owner)}.{quoted(table)}"


class Oracle(Connector):
    """An Oracle database, read through the thin driver as Arrow batches."""

    key = "oracle"
    title = text("Oracle", "Oracle")
    summary = text("Tables of an Oracle database", "Oracle 数据库中的表")
    help = text(
        "Reads tables and views of one schema; columns are chosen in the server, filters run in the studio. DATE is a "
        "moment, NUMBER without digits a floating-point number, values with a time zone are brought to UTC; columns of "
        "object types are left out. No client software is needed (Oracle Database 12.1 or newer). The user needs "
        "SELECT. Not tested against a server yet: check the first rows.",
        "读取一个模式下的表和视图，选列在服务器内执行，筛选由平台执行。DATE 按时间戳读取，未指定精度的 NUMBER 按浮点数"
        "读取，带时区的时间转换为 UTC，对象类型的列不读取。无需安装客户端（Oracle 12.1 及以上）。读取需要 SELECT 权限。"
        "尚未在真实服务器上测试，请核对前几行数据。",
    )
    icon = "DatabaseOutlined"
    Settings = OracleSettings
    limits = ("reads", "rows_per_second", "statement_seconds")
    label = UNTESTED

    @classmethod
    def check(cls, settings: OracleSettings, context: ConnectContext) -> Check:
        """Sign in and count the tables."""
        try:
            with _connected(settings, context) as connection:
                version = connection.version
                tables = len(list(_tables(connection, settings)))
        except NodeTypeError as error:
            return Check(False, error.code, error.message)
        facts = {"product": "Oracle", "version": version, "tables": tables}
        words = text(
            f"Connected; schema “{settings.owner}” has {tables} tables.",
            f"连接成功，模式“{settings.owner}”下有 {tables} 张表。",
        )
        return Check(True, "ok", words, facts)

    @classmethod
    def discover(
        cls,
        settings: OracleSettings,
        context: ConnectContext,
        known: Mapping[tuple[str, ...], Mapping[str, Any]] | None = None,
    ) -> Iterator[DiscoveredDataset]:
        """Tables and views by three bulk queries on the catalogue; numbers of rows are the server's estimates."""
        with _connected(settings, context) as connection:
            columns = _columns(connection, settings.owner)
            keys = _keys(connection, settings.owner)
            for name, kind, rows, comment in _tables(connection, settings):
                found = [
                    DiscoveredColumn(
                        one.name, one.native, one.type, one.nullable, keys.get((name, one.name), ""), one.comment
                    )
                    for one in columns.get(name, ())
                ]
                yield discovered_table((settings.owner, name), kind, found, rows, comment or "")

    @classmethod
    def access(cls, settings: OracleSettings, dataset: DatasetRef, context: ConnectContext) -> Access:
        """Rows are read here; what is left of the query runs in the engine."""
        with _connected(settings, context) as connection:
            _wanted(connection, settings, dataset, dataset.schema.names)
        return Stream()

    @classmethod
    def read(
        cls, settings: OracleSettings, dataset: DatasetRef, columns: Sequence[str], context: ConnectContext
    ) -> Iterator[Any]:
        """Arrow batches out of the driver, in a transaction that cannot write."""
        import pyarrow as pa

        fields = {field.name: field for field in dataset.schema.fields}
        schema = Schema(tuple(fields[name] for name in columns))
        with _connected(settings, context) as connection:
            owner, table = place_of(dataset.path, settings.owner)
            sql = select_sql(owner, table, _wanted(connection, settings, dataset, columns))
            connection.cursor().execute("SET TRANSACTION READ ONLY")
            for frame in connection.fetch_df_batches(
                sql, size=context.batch_rows, fetch_decimals=True, requested_schema=to_arrow(schema)
            ):
                yield from pa.table(frame).to_batches()


def _wanted(connection: Any, settings: OracleSettings, dataset: DatasetRef, names: Sequence[str]) -> list[Column]:
    """The columns to read, in order. Raises SourceError when the table or one of them has gone."""
    owner, table = place_of(dataset.path, settings.owner)
    found = {column.name: column for column in _columns(connection, owner, table).get(table, ()) if column.type}
    return promised_columns(found, names, f"{owner}.{table}")


def _tables(
    connection: Any, settings: OracleSettings
) -> Iterator[tuple[str, Literal["table", "view"], int | None, str]]:
    patterns = TablePatterns(settings.include, settings.exclude)
    for name, kind, rows, comment in connection.cursor().execute(_TABLES, owner=settings.owner):
        if patterns.wants(settings.owner, name) and not name.lower().startswith(OUR_PREFIX):
            yield name, kind, rows, comment or ""


def _columns(connection: Any, owner: str, table: str | None = None) -> dict[str, list[Column]]:
    found: dict[str, list[Column]] = {}
    for name, column, data_type, precision, scale, nullable, comment in connection.cursor().execute(
        _COLUMNS, owner=owner, name=table
    ):
        described = Column(column, data_type, precision, scale, nullable == "Y", comment or "")
        found.setdefault(name, []).append(described)
    return found


def _keys(connection: Any, owner: str) -> dict[tuple[str, str], Literal["", "primary", "unique", "foreign"]]:
    found: dict[tuple[str, str], Literal["", "primary", "unique", "foreign"]] = {}
    for table, column, kind in connection.cursor().execute(_KEYS, owner=owner):
        if kind == "P" or (table, column) not in found:
            found[(table, column)] = "primary" if kind == "P" else "foreign"
    return found


@contextmanager
def _connected(settings: OracleSettings, context: ConnectContext) -> Iterator[Any]:
    """A session through the guard; also a listener's redirect goes through it. Errors come out in words."""
    import oracledb

    pinned(context, settings.host, settings.port)
    try:
        with guarded(context):
            connection = oracledb.connect(
                user=settings.user,
                password=settings.password,
                host=settings.host,
                port=settings.port,
                service_name=settings.service,
                protocol="tcps" if settings.tls == "verify" else "tcp",
                tcp_connect_timeout=context.connect_timeout,
                retry_count=0,
                config_dir="",
                program="CityGo-Studio",
            )
            connection.call_timeout = int(context.statement_timeout * 1000)
        try:
            yield connection
        finally:
            connection.close()
    except oracledb.Error as error:
        raise of_oracle(error, settings) from error


def of_oracle(error: Exception, settings: OracleSettings) -> NodeTypeError:
    """Our error for what the driver or the server said; only ``detail`` quotes it."""
    number = int(getattr(error.args[0] if error.args else None, "code", 0) or 0)
    said, where = str(error)[:400], f"{settings.host}:{settings.port}/{settings.service}"
    if isinstance(error.__cause__, NodeTypeError):
        return error.__cause__
    if not number and "DPY-" in said:
        kind: type[NodeTypeError] = SourceBusyError if "DPY-4024" in said else ConnectError
        message = text(
            f"No session with {settings.host}, port {settings.port}. Check the address, the service name, and whether "
            "a firewall lies between.",
            f"无法与 {settings.host} 的 {settings.port} 端口建立会话。请检查地址、服务名，以及中间是否有防火墙。",
        )
        return kind("oracle.unreachable", message, where, said)
    kind, code = _CODES.get(number, (SourceError, "oracle.refused"))
    message = text(
        f"The Oracle database “{settings.service}” on “{settings.host}” refuses (ORA-{number:05d}). Look the number "
        "up, or ask the database's administrator.",
        f"“{settings.host}”上的 Oracle 数据库“{settings.service}”拒绝请求（ORA-{number:05d}）。"
        "请查询该编号的含义，或联系数据库管理员。",
    )
    return kind(code, message, where, said)
