"""SQL Server: one schema of a database is the node; its tables and views are the datasets. Read only."""

from __future__ import annotations

import ssl
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from node_catalog.sdk.access import Access, DatasetRef, Stream
from node_catalog.sdk.contract import Check, ConnectContext, Connector, DiscoveredColumn, DiscoveredDataset, Settings
from node_catalog.sdk.errors import ConnectError, NodeTypeError, Problem, RefusedError, SourceBusyError, SourceError
from node_catalog.sdk.fields import setting
from node_catalog.sdk.outgoing import guarded, pinned
from node_catalog.sdk.ports import Schema, to_arrow
from node_catalog.sdk.server_fields import HOST, PASSWORD, PORT, USER, nul_problems
from node_catalog.sdk.sql_node import OUR_PREFIX, UNTESTED, discovered_table, place_of, promised_columns
from node_catalog.sdk.table_patterns import EXCLUDE, INCLUDE, TablePatterns, pattern_problems
from node_catalog.sdk.text import text

_TABLES = """
select o.object_id, o.name, case o.type when 'V' then 'view' else 'table' end,
  (select sum(p.rows) from sys.partitions p where p.object_id = o.object_id and p.index_id in (0, 1)),
  cast(d.value as nvarchar(2000))
from sys.objects o
join sys.schemas s on s.schema_id = o.schema_id
left join sys.extended_properties d
  on d.class = 1 and d.major_id = o.object_id and d.minor_id = 0 and d.name = 'MS_Description'
where s.name = %s and o.type in ('U', 'V') and o.is_ms_shipped = 0 and (%s is null or o.name = %s)
order by o.name
"""
_COLUMNS = """
select c.object_id, c.name, coalesce(b.name, t.name), c.precision, c.scale, c.max_length, c.is_nullable,
  cast(d.value as nvarchar(2000)),
  case when exists (select 1 from sys.index_columns x join sys.indexes i
      on i.object_id = x.object_id and i.index_id = x.index_id and i.is_primary_key = 1
    where x.object_id = c.object_id and x.column_id = c.column_id) then 'primary'
  when exists (select 1 from sys.foreign_key_columns f
    where f.parent_object_id = c.object_id and f.parent_column_id = c.column_id) then 'foreign' else '' end
from sys.columns c
join sys.objects o on o.object_id = c.object_id
join sys.schemas s on s.schema_id = o.schema_id
join sys.types t on t.user_type_id = c.user_type_id
left join sys.types b on b.user_type_id = t.system_type_id and t.is_user_defined = 1
left join sys.extended_properties d
  on d.class = 1 and d.major_id = c.object_id and d.minor_id = c.column_id and d.name = 'MS_Description'
where s.name = %s and o.type in ('U', 'V') and o.is_ms_shipped = 0 and (%s is null or o.name = %s)
order by c.object_id, c.column_id
"""
_PLAIN = {
    "bit": "boolean", "tinyint": "integer", "smallint": "integer", "int": "integer", "bigint": "integer",
    "real": "number", "float": "number", "money": "decimal(19,4)", "smallmoney": "decimal(10,4)",
    "char": "text", "varchar": "text", "nchar": "text", "nvarchar": "text", "text": "text", "ntext": "text",
    "sysname": "text", "xml": "text", "uniqueidentifier": "text", "sql_variant": "text", "json": "text",
    "hierarchyid": "text", "geometry": "text", "geography": "text",
    "date": "date", "time": "time", "datetime": "timestamp", "smalldatetime": "timestamp", "datetime2": "timestamp",
    "datetimeoffset": "timestamp", "binary": "binary", "varbinary": "binary", "image": "binary", "timestamp": "binary",
    "rowversion": "binary",
}  # fmt: skip
_READ_AS = {
    "real": "CAST({} AS float(53))",
    "money": "CAST({} AS decimal(19,4))",
    "smallmoney": "CAST({} AS decimal(10,4))",
    "text": "CAST({} AS varchar(max))",
    "ntext": "CAST({} AS nvarchar(max))",
    "xml": "CAST({} AS nvarchar(max))",
    "json": "CAST({} AS nvarchar(max))",
    "sql_variant": "CAST({} AS nvarchar(4000))",
    "uniqueidentifier": "CAST({} AS char(36))",
    "hierarchyid": "{}.ToString()",
    "geometry": "{}.STAsText()",
    "geography": "{}.STAsText()",
    "time": "CAST({} AS time(6))",
    "datetime": "CAST({} AS datetime2(6))",
    "smalldatetime": "CAST({} AS datetime2(6))",
    "datetime2": "CAST({} AS datetime2(6))",
    "datetimeoffset": "CAST(SWITCHOFFSET({}, '+00:00') AS datetime2(6))",
    "image": "CAST({} AS varbinary(max))",
    "timestamp": "CAST({} AS binary(8))",
}
"""How values come in our types; what is not listed comes as it is, so that the server can use its indexes."""
_NUMBERS: dict[int, tuple[type[NodeTypeError], str]] = {
    18456: (RefusedError, "mssql.password"),
    4060: (RefusedError, "mssql.no_database"),
    229: (RefusedError, "mssql.no_right"),
    208: (SourceError, "source.table_missing"),
    207: (SourceError, "source.columns_moved"),
    1205: (SourceBusyError, "mssql.busy"),
    1222: (SourceBusyError, "mssql.busy"),
}


