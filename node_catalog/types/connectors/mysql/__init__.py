"""MySQL and MariaDB: a database is the node; its tables and views are the datasets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any, Literal

from node_catalog.sdk.access import Access, DatasetRef, Through
from node_catalog.sdk.contract import Check, ConnectContext, Connector, DiscoveredDataset, Settings
from node_catalog.sdk.errors import NodeTypeError, Problem
from node_catalog.sdk.fields import setting
from node_catalog.sdk.server_fields import HOST, PASSWORD, PORT, USER, nul_problems
from node_catalog.sdk.sql_node import check_promised, missing_table
from node_catalog.sdk.table_patterns import EXCLUDE, INCLUDE, TablePatterns, pattern_problems
from node_catalog.sdk.text import text
from node_catalog.types.connectors.mysql.catalog import columns_of, count_tables, quoted, tables_of
from node_catalog.types.connectors.mysql.connection import Session, attach_statements, control, time_limit
from node_catalog.types.connectors.mysql.writing import MysqlOutput


class MysqlSettings(Settings):
    """Where the server is and as whom to sign in."""

    host: Annotated[str, HOST]
    database: Annotated[str, setting(text("Database", "数据库"), min_length=1, max_length=64)]
    user: Annotated[str, USER]
    password: Annotated[str, PASSWORD] = ""
    port: Annotated[int, PORT] = 3306
    tls: Annotated[
        Literal["disable", "prefer", "require", "verify"],
        setting(
            text("Encryption", "加密方式"),
            choices={
                "disable": text("none", "不加密"),
                "prefer": text("if the server offers it", "服务器支持时加密"),
                "require": text("always", "始终加密"),
                "verify": text("always, and check the server's certificate and name", "始终加密并校验服务器证书和名称"),
            },
        ),
    ] = "prefer"
    ca: Annotated[
        str,
        setting(
            text("Certificate authority", "证书颁发机构"),
            text(
                "For checking the certificate: the authority's certificate as PEM text. Empty: those the studio's "
                "machine trusts.",
                "用于校验证书：颁发机构证书的 PEM 文本。留空则使用平台所在机器信任的颁发机构。",
            ),
            widget="textarea",
            max_length=20_000,
        ),
    ] = ""
    include: Annotated[tuple[str, ...], INCLUDE] = ()
    exclude: Annotated[tuple[str, ...], EXCLUDE] = ()

    def problems(self) -> Iterable[Problem]:
        """NUL characters end a value early in the driver; a certificate is only of use when it is checked."""
        yield from pattern_problems(self.include, self.exclude)
        yield from nul_problems(self, "database", "user", "password", "ca")
        if self.ca and self.tls == "verify" and "-----BEGIN CERTIFICATE-----" not in self.ca:
            message = text(
                "This is no certificate in PEM form: it begins with “-----BEGIN CERTIFICATE-----”.",
                "这不是 PEM 格式的证书，应以“-----BEGIN CERTIFICATE-----”开头。",
            )
            yield Problem("/ca", "mysql.certificate", message)


class Mysql(Connector):
    """A MySQL or MariaDB database. Filters and column lists run in the server; rows arrive in bulk."""

    key = "mysql"
    title = text("MySQL / MariaDB", "MySQL / MariaDB")
    summary = text("Tables of a MySQL or MariaDB database", "MySQL 或 MariaDB 数据库中的表")
    help = text(
        "Reads tables and views of one database; filters and the choice of columns run in the server, read-only and "
        "with a time limit. Text is compared exactly, whatever the column's collation. Zero dates (0000-00-00) and "
        "times outside one day are read as empty. TINYINT(1) is yes/no, BIGINT UNSIGNED an exact decimal. Writing "
        "goes through a staging table; each row arrives once, also after a crash. The user needs SELECT, and for "
        "writing also INSERT, UPDATE, DELETE, CREATE, ALTER and DROP. Tested on MariaDB 10.11.",
        "读取一个数据库中的表和视图，筛选和选列在服务器内以只读、限时方式执行。文本按字符精确比较，不受列的排序规则影响。"
        "零日期（0000-00-00）和超出一天的时刻按空值读取；TINYINT(1) 为是/否，BIGINT UNSIGNED 为定点小数。"
        "写入先进入暂存表，即使中途崩溃，每行也只写入一次。"
        "读取需要 SELECT 权限，写入还需要 INSERT、UPDATE、DELETE、CREATE、ALTER、DROP 权限。"
        "已在 MariaDB 10.11 上测试。",
    )
    icon = "DatabaseOutlined"
    Settings = MysqlSettings
    limits = ("reads", "rows_per_second", "statement_seconds", "when_busy", "replica")
    output = MysqlOutput

    @classmethod
    def dialect(cls) -> str:
        """Texts run in the server."""
        return "mysql"

    @classmethod
    def check(cls, settings: MysqlSettings, context: ConnectContext) -> Check:
        """Sign in and count the tables."""
        try:
            with control(settings, context, read_only=True) as session:
                tables = count_tables(session)
                facts = {
                    "product": "MariaDB" if session.is_mariadb else "MySQL",
                    "version": session.version,
                    "tables": tables,
                    "encrypted": session.is_encrypted,
                }
        except NodeTypeError as error:
            return Check(False, error.code, error.message)
        words = text(
            f"Connected; database “{settings.database}” has {tables} tables.",
            f"连接成功，数据库“{settings.database}”中有 {tables} 张表。",
        )
        return Check(True, "ok", words, facts)

    @classmethod
    def discover(
        cls,
        settings: MysqlSettings,
        context: ConnectContext,
        known: Mapping[tuple[str, ...], Mapping[str, Any]] | None = None,
    ) -> Iterator[DiscoveredDataset]:
        """Tables and views with keys, comments and sizes; small tables are counted, large ones estimated."""
        with control(settings, context, read_only=True) as session:
            yield from tables_of(
                session, settings.database, TablePatterns(settings.include, settings.exclude), context.described
            )

    @classmethod
    def access(cls, settings: MysqlSettings, dataset: DatasetRef, context: ConnectContext) -> Access:
        """The SQL runs in the server, over a subquery that gives the promised columns in our types."""
        name = dataset.path[-1]
        with control(settings, context, read_only=True) as session:
            columns = {column.name: column for column in columns_of(session, [name])[name]}
            before, after = _limits(session, context)
            statements = attach_statements(settings, context, session)
        if not columns:
            raise missing_table(name)
        check_promised(dataset.schema, list(columns), name)
        chosen = ", ".join(f"{columns[part].expression} AS {quoted(part)}" for part in dataset.schema.names)
        return Through(
            statements=statements,
            extensions=("mysql",),
            function="mysql_query",
            relation=f"(SELECT {chosen} FROM {quoted(name)})",
            dialect="mysql",
            before=before,
            after=after,
        )

    @classmethod
    @contextmanager
    def work_done(cls, settings: MysqlSettings, context: ConnectContext) -> Iterator[Callable[[], int]]:
        """Statements that the server has been sent."""
        with control(settings, context, read_only=True) as session:
            yield lambda: int(session.rows("show global status like 'Questions'")[0][1])


def _limits(session: Session, context: ConnectContext) -> tuple[str, str]:
    """What stands around a statement so that the server ends it after its time."""
    limit = time_limit(session, context)
    if session.is_mariadb:
        return f"SET STATEMENT {limit}, sql_mode = '' FOR ", ""
    milliseconds = limit.rpartition(" ")[2]
    return f"SELECT /*+ MAX_EXECUTION_TIME({milliseconds}) */ * FROM (", ") AS limited"