class MssqlSettings(Settings):
    """Where the server is and as whom to sign in (with a SQL Server login)."""

    host: Annotated[str, HOST]
    database: Annotated[str, setting(text("Database", "数据库"), min_length=1, max_length=128)]
    user: Annotated[str, USER]
    password: Annotated[str, PASSWORD] = ""
    port: Annotated[int, PORT] = 1433
    schema: Annotated[
        str,
        setting(
            text("Schema", "架构"),
            text("Whose tables are the node's datasets.", "该架构下的表即为节点的数据集。"),
            min_length=1,
            max_length=128,
        ),
    ] = "dbo"
    tls: Annotated[
        Literal["disable", "verify"],
        setting(
            text("Encryption", "加密方式"),
            choices={
                "disable": text("none", "不加密"),
                "verify": text("always, and check the server's certificate", "始终加密并校验服务器证书"),
            },
        ),
    ] = "verify"
    ca: Annotated[
        str,
        setting(
            text("Certificate authority", "证书颁发机构"),
            text(
                "The authority's certificate as PEM text. Empty: those the studio's machine trusts.",
                "颁发机构证书的 PEM 文本。留空则使用平台所在机器信任的颁发机构。",
            ),
            widget="textarea",
            max_length=20_000,
            extra={"x-when": {"tls": ["verify"]}},
        ),
    ] = ""
    include: Annotated[tuple[str, ...], INCLUDE] = ()
    exclude: Annotated[tuple[str, ...], EXCLUDE] = ()

    def problems(self) -> Iterable[Problem]:
        """NUL characters, and patterns that match nothing."""
        yield from nul_problems(self, "database", "user", "password", "schema")
        yield from pattern_problems(self.include, self.exclude)


def bracketed(name: str) -> str:
    """A T-SQL identifier."""
    return "[" + name.replace("]", "]]") + "]"


@dataclass(frozen=True)
class Column:
    """A column as sys.columns describes it; ``base`` is the type under a user's own type."""

    name: str
    base: str
    precision: int = 0
    scale: int = 0
    length: int = 0
    nullable: bool = True
    comment: str = ""
    key: Literal["", "primary", "unique", "foreign"] = ""

    @property
    def native(self) -> str:
        """The type in words for people."""
        if self.base in ("decimal", "numeric"):
            return f"{self.base}({self.precision},{self.scale})"
        if self.base in ("char", "varchar", "nchar", "nvarchar", "binary", "varbinary"):
            letters = self.length // 2 if self.base.startswith("n") else self.length
            return f"{self.base}({'max' if self.length < 0 else letters})"
        return self.base

    @property
    def type(self) -> str:
        """Our type; empty when there is no way to read the column."""
        if self.base in ("decimal", "numeric"):
            return f"decimal({self.precision},{self.scale})"
        return _PLAIN.get(self.base, "")

    @property
    def expression(self) -> str:
        """SQL that gives the value in our type."""
        return _READ_AS.get(self.base, "{}").format(bracketed(self.name))


def select_sql(schema: str, table: str, columns: Sequence[Column]) -> str:
    """The one statement that reads a table: the columns in our types, nothing else."""
    chosen = ", ".join(f"{column.expression} AS {bracketed(column.name)}" for column in columns)
    return f"SELECT {chosen} FROM {bracketed(schema)}.{bracketed(table)}"


def to_batch(rows: Sequence[Sequence[Any]], schema: Any) -> Any:
    """Rows of the driver as one record batch, column by column."""
    import pyarrow as pa

    columns = zip(*rows, strict=True) if rows else [()] * len(schema)
    arrays = [pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


class Mssql(Connector):
    """A SQL Server database, read through a pure-Python driver."""

    key = "mssql"
    title = text("SQL Server", "SQL Server")
    summary = text("Tables of a Microsoft SQL Server database", "Microsoft SQL Server 数据库中的表")
    help = text(
        "Reads tables and views of one schema; columns are chosen in the server, filters run in the studio. Moments "
        "with a time zone are brought to UTC, shapes become WKT text. No client software is needed. The user needs a "
        "SQL Server login with SELECT. Not tested against a server yet: check the first rows.",
        "读取一个架构下的表和视图，选列在服务器内执行，筛选由平台执行。带时区的时间转换为 UTC，空间类型转为 WKT "
        "文本。无需安装客户端。需要具有 SELECT 权限的 SQL Server 登录名。尚未在真实服务器上测试，请核对前几行数据。",
    )
    icon = "DatabaseOutlined"
    Settings = MssqlSettings
    limits = ("reads", "rows_per_second", "statement_seconds")
    label = UNTESTED

    @classmethod
    def check(cls, settings: MssqlSettings, context: ConnectContext) -> Check:
        """Sign in and count the tables."""
        try:
            with _connected(settings, context) as connection:
                version = str(connection.product_version or "")
                tables = len(_tables(connection, settings))
        except NodeTypeError as error:
            return Check(False, error.code, error.message)
        facts = {"product": "SQL Server", "version": version, "tables": tables, "encrypted": settings.tls == "verify"}
        words = text(
            f"Connected; schema “{settings.schema}” has {tables} tables.",
            f"连接成功，架构“{settings.schema}”下有 {tables} 张表。",
        )
        return Check(True, "ok", words, facts)

    @classmethod
    def discover(
        cls,
        settings: MssqlSettings,
        context: ConnectContext,
        known: Mapping[tuple[str, ...], Mapping[str, Any]] | None = None,
    ) -> Iterator[DiscoveredDataset]:
        """Tables and views by two bulk queries on the catalogue; numbers of rows are those the server keeps."""
        with _connected(settings, context) as connection:
            columns = _columns(connection, settings.schema)
            for number, name, kind, rows, comment in _tables(connection, settings):
                found = [
                    DiscoveredColumn(one.name, one.native, one.type, one.nullable, one.key, one.comment)
                    for one in columns.get(number, ())
                ]
                counted = int(rows) if rows is not None and kind == "table" else None
                yield discovered_table((settings.schema, name), kind, found, counted, comment or "")

    @classmethod
    def access(cls, settings: MssqlSettings, dataset: DatasetRef, context: ConnectContext) -> Access:
        """Rows are read here; what is left of the query runs in the engine."""
        with _connected(settings, context) as connection:
            _wanted(connection, settings, dataset, dataset.schema.names)
        return Stream()

    @classmethod
    def read(
        cls, settings: MssqlSettings, dataset: DatasetRef, columns: Sequence[str], context: ConnectContext
    ) -> Iterator[Any]:
        """Batches of rows, turned into Arrow column by column."""
        fields = {field.name: field for field in dataset.schema.fields}
        schema = to_arrow(Schema(tuple(fields[name] for name in columns)))
        with _connected(settings, context) as connection:
            place, table = place_of(dataset.path, settings.schema)
            sql = select_sql(place, table, _wanted(connection, settings, dataset, columns))
            with connection.cursor() as cursor:
                cursor.execute(sql)
                while rows := cursor.fetchmany(context.batch_rows):
                    yield to_batch(rows, schema)


Table = tuple[int, str, Literal["table", "view"], int | None, str | None]


def _tables(connection: Any, settings: MssqlSettings) -> list[Table]:
    patterns = TablePatterns(settings.include, settings.exclude)
    with connection.cursor() as cursor:
        cursor.execute(_TABLES, (settings.schema, None, None))
        found: list[Table] = cursor.fetchall()
    return [
        row for row in found if patterns.wants(settings.schema, row[1]) and not row[1].lower().startswith(OUR_PREFIX)
    ]


def _columns(connection: Any, schema: str, table: str | None = None) -> dict[int, list[Column]]:
    found: dict[int, list[Column]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_COLUMNS, (schema, table, table))
        for number, name, base, precision, scale, length, nullable, comment, key in cursor.fetchall():
            column = Column(name, base, precision, scale, length, bool(nullable), comment or "", key)
            found.setdefault(number, []).append(column)
    return found


def _wanted(connection: Any, settings: MssqlSettings, dataset: DatasetRef, names: Sequence[str]) -> list[Column]:
    """The columns to read, in order. Raises SourceError when the table or one of them has gone."""
    schema, table = place_of(dataset.path, settings.schema)
    found = {one.name: one for many in _columns(connection, schema, table).values() for one in many if one.type}
    return promised_columns(found, names, f"{schema}.{table}")


@contextmanager
def _connected(settings: MssqlSettings, context: ConnectContext) -> Iterator[Any]:
    """A session through the guard; where a server sends on to another one, that goes through it too."""
    import pytds

    pinned(context, settings.host, settings.port)
    try:
        with _authority(settings) as authority, guarded(context):
            connection = pytds.connect(
                dsn=settings.host,
                port=settings.port,
                database=settings.database,
                user=settings.user,
                password=settings.password,
                timeout=context.statement_timeout,
                login_timeout=context.connect_timeout,
                autocommit=True,
                appname="CityGo Studio",
                cafile=authority,
                disable_connect_retry=True,
            )
        with connection:
            yield connection
    except (pytds.Error, OSError) as error:
        raise of_mssql(error, settings) from error


@contextmanager
def _authority(settings: MssqlSettings) -> Iterator[str | None]:
    """The file of trusted authorities that the driver wants; none without encryption."""
    if settings.tls != "verify":
        yield None
    elif not settings.ca:
        yield ssl.get_default_verify_paths().cafile or "/etc/ssl/certs/ca-certificates.crt"
    else:
        with tempfile.TemporaryDirectory(prefix="citygo-") as folder:
            file = Path(folder) / "authority.pem"
            file.write_text(settings.ca, encoding="utf-8")
            yield str(file)


def of_mssql(error: Exception, settings: MssqlSettings) -> NodeTypeError:
    """Our error for what the driver or the server said; only ``detail`` quotes it."""
    number = int(getattr(error, "number", 0) or getattr(error, "msg_no", 0) or 0)
    said, where = str(error)[:400], f"{settings.host}:{settings.port}/{settings.database}"
    if not number and ("login" in said.lower() and "failed" in said.lower()):
        number = 18456
    if not number:
        message = text(
            f"No session with {settings.host}, port {settings.port}. Check the address, whether a firewall lies "
            "between, and whether both sides agree on encryption.",
            f"无法与 {settings.host} 的 {settings.port} 端口建立会话。请检查地址、防火墙以及双方的加密设置。",
        )
        return ConnectError("mssql.unreachable", message, where, said)
    kind, code = _NUMBERS.get(number, (SourceError, "mssql.refused"))
    message = text(
        f"The database “{settings.database}” on “{settings.host}” refuses (error {number}). Look the number up, or ask "
        "the database's administrator.",
        f"“{settings.host}”上的数据库“{settings.database}”拒绝请求（错误 {number}）。"
        "请查询该编号的含义，或联系数据库管理员。",
    )
    return kind(code, message, where, said)
